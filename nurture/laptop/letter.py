"""A mail as its reader sees it: headers, text, HTML, and the links to follow."""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from typing import NamedTuple

URL = re.compile(r"https?://[^\s<>()\"']+")


class Link(NamedTuple):
    """A link and the words it stands on."""

    text: str
    url: str


@dataclass(frozen=True)
class Letter:
    """The parts of a mail; a missing part is empty. A header given twice keeps its first value."""

    headers: dict[str, str]
    text: str
    html: str

    @property
    def links(self) -> list[Link]:
        """The links of the HTML part that a reader sees, or of the text where there is none, each URL once."""
        found = _links(self.html) if self.html else [Link("", url) for url in URL.findall(self.text)]
        return list({link.url: link for link in reversed(found)}.values())[::-1]


def letter(content: bytes) -> Letter:
    """Read a mail as it came over the wire."""
    message = message_from_bytes(content, policy=default)
    headers: dict[str, str] = {}
    for name, value in message.items():
        headers.setdefault(name, str(value))
    return Letter(headers, _part(message, "plain"), _part(message, "html"))


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Link] = []
        self._url: str | None = None
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            given = dict(attrs)
            unseen = "display:none" in (given.get("style") or "").replace(" ", "")
            self._url, self._words = None if unseen else given.get("href"), []

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._url:
            self.found.append(Link(" ".join("".join(self._words).split()), self._url))
            self._url = None


def _links(html: str) -> list[Link]:
    parser = _Links()
    parser.feed(html)
    parser.close()
    return parser.found
