"""A long wait that an event ends with a hand-off; and what an audience is sent meanwhile."""

from nurture import (
    Campaign,
    Definition,
    Salesperson,
    State,
    Team,
    days,
    done,
    escalate,
    lead,
    leave,
    on,
    send,
    wait_for,
)

anybody = Definition(key="anybody", ready=lead.email.known())

sales = Team(
    key="sales",
    lead="lead@sales.example",
    people=(
        Salesperson(key="ann", name="Ann", email="ann@sales.example"),
        Salesperson(key="bob", name="Bob", email="bob@sales.example"),
    ),
)

sell = Campaign(
    key="sell",
    enters=[on("bench_met")],
    states=[
        State("listen", [
            wait_for(on("bench_wanted"), up_to=days(365), then="sales", otherwise=leave("never wanted")),
        ]),
        State("sales", [escalate("anybody"), wait_for(on("sales_accepted"), up_to=days(14))]),
    ],
)  # fmt: skip

mass = Campaign(key="mass", states=[State("only", [send("price-list/remind"), done])])
