"""What a message is followed by: links of our own in the place of its targets, and what nobody sees."""

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from re import compile as pattern

from nurture.arrivals import origin_of
from nurture.links import Links
from nurture.store.models import new_id

BODY = pattern(r"""<body(?:[^>"']|"[^"]*"|'[^']*')*>""")
UNSEEN = "display:none;font-size:0;line-height:0;max-height:0;overflow:hidden"


@dataclass
class Tracked:
    """The links of one message, each with its target by its id, when it is followed at all."""

    links: Links
    told: Callable[[str], str] = str
    clicks: bool = True
    trap: bool = False
    opens: bool = False
    made: dict[str, str] = field(default_factory=dict)

    def link(self, url: str, _label: str = "") -> str:
        """A template's `link(url)`: a tracked address for the target, or the target itself."""
        target = self.told(url)
        if not self.clicks or not origin_of(url):  # mailto:, tel: lead nowhere that we could lead to
            return target
        link_id = next((known for known, there in self.made.items() if there == target), None) or new_id()
        self.made[link_id] = target
        return self.links.click(link_id)

    def with_unseen(self, html: str, message_id: str) -> str:
        """The HTML with what nobody sees: first of all links the trap, and last the picture that tells of an open."""
        if self.trap and self.made and (body := BODY.search(html)):
            trap = f'<a href="{escape(self.links.trap(message_id))}" style="{UNSEEN}" aria-hidden="true" tabindex="-1"></a>'
            html = f"{html[: body.end()]}{trap}{html[body.end() :]}"
        if self.opens:
            picture = f'<img src="{escape(self.links.pixel(message_id))}" width="1" height="1" alt="">'
            before, end, after = html.rpartition("</body>")
            html = f"{before}{picture}{end}{after}" if end else html + picture
        return html
