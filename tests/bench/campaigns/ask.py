"""A long wait that an event ends with a message, and another event with an exit."""

from nurture import Campaign, State, days, done, leave, on, send, wait_for

campaign = Campaign(
    key="ask",
    enters=[on("bench_begun")],
    exits=[on("bench_left")],
    states=[
        State("listen", [
            wait_for(on("bench_asked"), up_to=days(365), then="answer", otherwise=leave("never asked")),
        ]),
        State("answer", [send("price-list/remind"), done]),
    ],
)  # fmt: skip
