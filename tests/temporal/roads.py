"""Campaigns that between them take every kind of step and every way of waking."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from nurture import (
    Campaign,
    Score,
    State,
    Threshold,
    add_points,
    advance,
    ask_referral,
    branch,
    clicked,
    daily,
    days,
    done,
    escalate,
    go,
    hours,
    lead,
    leave,
    on,
    pick,
    send,
    split,
    subscribe,
    survey,
    tag,
    thank,
    wait,
    wait_for,
    weekdays,
    when,
)
from nurture.simulate import Planned, at


def zone_at(hour: int) -> str:
    """A time zone in which it is that hour now."""
    ahead = (hour - datetime.now(UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}"


AT_NOON, AT_NIGHT = zone_at(12), zone_at(23)
"""Journeys start now, so that a test must not start at the edge of quiet hours, whatever the hour it is run at."""


class Road(NamedTuple):
    """A campaign, the lead that walks it, and what happens to it on the way."""

    name: str
    campaign: Campaign
    events: tuple[Planned, ...] = ()
    lead: Mapping[str, Any] = MappingProxyType({})


RULE = pick(on("order_paid"), within=days(14), after=500)

plain = Campaign(
    key="plain",
    enters=[on("asked")],
    states=[
        State("first", [send("test/one"), wait(days(3))]),
        State("second", [send("test/two"), wait(days(730)), tag("patient"), done]),
    ],
)
heard = Campaign(
    key="heard",
    enters=[on("asked")],
    goal=on("order_paid"),
    exits=[on("objected")],
    always=[on("order_paid", to="thanks"), when(lead.tags.has("hot"), to="sales")],
    states=[
        State("greet", [send("test/one"), wait_for(clicked("test/one"), up_to=days(5), then="case", otherwise="remind")]),
        State("remind", [send("test/two"), wait(days(4), at=weekdays("10:00")), leave("no interest")]),
        State("case", [advance("learn"), split({"left": 50, "right": 50}, key="case", winner=RULE)]),
        State("left", [send("test/three"), wait(until=daily("09:00")), go("sales")]),
        State("right", [subscribe("offers"), send("test/three"), wait(hours(30)), go("sales")]),
        State("sales", [escalate("ready"), wait_for(on("sales_rejected"), up_to=days(14), otherwise=leave("no answer"))]),
        State("thanks", [thank("test/thanks"), wait(days(2)), survey("nps", "test/survey"),
                         wait_for(on("survey_answered"), up_to=days(7)),
                         branch(when(lead.nps >= 9, to="advocate"), otherwise=done)]),
        State("advocate", [ask_referral("test/refer"), add_points(5, score="love")]),
    ],
)  # fmt: skip

told_by_itself = Campaign(
    key="told-by-itself",
    enters=[on("asked")],
    always=[when(lead.tags.has("hot"), to="sales"), on("score_reached", threshold="hot", to="thanks")],
    states=[
        State("first", [send("test/one"), tag("hot"), send("test/two"), leave("never comes here")]),
        State("sales", [escalate("ready"), add_points(60, score="love"), wait(days(1)), leave("never comes here")]),
        State("thanks", [thank("test/thanks"), branch(when(lead.bant.complete, to="first"), otherwise=done)]),
    ],
)
LOVE = Score(key="love", rules=(), thresholds=(Threshold(key="hot", at=50),))

ROADS = [
    Road("two years of waiting", plain),
    Road("nobody reacts", heard),
    Road("a click in the middle of a wait", heard, (at(days=2, event=clicked("test/one")),)),
    Road("bought while reminded", heard,
         (at(days=6, hours=2, event="order_paid"), at(days=9, event="survey_answered", lead={"nps": 10}))),
    Road("an unhappy customer", heard,
         (at(days=1, hours=2, event="order_paid"), at(days=4, event="survey_answered", lead={"nps": 3}))),
    Road("an objection", heard, (at(days=3, event="objected"),)),
    Road("a tag that comes true", heard,
         (at(days=3, event="tagged", lead={"tags": ["hot"]}), at(days=8, event="sales_rejected"))),
    Road("refuses marketing", heard, (), {"consents": {"*": False}}),
    Road("what the road does itself", told_by_itself),
    Road("where it is night", heard, (at(days=1, hours=2, event=clicked("test/one")),), {"time_zone": AT_NIGHT}),
]  # fmt: skip
