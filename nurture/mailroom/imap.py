"""A mailbox that mails come back to, looked into over IMAP; nothing in it is changed, and people may read it too."""

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pydantic import SecretStr

from nurture.errors import Unavailable

PATIENCE = 30.0  # seconds for each answer
MOST_AT_ONCE = 100
LARGEST = 2_000_000  # bytes that are read of a mail: what follows are attachments
Security = Literal["tls", "starttls", "none"]


@dataclass(frozen=True)
class Account:
    """Where the mailbox is, and who reads it."""

    host: str
    port: int
    username: str
    password: SecretStr
    security: Security
    folder: str

    @property
    def name(self) -> str:
        """By what it is remembered how far it was read."""
        return f"{self.username}@{self.host}/{self.folder}"


class Place(NamedTuple):
    """How far a folder was read: the last mail by its number, good for this numbering (`validity`) only."""

    validity: int = 0
    uid: int = 0


class Batch(NamedTuple):
    """The next mails of a folder, and how far it is read with them."""

    mails: tuple[bytes, ...]
    upto: Place


def fetched(account: Account, since: Place) -> Batch:
    """The mails that came since, the oldest first, and not too many; raises `Unavailable`. It blocks: run it in a thread."""
    try:
        with _connected(account) as imap:
            validity = _opened(imap, account.folder)
            last = since.uid if since.validity == validity else 0
            uids = [uid for uid in _uids(imap, last) if uid > last][:MOST_AT_ONCE]
            mails = tuple(_content(imap, uid) for uid in uids)
            return Batch(tuple(filter(None, mails)), Place(validity, uids[-1] if uids else last))
    except (imaplib.IMAP4.error, OSError, ValueError) as error:  # ValueError: a login that is no ASCII
        # What the server says may repeat the login.
        told = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise Unavailable(f"the mailbox at {account.host}:{account.port} cannot be read: {told}") from None


@contextmanager
def _connected(account: Account) -> Iterator[imaplib.IMAP4]:
    tls = ssl.create_default_context() if account.security != "none" else None
    imap: imaplib.IMAP4
    if account.security == "tls":
        imap = imaplib.IMAP4_SSL(account.host, account.port, ssl_context=tls, timeout=PATIENCE)
    else:
        imap = imaplib.IMAP4(account.host, account.port, timeout=PATIENCE)
    try:
        if account.security == "starttls":
            imap.starttls(tls)
        imap.login(account.username, account.password.get_secret_value())
        yield imap
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            imap.logout()


def _opened(imap: imaplib.IMAP4, folder: str) -> int:
    """Open the folder without changing anything in it; the validity of its numbers."""
    quoted = folder.replace("\\", "\\\\").replace('"', '\\"')
    status, _ = imap.select(f'"{quoted}"', readonly=True)
    if status != "OK":
        raise imaplib.IMAP4.error("no such folder")
    _, told = imap.response("UIDVALIDITY")
    return int(told[0]) if told and told[0] else 0


def _uids(imap: imaplib.IMAP4, after: int) -> list[int]:
    """The numbers of the mails after that one, and always that of the last one."""
    _, found = imap.uid("SEARCH", f"UID {after + 1}:*")
    return sorted(int(uid) for line in found if line for uid in line.split())


def _content(imap: imaplib.IMAP4, uid: int) -> bytes | None:
    """The mail, or its beginning; None when somebody has taken it away."""
    _, answer = imap.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{LARGEST}>)")
    return next((part[1] for part in answer if isinstance(part, tuple)), None)
