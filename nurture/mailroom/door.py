"""A door for mails that come back: our own LMTP server, which a mail server delivers them to."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from nurture.errors import BadSettings, Unavailable
from nurture.mailroom.mailroom import Mailroom

LARGEST = 32_000_000  # bytes
log = structlog.get_logger()


class Door:
    """What an LMTP session asks of us; whoever the mail is for, it is taken."""

    def __init__(self, mailroom: Mailroom) -> None:
        self._mailroom = mailroom

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's
        """An answer for each recipient, as LMTP has it; 250 only after the commit."""
        head = "".join(f"Delivered-To: {to}\r\n" for to in envelope.rcpt_tos)
        head = f"Return-Path: <{envelope.mail_from or ''}>\r\n{head}"
        content = head.encode("utf-8", "surrogateescape") + bytes(envelope.original_content or b"")
        try:
            await self._mailroom.take(content, datetime.now(UTC))
        except Unavailable:
            return self._for_each(envelope, "451 4.3.0 not now: try again in a moment")
        return self._for_each(envelope, "250 2.0.0 Ok")

    def _for_each(self, envelope: Envelope, answer: str) -> str:
        return "\r\n".join([answer] * len(envelope.rcpt_tos))


@asynccontextmanager
async def open_door(mailroom: Mailroom, host: str, port: int | None) -> AsyncIterator[None]:
    """Take mails there meanwhile; without a port, nowhere."""
    if port is None:
        yield
        return
    logging.getLogger("mail.log").disabled = True  # aiosmtpd writes addresses into its log
    loop, door = asyncio.get_running_loop(), Door(mailroom)

    def session() -> LMTP:
        return LMTP(door, hostname="nurture", loop=loop, data_size_limit=LARGEST, enable_SMTPUTF8=True)

    try:
        server = await loop.create_server(session, host, port)
    except OSError as error:
        raise BadSettings(f"cannot listen on {host}:{port} ({error.strerror}): set NURTURE_LMTP_PORT") from error
    log.info("mailroom.open", host=host, port=port)
    try:
        yield
    finally:
        server.close()
