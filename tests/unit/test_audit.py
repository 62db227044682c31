import json
from pathlib import Path

import pytest

from nurture.laptop.audit import Audit, Books, Entry, Mail, audit, of_that_moment, read_log


def ledger(**statuses: str) -> Books:
    """A ledger with a row for each key."""
    return Books(ledger=tuple(Entry(key, f"{key}@example.com", status) for key, status in statuses.items()))


def log(*keys: str) -> list[Mail]:
    """A log with a mail for each key, in order."""
    return [Mail(key, f"{key}@example.com") for key in keys]


def test_an_audit_holds_when_every_accepted_mail_came_once() -> None:
    found = audit(log("a", "b"), ledger(a="accepted", b="accepted", c="suppressed", d="deferred"))

    assert found.holds
    assert (found.accepted, found.arrived) == (2, 2)
    assert found.verdict() == "The audit holds: lost 0, twice 0"


def test_a_mail_that_never_came_is_lost() -> None:
    found = audit(log("a"), ledger(a="accepted", b="accepted"))

    assert found.lost == ("b",)
    assert found.verdict() == "THE AUDIT DOES NOT HOLD: lost 1, twice 0"


def test_a_mail_that_came_again_is_found_by_its_key() -> None:
    found = audit(log("a", "a"), ledger(a="accepted"))

    assert found.twice == ("a",)
    assert not found.holds


def test_a_mail_that_came_again_under_another_key_is_found_by_its_message_id() -> None:
    found = audit([Mail("a", "one@example.com"), Mail("b", "one@example.com")], ledger(a="accepted", b="accepted"))

    assert found.twice == ("a", "b")
    assert not found.holds


@pytest.mark.parametrize("status", ["planned", "deferred", "claimed", "rejected", "suppressed", "cancelled", "expired"])
def test_a_mail_that_came_though_the_ledger_says_otherwise_is_unaccounted_for(status: str) -> None:
    found = audit(log("a"), ledger(a=status))

    assert found.unaccounted == ("a",)
    assert not found.holds


def test_a_mail_that_the_ledger_has_never_heard_of_is_unaccounted_for() -> None:
    found = audit([Mail("z", "z@example.com"), Mail(None, "alien@example.com")], ledger())

    assert found.unaccounted == ("alien@example.com", "z")
    assert not found.holds


def test_a_mail_under_another_message_id_than_the_ledger_has_is_unaccounted_for() -> None:
    assert audit([Mail("a", "other@example.com")], ledger(a="accepted")).unaccounted == ("a",)


def test_an_unknown_mail_is_shown_and_blames_nobody_whether_it_came_or_not() -> None:
    found = audit(log("a"), ledger(a="unknown", b="unknown"))

    assert found.unknown == ("a", "b")
    assert found.verdict() == "The audit holds: lost 0, twice 0, unknown 2"


def test_an_unknown_mail_that_came_twice_is_found_all_the_same() -> None:
    assert audit(log("a", "a"), ledger(a="unknown")).twice == ("a",)


@pytest.mark.parametrize("status", ["planned", "claimed", "committing"])
def test_a_message_left_on_its_way_is_found(status: str) -> None:
    found = audit([], ledger(a=status))

    assert found.unfinished == ("a",)
    assert not found.holds


def test_an_event_that_was_acknowledged_and_is_not_stored_is_found() -> None:
    found = audit([], Books(events=frozenset({"one"})), acknowledged=["one", "two"])

    assert found.unheard == ("two",)
    assert not found.holds


@pytest.mark.parametrize(
    "books", [Books(starting=("j1",)), Books(overdue=("j1",)), Books(dead_letters=("event 7: no such campaign",))]
)
def test_what_is_left_lying_is_found(books: Books) -> None:
    assert not audit([], books).holds


def test_a_mail_that_came_after_the_books_were_read_is_left_for_the_next_audit() -> None:
    assert of_that_moment(log("a", "b", "c"), 1, ledger(a="accepted", b="accepted")) == log("a", "b")


def test_a_mail_that_came_before_the_books_were_read_is_held_against_them() -> None:
    said = ledger(a="cancelled")

    assert audit(of_that_moment(log("a"), 1, said), said).unaccounted == ("a",)


def test_every_fault_has_a_check_that_shows_it() -> None:
    numbers = ("arrived", "accepted")

    assert len(audit([], Books()).checks) == len([name for name in Audit._fields if name not in numbers])


def test_the_log_is_read_up_to_its_last_whole_line(tmp_path: Path) -> None:
    file = tmp_path / "mails.jsonl"
    whole = json.dumps({"key": "a", "message_id": "a@example.com", "raw": "…"})
    file.write_text(f'{whole}\n{{"key": "b", "mess')

    assert list(read_log(file)) == [Mail("a", "a@example.com")]
