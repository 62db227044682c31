"""What comes back by channels of text: what people write to us, and what becomes of our messages.

Each provider is a file: how its webhook is proven to be its own, and how it reads. What people write becomes `Said`, which
says the same whoever carried it.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from nurture.channels.reports import Posted, Reporter

STOP_WORDS = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "стоп", "отписаться", "отписка", "отмена"}
)
START_WORDS = frozenset({"start", "unstop", "старт"})
LONGEST = 4000


class Act(StrEnum):
    """What somebody does by writing to us."""

    SAYS = "says"
    STARTS = "starts"
    STOPS = "stops"
    CLOSES = "closes"  # nothing can be sent there until it is opened again


@dataclass(frozen=True)
class Said:
    """One thing that came by a channel, from its address there; `id` is the provider's own name for it.

    `token` is what came along with a start, `about` what the channel knows of its owner.
    """

    id: str
    channel: str
    address: str = field(repr=False)
    act: Act
    at: datetime | None = None
    text: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    about: Mapping[str, str] = field(default_factory=dict, repr=False)


class Answered(NamedTuple):
    """What the provider is answered with."""

    content: str
    kind: str = "application/json"


class Hearer(Reporter):
    """One provider's webhooks of texts."""

    @abstractmethod
    def read(self, posted: Posted) -> Any:
        """What was posted, as the other methods take it."""

    @abstractmethod
    def said(self, given: Any) -> Said | None:
        """What somebody wrote, if it is that."""

    def answer(self, given: Any, words: str) -> Answered:  # noqa: ARG002  # for those who can speak so
        """An answer that lets the provider pass on these words, where it can."""
        return Answered("{}")


class Form(NamedTuple):
    """A form and the query of the address that it was sent to."""

    fields: Mapping[str, str]
    query: Mapping[str, str]


def form_in(posted: Posted) -> Form:
    """The form that was posted; what is no text is left out."""
    fields = dict(parse_qsl(posted.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200))
    return Form(fields, dict(parse_qsl(urlsplit(posted.url).query, keep_blank_values=True)))


def act_of(text: str) -> Act:
    """What a text means that may be one of the words by which people leave and come back."""
    word = text.strip(" \t\r\n.!,/\"'").casefold()
    if word in STOP_WORDS:
        return Act.STOPS
    return Act.STARTS if word in START_WORDS else Act.SAYS


def legible(text: object) -> str:
    """The text without what cannot be kept, and no longer than anybody reads."""
    if not isinstance(text, str):
        return ""
    return "".join(one for one in text[:LONGEST] if one.isprintable() or one == "\n").strip()
