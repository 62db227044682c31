"""Providers behind an HTTP API: what each is asked, and what its answers mean; here those of e-mail.

A provider is a file: one class, and one line in `nurture.channels.providers.names`.
"""

import json
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

from pydantic import SecretStr

from nurture.channels import Attachment, Envelope, Receipt
from nurture.channels.mail import Mail, compose
from nurture.channels.replies import scrubbed
from nurture.errors import AddressRefused, Ambiguous, MessageRefused, ProviderUnavailable, SendError

REFUSED_KEY = frozenset({401, 403})
LATER = frozenset({408, 425, 429})
NOT_NOW = frozenset({402, 404, 405, 503})  # no money, no such address of the API, closed: the same for every message
TOO_LARGE = 413


@dataclass(frozen=True)
class Request:
    """What is asked: JSON, a form with files or bytes are posted, a `query` is got."""

    path: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] | None = None
    json: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    files: Mapping[str, tuple[str, bytes, str]] | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Answer:
    """What came back, read at `at`; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str = field(repr=False)
    at: datetime

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object in it; an empty one when there is none."""
        try:
            found = json.loads(self.text)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def retry_after(self) -> timedelta | None:
        """When to come back, where that is told: in seconds, as a date, or as the second at which a quota is renewed."""
        given, renewed = self.headers.get("retry-after", ""), self.headers.get("x-ratelimit-reset", "")
        try:
            if given.isascii() and given.isdigit():
                return timedelta(seconds=min(int(given), 86_400))
            if given:
                return max(parsedate_to_datetime(given) - self.at, timedelta(0))
            if renewed.isascii() and renewed.isdigit():
                return max(datetime.fromtimestamp(int(renewed), UTC) - self.at, timedelta(0))
        except (ValueError, TypeError, OverflowError, OSError):
            return None
        return None


class Provider(ABC):
    """One provider's own words; `domain` is the sender's, for those that ask for it."""

    url: ClassVar[str]
    """Where its API is, unless the settings say otherwise."""

    def __init__(self, key: SecretStr, domain: str | None = None) -> None:
        self.key, self.domain = key, domain

    def written(self, envelope: Envelope) -> Mail:
        """The message as it is handed over; what is unfit is refused."""
        return compose(envelope)

    @abstractmethod
    def request(self, envelope: Envelope, mail: Mail) -> Request:
        """The message as the provider takes it; `mail` is the same as it would go by SMTP."""

    @abstractmethod
    def receipt(self, answer: Answer, mail: Mail) -> Receipt:
        """What it says of a message that it took; otherwise raises what its refusal means."""

    def signed(self, request: Request, url: str, now: datetime) -> Request:  # noqa: ARG002  # for those that sign
        """The request with what proves whose it is, if that depends on all of it."""
        return request

    def search(self, message_id: str) -> Request | None:  # noqa: ARG002  # for those who can
        """What to ask about a Message-ID; None where nobody can tell."""
        return None

    def found(self, answer: Answer) -> bool:  # noqa: ARG002  # for those who can
        """Whether the answer to that names the message."""
        return False


def refusal(answer: Answer, mail: Mail, *, said: str = "", same_again: bool = False) -> SendError:
    """What a refusal means, where the provider's own words do not tell more; `said` is what it said."""
    reply, code = scrubbed(said, mail), str(answer.status)
    if answer.status in REFUSED_KEY:
        return key_refused(code, "set NURTURE_EMAIL_API_KEY anew, or let the sender's domain be verified")
    if answer.status in LATER:
        return later(answer, reply)
    if answer.status in NOT_NOW or (answer.status >= 500 and same_again):
        return ProviderUnavailable(
            f"the provider takes no messages now ({code})",
            code=code, reply=reply, retry_after=answer.retry_after, cause="provider",
        )  # fmt: skip
    if answer.status >= 500:
        return Ambiguous(f"handed over, and the provider broke ({code}): perhaps sent, perhaps not", code=code)
    why = "it is too large" if answer.status == TOO_LARGE else "the address is not to blame: see the reply"
    return MessageRefused(f"the provider refused the message ({code}); {why}", code=code, reply=reply)


def key_refused(code: str, remedy: str) -> ProviderUnavailable:
    """It does not take our credentials, whatever the message."""
    return ProviderUnavailable(f"the provider refused our key ({code}); {remedy}", code=code, cause="provider")


def later(answer: Answer, reply: str = "") -> ProviderUnavailable:
    """It wants the message later."""
    return ProviderUnavailable(
        f"the provider put the message off ({answer.status}); it is tried again",
        code=str(answer.status), reply=reply, retry_after=answer.retry_after, cause="message",
    )  # fmt: skip


def address_refused(answer: Answer, mail: Mail, said: str, code: str = "") -> AddressRefused:
    """The provider sends nothing to that address; `code` is its own, where it has one beside the status."""
    code = code or str(answer.status)
    return AddressRefused(
        f"the provider sends nothing to the address ({code}); correct it in the profile",
        code=code, reply=scrubbed(said, mail),
    )  # fmt: skip


def in_base64(envelope: Envelope) -> list[tuple[Attachment, str]]:
    """The files that go along, with their content as text."""
    return [(file, b64encode(file.content).decode()) for file in envelope.attachments]


def words(*given: Any) -> str:
    """Those of the provider's words that are text, on one line."""
    return " ".join(one for one in given if isinstance(one, str))
