"""After each order: what goes well with it, and a reminder when it is used up."""

from nurture import Campaign, State, always, days, leave, on, send, wait, wait_for

campaign = Campaign(
    key="again",
    title="Once more",
    enters=[on("order_paid", key="order")],
    reenters=always,
    states=[
        State("add", [
            wait(days(21)),
            send("again/add"),
            wait_for(on("order_paid"), up_to=days(39), then=leave("ordered more"), otherwise="remind"),
        ]),
        State("remind", [
            send("again/remind"),
            wait_for(on("order_paid"), up_to=days(30), then=leave("ordered again"), otherwise=leave("did not order again")),
        ]),
    ],
)  # fmt: skip
