"""The checker must be able to fail: evidence that is doctored is found out."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.checker import Expected, check, overall
from tests.faults.crowd import Cohort
from tests.faults.evidence import Acknowledged, Arrival, Entry, Evidence, Standing

ANN = Cohort("ann", 1)
(EMAIL,) = ANN.emails
BEGAN = datetime(2026, 11, 23, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def at(seconds: float) -> datetime:
    return BEGAN + seconds * SECOND


def arrival(subject: str, seconds: float, key: str = "") -> Arrival:
    return Arrival(at(seconds), EMAIL, key or f"j/{subject}", f"{key or subject}@example.com", subject)


def entry(subject: str, seconds: float, status: str = "accepted", reason: str = "") -> Entry:
    template, message_id = f"test/{subject}", f"{subject}@example.com"
    return Entry(f"j/{subject}", message_id, template, status, reason, at(seconds), at(seconds), at(seconds), EMAIL)


ENTERED = Acknowledged(at(0), "steady_asked/ann", "steady_asked", EMAIL, at(0))
SOUND = Evidence(
    at=at(10),
    arrivals=(arrival("one", 1), arrival("two", 4), arrival("three", 7)),
    acknowledged=(ENTERED,),
    ledger=(entry("one", 1), entry("two", 4), entry("three", 7)),
    journeys=(Standing("j", EMAIL, "steady", "ended", "done", None),),
    events=Counter([ENTERED.id]),
)


def found(evidence: Evidence, expected: Expected | None = None) -> list[str]:
    verdict = check(evidence, ANN, expected or Expected())
    return [
        *(f"lost: {one}" for one in verdict.lost),
        *(f"twice: {one}" for one in verdict.twice),
        *(f"other: {one}" for one in verdict.other),
    ]


def test_sound_evidence_holds() -> None:
    assert found(SOUND) == []
    assert overall(SOUND) == []


def test_a_mail_that_the_ledger_has_and_the_world_has_not_is_lost() -> None:
    assert found(SOUND._replace(arrivals=SOUND.arrivals[:2])) == [f"lost: {EMAIL} three: accepted, and never arrived"]


def test_a_message_that_was_never_planned_is_lost() -> None:
    doctored = SOUND._replace(arrivals=SOUND.arrivals[:2], ledger=SOUND.ledger[:2])

    assert found(doctored) == [f"lost: {EMAIL} three: was never planned"]


def test_a_mail_that_arrived_twice_is_found() -> None:
    doctored = SOUND._replace(arrivals=(*SOUND.arrivals, arrival("three", 8)))

    assert "twice: j/three arrived 2 times" in found(doctored)


def test_a_second_mail_under_another_key_is_found() -> None:
    doctored = SOUND._replace(
        arrivals=(*SOUND.arrivals, arrival("three", 8, "k/three")),
    )

    assert f"twice: {EMAIL} got three 2 times" in found(doctored)


def test_twice_is_forgiven_only_where_the_ledger_says_that_it_was_sent_again() -> None:
    again = entry("three", 7, reason="sent again, as no answer came the first time")
    doctored = SOUND._replace(arrivals=(*SOUND.arrivals, arrival("three", 8)), ledger=(*SOUND.ledger[:2], again))

    assert found(doctored) == []
    assert found(doctored._replace(arrivals=(*doctored.arrivals, arrival("three", 9)))) != []


DOCTORED = {
    "a mail that nobody owns up to": SOUND._replace(ledger=(*SOUND.ledger[:2], entry("three", 7, "cancelled"))),
    "a message left between planned and sent": SOUND._replace(ledger=(*SOUND.ledger[:2], entry("three", 7, "committing"))),
    "an unknown one where none may be": SOUND._replace(ledger=(*SOUND.ledger[:2], entry("three", 7, "unknown"))),
    "an acknowledged event that is not stored": SOUND._replace(events=Counter()),
    "a lead that entered once and has two journeys": SOUND._replace(
        journeys=(*SOUND.journeys, Standing("k", EMAIL, "steady", "ended", "done", None))
    ),
    "a mail after the refusal": SOUND._replace(
        acknowledged=(ENTERED, Acknowledged(at(5), "no", "said_no", EMAIL, at(5), refuses=True)),
        events=Counter([ENTERED.id, "no"]),
    ),
    "mails in the wrong order": SOUND._replace(arrivals=(arrival("two", 1), arrival("one", 4), arrival("three", 7))),
    "a mail too soon after the one before": SOUND._replace(
        arrivals=(arrival("one", 1), arrival("two", 2.5), arrival("three", 7))
    ),
    "a journey that never ends": SOUND._replace(journeys=(Standing("j", EMAIL, "steady", "active", None, at(5)),)),
    "a workflow that runs on after its journey": SOUND._replace(running=frozenset({"j"})),
    "points that no event gave": SOUND._replace(points={EMAIL: {"interest": 2}}),
    "a workflow task that broke": SOUND._replace(broken=frozenset({"j"})),
}  # fmt: skip


@pytest.mark.parametrize("what", DOCTORED)
def test_what_may_not_be_is_found(what: str) -> None:
    assert found(DOCTORED[what]) != []


def test_a_mail_sent_in_a_pause_is_found() -> None:
    paused = SOUND._replace(pauses=((at(3), at(5)),))

    assert found(paused) == []
    assert found(paused, Expected(paused=True)) == ["other: j/two was sent while its campaign was paused"]


def test_a_mail_before_its_cause_is_found() -> None:
    assert found(SOUND, Expected(after={"two": "agreed"})) == [f"other: {EMAIL} got two before agreed was told"]


def test_what_is_left_lying_anywhere_is_found() -> None:
    assert overall(SOUND._replace(waiting=2, buried=("too old",), running=frozenset({"k"}))) == [
        "dead letter: too old",
        "2 rows left in the outbox",
        "a workflow runs that no journey knows: k",
    ]


def test_lateness_and_recovery_are_measured_by_the_sink_and_the_mending() -> None:
    late = SOUND._replace(
        arrivals=(arrival("one", 3), *SOUND.arrivals[1:]), ledger=(entry("one", 1), *SOUND.ledger[1:])
    )
    verdict = check(late, ANN, Expected(), mended=at(0.5))

    assert (verdict.latest, verdict.recovered) == (2.0, 0.0)
