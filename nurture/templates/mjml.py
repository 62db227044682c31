"""MJML, which becomes HTML that every mail program shows."""

import re
from collections.abc import Iterator

from nurture.templates.filters import TemplateFault

TAGS = frozenset(
    {"mjml", "mj-head", "mj-body", "mj-accordion", "mj-accordion-element", "mj-accordion-text", "mj-accordion-title",
     "mj-all", "mj-attributes", "mj-breakpoint", "mj-button", "mj-carousel", "mj-carousel-image", "mj-class", "mj-column",
     "mj-divider", "mj-font", "mj-group", "mj-hero", "mj-image", "mj-navbar", "mj-navbar-link", "mj-preview", "mj-raw",
     "mj-section", "mj-social", "mj-social-element", "mj-spacer", "mj-style", "mj-table", "mj-text", "mj-title",
     "mj-wrapper"}
)  # fmt: skip
TAG = re.compile(r"<(mj[a-z-]*)", re.IGNORECASE)


def html_of(mjml: str, file: str) -> str:
    """The HTML; TemplateFault names the file, and nothing of what was in it."""
    from mjml import mjml2html

    if unknown := next(unknown_tags(mjml), None):
        raise TemplateFault(f"{file}: {_unknown(unknown[1])}")
    try:
        return mjml2html(mjml, fonts={})  # no font is fetched from anybody when a mail is opened
    except ValueError:
        raise TemplateFault(f"{file}: its MJML cannot be read: see that every tag is closed") from None


def unknown_tags(source: str) -> Iterator[tuple[int, str]]:
    """The tags that MJML does not have, which it would let through into the mail without a word, with their lines."""
    for found in TAG.finditer(source):
        if found[1] not in TAGS:
            yield source.count("\n", 0, found.start()) + 1, found[1]


def tag_faults(source: str) -> Iterator[tuple[int, str]]:
    """What is to be said of each of them."""
    return ((line, _unknown(tag)) for line, tag in unknown_tags(source))


def _unknown(tag: str) -> str:
    remedy = "write {% include %} instead" if tag == "mj-include" else "see the list of MJML's components"
    return f"MJML has no <{tag}>; {remedy}"
