"""What is looked for in any mail that comes back: its headers as text, its parts, and the message of ours that it names."""

import re
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message
from email.parser import HeaderParser

from nurture.returns.report import name_of

LONGEST_TEXT = 65_536  # characters; what a bounce has to say, it says sooner
IN_ADDRESS = re.compile(r"\+([0-9a-f]{32})@")
IN_TEXT = re.compile(r"(?<![0-9a-f])([0-9a-f]{32})@[\w.-]+")
IDS = re.compile(r"<([^<>\s]+)>")
TO_WHOM = ("Delivered-To", "X-Original-To", "Envelope-To", "To")


def header(mail: Message, name: str) -> str:
    """A header as text on one line, empty when there is none; one that cannot be decoded as it stands."""
    raw = next((str(value) for given, value in mail.raw_items() if given.lower() == name.lower()), "")
    raw = raw.encode("utf-8", "surrogateescape").decode(
        "utf-8", "replace"
    )  # many a header is UTF-8 and does not say so
    try:
        text = str(make_header(decode_header(raw)))
    except (LookupError, ValueError):  # an encoding that nobody knows
        text = raw
    return " ".join(text.split())


def text_of(part: Message) -> str:
    """The beginning of a part's text, whatever its encoding claims."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload[: 4 * LONGEST_TEXT].decode(part.get_content_charset("utf-8"), "replace")[:LONGEST_TEXT]
    except LookupError:
        return payload[:LONGEST_TEXT].decode("utf-8", "replace")


def texts(mail: Message) -> Iterator[str]:
    """The texts of its parts, but those of attached mails."""
    if mail.get_content_maintype() == "text":
        yield text_of(mail)
    elif mail.is_multipart() and mail.get_content_maintype() != "message":
        for part in _below(mail):
            yield from texts(part)


def attached(mail: Message) -> Iterator[Message]:
    """The mails that it brings back, whole or only their headers."""
    for part in mail.walk():
        if part.get_content_type() in ("message/rfc822", "message/global"):
            yield from _below(part)
        elif part.get_content_type() in ("text/rfc822-headers", "message/rfc822-headers", "message/global-headers"):
            yield from _below(part) or [_as_headers(part)]


def groups(part: Message) -> list[Message]:
    """The groups of fields in a report for machines, each like headers of their own."""
    return _below(part) or [_as_headers(part)]


def named_in(mail: Message) -> str | None:
    """Our name for the message that it brings back: by the address it came to, by what is attached, or in its text."""
    for name in TO_WHOM:
        if found := IN_ADDRESS.search(header(mail, name)):
            return found[1]
    for one in attached(mail):
        if ours := name_of(header(one, "Message-ID")):
            return ours
    for text in texts(mail):
        if found := IN_TEXT.search(text):
            return found[1]
    return None


def answers(mail: Message) -> str | None:
    """Our name for the message that it answers."""
    newest_first = IDS.findall(header(mail, "In-Reply-To")) + IDS.findall(header(mail, "References"))[::-1]
    return next((name for one in newest_first if (name := name_of(one))), None)


def _as_headers(part: Message) -> Message:
    return HeaderParser().parsestr(text_of(part).lstrip())


def _below(mail: Message) -> list[Message]:
    payload = mail.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []
