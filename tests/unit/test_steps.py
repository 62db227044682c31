"""Steps: what each says of itself, what it is as data, and which reach out of our own store."""

from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter

from nurture import (
    add_points,
    add_to,
    advance,
    ask,
    ask_referral,
    between,
    branch,
    call,
    clicked,
    confirm,
    daily,
    days,
    done,
    enrol,
    escalate,
    go,
    hours,
    lead,
    leave,
    need,
    notify,
    on,
    remove_from,
    send,
    set_field,
    split,
    subscribe,
    survey,
    tag,
    task,
    thank,
    unsubscribe,
    untag,
    wait,
    wait_for,
    when,
)
from nurture.steps import AnyStep, Bookkeeping, Broken, Step, as_path, as_step

STORED: TypeAdapter[AnyStep] = TypeAdapter(AnyStep)
ENDS = lead.custom("trial_ends")
SAID = [
    (send("hello"), "send hello"),
    (send("hello", channel="sms"), "send hello by sms"),
    (thank("thanks"), "thank with thanks"),
    (ask_referral("refer"), "ask for a referral with refer"),
    (survey("nps"), "ask the survey nps with surveys/nps"),
    (survey("nps", "my/nps"), "ask the survey nps with my/nps"),
    (confirm("guide"), "ask to confirm guide with forms/confirm"),
    (ask(lead.bant.need, "need"), "ask for the need with need"),
    (ask("company.size", "size"), "ask for the company size with size"),
    (notify("Back again"), "tell marketing: Back again"),
    (escalate("director"), "hand over to sales as director"),
    (task("Call", due_in=days(1)), "task for sales: Call, due in 1 day"),
    (task("Call", team="support"), "task for support: Call"),
    (call("shop", plan="pro"), "call shop"),
    (set_field(lead.company.turnover, 1_000_000), "set company turnover to 1,000,000"),
    (set_field(lead.city, None), "set city to unknown"),
    (tag("vip"), "tag vip"),
    (untag("vip"), "untag vip"),
    (need("kit", readiness=40), "note that it seems to need kit, 40 % ready"),
    (need("kit", readiness=90, kind="explicit"), "note that it needs kit, 90 % ready"),
    (add_points(5, score="fit"), "add 5 points to fit"),
    (add_points(1, score="fit"), "add 1 point to fit"),
    (add_points(-2.5, score="fit"), "take 2.5 points from fit"),
    (advance("buy"), "advance to buy"),
    (subscribe("news"), "subscribe to news"),
    (unsubscribe("news"), "unsubscribe from news"),
    (add_to("fair"), "add to fair"),
    (remove_from("fair"), "remove from fair"),
    (enrol("other"), "enrol in other"),
    (wait(days(4)), "wait 4 days"),
    (wait(days(4), at=daily("10:00")), "wait 4 days, then continue every day at 10:00"),
    (wait(until=between("09:00", "18:00")), "wait, then continue between 09:00 and 18:00 every day"),
    (wait(until=ENDS, offset=-days(3)), "wait until 3 days before trial ends; once past, skip the next step"),
    (wait(until=ENDS, offset=hours(2), on_past="leave"), "wait until 2 hours after trial ends; once past, leave"),
    (wait(until=ENDS, on_past="run"), "wait until trial ends"),
    (wait(until=date(2026, 1, 31), on_past="run"), "wait until 2026-01-31"),
    (wait(until=datetime(2026, 1, 31, 9, tzinfo=UTC), on_past="run"), "wait until 2026-01-31 09:00 UTC"),
    (wait_for(clicked("a"), on("visit", to="two"), up_to=days(3), then="three", otherwise=leave("no")),
     "wait up to 3 days for a click in a → to three or visit → to two; otherwise leave (no)"),
    (wait_for(on("visit"), up_to=days(3)), "wait up to 3 days for visit"),
    (branch(when(lead.nps >= 9, to="fan"), when(lead.nps >= 7)),
     "when NPS is at least 9 → to fan; when NPS is at least 7 → go on; otherwise go on"),
    (branch(when(lead.nps >= 9, to="fan"), otherwise=done), "when NPS is at least 9 → to fan; otherwise done"),
    (split({"case": 45, "webinar": 2.5}, key="x"), "split 45 → case, 2.5 → webinar"),
    (go("two"), "go to two"),
    (as_step(leave("no")), "leave: no"),
    (as_step(done), "done"),
]  # fmt: skip
KINDS = {kind for one in get_args(get_args(AnyStep)[0]) for kind in get_args(one.model_fields["kind"].annotation)}


@pytest.mark.parametrize(("step", "words"), SAID, ids=[words for _, words in SAID])
def test_a_step_reads_as_a_marketer_would_say_it(step: Step, words: str) -> None:
    assert step.words() == words


@pytest.mark.parametrize(("step", "words"), SAID, ids=[words for _, words in SAID])
def test_a_step_survives_being_stored(step: Any, words: str) -> None:
    stored = STORED.dump_json(step)

    assert STORED.validate_json(stored) == step
    assert STORED.dump_json(STORED.validate_json(stored)) == stored


def test_every_kind_of_step_is_among_those_looked_at_here() -> None:
    assert {getattr(step, "kind", None) for step, _ in SAID} == KINDS - {"broken"}


def test_what_reaches_out_of_our_store_is_a_touch_and_bookkeeping_never_is() -> None:
    touches = {getattr(step, "kind", "") for step, _ in SAID if step.touches}

    assert touches == {
        "send",
        "thank",
        "ask_referral",
        "survey",
        "ask",
        "confirm",
        "notify",
        "escalate",
        "task",
        "call",
    }
    assert not any(one.touches for one in get_args(Bookkeeping))


@pytest.mark.parametrize("given", [lead.company.name, "company.name", "lead.company.name"])
def test_a_field_is_named_as_it_stands_or_by_its_text(given: Any) -> None:
    assert as_path(given) == ("company", "name")


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        (send(), "missing 1 required positional argument: 'template'"),  # type: ignore[call-arg]
        (send("hello", to="ann"), "got an unexpected keyword argument 'to'"),  # type: ignore[call-arg]
        (set_field(3, "DE"), '3 is no field: write lead.country or lead.custom("…")'),  # type: ignore[arg-type]
        (wait(days(1), offset=days(2)), 'offset goes with a date of the lead: until=lead.custom("…")'),
        (split(["a", "b"]), 'give states and their weights: split({"case": 50, "webinar": 50})'),  # type: ignore[arg-type]
        (send("hello", on_unknown="retry"), "on_unknown: Input should be 'hold' or 'resend'"),  # type: ignore[arg-type]
        (as_step("hello"), "'hello' is no step: write send(…), wait(…), branch(…) …"),
    ],
)  # fmt: skip
def test_a_step_that_cannot_be_made_keeps_its_fault_for_the_check(step: Step, fault: str) -> None:
    assert isinstance(step, Broken)
    assert step.fault == fault
