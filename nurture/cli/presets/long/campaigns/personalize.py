"""Stage return, task personalize: budget and timing are asked for one by one, and who is ready goes to sales."""

from nurture import (
    Campaign,
    Definition,
    State,
    advance,
    ask,
    branch,
    days,
    done,
    escalate,
    lead,
    leave,
    on,
    once_in,
    wait_for,
    when,
)

known = Definition(
    key="known",
    title="Budget and timing are known",
    ready=lead.bant.budget.known() & lead.bant.timing.known(),
    agreed_by=("marketing: the head of marketing", "sales: the head of sales"),
)

campaign = Campaign(
    key="personalize",
    title="Personalize",
    enters=[when(lead.needs.ready("starter-kit", at=70))],
    reenters=once_in(days(180)),
    presale=True,
    states=[
        State("budget", [
            advance("return"),
            branch(when(lead.bant.budget.known(), to="timing")),
            ask(lead.bant.budget, "bant/budget"),
            wait_for(when(lead.bant.budget.known()), up_to=days(14), otherwise=leave("told no budget")),
        ]),
        State("timing", [
            branch(when(lead.bant.timing.known(), to="sales")),
            ask(lead.bant.timing, "bant/timing"),
            wait_for(when(lead.bant.timing.known()), up_to=days(14), otherwise=leave("told no time")),
        ]),
        State("sales", [
            escalate("known"),
            wait_for(on("sales_rejected"), up_to=days(30), then=leave("sales did not take it"), otherwise=done),
        ]),
    ],
)  # fmt: skip
