from collections import Counter
from datetime import UTC, datetime

import pytest

from nurture.fields import validated
from nurture.laptop.people import ARRIVALS, ROLES, Deed, Offer, Person, answer_of_sales, person, points_of, reaction

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
A_MAIL: tuple[Offer, ...] = ("click", "unsubscribe")


def crowd(size: int = 200, seed: int = 1) -> list[Person]:
    return [person(number, seed, NOW) for number in range(1, size + 1)]


def deeds(who: Person, mails: int = 5) -> list[Deed]:
    """What they do with that many mails, one after the other."""
    return [deed for nth in range(1, mails + 1) for deed in reaction(who, nth, A_MAIL)]


def test_the_same_seed_makes_the_same_people() -> None:
    assert crowd() == crowd()
    assert crowd(seed=1) != crowd(seed=2)


def test_the_same_person_does_the_same_in_every_run() -> None:
    assert [deeds(who) for who in crowd()] == [deeds(who) for who in crowd()]


def test_what_one_does_does_not_hang_on_how_many_there_are() -> None:
    assert crowd(10) == crowd(200)[:10]


def test_everybody_has_an_address_of_their_own_where_no_mail_ever_arrives() -> None:
    addresses = [who.email for who in crowd(2000)]

    assert len(set(addresses)) == 2000
    assert {address.partition("@")[2] for address in addresses} == {"example.com", "example.org"}


def test_everybody_can_be_imported_without_a_warning() -> None:
    assert not any(validated(who.profile).warnings for who in crowd())


def test_people_come_from_many_places_in_two_languages() -> None:
    profiles = [who.profile for who in crowd()]

    assert {one["language"] for one in profiles} == {"en", "ru"}
    assert len({one["time_zone"] for one in profiles}) > 10


def test_every_role_is_played() -> None:
    assert {who.role for who in crowd()} == set(ROLES)


def test_everybody_has_come_in_time() -> None:
    assert all(0 <= who.arrives <= ARRIVALS for who in crowd())


def test_some_people_do_each_thing() -> None:
    done = Counter(deed.does for who in crowd() for deed in deeds(who))

    assert set(done) == {
        "scan", "click", "visit", "buy", "leave by the page", "leave by one click", "attend", "ask", "request",
    }  # fmt: skip


def test_some_people_do_nothing_at_all() -> None:
    assert any(not deeds(who) for who in crowd())


def test_a_scanner_looks_before_anybody_reads() -> None:
    scanned = next(who for who in crowd() if who.scanned)

    assert reaction(scanned, 1, A_MAIL)[0] == Deed("scan", 0.0)


def test_nobody_leaves_by_a_link_that_is_not_in_the_mail() -> None:
    leaver = next(who for who in crowd() if who.role == "leaver")

    assert reaction(leaver, 2, A_MAIL)
    assert not [deed for deed in reaction(leaver, 2, ["click"]) if "leave" in deed.does]


@pytest.mark.parametrize(("offer", "does"), [("survey", "answer"), ("share", "share")])
def test_most_people_do_what_a_mail_asks_of_them(offer: Offer, does: str) -> None:
    willing = [who for who in crowd() if any(deed.does == does for deed in reaction(who, 3, [offer, "unsubscribe"]))]

    assert 100 < len(willing) < 200


def test_answers_to_the_survey_are_points_from_0_to_10() -> None:
    points = {points_of(who) for who in crowd()}

    assert points <= set(range(11))
    assert max(points) >= 9 > min(points)


def test_sales_accepts_some_rejects_some_and_forgets_some() -> None:
    answers = Counter(answer_of_sales(1, who.email)[0] for who in crowd())

    assert set(answers) == {"accepted", "rejected", None}
    assert answer_of_sales(1, "ann@example.com") == answer_of_sales(1, "ann@example.com")
