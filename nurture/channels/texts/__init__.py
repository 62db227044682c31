"""Providers of channels that carry text alone, by SMS or to a chat: the same port as of e-mail, without subject and HTML."""

from abc import ABC

from nurture.channels import Envelope
from nurture.channels.mail import UNSPEAKABLE, Mail
from nurture.channels.providers import Provider
from nurture.errors import MessageRefused


class TextProvider(Provider, ABC):
    """Sends the text part of a message, and nothing else of it."""

    def written(self, envelope: Envelope) -> Mail:
        """The words alone."""
        return Mail("", envelope.recipient, spoken(envelope).encode())


def spoken(envelope: Envelope) -> str:
    """The text of the message; MessageRefused when it says nothing, or what cannot be said."""
    if UNSPEAKABLE.search(envelope.text):
        raise MessageRefused("the text holds NUL or half a character; remove it where it comes from")
    if not envelope.text.strip():
        raise MessageRefused("the message has no text; write its block text")
    return envelope.text
