"""Stage buy, task thank: a first purchase is thanked once, and whoever is not content is called."""

from nurture import (
    Campaign,
    State,
    branch,
    days,
    done,
    enrol,
    lead,
    on,
    send,
    survey,
    task,
    thank,
    wait,
    wait_for,
    when,
)

campaign = Campaign(
    key="thanks",
    title="Thanks",
    enters=[when(lead.customer)],
    states=[
        State("thank", [
            thank("thanks/first"),
            wait(days(14)),
            survey("nps"),
            wait_for(on("survey_answered", survey="nps"), up_to=days(14), otherwise=done),
            branch(when(lead.nps <= 6, to="sorry"), when(lead.nps >= 9, to="review"), otherwise=done),
        ]),
        State("sorry", [
            task("Call: the customer is not content", team="sales", due_in=days(1)),
            wait_for(on("task_done"), up_to=days(30), then=done, otherwise=done),
        ]),
        State("review", [
            send("thanks/review"),
            wait(days(7)),
            enrol("recommend"),
        ]),
    ],
)  # fmt: skip
