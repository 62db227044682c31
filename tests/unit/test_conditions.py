"""Conditions: what is true of a lead, in a marketer's words and as data, and what its answer depends on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from nurture import clicked, days, event, hours, lead, opened, prop, replied
from nurture.conditions import AnyCondition, Condition, Filter, Happened, leaves
from nurture.facts import Facts, Happening, by_name
from nurture.lead import ProfileField

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
STORED: TypeAdapter[AnyCondition] = TypeAdapter(AnyCondition)


def facts(*happened: Happening, pace: float = 1.0, **tree: Any) -> Facts:
    return Facts(NOW, tree, by_name(happened), pace)


def ago(length: timedelta, name: str = "visit", **properties: Any) -> Happening:
    return Happening(name, NOW - length, properties)


# --- words, and what it depends on ---


class Said(NamedTuple):
    """A condition, how it and its opposite read, and what it depends on."""

    condition: Condition
    words: str
    opposite: str
    depends_on: str


VISIT = event("visit")
SAID = [
    Said(lead.country == "DE", "country is DE", "country is not DE", "lead.country"),
    Said(lead.country != "DE", "country is not DE", "country is DE", "lead.country"),
    Said(lead.nps < 9, "NPS is below 9", "NPS is not below 9", "lead.nps"),
    Said(lead.nps <= 9, "NPS is at most 9", "NPS is not at most 9", "lead.nps"),
    Said(lead.nps > 9, "NPS is above 9", "NPS is not above 9", "lead.nps"),
    Said(lead.company.turnover >= 1_000_000, "company turnover is at least 1,000,000",
         "company turnover is not at least 1,000,000", "lead.company"),
    Said(lead.country.one_of("DE", "AT"), "country is one of DE, AT", "country is none of DE, AT", "lead.country"),
    Said(lead.job_title.contains("director"), "job title contains director", "job title does not contain director",
         "lead.job_title"),
    Said(lead.city.known(), "city is known", "city is unknown", "lead.city"),
    Said(lead.city.unknown(), "city is unknown", "city is known", "lead.city"),
    Said(lead.city == None, "city is unknown", "city is known", "lead.city"),  # noqa: E711
    Said(lead.tags.has("vip"), "tagged vip", "not tagged vip", "lead.tags"),
    Said(lead.audiences.has("fair"), "in the audience fair", "not in the audience fair", "lead.audiences"),
    Said(lead.custom("shoe_sizes").has("9"), "shoe sizes include 9", "shoe sizes do not include 9", "lead.custom"),
    Said(lead.custom("agreed") == True, "agreed is yes", "agreed is not yes", "lead.custom"),  # noqa: E712
    Said(lead.bant.need == "soon", "need is soon", "need is not soon", "lead.bant"),
    Said(lead.bant.complete, "BANT is complete", "BANT is not complete", "lead.bant"),
    Said(lead.score("fit") >= 70, "fit score is at least 70", "fit score is not at least 70", "score.fit"),
    Said(lead.stage == "buy", "stage is buy", "stage is not buy", "lead.stage"),
    Said(VISIT, "visit has happened", "no visit", "event.visit"),
    Said(VISIT.within(days(7)), "visit has happened within 7 days", "no visit within 7 days", "event.visit"),
    Said(VISIT.count() >= 2, "visit at least 2 times", "not (visit at least 2 times)", "event.visit"),
    Said(VISIT.count() == 1, "visit exactly 1 time", "not (visit exactly 1 time)", "event.visit"),
    Said(VISIT.count() != 2, "visit other than 2 times", "not (visit other than 2 times)", "event.visit"),
    Said(VISIT.count() < 3, "visit fewer than 3 times", "not (visit fewer than 3 times)", "event.visit"),
    Said(VISIT.count() <= 3, "visit at most 3 times", "not (visit at most 3 times)", "event.visit"),
    Said(VISIT.count() > 3, "visit more than 3 times", "not (visit more than 3 times)", "event.visit"),
    Said(VISIT.absent(), "no visit", "visit has happened", "event.visit"),
    Said(VISIT.absent(days(30)), "no visit within 30 days", "visit has happened within 30 days", "event.visit"),
    Said(event("order_paid").where(plan="pro", seats=3), "order paid with plan pro and seats 3 has happened",
         "no order paid with plan pro and seats 3", "event.order_paid"),
    Said(event("order_paid").where(prop("order.total") >= 100, plan="pro"),
         "order paid where order total is at least 100 and plan is pro has happened",
         "no order paid where order total is at least 100 and plan is pro", "event.order_paid"),
    Said(clicked("hello"), "a click in hello has happened", "no click in hello", "event.message_clicked"),
    Said(clicked("hello").where(link="a"), "a click in hello with link a has happened", "no click in hello with link a",
         "event.message_clicked"),
    Said(clicked().count() >= 2, "click in any message at least 2 times", "not (click in any message at least 2 times)",
         "event.message_clicked"),
    Said(opened("hello"), "an opening of hello has happened", "no opening of hello", "event.message_opened"),
    Said(replied("hello").absent(days(3)), "no reply to hello within 3 days",
         "a reply to hello has happened within 3 days", "event.message_replied"),
]  # fmt: skip


@pytest.mark.parametrize("said", SAID, ids=[said.words for said in SAID])
def test_a_condition_reads_as_a_marketer_would_say_it(said: Said) -> None:
    assert said.condition.words() == said.words
    assert (~said.condition).words() == said.opposite
    assert (~~said.condition).words() == said.words


@pytest.mark.parametrize("said", SAID, ids=[said.words for said in SAID])
def test_a_condition_names_what_a_change_of_may_change_it(said: Said) -> None:
    assert said.condition.depends_on() == (~said.condition).depends_on() == {said.depends_on}


@pytest.mark.parametrize("said", SAID, ids=[said.words for said in SAID])
def test_a_condition_survives_being_stored(said: Said) -> None:
    assert type(said.condition).model_validate_json(said.condition.model_dump_json()) == said.condition


DE, PROMOTER = lead.country == "DE", lead.nps >= 9


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (DE & PROMOTER & VISIT, "country is DE and NPS is at least 9 and visit has happened"),
        (DE | PROMOTER | VISIT, "country is DE or NPS is at least 9 or visit has happened"),
        (DE & (PROMOTER | VISIT), "country is DE and (NPS is at least 9 or visit has happened)"),
        ((DE & PROMOTER) | VISIT, "(country is DE and NPS is at least 9) or visit has happened"),
        (~(DE | PROMOTER) & VISIT, "not (country is DE or NPS is at least 9) and visit has happened"),
        (~(DE & ~PROMOTER), "not (country is DE and NPS is not at least 9)"),
    ],
)
def test_joined_conditions_have_brackets_where_they_are_needed(condition: Condition, words: str) -> None:
    assert condition.words() == words
    assert STORED.validate_json(condition.model_dump_json()) == condition


def test_joined_conditions_depend_on_all_their_parts() -> None:
    joined = (DE & ~VISIT) | (lead.score("fit") >= 9)

    assert joined.depends_on() == {"lead.country", "event.visit", "score.fit"}
    assert [one.depends_on() for one in leaves(joined)] == [{"lead.country"}, {"event.visit"}, {"score.fit"}]


def test_only_a_period_lets_time_alone_change_the_answer() -> None:
    week = VISIT.within(days(7))

    assert [one.timed for one in (week, VISIT.absent(days(7)), DE & week, DE | ~week)] == [True] * 4
    assert [one.timed for one in (VISIT, VISIT.absent(), DE & VISIT, ~VISIT)] == [False] * 4


# --- what is true of a lead ---

ANN: dict[str, Any] = {
    "country": "DE", "job_title": "Marketing Director", "nps": 9, "stage": "buy", "tags": ["vip"], "audiences": ["fair"],
    "company": {"turnover": 2_000_000}, "bant": {"need": "soon", "complete": True}, "score": {"fit": 70, "main": 5},
    "custom": {"sizes": ["S", "M"], "agreed": True, "seats": "12"}, "city": None,
}  # fmt: skip
TRUE_OF_ANN = [
    lead.country == "DE", lead.country != "FR", lead.country.one_of("FR", "DE"), lead.country.known(), lead.city.unknown(),
    lead.city == None, lead.country != None,  # noqa: E711
    lead.nps >= 9, lead.nps <= 9, lead.nps > 8, lead.nps < 10, lead.job_title.contains("director"),
    lead.tags.has("vip"), lead.audiences.has("fair"), lead.company.turnover >= 1_000_000, lead.bant.complete,
    lead.bant.need == "soon", lead.stage == "buy", lead.score("fit") == 70, lead.custom("sizes").has("M"),
    lead.custom("agreed") == True, lead.custom("seats") == 12, lead.custom("seats") > 9,  # noqa: E712
]  # fmt: skip


@pytest.mark.parametrize("condition", TRUE_OF_ANN, ids=[one.words() for one in TRUE_OF_ANN])
def test_a_condition_is_true_of_whom_it_describes_and_its_opposite_is_not(condition: Condition) -> None:
    assert condition.test(facts(**ANN)) is True
    assert (~condition).test(facts(**ANN)) is False


@pytest.mark.parametrize("condition", TRUE_OF_ANN, ids=[one.words() for one in TRUE_OF_ANN])
def test_of_a_stranger_only_what_is_missing_and_what_is_not_is_true(condition: Condition) -> None:
    said = condition.words()

    assert condition.test(facts()) is (said in ("country is not FR", "city is unknown"))


@pytest.mark.parametrize("junk", [None, "", "x", True, [], ["x"], {}, {"x": 1}])
def test_a_value_of_another_kind_is_not_true_rather_than_a_fault(junk: Any) -> None:
    positive = [one for one in TRUE_OF_ANN if one.op not in ("!=", "is set") and one.value is not None]

    assert [one.words() for one in positive if one.test(facts(**dict.fromkeys(ANN, junk)))] == []


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (DE & PROMOTER, [True, False, False, False]),
        (DE | PROMOTER, [True, True, True, False]),
        (~(DE & PROMOTER), [False, True, True, True]),
        (~DE & ~PROMOTER, [False, False, False, True]),
        (DE & ~PROMOTER, [False, True, False, False]),
    ],
)
def test_joined_conditions_are_true_as_their_parts_are(condition: Condition, expected: list[bool]) -> None:
    leads: list[dict[str, Any]] = [{"country": country, "nps": nps} for country in ("DE", "FR") for nps in (9, 3)]

    assert [condition.test(facts(**one)) for one in leads] == expected


@pytest.mark.parametrize(("known", "meets"), [({"fit": 1, "main": 0}, True), ({"main": 5}, False), ({}, False)])
def test_a_score_is_asked_for_by_its_name(known: dict[str, float], meets: bool) -> None:  # M-46, M-47
    assert (lead.score("fit") >= 1).test(facts(score=known)) is meets


# --- what a lead did ---

HOUR, WEEK = hours(1), days(7)
PRO_OF_TODAY, BASIC_OF_MAY = ago(HOUR, "order", plan="pro", total=100), ago(days(240), "order", plan="basic", total=9)
ORDER = event("order")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (ORDER, [False, True, True, True]),
        (ORDER.absent(), [True, False, False, False]),
        (ORDER.within(WEEK), [False, True, False, True]),
        (ORDER.absent(WEEK), [True, False, True, False]),
        (ORDER.where(plan="pro"), [False, True, False, True]),
        (ORDER.where(prop("plan") != "pro"), [False, False, True, True]),
        (ORDER.where(prop("total") >= 10, plan="pro"), [False, True, False, True]),
        (ORDER.where(prop("total") < 10, plan="pro"), [False, False, False, False]),
        (ORDER.where(plan="basic").within(WEEK), [False, False, False, False]),
        (ORDER.where(plan="basic").absent(WEEK), [True, True, True, True]),
        (ORDER.count() == 0, [True, False, False, False]),
        (ORDER.count() != 1, [True, False, False, True]),
        (ORDER.count() >= 2, [False, False, False, True]),
        (ORDER.count() > 1, [False, False, False, True]),
        (ORDER.count() < 2, [True, True, True, False]),
        (ORDER.count() <= 1, [True, True, True, False]),
        (ORDER.within(WEEK).count() >= 2, [False, False, False, False]),
    ],
    ids=lambda value: value.words() if isinstance(value, Condition) else "",
)
def test_what_happened_counts_as_often_and_as_lately_as_is_asked(condition: Condition, expected: list[bool]) -> None:
    histories = [[], [PRO_OF_TODAY], [BASIC_OF_MAY], [PRO_OF_TODAY, BASIC_OF_MAY]]

    assert [condition.test(facts(*happened)) for happened in histories] == expected


@pytest.mark.parametrize(
    ("condition", "name"),
    [(opened("a"), "message_opened"), (clicked("a"), "message_clicked"), (replied("a"), "message_replied")],
)
def test_a_reaction_counts_for_the_message_it_was_to(condition: Condition, name: str) -> None:
    happened = [
        [],
        [ago(HOUR, name, template="b")],
        [ago(HOUR, name, template="a")],
        [ago(HOUR, "other", template="a")],
    ]

    assert [condition.test(facts(*one)) for one in happened] == [False, False, True, False]


@pytest.mark.parametrize(
    ("length", "counts"), [(WEEK - timedelta(microseconds=1), True), (WEEK, False), (-days(1), True)]
)
def test_a_period_ends_on_its_instant(length: timedelta, counts: bool) -> None:
    assert VISIT.within(WEEK).test(facts(ago(length))) is counts


def test_a_period_is_as_much_shorter_as_the_journey_runs_faster() -> None:
    assert not VISIT.within(WEEK).test(facts(ago(HOUR), pace=24 * 7))
    assert VISIT.within(WEEK).test(facts(ago(hours(0.9)), pace=24 * 7))


def test_a_period_longer_than_calendars_go_holds_everything() -> None:
    assert VISIT.within(days(999_999_999)).test(facts(ago(days(9999))))


@pytest.mark.parametrize("written", [3, 3.0, "3"])
@pytest.mark.parametrize("sent", [3, 3.0, "3"])
def test_a_number_is_the_same_however_it_is_sent(written: Any, sent: Any) -> None:  # D-05
    assert ORDER.where(plan=written).test(facts(ago(HOUR, "order", plan=sent)))
    assert (lead.custom("plan") == written).test(facts(custom={"plan": sent}))


@pytest.mark.parametrize("other", ["33", "three", True, None, [3]])
def test_what_is_no_such_number_is_another(other: Any) -> None:  # D-05
    assert not ORDER.where(plan=3).test(facts(ago(HOUR, "order", plan=other)))


ANSWER = "a\"b' <c> & ü% \\ \n \u2028 '; drop table"


@pytest.mark.parametrize(
    ("sent", "equal"), [(ANSWER, True), (ANSWER.upper(), False), (ANSWER[:-1], False), (f"{ANSWER} ", False)]
)
def test_what_was_answered_is_compared_to_the_letter(sent: str, equal: bool) -> None:  # M-49
    asked = STORED.validate_json(ORDER.where(answer=ANSWER).model_dump_json())

    assert asked.test(facts(ago(HOUR, "order", answer=sent))) is equal


# --- what is no condition ---


@pytest.mark.parametrize(
    ("joined", "remedy"),
    [
        (lambda: DE and PROMOTER, r"cannot be joined with and, or, not"),  # type: ignore[redundant-expr]
        (lambda: DE or PROMOTER, r"write \(…\) & \(…\), \(…\) \| \(…\), ~\(…\)"),  # type: ignore[redundant-expr]
        (lambda: not DE, r"a condition \(country is DE\)"),
        (lambda: 1 < lead.nps < 9, r"nor used with if, in or a < b < c"),
        (lambda: DE & "FR", r"FR is no condition: put every comparison in brackets"),  # type: ignore[operator]
        (lambda: DE & lead.nps, r"put every comparison in brackets"),
        (lambda: lead.country == "DE" & lead.nps, r"'DE' and lead.nps are joined before they are compared"),
        (lambda: bool(lead.nps), r"lead.nps alone is no condition: compare it, or write .known\(\)"),
        (lambda: ~lead.nps, r"~lead.nps: write .unknown\(\)"),
        (lambda: "vip" in lead.tags, r"write .has\('vip'\) for a list, .contains\('vip'\) for a text"),
        (lambda: list(lead.tags), r"stands for the field of any lead"),
        (lambda: lead.custom("ends") > NOW, r'lead.custom\("ends"\) > .*a date is a text'),  # type: ignore[operator]
        (lambda: lead.city.contains(3), r"lead.city.contains\(3\): give a text"),  # type: ignore[arg-type]
        (lambda: bool(VISIT.count()), r"count\(\) of visit alone is no condition: compare it"),
        (lambda: VISIT.count() >= 2.5, r"count\(\) >= 2.5: give a whole number"),  # type: ignore[operator]
        (lambda: VISIT.count() >= True, r"count\(\) >= yes: give a whole number"),
        (lambda: VISIT.within(7), r"within\(7\): give a length of time, such as within\(days\(7\)\)"),  # type: ignore[arg-type]
        (lambda: VISIT.absent(7), r"absent\(7\): give a length of time"),  # type: ignore[arg-type]
        (lambda: VISIT.where(DE), r"write plan=… or prop\('plan'\) == …"),  # type: ignore[arg-type]
        (lambda: VISIT.where((prop("a") == 1) and (prop("b") == 2)), r"give several to .where\(…\)"),
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused_with_the_remedy(joined: Callable[[], object], remedy: str) -> None:
    with pytest.raises(TypeError, match=remedy):
        joined()


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="finite"):
        lead.nps.one_of(float("nan"))


# --- whatever is written, and whatever is known ---

HOWEVER_SLOW = [HealthCheck.too_slow]  # conditions are slow to draw on a busy machine
SCALARS = st.one_of(st.text(max_size=8), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
OPERATORS = st.sampled_from(["__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"])
FIELDS = st.sampled_from(
    [lead.country, lead.nps, lead.company.turnover, lead.bant.need, lead.score("fit"), lead.custom("x"), lead.tags]
)
PERIODS = st.timedeltas(min_value=timedelta(microseconds=1))


@st.composite
def comparisons(draw: st.DrawFn, of: ProfileField | Any) -> Any:
    match draw(st.integers(0, 4)):
        case 0:
            return of.one_of(*draw(st.lists(SCALARS, max_size=3)))
        case 1:
            return of.contains(draw(st.text(max_size=4)))
        case 2:
            return of.known() if draw(st.booleans()) else of.unknown()
        case 3:
            return of == None  # noqa: E711
        case _:
            return getattr(of, draw(OPERATORS))(draw(SCALARS))


@st.composite
def happenings_asked_for(draw: st.DrawFn) -> Happened:
    filters: list[Filter] = draw(st.lists(st.sampled_from("ab").map(prop).flatmap(comparisons), max_size=2))
    asked = event(draw(st.sampled_from(["visit", "order"]))).where(*filters)
    if draw(st.booleans()):
        asked = asked.within(draw(PERIODS))
    return asked.compared(draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">="])), draw(st.integers(0, 3)))


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.one_of(FIELDS.flatmap(comparisons), happenings_asked_for(), st.text(max_size=4).map(lead.tags.has)),
    lambda some: st.one_of(
        st.builds(lambda a, b: a & b, some, some), st.builds(lambda a, b: a | b, some, some), some.map(lambda a: ~a)
    ),
    max_leaves=6,
)
JUNK = st.recursive(
    st.none() | SCALARS | st.floats(),
    lambda some: st.lists(some, max_size=2) | st.dictionaries(st.sampled_from(["x", "fit", "need"]), some, max_size=2),
    max_leaves=4,
)
EVENTS = st.builds(
    Happening,
    st.sampled_from(["visit", "order"]),
    st.datetimes(timezones=st.just(UTC)),
    st.dictionaries(st.sampled_from("ab"), JUNK, max_size=2),
)
TREES = st.dictionaries(st.sampled_from([*ANN, "x"]), JUNK, max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=HOWEVER_SLOW)
@given(condition=CONDITIONS, tree=TREES, happened=st.lists(EVENTS, max_size=4))
def test_any_condition_survives_being_stored_and_answers_of_any_lead(
    condition: Condition, tree: dict[str, Any], happened: list[Happening]
) -> None:
    known = facts(*happened, **tree)
    restored = STORED.validate_json(condition.model_dump_json())

    assert restored == condition
    assert restored.model_dump_json() == condition.model_dump_json()
    assert restored.test(known) is condition.test(known) is not (~condition).test(known)


@settings(max_examples=40, deadline=None, suppress_health_check=HOWEVER_SLOW)
@given(one=CONDITIONS, other=CONDITIONS, tree=TREES, happened=st.lists(EVENTS, max_size=4))
def test_and_or_and_not_mean_what_they_say_of_any_lead(
    one: Condition, other: Condition, tree: dict[str, Any], happened: list[Happening]
) -> None:
    known = facts(*happened, **tree)
    left, right = one.test(known), other.test(known)

    assert (one & other).test(known) is (left and right)
    assert (one | other).test(known) is (left or right)
    assert (~one & ~other).test(known) is (~(one | other)).test(known)
