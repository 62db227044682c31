"""Where channels reach a lead: the kind of key of each, and what is kept of an address that takes nothing."""

import pytest

from nurture import Messenger
from nurture.addresses import channel_of, consent_to, hash_of, kind_of
from nurture.catalogue import Catalogue
from nurture.profile import address_hash


def test_one_number_that_takes_no_sms_may_still_take_calls_from_a_messenger() -> None:
    assert hash_of("sms", "+493012345") != hash_of("whatsapp", "+493012345")
    assert hash_of("email", "Ann@Example.com") == address_hash("ann@example.com")


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("phone", "phone"),
        ("messengers.whatsapp", "messenger.whatsapp"),
        ("external_ids.push", "external.push"),
        ("external_id", "external"),
    ],
)
def test_a_field_of_a_lead_names_a_kind_of_key(field: str, kind: str) -> None:
    assert kind_of(field) == kind


def test_a_messenger_is_a_channel_that_reaches_a_lead_by_its_id_there() -> None:
    own = Messenger(key="whatsapp", url="https://bridge.example/in")
    push = Messenger(key="push", url="https://push.example/in", address="external_ids.push")

    channels = Catalogue(messengers={"whatsapp": own, "push": push}).channels

    assert channels == {
        "email": "email", "sms": "phone", "telegram": "messenger.telegram",
        "whatsapp": "messenger.whatsapp", "push": "external.push",
    }  # fmt: skip


def test_the_topic_of_a_channel_is_told_from_one_of_what_is_sent() -> None:
    assert [channel_of(consent_to("sms")), channel_of("sms"), channel_of("*")] == ["sms", None, None]
