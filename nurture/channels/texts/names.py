"""The providers of SMS by the names that the settings call them."""

from collections.abc import Mapping

from nurture.channels.texts.smsc import Smsc
from nurture.channels.texts.twilio import Twilio

SMS_PROVIDERS: Mapping[str, type[Smsc] | type[Twilio]] = {"smsc": Smsc, "twilio": Twilio}
