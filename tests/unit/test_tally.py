"""The tally: whatever comes in whatever order, it arrives where the fold does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture import Score, Threshold, days, event, gives, lead, on, when
from nurture.facts import Happening
from nurture.fading import points_now
from nurture.rulebook import Rulebook
from nurture.scores import Change, fold, stamp
from nurture.tally import Tally

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
SCORES = (
    Score(
        key="interest",
        half_life=days(20),
        rules=(
            gives(5, on("visit"), at_most=2, per=days(7)),
            gives(7, on("visit", page="/prices"), at_most=3),
            gives(10, on("download")),
            gives(-20, on("complaint")),
        ),
        thresholds=(Threshold(key="warm", at=15), Threshold(key="hot", at=30, rearm=20)),
    ),
    Score(
        key="fit",
        rules=(
            gives(30, when(lead.country == "DE")),
            gives(5, when(event("download").count() >= 2)),
            gives(1, on("visit"), at_most=1),
        ),
    ),
    Score(key="all", rules=(gives(3, when(lead.score("fit") >= 30)),)),
)
BOOK = Rulebook({score.key: score for score in SCORES})


class OneLead:
    """A lead that things happen to; it remembers what it was told."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.profile: dict[str, Any] = {}
        self.happened: list[Happening] = []
        self.changes: list[Change] = []
        self.reached: list[str] = []

    def takes(self, one: Happening, *, changed: tuple[str, ...] = ()) -> None:
        if one.id in {known.id for known in self.happened}:
            return
        self.happened.append(one)
        ask = BOOK.ask(one.name, changed, new_lead=len(self.happened) == 1)
        watched = self.happened
        taken = self.tally.take(ask, one, one.heard_at, self._tree, self._named, watched)
        self.changes += taken.changes
        self.reached += [crossed.threshold.key for crossed in taken.reached]

    def _tree(self, scores: Any) -> dict[str, Any]:
        return {**self.profile, "score": scores}

    def _named(self, name: str) -> list[Happening]:
        return [one for one in self.happened if one.name == name]

    def points(self, now: datetime) -> dict[str, float]:
        return {score.key: 0 for score in SCORES} | points_now(self.tally.scores, self.tally.fading, now)


THINGS = st.lists(
    st.tuples(
        st.sampled_from(["visit", "visit", "download", "complaint", "other"]),
        st.sampled_from([{}, {"page": "/prices"}]),
        st.integers(0, 40),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=200, deadline=None)
@given(things=THINGS, data=st.data())
def test_in_any_order_and_with_duplicates_it_arrives_where_the_fold_does(
    things: list[tuple[str, dict[str, Any], int]], data: st.DataObject
) -> None:
    told = list(enumerate(things))
    late = NOW + days(60)
    for order in (told, data.draw(st.permutations([*told, *told[:3]]))):
        one = OneLead()
        one.profile = {"country": "DE"}
        for at, (n, (name, properties, day)) in enumerate(order):
            one.takes(Happening(name, NOW + days(day), properties, f"e{n}", NOW + days(50) + timedelta(hours=at)))

        assert one.points(late) == pytest.approx(fold(SCORES, one.happened, one.profile, late), abs=0.011)
        given_ = {(it.score, it.rule, it.cause) for it in one.changes if it.cause is not None and not it.back}
        kept = [it for it in one.changes if it.cause is not None]
        assert sum(it.points for it in kept if it.score == "fit") == min(
            1, sum(it.name == "visit" for it in one.happened)
        )
        assert {cause for _, _, cause in given_} <= {it.id for it in one.happened}


def at(day: float, name: str = "visit", received: float | None = None) -> Happening:
    """Something that happened on that day, and was received then or later."""
    return Happening(
        name, NOW + days(day), id=f"{name}{day}", received=NOW + days(day if received is None else received)
    )


def test_a_late_event_takes_the_points_of_those_that_it_leaves_no_room_for() -> None:
    one = OneLead()
    for event_ in (at(1), at(2), at(0, received=3)):
        one.takes(event_)

    changes = [(it.cause, it.points) for it in one.changes if it.score == "interest"]
    assert changes == [("visit1", 5), ("visit2", 5), ("visit2", -5), ("visit0", 5)]


def test_a_late_event_makes_room_for_one_that_was_held_back() -> None:
    weekly = Score(key="weekly", rules=(gives(5, on("visit"), at_most=1, per=days(7)),))
    tally, happened = Tally(), list[Happening]()
    changes: list[Change] = []
    for event_ in (at(0), at(3), at(-5, received=4)):
        happened.append(event_)
        ask = Rulebook({"weekly": weekly}).ask("visit")
        changes += tally.take(ask, event_, event_.heard_at, lambda scores: {}, lambda name: happened, ()).changes

    assert [(it.cause, it.points) for it in changes] == [("visit0", 5), ("visit0", -5), ("visit-5", 5), ("visit3", 5)]
    assert tally.scores == {"weekly": 10}


def test_a_threshold_that_time_alone_took_a_score_below_is_armed_again() -> None:
    one = OneLead()
    for day in (0, 1, 2, 3):
        one.takes(at(day, "download"))
    for day in (40, 41):  # 20 points and more are left of 38: neither is armed
        one.takes(at(day, "download"))
    assert one.reached == ["warm", "hot"]

    for day in (120, 121, 122):  # 2 were left
        one.takes(at(day, "download"))

    assert one.reached == ["warm", "hot"] * 2


def test_two_times_half_of_a_threshold_reach_it_though_a_moment_lies_between() -> None:
    one = OneLead()
    for n in range(3):
        one.takes(at(n / 86_400, "download"))

    assert one.reached == ["warm", "hot"]


def test_a_clock_that_runs_ahead_earns_nothing_by_it() -> None:
    ahead = Happening("visit", NOW + days(1), id="a", received=NOW)

    assert stamp(ahead).dated == NOW
