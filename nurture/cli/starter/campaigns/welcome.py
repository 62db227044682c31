"""A welcome for who subscribed, and a reminder for who did not look."""

from nurture import Campaign, State, between, clicked, days, leave, on, send, tag, wait_for

campaign = Campaign(
    key="welcome",
    title="Welcome",
    enters=[on("subscribed")],
    goal=on("order_paid"),
    window=between("09:00", "18:00"),
    states=[
        State("hello", [
            send("welcome/hello"),
            wait_for(clicked("welcome/hello"), up_to=days(3), then="interested", otherwise="remind"),
        ]),
        State("remind", [
            send("welcome/remind"),
            wait_for(clicked("welcome/remind"), up_to=days(7), then="interested", otherwise=leave("did not look")),
        ]),
        State("interested", [
            tag("interested"),
        ]),
    ],
)  # fmt: skip
