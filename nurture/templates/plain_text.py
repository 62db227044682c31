"""The text of an HTML mail, for those who read no HTML."""

import re
from html.parser import HTMLParser

UNSEEN = frozenset({"head", "style", "script", "title", "template"})
VOID = frozenset({"br", "hr", "img", "meta", "link", "input", "col", "area", "base", "source", "wbr", "embed", "track"})
PARAGRAPHS = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre", "hr", "dl", "figure"}
)
LINES = frozenset(
    {"div", "tr", "li", "section", "article", "header", "footer", "main", "nav", "dt", "dd", "body", "center"}
)


def plain_text(html: str) -> str:
    """The words of the HTML in paragraphs, with every link as `words (url)`; what is hidden stays out."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (line.strip() for line in "".join(reader.pieces).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._hidden: list[str] = []  # the open elements from the first hidden one inwards
        self._links: list[tuple[str, int]] = []  # where each open link leads, and the piece it begins at

    def updatepos(self, i: int, j: int) -> int:  # noqa: ARG002  # html.parser calls it so
        """Where in the file it is, is not asked: to keep it would be a tenth of the work."""
        return j

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if (
            self._hidden
            or tag in UNSEEN
            or "hidden" in given
            or "display:none" in (given.get("style") or "").replace(" ", "")
        ):
            if tag not in VOID:
                self._hidden.append(tag)
            return
        self._break(tag)
        match tag:
            case "br":
                self.pieces.append("\n")
            case "li":
                self.pieces.append("- ")
            case "td" | "th":
                self.pieces.append(" ")
            case "img":
                self._say(given.get("alt") or "")
            case "a":
                self._links.append((given.get("href") or "", len(self.pieces)))
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            if tag in self._hidden:
                del self._hidden[len(self._hidden) - 1 - self._hidden[::-1].index(tag) :]
            return
        if tag == "a" and self._links:
            url, start = self._links.pop()
            words = " ".join("".join(self.pieces[start:]).split())
            if url and not url.startswith("#") and url not in {words, f"mailto:{words}", f"tel:{words}"}:
                self.pieces.append(f" ({url})" if words else url)
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            words = re.sub(r"\s+", " ", data)
            at_start = not self.pieces or self.pieces[-1].endswith(("\n", " "))
            self._say(words.lstrip() if at_start else words)

    def _say(self, words: str) -> None:
        if words:
            self.pieces.append(words)

    def _break(self, tag: str) -> None:
        if tag in PARAGRAPHS:
            self.pieces.append("\n\n")
        elif tag in LINES and self.pieces and not self.pieces[-1].endswith("\n"):
            self.pieces.append("\n")
