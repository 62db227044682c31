"""Stage visit, task capture: a request is answered at once, and leads on to the course."""

from nurture import Campaign, State, advance, clicked, days, enrol, on, once_in, send, wait_for

campaign = Campaign(
    key="capture",
    title="Capture",
    enters=[on("request_sent")],
    reenters=once_in(days(30)),
    presale=True,
    states=[
        State("answer", [
            advance("visit"),
            send("capture/hello", legal_basis="the lead asked for it"),
            wait_for(clicked("capture/hello"), up_to=days(3)),
            enrol("course"),
        ]),
    ],
)  # fmt: skip
