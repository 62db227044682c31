"""One delay and one message."""

from nurture import Campaign, State, days, on, send, wait

campaign = Campaign(
    key="once",
    enters=[on("bench_once")],
    states=[State("only", [wait(days(1)), send("price-list/remind")])],
)
