"""A mail that came back, read: a bounce (RFC 3464, or as mail servers write it), a complaint (RFC 5965), an answer, or what
a machine sent.

Anybody may send us a mail. What it says counts only of the message of ours that it names, whose name only its reader
knows, and never of an address that it names.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import parsedate_to_datetime
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from nurture.returns.automatic import automatic
from nurture.returns.bounces import Fault, fault_of
from nurture.returns.parts import answers, groups, header, named_in, texts
from nurture.returns.report import Kind, Report

ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
BASIC = re.compile(r"(?<!\d)([45]\d\d)(?=[ -])")
COMPLAINTS = frozenset({"abuse", "fraud", "other", "virus"})
LEAVING = frozenset(
    {"unsubscribe", "stop", "remove", "remove me", "unsubscribe me", "opt out", "отписаться", "отпишите", "стоп",
     "отпишите меня", "abmelden", "austragen", "désabonner", "cancelar"}
)  # fmt: skip
QUOTED = re.compile(r"^\s*(>|On .* wrote:|Am .* schrieb|Le .* a écrit|-{2,}|_{5,}|From:)")
STATUS = ("message/delivery-status", "message/global-delivery-status")
DAEMONS = ("mailer-daemon", "postmaster", "mail delivery s")
EARLIEST_YEAR = 1970


class Sort(StrEnum):
    """What kind of mail it is."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    REPLY = "reply"
    AUTOMATIC = "automatic"
    OTHER = "other"


class Reading(NamedTuple):
    """What a mail is, and what it tells of messages of ours; nothing, when it names none."""

    sort: Sort
    reports: tuple[Report, ...] = ()


def read(content: bytes, now: datetime) -> Reading:
    """The mail as it was delivered; however broken, it is read as far as it goes."""
    mail = BytesParser(policy=compat32).parsebytes(content)
    name, when = _own_name(mail, content), _when(mail, now)
    report_type = str(mail.get_param("report-type", "")).lower()
    if report_type == "feedback-report":
        return Reading(Sort.COMPLAINT, tuple(_complaints(mail, name, when)))
    outcomes = list(_outcomes(mail))
    if outcomes:
        return Reading(Sort.BOUNCE, tuple(_settled(mail, outcomes, name, when)))
    if automatic(mail):
        return Reading(Sort.AUTOMATIC)
    message = answers(mail)
    if message is None:
        return Reading(Sort.OTHER)
    kind = Kind.UNSUBSCRIBED if _leaves(mail) else Kind.REPLIED
    return Reading(Sort.REPLY, (Report(f"{name}/{kind}", kind, message, when),))


def _own_name(mail: Message, content: bytes) -> str:
    """A name for the mail, the same however often and by whatever way it is delivered."""
    given = header(mail, "Message-ID")
    body = content.partition(b"\r\n\r\n" if b"\r\n\r\n" in content else b"\n\n")[2]
    return sha256(given.encode() if given else body).hexdigest()


def _when(mail: Message, now: datetime) -> datetime:
    """When it was written, as far as that can be; never after now."""
    try:
        written = parsedate_to_datetime(header(mail, "Date"))
        written = written if written.tzinfo else written.replace(tzinfo=UTC)
        return min(written.astimezone(UTC), now) if written.year > EARLIEST_YEAR else now
    except (ValueError, TypeError, OverflowError, IndexError):
        return now


# --- complaints ---


def _complaints(mail: Message, name: str, when: datetime) -> Iterator[Report]:
    said, message = _feedback(mail), named_in(mail)
    if message is not None and said in COMPLAINTS:
        yield Report(f"{name}/{Kind.COMPLAINED}", Kind.COMPLAINED, message, when)
    elif message is not None and said.startswith("opt-out"):
        yield Report(f"{name}/{Kind.UNSUBSCRIBED}", Kind.UNSUBSCRIBED, message, when)


def _feedback(mail: Message) -> str:
    for part in mail.walk():
        if part.get_content_type() == "message/feedback-report":
            return next((said for one in groups(part) if (said := header(one, "Feedback-Type").lower())), "")
    return ""


# --- bounces ---


class Outcome(NamedTuple):
    """What became of a delivery; neither kind nor fault while that is not settled."""

    kind: Kind | None = None
    fault: Fault | None = None


def _settled(mail: Message, outcomes: Iterable[Outcome], name: str, when: datetime) -> Iterator[Report]:
    message = named_in(mail)
    for kind, fault in outcomes:
        if message is not None and kind is not None:
            yield Report(f"{name}/{kind}", kind, message, when, fault=fault)
            return  # a message of ours has one recipient


def _outcomes(mail: Message) -> Iterator[Outcome]:
    """What is told of deliveries: what stands in a report by the standard, else what can be made out."""
    for part in mail.walk():
        if part.get_content_type() in STATUS:
            yield from _by_the_standard(part)
            return
    if _from_a_server(mail):
        yield from _made_out(mail)


def _by_the_standard(part: Message) -> Iterator[Outcome]:
    for group in groups(part):
        action = header(group, "Action").lower().partition(" ")[0]
        if action == "failed":
            yield Outcome(Kind.BOUNCED, _fault(header(group, "Status"), header(group, "Diagnostic-Code")))
        elif action == "delivered":
            yield Outcome(Kind.DELIVERED)
        elif action:  # delayed, relayed, expanded
            yield Outcome()


def _fault(status: str, words: str) -> Fault:
    code = found[1] if (found := ENHANCED.search(status)) else ""
    if not code or code.endswith(".0.0"):
        closer = ENHANCED.search(words) or BASIC.search(words)
        code = closer[1] if closer else code
    return fault_of(code, words)


def _from_a_server(mail: Message) -> bool:
    sender = header(mail, "From").lower()
    return header(mail, "Return-Path") == "<>" or "X-Failed-Recipients" in mail or any(one in sender for one in DAEMONS)


def _made_out(mail: Message) -> Iterator[Outcome]:
    """A bounce of a mail server that knows no standard."""
    from flufl.bounce import all_failures  # takes a tenth of a second to load

    try:
        passing, lasting = all_failures(mail)
    except Exception:  # noqa: BLE001  # it guesses at what anybody may have sent
        return
    if lasting:
        yield Outcome(Kind.BOUNCED, _fault("", " ".join(" ".join(texts(mail)).split())))
    elif passing:
        yield Outcome()


# --- answers ---


def _leaves(mail: Message) -> bool:
    """Whether all that the reader wrote is that it leaves."""
    lines: list[str] = []
    for line in next(texts(mail), "").splitlines():
        if QUOTED.match(line):
            break
        lines.append(line)
    written = " ".join(" ".join(lines).split()).strip(" .!").casefold()
    subject = re.sub(r"^(re: *)+", "", header(mail, "Subject").casefold())
    return written in LEAVING or (not written and subject in LEAVING)
