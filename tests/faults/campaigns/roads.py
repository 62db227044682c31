"""Short roads: every message counts, and every wait is known."""

from nurture import Campaign, Score, Source, State, add_points, days, done, gives, on, send, tag, wait, wait_for


def steady(key: str) -> Campaign:
    """Three letters of marketing, two days apart; the second may be answered."""
    return Campaign(
        key=key,
        enters=[on(f"{key}_asked")],
        exits=[on("objected")],
        states=[
            State("first", [send("test/one"), wait(days(2))]),
            State("second", [send("test/two"), wait_for(on("agreed"), up_to=days(2), then="third", otherwise="third")]),
            State("third", [send("test/three"), done]),
        ],
    )


ORDERED = "the lead has ordered"
roads = steady("steady")
paused = steady("paused")
edited = steady("edited")
receipt = Campaign(
    key="receipt",
    enters=[on("receipt_asked")],
    states=[
        State("first", [send("test/one", legal_basis=ORDERED), wait(days(1))]),
        State("second", [send("test/two", legal_basis=ORDERED), done]),
    ],
)
patient = Campaign(
    key="patient",
    enters=[on("patient_asked")],
    states=[
        State("first", [send("test/one", legal_basis=ORDERED),
                        wait_for(on("agreed"), up_to=days(90), then="second", otherwise="second")]),
        State("second", [send("test/two", legal_basis=ORDERED), done]),
    ],
)  # fmt: skip
mailless = Campaign(
    key="mailless",
    enters=[on("mailless_asked")],
    states=[State("first", [tag("seen"), wait(days(1)), add_points(1, score="love"), done])],
)
listening = Campaign(
    key="listening",
    enters=[on("listening_asked")],
    exits=[on("objected")],
    states=[
        State("listening", [wait_for(on("ping"), up_to=days(3000), then="listening", otherwise="ending")]),
        State("ending", [done]),
    ],
)
love = Score(key="love", rules=())
interest = Score(key="interest", rules=(gives(1, on("visited")),))
shop = Source(key="shop", events={"page.viewed": "visited"}, lead={"email": "data.email"})
