"""The keys by which a lead is known: every way to write one thing is one key, and two things are never one."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.errors import BadInput
from nurture.identity import email_address, field_of, in_order, phone_number, popped_keys


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Ann@Example.ORG", "ann@example.org"),
        ("ａｎｎ＠ｅｘａｍｐｌｅ．ｏｒｇ", "ann@example.org"),
        ("ann@xn--mnchen-3ya.de", "ann@münchen.de"),
        ("ann@MÜNCHEN.de", "ann@münchen.de"),
        ("jose\u0301@example.org", "josé@example.org"),
        ("Ann+News@Example.org", "ann+news@example.org"),
    ],
)
def test_every_way_to_write_an_address_is_one_key(written: str, key: str) -> None:
    assert email_address(written) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@example.org", "ann+news@example.org"),
        ("ann@example.org", "a.nn@example.org"),
        ("strasse@example.org", "straße@example.org"),
        ("ann@example.org", "\u0430nn@example.org"),  # a Cyrillic letter
        ("ann@strasse.de", "ann@straße.de"),
    ],
)
def test_addresses_that_only_look_alike_are_two_keys(one: str, other: str) -> None:
    assert email_address(one) != email_address(other)


@settings(max_examples=300)
@given(
    local=st.text(st.characters(codec="utf-8"), min_size=1, max_size=8),
    domain=st.sampled_from(["example.org", "İstanbul.org"]),
)
def test_a_key_written_once_more_is_the_same_key(local: str, domain: str) -> None:
    try:
        key = email_address(f"{local}@{domain}")
    except BadInput:
        return
    assert email_address(key) == key


@pytest.mark.parametrize(
    ("written", "region", "key"),
    [
        ("+49 (0)30 1234567", None, "+49301234567"),
        ("0049 30 1234567", "DE", "+49301234567"),
        ("030/1234567", "DE", "+49301234567"),
        ("＋４９ ３０ １２３４５６７", None, "+49301234567"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
    ],
)
def test_every_way_to_write_a_number_is_one_key(written: str, region: str | None, key: str) -> None:
    assert phone_number(written, region) == key


@pytest.mark.parametrize("written", ["030 1234567", "12", "ann", "+49 30 1234567 89012345", ""])
def test_what_is_no_number_without_more_is_refused_with_the_remedy(written: str) -> None:
    with pytest.raises(BadInput, match="write it with the country's code"):
        phone_number(written)


def test_ids_of_several_systems_and_messengers_are_keys_of_their_own_kinds() -> None:
    lead = {
        "external_id": 17, "external_ids": {"shop": "A-9", "crm": 17}, "messengers": {"telegram": "@Ann_X", "line": "Uab"},
        "cookie": "c1", "city": "Bonn",
    }  # fmt: skip

    found = popped_keys(lead)

    assert lead == {"city": "Bonn"}
    assert in_order({**found, "phone": "+49", "email": "a@b"}) == (
        ("external", "17"), ("external.crm", "17"), ("external.shop", "A-9"), ("email", "a@b"),
        ("messenger.line", "Uab"), ("messenger.telegram", "ann_x"), ("phone", "+49"), ("cookie", "c1"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lead", "fault"),
    [
        ({"external_id": "a\nb"}, "lead.external_id: give a text of at most 200 printable characters"),
        ({"external_ids": {"crm": " 17"}}, "lead.external_ids.crm: give a text of at most 200 printable characters"),
        ({"external_ids": "17"}, 'lead.external_ids: give at most 20 ids by system, such as {"crm": "17"}'),
        ({"external_ids": {"My CRM": "17"}}, "lead.external_ids: name each system with at most 40 small letters"),
        ({"messengers": {"telegram": "an n"}}, "lead.messengers.telegram: is no Telegram id: write the number"),
        ({"messengers": {"whatsapp": "030 1234567"}}, "lead.messengers.whatsapp: is no phone number: write it with"),
    ],
)
def test_a_key_that_cannot_be_written_is_refused_by_its_field_with_the_remedy(lead: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput) as refused:
        popped_keys(lead)

    assert str(refused.value).startswith(fault)
    assert fault.startswith(f"{refused.value.field}: ")


def test_ids_that_say_nothing_are_no_keys() -> None:
    assert popped_keys({"external_id": "", "external_ids": {"crm": None}, "messengers": None, "cookie": ""}) == {}


def test_a_kind_is_told_by_the_field_that_it_comes_in_by() -> None:
    kinds = ("external", "external.crm", "messenger.telegram", "email", "phone")

    assert [field_of(kind) for kind in kinds] == [
        "external_id", "external_ids.crm", "messengers.telegram", "email", "phone"
    ]  # fmt: skip
