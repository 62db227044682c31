"""Customers who went quiet: a reason to come back, a second one, and then peace."""

from nurture import Campaign, State, days, event, lead, leave, notify, on, once_in, send, tag, wait_for, when

back = [on("visit"), on("order_paid")]

campaign = Campaign(
    key="win-back",
    title="Win back",
    enters=[when(lead.customer & event("order_paid").absent(days(120)) & event("visit").absent(days(60)))],
    reenters=once_in(days(365)),
    goal=on("order_paid"),
    states=[
        State("miss-you", [
            send("win-back/miss-you"),
            wait_for(*back, up_to=days(14), then="welcome", otherwise="gift"),
        ]),
        State("gift", [
            send("win-back/gift", expires_after=days(7)),
            wait_for(*back, up_to=days(21), then="welcome", otherwise="rest"),
        ]),
        State("welcome", [
            tag("came-back"),
            notify("A quiet customer has come back"),
            leave("came back"),
        ]),
        State("rest", [
            tag("quiet"),
            leave("still quiet"),
        ]),
    ],
)  # fmt: skip
