"""Scores: points by rule, and thresholds that fire once a crossing."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture import Score, Threshold, clicked, days, event, gives, lead, on, when
from nurture.facts import Facts, Happening
from nurture.scores import Change, Rule, Stamp, changes_by_profile, counting, crossings, fold, gifts, in_order

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


def given_for(*happened: Happening) -> float:
    """What the events give in all."""
    return sum(one.points for one in gifts(INTEREST, happened))


def visits(*at_days: float) -> list[Happening]:
    """Visits so many days after now."""
    return [Happening("visit", NOW + days(at), id=f"v{n}") for n, at in enumerate(at_days)]


def days_counted(rule: Rule, happened: list[Happening]) -> list[float]:
    """On which days the events happened that the rule counts."""
    return [(one.dated - NOW) / days(1) for one in counting(rule, happened)]


def facts(*happened: Happening, **tree: object) -> Facts:
    return Facts(NOW, tree, {"visit": list(happened)})


def test_an_event_gives_each_time_up_to_the_most_a_rule_allows() -> None:
    assert [given_for(*visits(*range(times))) for times in (1, 2, 3, 4, 9)] == [5, 10, 15, 15, 15]


def test_an_event_gives_only_by_rules_whose_filters_it_passes() -> None:
    clicks = [Happening("message_clicked", NOW, {"template": name}) for name in ("price-list/greet", "other")]

    assert [given_for(one) for one in clicks] == [15, 0]


def test_a_cap_in_a_period_slides_with_the_events_that_it_counted() -> None:
    weekly = gives(5, on("visit"), at_most=2, per=days(7))

    assert days_counted(weekly, visits(0, 1, 2, 6.9, 7, 7.5, 8)) == [0, 1, 7, 8]


def test_a_cap_goes_by_when_things_happened_not_by_when_they_came() -> None:
    weekly = gives(5, on("visit"), at_most=1, per=days(7))

    assert days_counted(weekly, visits(3, 0)) == [0]
    assert days_counted(weekly, visits(0, 3, -5)) == [-5, 3]


def test_two_events_of_one_moment_go_by_their_ids() -> None:
    first_only = gives(5, on("visit"), at_most=1)
    twins = [Happening("visit", NOW, id=name) for name in ("b", "a")]

    assert counting(first_only, twins) == [Stamp(NOW, "a")]


def test_what_we_do_ourselves_gives_no_points() -> None:
    vain = Score(key="vain", rules=(gives(5, on("message_sent")), gives(5, on("score_reached"))))
    own = [Happening(name, NOW, id=name) for name in ("message_sent", "score_reached")]

    assert fold([vain], own, {}, NOW) == {"vain": 0}


def test_points_of_a_score_with_a_half_life_fade_from_when_they_were_earned() -> None:
    warmth = Score(key="warmth", half_life=days(30), rules=(gives(40, on("visit")),))
    seen = [fold([warmth], visits(0), {}, NOW + days(at))["warmth"] for at in (0, 30, 60, 365)]

    assert seen == [40, 20, 10, 0.01]
    assert fold([warmth], visits(0, 30), {}, NOW + days(30)) == {"warmth": 60}


def test_points_given_outright_count_and_fade_as_well() -> None:
    warmth = Score(key="warmth", half_life=days(30), rules=())
    outright = [Change("warmth", "campaign road", 8, NOW - days(30)), Change("other", "campaign road", 8, NOW)]

    assert fold([warmth], [], {}, NOW, outright) == {"warmth": 4}


def test_a_score_may_build_on_another_whatever_their_names() -> None:
    first = Score(key="z", rules=(gives(30, when(lead.country == "DE")),))
    second = Score(key="a", rules=(gives(5, when(lead.score("z") >= 30)),))

    assert [score.key for score in in_order([second, first])] == ["z", "a"]
    assert fold([second, first], [], {"country": "DE"}, NOW) == {"z": 30, "a": 5}


def test_a_fact_gives_as_long_as_it_is_true() -> None:
    [given_] = changes_by_profile(INTEREST, facts(country="DE"), {})
    standing = {(given_.score, given_.rule): given_.points}

    assert given_.points == 30
    assert changes_by_profile(INTEREST, facts(country="DE"), standing) == []
    assert [one.points for one in changes_by_profile(INTEREST, facts(country="FR"), standing)] == [-30]


def test_a_count_of_events_may_be_such_a_fact() -> None:
    given_ = [[one.points for one in changes_by_profile(INTEREST, facts(*[VISIT] * n), {})] for n in (1, 2, 3)]

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


def test_a_score_is_another_version_when_a_word_of_it_changes() -> None:
    same = Score(key="a", rules=(gives(5, on("visit")),))

    assert same.version == Score(key="a", rules=(gives(5, on("visit")),)).version
    assert same.version != Score(key="a", rules=(gives(6, on("visit")),)).version
