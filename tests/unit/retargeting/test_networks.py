"""What networks take: the hashes that they publish, or that their rules give."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.retargeting.files import Person, lines
from nurture.retargeting.networks import NETWORKS

PEOPLE = [
    Person("1", "john_smith@gmail.com", "+16505551212"),
    Person("2", "ann@example.com", None),
    Person("3", None, "+79995551111"),
    Person("4", None, None),
    Person("5", "ann@example.com", None),
]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("network", "kind", "value", "expected"),
    [
        # As Meta's own documentation shows them.
        ("meta", "email", " John_Smith@gmail.com ", "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"),
        ("meta", "phone", "+16505551212", "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"),
        ("google", "email", "Ann.Lee@Example.com", sha256("ann.lee@example.com")),
        ("google", "phone", "+16505551212", sha256("+16505551212")),
        ("yandex", "email", "mail@yandex.ru", sha256("mail@yandex.ru")),
        ("yandex", "phone", "+79995551111", sha256("79995551111")),
        ("yandex", "email", "почта@пример.рф", None),
        ("vk", "email", "example@mail.ru", md5("example@mail.ru")),
        ("vk", "phone", "+79011234567", md5("79011234567")),
        ("google", "email", "", None),
        ("meta", "phone", None, None),
    ],
)
def test_each_network_gets_the_hash_of_its_own_way_to_write_a_value(
    network: str, kind: str, value: str | None, expected: str | None
) -> None:
    assert NETWORKS[network].hashed(kind, value) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("network", "header"), [("google", "Email,Phone"), ("meta", "email,phone"), ("yandex", "email,phone")]
)
def test_a_file_has_the_network_s_header_and_a_line_for_each_person_once(network: str, header: str) -> None:
    told = list(lines(NETWORKS[network], PEOPLE))

    assert told[0] == header
    assert len(told) == 4
    assert told[2] == f"{sha256('ann@example.com')},"


def test_a_file_for_vk_is_a_list_of_one_kind_without_a_header() -> None:
    assert list(lines(NETWORKS["vk"], PEOPLE, ["phone"])) == [md5("16505551212"), md5("79995551111")]


@settings(max_examples=30, deadline=None)
@given(st.text(min_size=1), st.text(min_size=1))
def test_no_cell_can_be_taken_for_a_formula_whatever_stands_in_a_profile(email: str, phone: str) -> None:
    for network in NETWORKS.values():
        for line in list(lines(network, [Person("1", email, phone)]))[bool(network.columns) :]:
            assert set(line) <= set("0123456789abcdef,")
