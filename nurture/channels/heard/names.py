"""Who is heard, by the names of their webhooks."""

from collections.abc import Mapping

from nurture.channels.heard import Hearer
from nurture.channels.heard.smsc import SmscHearer
from nurture.channels.heard.telegram import TelegramHearer
from nurture.channels.heard.twilio import TwilioHearer

HEARERS: Mapping[str, type[Hearer]] = {
    "smsc": SmscHearer,
    "telegram": TelegramHearer,
    "twilio": TwilioHearer,
}
