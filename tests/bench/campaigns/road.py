"""A whole journey: three messages, two waits and a branch."""

from nurture import Campaign, State, branch, clicked, days, done, lead, on, send, wait, wait_for, when

campaign = Campaign(
    key="road",
    enters=[on("bench_road")],
    states=[
        State("greet", [send("price-list/greet"), wait(days(1))]),
        State("remind", [
            send("price-list/remind"),
            wait_for(clicked("price-list/remind"), up_to=days(1), then="case", otherwise="choose"),
        ]),
        State("choose", [branch(when(lead.country == "DE", to="offer"), otherwise="case")]),
        State("case", [send("price-list/case"), done]),
        State("offer", [send("price-list/offer")]),
    ],
)  # fmt: skip
