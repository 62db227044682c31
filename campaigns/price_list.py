"""From a downloaded price list to a first order, and on to a recommendation."""

from nurture import (
    Campaign,
    State,
    advance,
    ask_referral,
    branch,
    clicked,
    days,
    done,
    escalate,
    lead,
    leave,
    on,
    once_in,
    send,
    split,
    survey,
    thank,
    wait,
    wait_for,
    weekdays,
    when,
)

campaign = Campaign(
    key="price-list",
    title="The price list",
    enters=[on("price_list_downloaded")],
    reenters=once_in(days(180)),
    goal=on("order_paid"),
    presale=True,  # ends with the sale, but for the thanks that the sale leads to
    always=[  # heard at once, whatever the journey is waiting for
        on("order_paid", to="thanks"),
        when(lead.score("interest") >= 70, to="handover"),
    ],
    states=[
        State("greet", [
            send("price-list/greet", legal_basis="the lead asked for the price list"),
            wait_for(clicked("price-list/greet"), up_to=days(3), then="compare", otherwise="remind"),
        ]),
        State("remind", [
            send("price-list/remind"),
            wait(days(4), at=weekdays("10:00")),  # in the lead's own time zone
        ]),
        State("compare", [
            split({"case": 45, "webinar": 45, "holdout": 10}, key="compare"),
        ]),
        State("case", [
            send("price-list/case"),
            wait_for(clicked("price-list/case"), up_to=days(7), then="offer", otherwise="offer"),
        ]),
        State("webinar", [
            send("price-list/webinar"),
            wait_for(clicked("price-list/webinar"), up_to=days(7), then="offer", otherwise="offer"),
        ]),
        State("holdout", [
            wait(days(14)),
            leave("held out of the comparison"),
        ]),
        State("offer", [
            send("price-list/offer"),
            wait_for(clicked("price-list/offer"), up_to=days(10), then="handover", otherwise=leave("no interest yet")),
        ]),
        State("handover", [
            escalate("marketing-director"),
            wait_for(
                on("sales_rejected"), on("hand_off_recycled"), up_to=days(14), then="recycle", otherwise=leave("with sales"),
            ),
        ]),
        State("recycle", [
            wait(days(30)),
            send("price-list/case"),
            wait(days(14)),
            leave("recycled, and still quiet"),
        ]),
        State("thanks", [
            advance("buy"),
            thank("price-list/thanks"),
            wait(days(14)),
            survey("nps"),
            wait_for(on("survey_answered"), up_to=days(7)),
            branch(when(lead.nps >= 9, to="advocate"), otherwise=done),
        ]),
        State("advocate", [
            advance("promoter"),
            ask_referral("price-list/refer"),
        ]),
    ],
)  # fmt: skip
