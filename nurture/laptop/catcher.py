"""The mail catcher: takes every mail over real SMTP, keeps it in a log, and shows it as an inbox.

    python -m nurture.laptop.catcher --smtp-port 0 --http-port 0 --log mails.jsonl

It prints one JSON line with its ports when it is ready, and stops at SIGTERM.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.applications import Starlette

from nurture.laptop.inbox import inbox
from nurture.laptop.mailbox import Mailbox


class Catcher:
    """What an SMTP session asks of us: to keep every mail, whoever it is for."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's
        """Keep the mail once for each recipient; 250 means that it is on disk."""
        now = datetime.now(UTC)
        content = bytes(envelope.original_content or b"")
        kept = (self._mailbox.keep(envelope.mail_from or "", to, content, now) for to in envelope.rcpt_tos)
        try:
            mails = await asyncio.gather(*kept)
        except OSError:
            return "451 4.3.1 The log of the mail catcher cannot be written"
        return f"250 2.0.0 Ok: queued as mail-{mails[0].id}"


class _Announcing(uvicorn.Server):
    """Says where to find it, once it listens."""

    def __init__(self, config: uvicorn.Config, announcement: str) -> None:
        super().__init__(config)
        self._announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(self._announcement + "\n")
        sys.stdout.flush()


async def listen(mailbox: Mailbox, smtp: socket.socket) -> asyncio.Server:
    """Take mails on this bound socket, in the running loop."""
    loop, catcher = asyncio.get_running_loop(), Catcher(mailbox)
    return await loop.create_server(lambda: SMTP(catcher, hostname="catcher", loop=loop), sock=smtp)


def serve(smtp: socket.socket, http: socket.socket, log: Path) -> None:
    """Catch mails on these bound sockets until a signal ends it."""
    mailbox = Mailbox(log)

    @contextlib.asynccontextmanager
    async def catching(_app: Starlette) -> AsyncIterator[None]:
        server = await listen(mailbox, smtp)
        yield
        server.close()
        mailbox.close()

    host, port = http.getsockname()[:2]
    app = inbox(mailbox, lifespan=catching, hosts=None if host in {"127.0.0.1", "::1"} else ["*"])
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2)
    ready = {"smtp_port": smtp.getsockname()[1], "http_port": port, "url": f"http://{host}:{port}/"}
    _Announcing(config, json.dumps(ready)).run(sockets=[http])


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m nurture.laptop.catcher", description="Catch every mail, show it as an inbox."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--smtp-port", type=int, default=0, help="port for mail; 0 takes a free one")
    parser.add_argument("--http-port", type=int, default=0, help="port for the inbox; 0 takes a free one")
    parser.add_argument("--log", type=Path, required=True, help="file that keeps the mails, one JSON line each")
    given = parser.parse_args(arguments)
    logging.getLogger("mail.log").disabled = True  # aiosmtpd writes addresses into its log
    smtp = _listening(given.host, given.smtp_port, "--smtp-port")
    http = _listening(given.host, given.http_port, "--http-port")
    serve(smtp, http, given.log)


def _listening(host: str, port: int, option: str) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=512)
    except OSError as error:
        sys.exit(f"cannot listen on {host}:{port} ({error.strerror}); give another port with {option}")


if __name__ == "__main__":
    main()
