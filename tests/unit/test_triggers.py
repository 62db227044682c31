"""Triggers: what is heard, what is watched, and where it leads."""

from typing import Any

import pytest

from nurture import clicked, days, done, event, lead, leave, on, prop, when
from nurture.triggers import On, ToState, When, target, trigger


@pytest.mark.parametrize(
    ("given", "words", "depends_on"),
    [
        (on("order_paid"), "on order paid", {"event.order_paid"}),
        (on("order_paid", plan="pro"), "on order paid with plan pro", {"event.order_paid"}),
        (on("order_paid", prop("total") >= 100), "on order paid where total is at least 100", {"event.order_paid"}),
        (on("booked", key="appointment_id"), "on booked, one journey for each appointment id", {"event.booked"}),
        (on(clicked("hello"), link="a"), "on a click in hello with link a", {"event.message_clicked"}),
        (when(lead.country == "DE"), "when country is DE", {"lead.country"}),
        (
            when((lead.score("fit") >= 9) & event("visit")),
            "when fit score is at least 9 and visit has happened",
            {"score.fit", "event.visit"},
        ),
    ],
)
def test_a_trigger_says_what_it_is_and_under_which_keys_it_is_announced(
    given: On | When, words: str, depends_on: set[str]
) -> None:
    assert given.words() == words
    assert given.depends_on() == depends_on


def test_one_such_event_is_heard_and_whatever_else_is_true_is_watched() -> None:
    visit = event("visit")

    assert [trigger(one).kind for one in (visit, visit.where(page="price"), clicked("hello"), on("visit"))] == [
        "on"
    ] * 4
    assert [
        trigger(one).kind for one in (visit.count() >= 2, visit.within(days(7)), visit.absent(), ~visit, lead.nps > 8)
    ] == ["when"] * 5


@pytest.mark.parametrize(
    ("given", "words"),
    [("two", "to two"), (leave("no"), "leave (no)"), (done, "done"), (ToState(name="two"), "to two")],
)
def test_a_target_is_a_state_an_end_or_a_way_out(given: Any, words: str) -> None:
    found = target(given)

    assert found is not None
    assert found.words() == words


def test_no_target_is_the_next_state() -> None:
    assert target(None) is None


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        (lambda: on(event("visit").count() >= 2), r"a count, a period or an absence is a condition, write when\(…\)"),
        (lambda: on(event("visit").within(days(7))), r"on\(visit has happened within 7 days\)"),
        (lambda: when(lead.nps), r'takes a condition such as lead.country == "DE", not lead.nps'),  # type: ignore[arg-type]
        (lambda: when(True), r"not True"),  # type: ignore[arg-type]
        (lambda: trigger("visit"), r"can be neither heard nor watched: write on\(\"…\"\)"),  # type: ignore[arg-type]
        (lambda: target(7), r"7 is no place to go: give the name of a state"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_what_cannot_be_heard_is_refused_with_the_remedy(written: Any, remedy: str) -> None:
    with pytest.raises(TypeError, match=remedy):
        written()
