"""Takes in mails that came back: what each tells of messages of ours is reported, once; the rest is counted."""

import asyncio
from collections import Counter
from datetime import datetime

import structlog

from nurture.intake import Reports
from nurture.returns.reading import Reading, read

UNREADABLE, NOT_OURS = "unreadable", "of no message of ours"
log = structlog.get_logger()


class Mailroom:
    """Reads mails and reports what they tell; `tally` counts them by what they are."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self.tally: Counter[str] = Counter()

    async def take(self, content: bytes, now: datetime) -> int:
        """Take the mail in; it is done with once this returns how much of it had an effect.

        Raises `Unavailable` when that cannot be now.
        """
        reading = await self._read(content, now)
        if reading is None:
            self.tally[UNREADABLE] += 1
            return 0
        taken = await self._reports.take("mail", reading.reports, now)
        self.tally[reading.sort] += 1
        if not reading.reports:
            self.tally[NOT_OURS] += 1
        return sum(taken)

    async def _read(self, content: bytes, now: datetime) -> Reading | None:
        try:
            return await asyncio.to_thread(read, content, now)
        except Exception as error:  # noqa: BLE001  # anybody may send us anything, and the next mail is to be read too
            log.warning("mailroom.unreadable", error=type(error).__name__, bytes=len(content))
            return None
