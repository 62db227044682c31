"""A mail on the wire, made of an envelope; what could smuggle a header in is refused.

Put together here, of the encoders of the standard library: its policy SMTP folds a long URL into encoded words, which
nobody reads as List-Unsubscribe, loses spaces between encoded words (Python 3.11), and takes six times as long.
"""

import re
from base64 import encodebytes
from binascii import b2a_qp
from dataclasses import dataclass, field
from email.header import Header
from email.headerregistry import Address
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import quote

from email_validator import EmailNotValidError, validate_email

from nurture.channels import Attachment, Envelope
from nurture.errors import AddressRefused, MessageRefused

# Control characters, line and paragraph separators of Unicode, lone surrogates: each could end a header or forge one.
UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
UNSPEAKABLE = re.compile(r"[\x00\ud800-\udfff]")
HEADER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
BOUNDARY = "=_nurture"  # "=_" occurs in neither encoding of the parts, so the same envelope makes the same mail
OUTER = "=_nurture_files"
ALTERNATIVE = f'multipart/alternative; boundary="{BOUNDARY}"'
MIXED = f'multipart/mixed; boundary="{OUTER}"'
KIND = re.compile(r"[a-z]+/[a-z0-9.+-]+")
LONGEST_WORD = 900  # RFC 5322 ends a line at 998
OURS = frozenset(
    {"from", "to", "cc", "bcc", "subject", "date", "message-id", "reply-to", "sender", "return-path", "mime-version",
     "content-type", "content-transfer-encoding", "content-language", "x-nurture-key"}
)  # fmt: skip
NAMED = re.compile(r"\s*(?:\"(?P<quoted>[^\"<>\\]*)\"|(?P<name>[^\"<>\\]*?))\s*<(?P<address>[^<>\s]+)>\s*")


@dataclass(frozen=True)
class Mail:
    """A mail as SMTP takes it: the two addresses in ASCII, and the content with CRLF line ends."""

    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    content: bytes = field(repr=False)


def compose(envelope: Envelope) -> Mail:
    """The envelope as a mail; MessageRefused names the header that cannot be, AddressRefused that no such address exists."""
    sender, recipient = mailbox("From", envelope.sender), _recipient(envelope.recipient)
    headers = {
        "From": _named("From", sender),
        "To": recipient.addr_spec,
        "Subject": _text("Subject", envelope.subject),
        "Date": format_datetime(envelope.date),
        "Message-ID": _text("Message-ID", f"<{bare(envelope.message_id)}>"),
        "X-Nurture-Key": _text("X-Nurture-Key", envelope.key),
        "Content-Language": _text("Content-Language", envelope.language),
        "MIME-Version": "1.0",
        "Content-Type": MIXED if envelope.attachments else ALTERNATIVE,
    }
    if envelope.reply_to is not None:
        headers["Reply-To"] = _named("Reply-To", mailbox("Reply-To", envelope.reply_to))
    headers |= {_own(name): _text(name, value) for name, value in envelope.headers.items()}
    head = "".join(_folded(name, value) for name, value in headers.items())
    body = f"{_part('plain', envelope.text)}{_part('html', envelope.html)}--{BOUNDARY}--\r\n"
    if envelope.attachments:
        files = "".join(map(_attached, envelope.attachments))
        body = f"--{OUTER}\r\nContent-Type: {ALTERNATIVE}\r\n\r\n{body}{files}--{OUTER}--\r\n"
    mail = f"{head}\r\n{body}"
    return Mail(sender.addr_spec, recipient.addr_spec, mail.encode("ascii"))


def bare(message_id: str) -> str:
    """A Message-ID without its angle brackets."""
    return message_id.strip().removeprefix("<").removesuffix(">")


def own_name(message_id: str) -> str:
    """The part of a Message-ID that is the message's own: short, and fit for what providers let go along."""
    return bare(message_id).partition("@")[0]


def of_its_own(return_path: str, message_id: str) -> str:
    """The address that bounces of this message come to: it names the message, whatever else a bounce leaves out."""
    local, _, domain = return_path.rpartition("@")
    return f"{local}+{own_name(message_id)}@{domain}"


