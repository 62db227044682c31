"""What a provider's SMTP reply means for the message: whose fault it is, and whether to try again."""

import re
from datetime import timedelta
from enum import StrEnum

from nurture.channels.mail import Mail
from nurture.errors import AddressRefused, Cause, MessageRefused, ProviderUnavailable, SendError
from nurture.returns.bounces import Fault, fault_of

ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})\b")
DELAY = re.compile(r"(?:in|after|for) (\d{1,6}) ?(sec|min|hour)", re.IGNORECASE)
DELAY_UNITS = {"sec": "seconds", "min": "minutes", "hour": "hours"}
PROVIDER_ID = re.compile(r"(?:queued as |\bid=|^(?:2\.\d\.\d )?ok )([\w.-]{6,})", re.IGNORECASE)
ADDRESS = re.compile(r"[^\s<>]+(@|%40|=40)[^\s<>]+")
CLOSING = 421  # the service is not available, whatever the message
CREDENTIALS = frozenset({530, 534, 535, 538})  # the login is asked for, too weak, wrong, or wants encryption


class Stage(StrEnum):
    """How far a message had come when the provider answered."""

    LOGIN = "login"
    SENDER = "MAIL"
    RECIPIENT = "RCPT"
    DATA = "DATA"
    CONTENT = "content"


def refusal(stage: Stage, code: int, text: str, mail: Mail) -> SendError:
    """The error that a refusing reply stands for: first by its enhanced code (RFC 3463), then by its basic code."""
    reply, enhanced = scrubbed(text, mail), _enhanced(text)
    shown = f"{code} {enhanced}".rstrip()
    fault = fault_of(enhanced or str(code), ADDRESS.sub("", text))
    if code in CREDENTIALS:
        return bad_credentials(code)
    if code < 500 or enhanced.startswith("4.") or fault is Fault.MAILBOX:
        return ProviderUnavailable(
            f"the provider put the message off at {stage} ({shown}); it is tried again",
            code=enhanced or str(code), reply=reply, retry_after=_delay(text),
            cause=_whose(stage, code, enhanced),
        )  # fmt: skip
    if fault is Fault.ADDRESS and _of_the_recipient(stage, enhanced):
        return AddressRefused(
            f"the address takes no mail ({shown}); correct it in the profile", code=enhanced or str(code), reply=reply
        )
    return MessageRefused(
        f"the provider refused the message at {stage} ({shown}); the address is not to blame: see the reply",
        code=enhanced or str(code), reply=reply,
    )  # fmt: skip


def _whose(stage: Stage, code: int, enhanced: str) -> Cause:
    """Whose trouble passes: after the recipient was named, 421 4.7.x speaks of mail to its receiver, not of all mail."""
    if enhanced.startswith("4.7.") and stage is not Stage.SENDER:
        return "message"
    return "provider" if code == CLOSING or enhanced.startswith("4.3.") else "message"


def bad_credentials(code: int) -> ProviderUnavailable:
    """The login was refused: every message waits until it is put right. The reply is left out, it may repeat the login."""
    return ProviderUnavailable(
        f"the provider refused our credentials ({code}); set user name and password anew",
        code=str(code),
        cause="provider",
    )


def scrubbed(text: str, mail: Mail) -> str:
    """A reply on one line, without the addresses it may repeat."""
    line = ADDRESS.sub("<address>", " ".join(text.split()))
    for address in (mail.recipient, mail.sender):
        local = address.rpartition("@")[0] or address.removeprefix("+")  # a number is repeated without its plus, too
        if local and local.casefold() in line.casefold():  # asked first: to compile an expression a message is dear
            line = re.sub(rf"(?<!\w){re.escape(local)}(?!\w)", "<address>", line, flags=re.IGNORECASE)
    return "".join(character if character.isprintable() else "?" for character in line)[:500]


def provider_id(text: str) -> str | None:
    """The provider's own name for a message it took, where the reply tells it."""
    found = PROVIDER_ID.search(text)
    return found[1] if found else None


def _enhanced(text: str) -> str:
    found = ENHANCED.match(text.lstrip())
    return found[0] if found else ""


def _of_the_recipient(stage: Stage, enhanced: str) -> bool:
    """Whether a reply at that stage speaks of the recipient; one in words only does so right after its address."""
    return stage is not Stage.SENDER if enhanced else stage is Stage.RECIPIENT


def _delay(text: str) -> timedelta | None:
    found = DELAY.search(text)
    return timedelta(**{DELAY_UNITS[found[2].lower()]: int(found[1])}) if found else None
