"""Where each channel reaches a lead: which of its keys is the address, and under which name the channel is consented to."""

from collections.abc import Mapping

from nurture.identity import SYSTEMS
from nurture.profile import address_hash, key_hash

EMAIL, SMS, TELEGRAM = "email", "sms", "telegram"
KINDS: Mapping[str, str] = {EMAIL: "email", SMS: "phone", TELEGRAM: "messenger.telegram"}
"""The channels of our own, and the kind of key (`nurture.identity`) that is the address of each."""

CHANNEL = "channel:"


def consent_to(channel: str) -> str:
    """The topic under which a lead says yes or no to a channel, whatever is sent by it: `channel:sms`."""
    return f"{CHANNEL}{channel}"


def channel_of(topic: str) -> str | None:
    """The channel that such a topic is about; None for a topic of what is sent."""
    return topic.removeprefix(CHANNEL) if topic.startswith(CHANNEL) else None


def kind_of(field: str) -> str:
    """The kind of key that stands in that field of a lead: `phone`, `messengers.whatsapp`, `external_ids.push`."""
    group, _, system = field.partition(".")
    if field == "external_id":
        return "external"
    return f"{SYSTEMS[group]}.{system}" if system and group in SYSTEMS else field


def hash_of(channel: str, address: str) -> str:
    """What is kept of an address that takes nothing by that channel; by another one it may still take something."""
    return address_hash(address) if channel == EMAIL else key_hash(channel, address)
