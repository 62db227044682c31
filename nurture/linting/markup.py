"""What is wrong with the HTML or MJML of a template as it is written, by its lines."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NamedTuple

from nurture.faults import Level
from nurture.templates.sources import bare

PICTURES = frozenset({"img", "mj-image", "mj-carousel-image"})
LEADS_NOWHERE = frozenset({"", "#", "http://", "https://"})


class Marked(NamedTuple):
    """One thing that is wrong, and its line."""

    level: Level
    rule: str
    line: int
    message: str


def markup_findings(source: str) -> Iterator[Marked]:
    """Pictures without words and links that lead nowhere."""
    reader = _Reader()
    reader.feed(bare(source))
    reader.close()
    yield from reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Marked] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given, line = dict(attrs), self.getpos()[0]
        if tag in PICTURES and "alt" not in given:
            words = 'has no alt: say what it shows, or alt="" when it only adorns'
            self.found.append(Marked("warning", "alt", line, f"a picture {words}"))
        if "href" in given and (given["href"] or "").strip() in LEADS_NOWHERE:
            self.found.append(Marked("error", "links", line, "a link leads nowhere: give its address"))
