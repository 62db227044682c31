"""Mails that arrived, in a log that outlives the process: one JSON line a mail, on disk before the mail is acknowledged."""

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Caught:
    """One mail of the log, without its content; `id` counts from 1, in the order of arrival."""

    id: int
    at: datetime
    message_id: str
    recipient: str
    sender: str
    subject: str
    key: str | None
    place: tuple[int, int]  # offset and length of its line


class Mailbox:
    """The mails of one log file: a torn last line, which no sender was told of, is cut off when it is opened."""

    def __init__(self, log: Path) -> None:
        self._file = os.open(log, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = 0
        self._mails: list[Caught] = []
        self._ids: set[str] = set()
        self._waiting: list[tuple[bytes, asyncio.Future[Caught]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        for line in _whole_lines(log):
            self._remember(line)
        os.ftruncate(self._file, self._size)

    @property
    def count(self) -> int:
        """How many mails there are; it is also the id of the last."""
        return len(self._mails)

    async def keep(self, sender: str, recipient: str, content: bytes, now: datetime) -> Caught:
        """Put a mail into the log; it is on disk when this returns. Mails that come together share one fsync."""
        stored: asyncio.Future[Caught] = asyncio.get_running_loop().create_future()
        self._waiting.append((_line(sender, recipient, content, now), stored))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await stored

    def mail(self, id: int) -> Caught | None:  # noqa: A002  # it is the mail's id
        """The mail of that id."""
        return self._mails[id - 1] if 0 < id <= len(self._mails) else None

    def after(self, id: int, to: str = "") -> Iterator[Caught]:  # noqa: A002  # it is the mail's id
        """The mails that came after that one, oldest first; to one address, or to any."""
        return (mail for mail in self._mails[max(id, 0) :] if not to or mail.recipient.casefold() == to.casefold())

    def found(self, words: str) -> list[Caught]:
        """The mails whose recipient or subject holds these words, newest first."""
        sought = words.casefold().strip()
        return [m for m in reversed(self._mails) if sought in m.recipient.casefold() or sought in m.subject.casefold()]

    def has(self, message_id: str) -> bool:
        """Whether a mail with that Message-ID arrived."""
        return message_id in self._ids

    def content(self, mail: Caught) -> bytes:
        """The mail as it came over the wire."""
        offset, length = mail.place
        return str(json.loads(os.pread(self._file, length, offset))["raw"]).encode("latin-1")

    async def wait(self, id: int, seconds: float) -> None:  # noqa: A002  # it is the mail's id
        """Wait until a mail comes after that one, but not longer than that."""
        try:
            async with asyncio.timeout(seconds):
                while self.count <= id:
                    await self._news.wait()
        except TimeoutError:
            return

    def close(self) -> None:
        """Let go of the log."""
        os.close(self._file)

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await asyncio.to_thread(self._append, b"".join(line for line, _ in batch))
            except OSError as error:
                for _, stored in batch:
                    if not stored.done():
                        stored.set_exception(error)
                continue
            for line, stored in batch:
                mail = self._remember(line)
                if not stored.done():  # its sender may have gone; the mail has arrived all the same
                    stored.set_result(mail)
            self._news.set()
            self._news = asyncio.Event()

    def _append(self, lines: bytes) -> None:
        try:
            written = os.write(self._file, lines)
            if written < len(lines):
                raise OSError("disk full")
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, self._size)
            raise

    def _remember(self, line: bytes) -> Caught:
        entry: dict[str, Any] = json.loads(line)
        place = (self._size, len(line))
        del entry["raw"]
        entry["at"] = datetime.fromisoformat(entry["at"])
        mail = Caught(id=len(self._mails) + 1, place=place, **entry)
        self._mails.append(mail)
        self._ids.add(mail.message_id)
        self._size += len(line)
        return mail


def _whole_lines(log: Path) -> Iterator[bytes]:
    with log.open("rb") as file:
        yield from (line for line in file if line.endswith(b"\n"))


def _line(sender: str, recipient: str, content: bytes, now: datetime) -> bytes:
    headers = message_from_bytes(content.partition(b"\r\n\r\n")[0], policy=default)
    entry = {
        "at": now.isoformat(),
        "message_id": str(headers["Message-ID"] or "").strip().removeprefix("<").removesuffix(">"),
        "recipient": recipient,
        "sender": sender,
        "subject": str(headers["Subject"] or ""),
        "key": headers["X-Nurture-Key"] and str(headers["X-Nurture-Key"]),
        "raw": content.decode("latin-1"),  # one character a byte, so that any mail fits and ours stay readable
    }
    return json.dumps(entry).encode() + b"\n"
