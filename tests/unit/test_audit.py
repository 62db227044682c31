from nurture.laptop.audit import Entry, audit


def test_an_audit_holds_when_every_accepted_mail_came_once() -> None:
    found = audit(["a", "b"], [Entry("a", "accepted"), Entry("b", "accepted"), Entry("c", "suppressed")])

    assert found.holds
    assert found.accepted == 2


def test_a_mail_that_never_came_is_lost() -> None:
    found = audit(["a"], [Entry("a", "accepted"), Entry("b", "accepted")])

    assert found.lost == ("b",)
    assert not found.holds


def test_a_mail_that_came_again_is_counted() -> None:
    found = audit(["a", "a"], [Entry("a", "accepted")])

    assert found.twice == ("a",)
    assert not found.holds


def test_a_mail_that_nobody_accounts_for_is_found() -> None:
    found = audit(["a", "b"], [Entry("a", "cancelled")])

    assert found.unaccounted == ("a", "b")
    assert "DOES NOT HOLD" in found.verdict()


def test_an_unknown_mail_is_shown_and_blames_nobody() -> None:
    found = audit([], [Entry("a", "unknown")])

    assert found.unknown == ("a",)
    assert found.holds


def test_a_mail_left_at_the_point_of_sending_is_found() -> None:
    assert audit([], [Entry("a", "committing")]).unfinished == ("a",)
