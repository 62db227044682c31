"""Scores: points by rule, and thresholds that fire once a crossing."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture import Score, Threshold, clicked, event, gives, lead, on, when
from nurture.facts import Facts, Happening
from nurture.scores import changes_by_event, changes_by_profile, crossings

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
INTEREST = Score(
    key="interest",
    rules=(
        gives(5, on("visit"), at_most=3),
        gives(15, clicked("price-list/greet")),
        gives(-20, on("unsubscribed")),
        gives(30, when(lead.country == "DE")),
        gives(10, when(event("visit").count() >= 2)),
    ),
    thresholds=(Threshold(key="warm", at=20), Threshold(key="hot", at=40, rearm=30)),
)
VISIT = Happening("visit", NOW)


def fold(happened: list[Happening]) -> float:
    """What the events give in that order."""
    given_: dict[tuple[str, str], int] = {}
    points = 0.0
    for one in happened:
        for change in changes_by_event([INTEREST], one, given_):
            given_[change.score, change.rule] = given_.get((change.score, change.rule), 0) + 1
            points += change.points
    return points


def facts(*happened: Happening, **tree: object) -> Facts:
    return Facts(NOW, tree, {"visit": list(happened)})


def test_an_event_gives_each_time_up_to_the_most_a_rule_allows() -> None:
    assert [fold([VISIT] * times) for times in (1, 2, 3, 4, 9)] == [5, 10, 15, 15, 15]


def test_an_event_gives_only_by_rules_whose_filters_it_passes() -> None:
    clicks = [Happening("message_clicked", NOW, {"template": name}) for name in ("price-list/greet", "other")]

    assert [fold([one]) for one in clicks] == [15, 0]


events = st.sampled_from(
    [VISIT, Happening("unsubscribed", NOW), Happening("message_clicked", NOW, {"template": "price-list/greet"})]
)


@settings(max_examples=50, deadline=None)
@given(happened=st.lists(events, max_size=12).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_order_of_events_is_nothing_to_their_sum(happened: tuple[list[Happening], list[Happening]]) -> None:
    given_, shuffled = happened

    assert fold(given_) == fold(shuffled)


def test_a_fact_gives_as_long_as_it_is_true() -> None:
    [given_] = changes_by_profile([INTEREST], facts(country="DE"), {})
    standing = {(given_.score, given_.rule): given_.points}

    assert given_.points == 30
    assert changes_by_profile([INTEREST], facts(country="DE"), standing) == []
    assert [one.points for one in changes_by_profile([INTEREST], facts(country="FR"), standing)] == [-30]


def test_a_count_of_events_may_be_such_a_fact() -> None:
    given_ = [[one.points for one in changes_by_profile([INTEREST], facts(*[VISIT] * n), {})] for n in (1, 2, 3)]

    assert given_ == [[], [10], [10]]


@pytest.mark.parametrize(
    ("points", "fired", "expected"),
    [
        (19, [], []),
        (20, [], [("warm", "reached")]),
        (40, [], [("warm", "reached"), ("hot", "reached")]),
        (40, ["warm", "hot"], []),
        (30, ["warm", "hot"], []),
        (29, ["warm", "hot"], [("hot", "rearmed")]),
        (9, ["warm", "hot"], [("warm", "rearmed"), ("hot", "rearmed")]),
        (45, ["warm"], [("hot", "reached")]),
    ],
)
def test_a_threshold_fires_when_it_is_reached_and_is_armed_again_well_below(
    points: float, fired: list[str], expected: list[tuple[str, str]]
) -> None:
    assert [(one.threshold.key, one.kind) for one in crossings(INTEREST, points, frozenset(fired))] == expected


@settings(max_examples=50, deadline=None)
@given(course=st.lists(st.integers(0, 60), max_size=40))
def test_between_two_firings_a_threshold_was_armed_again(course: list[int]) -> None:
    fired: frozenset[str] = frozenset()
    story: list[str] = []
    for points in course:
        for threshold, kind in crossings(INTEREST, points, fired):
            fired ^= {threshold.key}
            story += [kind] if threshold.key == "hot" else []

    assert story == ["reached", "rearmed"] * (len(story) // 2) + ["reached"] * (len(story) % 2)


def test_a_threshold_is_armed_again_below_half_of_it_unless_told() -> None:
    assert [one.lower for one in INTEREST.thresholds] == [10, 30]


def test_a_rule_goes_by_its_trigger_in_words() -> None:
    assert [rule.key for rule in INTEREST.rules][:2] == ["on visit", "on a click in price-list/greet"]