def _fit(header: str, value: str) -> str:
    """The value, if it can stand in a header: refused, never repaired."""
    if UNFIT.search(value):
        raise MessageRefused(
            f"header {header} holds a line break or a control character; remove it where it comes from"
        )
    if max(map(len, value.split()), default=0) > LONGEST_WORD:
        raise MessageRefused(f"header {header} holds a word of more than {LONGEST_WORD} characters; shorten it")
    return value


def _text(header: str, value: str) -> str:
    """A header of words: as it is where ASCII will do, else in encoded words (RFC 2047)."""
    return _encoded(header, _fit(header, value))


def _own(name: str) -> str:
    if not HEADER_NAME.fullmatch(name):
        raise MessageRefused("an extra header has a name that is no header name; use letters, digits and hyphens")
    if name.lower() in OURS or name.lower().startswith("content-"):
        raise MessageRefused(f"header {name} is made by nurture and cannot be given; leave it out")
    return name


def _part(subtype: str, text: str) -> str:
    """A part of the mail in seven bits, its lines ended by CRLF; in base64 when much of it is not Latin."""
    if UNSPEAKABLE.search(text):
        raise MessageRefused(f"the {subtype} part holds NUL or half a character; remove it where it comes from")
    lines = "\r\n".join([*text.splitlines(), ""])
    content = lines.encode()
    latin = len(content) < len(lines) * 1.2
    encoding = "quoted-printable" if latin else "base64"
    body = b2a_qp(content, istext=True) if latin else encodebytes(content).replace(b"\n", b"\r\n")
    return (
        f'--{BOUNDARY}\r\nContent-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
        f"{body.decode('ascii')}\r\n"
    )


def _attached(file: Attachment) -> str:
    """A file as a part of the mail; its name can neither end a header nor lead out of a folder."""
    name = _fit("Content-Disposition", file.name)
    if not name.strip(". ") or "/" in name or "\\" in name or not KIND.fullmatch(file.kind):
        raise MessageRefused("an attachment has no proper name and kind; name it as invoice.pdf, application/pdf")
    content = encodebytes(file.content).replace(b"\n", b"\r\n").decode("ascii")
    return (
        f"--{OUTER}\r\nContent-Type: {file.kind}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment; {_file_name(name)}\r\n\r\n{content}\r\n"
    )


def _file_name(name: str) -> str:
    """The name as a parameter: in quotes where ASCII will do, else encoded (RFC 2231)."""
    if name.isascii():
        return f'filename="{name.replace(chr(34), chr(39))}"'
    return f"filename*=utf-8''{quote(name, safe='')}"


def _folded(name: str, value: str) -> str:
    """A header on lines of at most 78 characters, broken at spaces only: a link in two is no link."""
    lines = [f"{name}:"]
    for number, word in enumerate(value.split()):
        if number == 0 or len(lines[-1]) + len(word) < 78:
            lines[-1] += f" {word}"
        else:
            lines.append(f" {word}")
    return "\r\n".join([*lines, ""])


def _recipient(text: str) -> Address:
    """The one bare address a message goes to."""
    address = _address("", _fit("To", text))
    if address is None:
        raise AddressRefused("the lead's e-mail address is no address; correct it in the profile", code="5.1.3")
    return address


@lru_cache(maxsize=100)
def mailbox(header: str, text: str) -> Address:
    """`Name <address>` or a bare address, as configured for a sender."""
    match = NAMED.fullmatch(_fit(header, text))
    name, spec = (match["quoted"] or match["name"] or "", match["address"]) if match else ("", text.strip())
    address = _address(name, spec)
    if address is None:
        raise MessageRefused(f"header {header} is no single address; write it as `Name <name@example.com>`")
    return address


def _address(name: str, spec: str) -> Address | None:
    """The address with its domain in ASCII; None for a list, a comment, a quoted or a non-ASCII local part."""
    try:
        valid = validate_email(
            spec, check_deliverability=False, globally_deliverable=False, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError:
        return None
    return Address(name.strip(), valid.local_part, valid.ascii_domain)


def _named(header: str, mailbox: Address) -> str:
    """A mailbox as a header shows it."""
    if mailbox.display_name.isascii():
        return str(mailbox)
    return f"{_encoded(header, mailbox.display_name)} <{mailbox.addr_spec}>"


def _encoded(header: str, text: str) -> str:
    return text if text.isascii() else Header(text, "utf-8", header_name=header).encode(linesep="")
