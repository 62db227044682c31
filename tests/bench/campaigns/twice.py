"""Two delays and two messages: what it costs more than `once` is the cost of one."""

from nurture import Campaign, State, days, on, send, wait

campaign = Campaign(
    key="twice",
    enters=[on("bench_twice")],
    states=[
        State("first", [wait(days(1)), send("price-list/remind")]),
        State("second", [wait(days(1)), send("price-list/remind")]),
    ],
)
