"""Back-test: whom a definition would have handed over, and nothing that it could not have known."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nurture import Definition, Score, Threshold, days, event, gives, lead, on, when
from nurture.backtest import Moment, Past, backtest, past
from nurture.facts import Happening
from nurture.simulate import A_MONDAY, at

INTEREST = Score(
    key="interest",
    half_life=days(30),
    rules=(gives(10, on("visit"), at_most=2, per=days(7)),),
    thresholds=(Threshold(key="warm", at=20),),
)
SCORES = (INTEREST, Score(key="fit", rules=(gives(30, when(lead.country == "DE")),)))
READY = Definition(
    key="ready",
    ready=((lead.score("interest") >= 15) & (lead.score("fit") >= 30)) | (event("demo").within(days(5)).count() >= 2),
)


def day_of(at_: datetime) -> int:
    return (at_ - A_MONDAY).days


def test_a_lead_is_handed_over_when_all_of_it_is_known() -> None:
    late = past(
        "ann", at(days=1, event="visit"), at(days=2, event="visit"), at(days=9, event="told", lead={"country": "DE"})
    )
    found = backtest(READY, [late], scores=SCORES)

    assert [(one.lead_id, day_of(one.at)) for one in found.would] == [("ann", 9)]


def test_what_was_learnt_later_is_not_known_earlier() -> None:
    visits = [at(days=1, event="visit"), at(days=2, event="visit")]
    told = at(days=90, event="told", lead={"country": "DE"})  # by then the visits have faded
    found = backtest(READY, [past("ann", *visits, told)], scores=SCORES)

    assert found.would == ()


def test_an_event_counts_from_when_it_was_received() -> None:
    known = Happening("demo", A_MONDAY, id="a", received=A_MONDAY + days(3))
    told = Happening("demo", A_MONDAY + days(1), id="b", received=A_MONDAY + days(2))
    one = Past("ann", (Moment(A_MONDAY + days(2), told), Moment(A_MONDAY + days(3), known)))

    assert [day_of(would.at) for would in backtest(READY, [one], scores=SCORES).would] == [3]


def test_time_alone_may_make_a_lead_ready() -> None:
    gone = Definition(key="gone", ready=event("visit").absent(days(30)) & event("visit"))
    found = backtest(gone, [past("ann", at(days=1, event="visit"))], until=A_MONDAY + days(60))

    assert [day_of(one.at) for one in found.would] == [31]
    assert backtest(gone, [past("ann", at(days=1, event="visit"))], until=A_MONDAY + days(20)).would == ()


def test_a_score_hands_over_when_it_reaches_a_threshold() -> None:
    found = backtest(INTEREST, [past("ann", *(at(days=n, event="visit") for n in (0, 1, 2, 8, 9)))])

    assert [day_of(one.at) for one in found.would] == [8]


def test_precision_and_recall_go_by_what_came_after() -> None:
    def ready(name: str, *after: Any) -> Past:
        return past(name, at(days=1, event="demo"), at(days=2, event="demo"), *after)

    pasts = [
        ready("ann", at(days=3, event="sales_accepted")),
        ready("bob", at(days=3, event="sales_rejected")),
        ready("cem", at(days=3, event="sales_rejected"), at(days=9, event="order_paid")),
        ready("dan"),
        past("eva", at(days=3, event="order_paid")),
        past("fay", at(days=0, event="order_paid"), at(days=1, event="demo"), at(days=1, event="demo")),
    ]
    found = backtest(READY, pasts)

    assert [(one.lead_id, one.outcome) for one in found.would] == [
        ("ann", "good"), ("bob", "bad"), ("cem", "good"), ("dan", "unknown"), ("fay", "unknown")
    ]  # fmt: skip
    assert (found.precision, found.recall) == (2 / 3, 2 / 4)


def test_only_who_came_to_it_since_a_day_is_told() -> None:
    pasts = [past(str(n), at(days=n, event="demo"), at(days=n, event="demo")) for n in (1, 9)]

    assert backtest(READY, pasts, since=A_MONDAY + days(5)).leads == ["9"]


def test_nobody_handed_over_has_no_precision() -> None:
    found = backtest(READY, [])

    assert (found.precision, found.recall, found.looked_at) == (None, None, 0)


MOMENTS = st.lists(
    st.tuples(
        st.sampled_from(["visit", "demo", "other"]),
        st.sampled_from([{}, {"country": "DE"}, {"country": None}, {"nps": 9}]),
        st.integers(1, 60),
    ),
    max_size=14,
)


@settings(max_examples=150, deadline=None)
@given(told=MOMENTS, cut=st.integers(0, 60), data=st.data())
def test_whatever_the_future_brings_what_was_before_it_stays(
    told: list[tuple[str, dict[str, Any], int]], cut: int, data: st.DataObject
) -> None:
    def history(order: list[tuple[str, dict[str, Any], int]]) -> Past:
        return past("ann", *(at(days=day, event=name, lead=says) for name, says, day in order))

    before = [one for one in told if one[2] <= cut]
    future = data.draw(st.permutations([one for one in told if one[2] > cut]))
    other = [(name, says, data.draw(st.integers(cut + 1, 90))) for name, says, _ in future]
    now = A_MONDAY + days(cut) + timedelta(hours=12)

    found = [backtest(READY, [history(one)], scores=SCORES, until=now).would for one in (told, before, before + other)]
    assert [[(one.lead_id, one.at) for one in would] for would in found][1:] == [
        [(one.lead_id, one.at) for one in found[0]]
    ] * 2
