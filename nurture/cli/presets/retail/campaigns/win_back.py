"""Customers who went quiet: a reason to come back, a second one for the best of them, and then peace."""

from nurture import Campaign, State, branch, days, event, lead, leave, on, once_in, send, tag, wait_for, when

back = [on("visit"), on("order_paid")]
quiet = event("order_paid").absent(days(120)) & event("visit").absent(days(60))

campaign = Campaign(
    key="win-back",
    title="Win back",
    enters=[when(lead.customer & quiet)],
    reenters=once_in(days(365)),
    goal=on("order_paid"),
    states=[
        State("miss-you", [
            send("win-back/miss-you"),
            wait_for(*back, up_to=days(14), then=leave("came back")),
            branch(when(lead.rfm.money >= 4, to="gift"), otherwise="rest"),
        ]),
        State("gift", [
            send("win-back/gift", expires_after=days(7)),
            wait_for(*back, up_to=days(21), then=leave("came back"), otherwise="rest"),
        ]),
        State("rest", [
            tag("quiet"),
            leave("still quiet"),
        ]),
    ],
)  # fmt: skip
