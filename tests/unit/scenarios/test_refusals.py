"""What is refused when it is written, as users of other engines wish it were: the rows of mistakes in campaigns.

Where an id stands twice or more, its row has several cases, those beside the listed one among them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from nurture import Campaign, State, branch, days, done, lead, minutes, on, send, wait_for, when
from nurture.campaign import Cap
from nurture.catalogue import Catalogue
from nurture.check import Check
from nurture.pace import Pace
from nurture.permission import Go, HouseRules, Policy, Standing, permission
from nurture.steps import Enrol, Step

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


@dataclass
class Known:
    """The messages that there are; some of them cannot be sent as they stand."""

    good: Sequence[str] = ("one",)
    broken: dict[str, list[str]] = field(default_factory=lambda: {"draft": ["draft.en.j2:1: it has no subject"]})

    def exists(self, key: str) -> bool:
        return key in self.keys()

    def keys(self) -> list[str]:
        return [*self.good, *self.broken]

    def faults(self, key: str, provided: frozenset[str]) -> list[str]:
        return self.broken.get(key, [])


def road(*steps: Step, enters: Sequence[str] = ("asked",), **settings: object) -> Campaign:
    return Campaign("scenario", [State("first", steps)], enters=[on(name) for name in enters], **settings)  # type: ignore[arg-type]


GATES = [
    State("g1", [branch(when(lead.country == "DE", to="g2"), otherwise=done)]),
    State("g2", [branch(when(lead.city == "Bonn", to="g1"), otherwise=done)]),
]


@pytest.mark.parametrize(
    ("campaign", "fault"),
    [
        pytest.param(road(send("draft")), "it has no subject", id="M-67"),
        pytest.param(road(send("onne")), 'there is no template "onne": did you mean "one"?', id="M-67 never written"),
        pytest.param(road(send("draft", legal_basis="contract")), "it has no subject", id="M-67 asked for"),
        pytest.param(road(Enrol(campaign="gone")), 'there is no campaign "gone"', id="P-04"),
        pytest.param(Campaign("scenario", GATES, enters=[on("asked")]), "g1 → g2 → g1 goes round without a wait", id="P-05"),
        pytest.param(road(send("one"), cap=Cap(messages=0, period=days(1))), "allows nothing", id="B-14"),
        pytest.param(road(send("one"), cap=Cap(messages=-1, period=days(1))), "allows nothing", id="B-14 below zero"),
        pytest.param(road(send("one"), cap=Cap(messages=1, period=days(0))), "allows nothing", id="B-14 no time"),
        pytest.param(road(wait_for(on("cancelled", key="id"), up_to=days(1))), "no entry gives a journey its id", id="D-02"),
        pytest.param(road(send("one"), exits=[on("cancelled", key="id")]), "no entry gives a journey its id", id="D-02 an exit"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_before_any_lead_meets_it(campaign: Campaign, fault: str) -> None:
    faults = [str(one) for one in Check(campaign, Catalogue(), "scenario.py", Known()).faults() if one.level == "error"]

    assert any(fault in one for one in faults), faults


def test_who_enters_by_a_key_may_be_told_apart_by_it_later() -> None:  # D-02
    states = [State("first", [wait_for(on("cancelled", key="id"), up_to=days(1))])]
    by_hand, by_event = Campaign("by-hand", states), Campaign("by-event", states, enters=[on("booked", key="id")])

    for campaign in (by_hand, by_event):
        assert Check(campaign, Catalogue(), "scenario.py", Known()).faults() == []


@pytest.mark.parametrize(
    ("messages", "period"),
    [
        pytest.param(0, days(1), id="B-14"),
        pytest.param(-3, days(1), id="B-14 below zero"),
        pytest.param(1, days(0), id="B-14 no time"),
        pytest.param(1, -days(1), id="B-14 time backwards"),
    ],
)
def test_a_house_cap_that_allows_nothing_is_refused(messages: int, period: timedelta) -> None:
    with pytest.raises(ValidationError, match="at least one message"):
        HouseRules.model_validate({"caps": [{"messages": messages, "period": period}]})


@pytest.mark.parametrize("messages", [pytest.param(0, id="B-14"), pytest.param(-1, id="B-14 below zero")])
def test_a_cap_that_allows_nothing_blocks_nothing_when_it_is_met_all_the_same(messages: int) -> None:
    policy = Policy("marketing", "news", None, None, (Cap(messages=messages, period=days(1)),), "assumed", None)
    standing = Standing(True, None, None, {}, [NOW - minutes(1)], NOW, ZoneInfo("UTC"))

    assert permission(policy, standing, NOW, Pace(origin=NOW)) == Go()
