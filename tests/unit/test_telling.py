from datetime import UTC, datetime, timedelta
from typing import Any

from nurture import (
    Campaign,
    State,
    branch,
    clicked,
    days,
    done,
    event,
    lead,
    leave,
    on,
    send,
    tag,
    wait,
    wait_for,
    when,
)
from nurture.facts import Facts
from nurture.journey import STOP, AnyReply, Chose, Closed, Deferred, Did, Elapsed, Heard, Held, Journey, Parked, begin
from nurture.telling import Told, hears, tell_all, waits_for
from nurture.version import frozen

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
ROAD = frozen(
    Campaign(
        "road",
        [
            State("greet", [send("greet"), wait_for(clicked("greet"), up_to=days(3), then="ask", otherwise="remind")]),
            State("remind", [tag("slow"), wait(until=lead.custom("webinar_at")), leave("no interest")]),
            State("ask", [branch(when(lead.nps >= 9, to="fan"), when(event("visit").count() >= 2, to="fan"), otherwise=done)]),
            State("fan", [wait(days(1))]),
        ],
        exits=[on("unsubscribed")],
        goal=on("order_paid"),
    )
)  # fmt: skip


def told(*moves: AnyReply | tuple[AnyReply, dict[str, Any]]) -> Told:
    """The last of the moves, told."""
    with_values = [one if isinstance(one, tuple) else (one, {}) for one in moves]
    return list(tell_all(ROAD, begin(ROAD, NOW), with_values))[-1].told


def stood(*moves: AnyReply) -> Journey:
    """Where the journey stands after the moves."""
    return list(tell_all(ROAD, begin(ROAD, NOW), [(one, {}) for one in moves]))[-1].after


def heard(arm: str) -> Heard:
    return Heard(at=NOW, arm=arm)


SENT, WAITS = Did(at=NOW), Parked(at=NOW, until=LATER)


def test_a_message_without_a_note_was_sent() -> None:
    assert (told(SENT).kind, told(SENT).what, told(SENT).how) == ("sent", "send greet", "")


def test_a_message_with_a_note_was_not_sent_for_that_reason() -> None:
    withheld = told(Did(at=NOW, note="no address"))
    assert (withheld.kind, withheld.how) == ("not sent", "no address")


def test_a_message_put_off_says_until_when() -> None:
    put_off = told(Deferred(at=NOW, until=LATER, note="quiet hours"))
    assert (put_off.kind, put_off.how, put_off.until) == ("put off", "quiet hours", LATER)


def test_a_pause_says_what_it_does() -> None:
    assert told(Held(at=NOW)).what == "the campaign is paused"


def test_a_wait_says_until_when() -> None:
    assert (told(SENT, WAITS).kind, told(SENT, WAITS).until) == ("waits", LATER)


def test_a_wait_that_ran_out_says_where_it_led() -> None:
    over = told(SENT, WAITS, Elapsed(at=LATER))
    assert (over.what, over.to) == ("3 days passed without it", "remind")


def test_what_a_wait_heard_is_in_the_triggers_words() -> None:
    clicked_it = told(SENT, WAITS, heard("greet/1/1:0"))
    assert (clicked_it.what, clicked_it.to) == ("a click in greet", "ask")


def test_an_exit_says_that_it_is_one_and_ends_the_journey() -> None:
    out = told(SENT, WAITS, heard("exit:0"))
    assert (out.what, out.how, out.to) == ("unsubscribed", "an exit", "the end")


def test_the_goal_says_that_it_is_the_goal() -> None:
    assert told(SENT, WAITS, heard("goal")).how == "the goal"


def test_a_persons_stop_is_told_as_such() -> None:
    assert told(SENT, WAITS, heard(STOP)).what == "a person stopped it"


def test_a_branch_says_each_answer_up_to_the_first_yes_with_the_values() -> None:
    chose = Chose(at=NOW, arm=1), {"nps": 3, "visit": 2}
    chosen = told(SENT, WAITS, heard("greet/1/1:0"), chose)
    assert chosen.how == "NPS is at least 9: no; visit at least 2 times: yes"
    assert [str(one) for one in chosen.seen] == ["NPS: 3", "visit: 2 times"]


def test_a_date_that_nobody_knows_is_no_wait() -> None:
    at_remind = (SENT, WAITS, Elapsed(at=LATER), Did(at=LATER))
    unknown = told(*at_remind, (Parked(at=LATER), {"webinar at": None}))
    assert (unknown.kind, unknown.how) == ("over", "it is unknown, so there is nothing to wait for")
    assert [str(one) for one in unknown.seen] == ["webinar at: unknown"]


def test_a_date_that_had_gone_by_says_so() -> None:
    gone_by = told(SENT, WAITS, Elapsed(at=LATER), Did(at=LATER), Parked(at=LATER, past=True))
    assert gone_by.how == "that had gone by"


def test_the_end_says_its_reason() -> None:
    assert told(SENT, WAITS, heard("exit:0"), Closed(at=NOW)).what == "left: on unsubscribed"


def test_a_journey_in_a_wait_says_what_would_end_it() -> None:
    ears = waits_for(ROAD, stood(SENT, WAITS))
    assert [(one.words, one.to) for one in ears] == [("a click in greet", "ask"), ("otherwise", "remind")]


def test_a_journey_says_what_it_hears_at_any_time() -> None:
    ears = hears(ROAD, stood(SENT, WAITS), Facts(now=NOW, lead={}))
    assert [(one.words, one.to) for one in ears] == [("unsubscribed", "leave (on unsubscribed)"), ("order paid", "on")]
