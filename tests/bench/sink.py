"""Where mails end in a benchmark: an SMTP server of its own process that takes all and notes when it did."""

import time
from argparse import ArgumentParser
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

KEY = b"X-Nurture-Key: "


class Noting:
    """Notes the time and the key of each mail, a line each."""

    def __init__(self, notes: Path) -> None:
        self._notes = notes.open("a", buffering=1)

    @classmethod
    def from_cli(cls, _parser: ArgumentParser, notes: str) -> "Noting":
        """As aiosmtpd makes it by its command line."""
        return cls(Path(notes))

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's
        """Take the mail."""
        content = bytes(envelope.original_content or b"")
        key = content.partition(KEY)[2].partition(b"\r\n")[0].decode()
        self._notes.write(f"{time.time()} {key}\n")
        return "250 2.0.0 Ok"


def noted(notes: Path) -> dict[str, float]:
    """When each mail came, by its key."""
    lines = notes.read_text().splitlines() if notes.exists() else []
    return {key: float(at) for at, _, key in (line.partition(" ") for line in lines)}
