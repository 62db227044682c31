"""Leads that may be one person: who is found, who is not, and in how many comparisons."""

import pytest

from nurture import duplicates
from nurture.duplicates import Pair, Person, likeness, pairs, person


def somebody(lead_id: str, name: str = "", company: str = "", email: str = "", phone: str = "") -> Person:
    first, _, last = name.partition(" ")
    known = {"first_name": first, "last_name": last, "company": {"name": company}, "email": email, "phone": phone}
    return person(lead_id, known)


ANN = somebody("a", "Ann Exampleton", "Example Trading Ltd", "ann.exampleton@example.com", "+49301234567")


@pytest.mark.parametrize(
    ("other", "reasons"),
    [
        pytest.param(somebody("b", "Ann Exampelton", "Example Trading"),
                     ("name 93 % alike", "the same company"), id="a slip of the pen"),
        pytest.param(somebody("b", "exampleton ann", "EXAMPLE TRADING LTD"),
                     ("the same name", "the same company"), id="turned round"),
        pytest.param(somebody("b", "Ánn Exampleton", "", "annexampleton@mail.example"),
                     ("the same name", "the same name in the address"), id="another mailbox"),
        pytest.param(somebody("b", "", "", "", "+49301234567"), ("the same phone number",), id="nothing but the phone"),
    ],
)  # fmt: skip
def test_who_may_be_the_same_person_is_found_with_the_reason(other: Person, reasons: tuple[str, ...]) -> None:
    (found,) = pairs([ANN, other], 80)

    assert found[:2] == ("a", "b")
    assert found.reasons == reasons


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(somebody("b", "Ann Exampleton"), id="a name alone"),
        pytest.param(somebody("b", "Bob Otherwise", "Example Trading Ltd", "", "+49301234567"), id="a colleague"),
        pytest.param(somebody("b", "Ann Exampleton", "Quite Another"), id="a namesake elsewhere"),
        pytest.param(somebody("b", "Cid Exampleton", "", "info@example.com"), id="of one family"),
    ],
)
def test_who_only_has_something_in_common_is_not_suggested(other: Person) -> None:
    assert list(pairs([ANN, other], 80)) == []


def test_a_pair_is_told_once_however_much_it_has_in_common() -> None:
    twins = [ANN, ANN._replace(id="b"), ANN._replace(id="c")]

    assert sorted(one[:2] for one in pairs(twins, 80)) == [("a", "b"), ("a", "c"), ("b", "c")]


def test_what_is_common_to_many_does_not_make_each_meet_each(monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[Pair | None] = []

    def counted(one: Person, other: Person) -> Pair | None:
        met.append(likeness(one, other))
        return met[-1]

    monkeypatch.setattr(duplicates, "likeness", counted)
    namesakes = [somebody(f"{n:04}", "Ann Exampleton", f"Company {n}") for n in range(1000)]
    list(pairs(namesakes, 100))

    assert len(met) <= 1000 * 8 * 2
