"""A webinar: registered, reminded, attended or missed, and on to sales for those who are ready."""

from nurture import (
    Campaign,
    State,
    branch,
    clicked,
    days,
    done,
    escalate,
    event,
    hours,
    lead,
    leave,
    on,
    once_in,
    send,
    tag,
    wait,
    wait_for,
    when,
)

ready = (lead.company.turnover >= 1_000_000) | (event("question_asked").count() >= 1)

campaign = Campaign(
    key="webinar",
    title="The webinar",
    enters=[on("webinar_registered")],
    reenters=once_in(days(30)),
    goal=on("order_paid"),
    exits=[on("webinar_cancelled")],
    presale=True,
    states=[
        State("confirm", [
            send("webinar/confirm", legal_basis="the lead registered for the webinar"),
            wait(until=lead.custom("webinar_at"), offset=-days(1)),
            send("webinar/reminder", legal_basis="the lead registered for the webinar"),
            wait_for(on("webinar_attended"), up_to=days(2), then="attended", otherwise="missed"),
        ]),
        State("attended", [
            tag("webinar"),
            send("webinar/slides"),
            wait_for(clicked("webinar/slides"), up_to=days(4)),
            branch(when(ready, to="handover"), otherwise=done),
        ]),
        State("missed", [
            wait(hours(20)),
            send("webinar/recording"),
            wait_for(clicked("webinar/recording"), up_to=days(7), otherwise=leave("missed it, and the recording too")),
            branch(when(ready, to="handover"), otherwise=done),
        ]),
        State("handover", [
            escalate("marketing-director"),
            wait_for(on("sales_accepted"), on("sales_rejected"), up_to=days(14)),
        ]),
    ],
)  # fmt: skip
