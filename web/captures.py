"""Counts of forms, gathered in this process and written every few seconds: looking at a form costs no transaction."""

import asyncio
from collections import defaultdict
from datetime import datetime
from typing import Literal, TypeAlias

import structlog

from nurture.errors import Unavailable
from nurture.store import Store, capture_counts
from nurture.store.capture_counts import COUNTED, KEY

Counted: TypeAlias = Literal["views", "attempts", "captures", "machines"]
Key: TypeAlias = tuple[str, str, str, datetime]
EVERY = 5.0  # seconds; what was counted since the last writing is lost when the process dies
MOST_IN_AN_HOUR = 500  # kinds of counts: what is made up in links does not fill the table
OTHERS = "(others)"
log = structlog.get_logger()


class CaptureCounts:
    """What this process has counted and not written yet."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counts: dict[Key, dict[str, int]] = {}
        self._kinds: dict[datetime, set[Key]] = defaultdict(set)

    def note(self, form: str, page: str, placement: str, what: Counted, now: datetime) -> None:
        """Count one more."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        key = (form, page, placement, hour)
        kinds = self._kinds[hour]
        if key not in kinds and len(kinds) >= MOST_IN_AN_HOUR:
            key = (form, OTHERS, OTHERS, hour)
        kinds.add(key)
        self._counts.setdefault(key, dict.fromkeys(COUNTED, 0))[what] += 1
        if len(self._kinds) > 2:
            self._kinds = defaultdict(set, {hour: kinds})

    async def write(self) -> None:
        """Write what was counted; it is kept for the next time when the database is away."""
        counts, self._counts = self._counts, {}
        if not counts:
            return
        rows = [dict(zip(KEY, key, strict=True)) | numbers for key, numbers in sorted(counts.items())]
        try:
            async with self._store.write() as session:
                await capture_counts.add(session, rows)
        except Unavailable:
            for key, numbers in counts.items():
                held = self._counts.setdefault(key, dict.fromkeys(COUNTED, 0))
                for name in COUNTED:
                    held[name] += numbers[name]
            log.warning("web.counts_kept", kinds=len(counts))

    async def keep_writing(self) -> None:
        """Write every few seconds, for as long as the process runs."""
        while True:
            await asyncio.sleep(EVERY)
            await self.write()
