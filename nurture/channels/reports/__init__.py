"""What providers of e-mail tell us afterwards: delivered, bounced, complained about, opened, unsubscribed.

Each provider is a file: how its webhook is proven to be its own, and how it reads. What it says becomes `Report`s, which
say the same whoever sent them.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from nurture.returns.report import Report

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Posted:
    """A request as it came, to the public address `url`; names of headers are in lower case, and one that came twice has
    no value. `looked_up` is what its proof needs beside it."""

    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str = field(default="", repr=False)
    looked_up: bytes = field(default=b"", repr=False)


class Reporter(ABC):
    """One provider's webhooks; several secrets may be live, so that they can be rotated."""

    def __init__(self, secret: SecretStr) -> None:
        self.secrets = tuple(secret.get_secret_value().split())

    def looks_up(self, given: Any) -> str | None:  # noqa: ARG002  # for those who sign with a certificate
        """The address of what the proof needs beside the request."""
        return None

    def confirms(self, given: Any) -> str | None:  # noqa: ARG002  # for those who ask first
        """The address that is to be fetched so that the provider reports to us, once the request is proven."""
        return None

    def proven(self, posted: Posted, given: Any) -> bool:
        """Whether the provider sent it; `given` is the body as JSON, or the fields of a form."""
        return any(self.fits(secret, posted, given) for secret in self.secrets)

    @abstractmethod
    def fits(self, secret: str, posted: Posted, given: Any) -> bool:
        """Whether it is proven by that secret."""

    @abstractmethod
    def reports(self, given: Any) -> Iterable[Report]:
        """What it tells; whatever is no report of a message of ours is left out."""

    def mail(self, given: Any) -> bytes | None:  # noqa: ARG002  # for those who can
        """The mail that came to the provider, and that it hands on whole; None when there is none."""
        return None


def moment(given: Any) -> datetime | None:
    """The time that is meant: seconds since 1970, or an ISO date, in UTC unless it says otherwise."""
    when = _moment(given)
    return when if when is not None and when >= EARLIEST else None


def _moment(given: Any) -> datetime | None:
    try:
        if isinstance(given, int | float) and not isinstance(given, bool):
            return datetime.fromtimestamp(given, UTC)
        if isinstance(given, str):
            read = datetime.fromisoformat(given)
            return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def at(given: Any, *path: str) -> Any:
    """What lies at that path of objects; None where there is no such."""
    for name in path:
        given = given.get(name) if isinstance(given, Mapping) else None
    return given


def each(given: Any) -> Sequence[Mapping[str, Any]]:
    """The objects of a list."""
    return [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []
