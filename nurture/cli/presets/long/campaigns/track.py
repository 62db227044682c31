"""Stage interest, task track: who comes by more than once is offered a guide, and what it looks at is a presumed need."""

from nurture import Campaign, State, advance, clicked, days, event, lead, leave, need, on, send, wait_for, when

campaign = Campaign(
    key="track",
    title="Track",
    enters=[when((event("visit").within(days(14)).count() >= 3) & lead.email.known())],
    goal=on("request_sent"),
    presale=True,
    states=[
        State("look", [
            advance("interest"),
            need("starter-kit", readiness=20),
            send("track/guide"),
            wait_for(clicked("track/guide"), up_to=days(10), then="interested", otherwise=leave("only looking")),
        ]),
        State("interested", [
            need("starter-kit", readiness=40),
        ]),
    ],
)  # fmt: skip
