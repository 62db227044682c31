"""The dispatcher: does what stands in the outbox, a lead's rows in order, many leads at once.

Everything it does may be done twice: a row is taken away only when it is done, and another dispatcher takes over what
one left behind. What cannot be reached now stops it without counting against a row.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from nurture.audiences import Audience
from nurture.carrier import Carrier
from nurture.entering import Entrances
from nurture.errors import DatabaseAway, NurtureError, Unavailable
from nurture.orders import Journeys
from nurture.outage import Outage, until
from nurture.settings import Settings
from nurture.store import Store, campaigns, journeys, listeners, outbox
from nurture.store.models import OutboxRow, new_id

LEASE = timedelta(seconds=30)
MARGIN = timedelta(seconds=10)  # nothing is begun so shortly before the lease ends
MOST_ATTEMPTS = 20
FIRST_PAUSE, LAST_PAUSE = 0.2, 10.0

log = structlog.get_logger()


@dataclass
class Batch:
    """What became of the rows of one claim."""

    rows: list[OutboxRow]
    entrances: Entrances
    listened: set[tuple[str, str]]
    now: datetime
    until: float
    done: list[int] = field(default_factory=list)
    again: list[OutboxRow] = field(default_factory=list)
    dead: list[tuple[OutboxRow, str]] = field(default_factory=list)
    out_of_reach: Exception | None = None

    def concerns_nobody(self, row: OutboxRow) -> bool:
        """Whether nothing listens for that row and no campaign is entered by it."""
        keys = row.body.get("keys") if row.kind == "event" else None
        return keys is not None and not any(
            (row.lead_id, key) in self.listened or key in self.entrances.by_key for key in keys
        )


class Dispatcher:
    """Carries what happened to the journeys; several may run side by side."""

    def __init__(
        self,
        store: Store,
        engine: Journeys,
        *,
        settings: Settings,
        audiences: Mapping[str, Audience] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store, self._clock = store, clock
        self._carrier = Carrier(store, engine, settings)
        self._by = new_id()
        self._entrances = Entrances({}, audiences or {})
        self._woken = asyncio.Event()
        self._outage = Outage("dispatcher.waits", "dispatcher.goes_on")
        self.looked_at: datetime | None = None
        """When the outbox was looked into last."""
        self.tally: Counter[str] = Counter()
        """How many rows were done, put off or buried by this one."""
        self._look_every = 0.05 if store.sqlite else 0.1

    def wake(self) -> None:
        """Look into the outbox now."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Dispatch until told to stop; what is begun is finished."""
        pause = FIRST_PAUSE
        while not stop.is_set():
            try:
                if await self.run_once(self._clock()):
                    self._outage.over()
                else:
                    await self._idle(stop)
                pause = FIRST_PAUSE
            except (Unavailable, DBAPIError) as error:
                if not isinstance(error, DatabaseAway):  # of which the store tells
                    self._outage.met(str(error) if isinstance(error, Unavailable) else type(error).__name__)
                await until(stop, pause)
                pause = min(pause * 2, LAST_PAUSE)

    async def run_once(self, now: datetime) -> int:
        """Do what is due, one claim's worth; how many rows were claimed. Out of reach, what was not done stays."""
        batch = await self._claim(now)
        if batch is None:
            return 0
        try:
            await self._work(batch)
        except (Unavailable, DBAPIError) as error:
            batch.out_of_reach = error
        await self._settle(batch)
        if batch.out_of_reach is not None:
            raise batch.out_of_reach
        return len(batch.rows)

    async def _idle(self, stop: asyncio.Event) -> None:
        """Wait until there is something to claim: looked for often, on one connection outside of any transaction."""
        async with self._store.watch() as connection:
            while not stop.is_set():
                await until(self._woken, self._look_every)
                if self._woken.is_set() or await outbox.has_due(connection, self._clock()):
                    self._woken.clear()
                    return
                self.looked_at = self._clock()

    async def _claim(self, now: datetime) -> Batch | None:
        until = asyncio.get_running_loop().time() + (LEASE - MARGIN).total_seconds()
        async with self._store.write() as session:
            rows = await outbox.claim(session, self._by, now, LEASE)
        self.looked_at = now
        if not rows:
            return None
        async with self._store.read() as session:
            versions = await campaigns.all_current(session)
            if versions != self._entrances.versions:
                self._entrances = Entrances(versions, self._entrances.audiences)
            listened = await listeners.listened_keys(session, {row.lead_id for row in rows})
        return Batch(rows, self._entrances, listened, now, until)

    async def _work(self, batch: Batch) -> None:
        """Round by round the next row of each lead, up to the first of it that has to be tried again."""
        queues: dict[str, deque[OutboxRow]] = {}
        for row in batch.rows:
            queues.setdefault(row.lead_id, deque()).append(row)
        for queue in queues.values():
            while queue and batch.concerns_nobody(queue[0]):  # later a row before it may have brought in who listens
                batch.done.append(queue.popleft().id or 0)
        while heads := [queue[0] for queue in queues.values() if queue]:
            if asyncio.get_running_loop().time() > batch.until:
                return
            for errand in await self._carrier.carry(heads, batch.entrances, batch.now):
                if not self._settled(batch, errand.row, errand.trouble):
                    queues[errand.row.lead_id].clear()
                else:
                    queues[errand.row.lead_id].popleft()
            if batch.out_of_reach is not None:
                return

    def _settled(self, batch: Batch, row: OutboxRow, trouble: Exception | None) -> bool:
        """Whether the row is out of the way now."""
        if isinstance(trouble, Unavailable):
            batch.out_of_reach = trouble
            return False
        if trouble is not None and not self._given_up(batch, row, trouble):
            return False
        batch.done.append(row.id or 0)
        return True

    def _given_up(self, batch: Batch, row: OutboxRow, error: Exception) -> bool:
        # What others wrote may stand in the text of their errors, and a person's data in that.
        reason = str(error) if isinstance(error, NurtureError) else type(error).__name__
        hopeless = isinstance(error, NurtureError) and error.permanent
        if not hopeless and row.attempts + 1 < MOST_ATTEMPTS:
            log.warning("outbox.again", row=row.id, kind=row.kind, attempts=row.attempts + 1, reason=reason)
            batch.again.append(row)
            return False
        log.error("outbox.dead_letter", row=row.id, kind=row.kind, reason=reason)
        batch.dead.append((row, reason if hopeless else f"{reason}, after {MOST_ATTEMPTS} attempts"))
        return True

    async def _settle(self, batch: Batch) -> None:
        """Write down what became of the claim: in one transaction, however many rows."""
        settled = {*batch.done, *(row.id for row in batch.again)}
        dead = {row.id for row, _ in batch.dead}
        left = [row.id for row in batch.rows if row.id is not None and row.id not in settled]
        async with self._store.write() as session:
            await outbox.hold(session, outbox.claimed([row.id or 0 for row in batch.rows], self._by))
            await outbox.done(session, [one for one in batch.done if one not in dead], self._by)
            await outbox.give_back(session, left, self._by)
            for row in batch.again:
                await outbox.retry(session, row, batch.now)
            for row, reason in batch.dead:
                await outbox.bury(session, row, reason, batch.now)
            await journeys.handed_over(session, self._carrier.handed_over())
        self.tally += Counter(done=len(batch.done) - len(dead), again=len(batch.again), buried=len(dead))
