"""The checkup: store, engine and ledger held against each other, and mended if that is asked for.

Journeys are read a page at a time, in the order of their ids, and the engine is asked which workflows run in that same
stretch of ids: so neither side is ever held in memory as a whole, and nothing is asked about one journey alone.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Protocol

from nurture.doctor import A_MOMENT, LATE, VERY_LATE, Findings, Standing, Word, diagnosis, of_workflow
from nurture.errors import Unavailable
from nurture.store import Store, bulk_runs, checkups, hand_offs, outbox
from nurture.store.checkups import Some
from nurture.store.models import OutboxRow

PAGE = 500


class Running(Protocol):
    """The engine that runs journeys, as a checkup needs it; out of reach, it raises `Unavailable`."""

    def running(self, after: str, upto: str | None) -> AsyncIterator[str]:
        """The journeys that run, by their ids, of those after the one and up to the other; in any order."""

    def ticking(self, after: str, upto: str | None) -> AsyncIterator[str]:
        """The hand-offs whose clocks run, by their ids, of those after the one and up to the other; in any order."""

    def failing(self) -> AsyncIterator[str]:
        """The journeys that run and that no worker can carry on, as far as the engine can tell."""

    def bulk_runs(self) -> AsyncIterator[str]:
        """The bulk runs that run, by their ids."""

    async def end(self, journey_id: str, reason: str) -> None:
        """End the journey's workflow at once; one that has ended is left alone."""


async def examine(store: Store, engine: Running | None, now: datetime, *, fix: bool = False) -> Findings:
    """All that is to be found; with `fix` what can be mended is. Without an engine only the store is looked at."""
    checkup = Checkup(store, engine, now, fix)
    if engine is not None:
        await checkup.workflows()
    await checkup.messages()
    await checkup.tables()
    return checkup.findings


class Checkup:
    """One checkup, and what it has found so far."""

    def __init__(self, store: Store, engine: Running | None, now: datetime, fix: bool) -> None:
        self.findings = Findings()
        self._store, self._engine, self._now, self._fix = store, engine, now, fix

    async def workflows(self) -> None:
        """What the engine runs and should not, and what it should run and does not."""
        assert self._engine is not None
        try:
            await self._journeys()
            async for journey_id in self._engine.failing():
                self.findings.add(Word.FAILING, journey_id)
            await self._bulk_runs(self._engine)
            await self._hand_offs(self._engine)
        except Unavailable as error:
            self.findings.add(Word.TEMPORAL, str(error))

    async def _bulk_runs(self, engine: Running) -> None:
        """Bulk runs without a workflow, unless they end or are woken while the engine is being asked."""
        running = {run_id async for run_id in engine.bulk_runs()}
        async with self._store.read() as session:
            stranded = [one for one in await checkups.bulk_runs(session, self._now - A_MOMENT) if one not in running]
        for run_id in stranded:
            self.findings.add(Word.STRANDED, run_id)
        if self._fix and stranded:
            async with self._store.write() as session:
                await outbox.put(session, [bulk_runs.woken(run_id, self._now) for run_id in stranded])
            self.findings.mended(Word.STRANDED, len(stranded))

    async def _journeys(self) -> None:
        """Journeys without a workflow, workflows without a journey, and those that overslept."""
        after: str | None = ""
        while after is not None:
            async with self._store.read() as session:
                page = await checkups.under_way(session, after, PAGE)
            upto = page[-1].id if len(page) == PAGE else None
            await self._compare(page, after, upto)
            after = upto

    async def _hand_offs(self, engine: Running) -> None:
        """Open hand-offs whose clock has something to do and does not run."""
        after: str | None = ""
        while after is not None:
            async with self._store.read() as session:
                page = await hand_offs.owed(session, after, PAGE)
            upto = page[-1].id if len(page) == PAGE else None
            ticking = {one async for one in engine.ticking(after, upto)}
            lost = [one.id for one in page if one.id not in ticking and one.updated_at < self._now - A_MOMENT]
            await self._unwatched(lost)
            after = upto

    async def _unwatched(self, suspects: Sequence[str]) -> None:
        """Hand-offs without a clock, unless they were answered while the engine was being asked."""
        if not suspects:
            return
        async with self._store.write() as session:
            lost = await hand_offs.still_owed(session, suspects)
            for row in lost:
                self.findings.add(Word.UNWATCHED, row.id)
            if self._fix and lost:
                await outbox.put(session, [hand_offs.wound(row, self._now) for row in lost])
                self.findings.mended(Word.UNWATCHED, len(lost))

    async def messages(self) -> None:
        """Messages of which nobody knows, or which nobody cares for."""
        before = self._now - LATE
        async with self._store.read() as session:
            abandoned = await checkups.abandoned(session, before)
            self._found(Word.ABANDONED, abandoned)
            self._found(Word.UNKNOWN, await checkups.unknown(session))
            self._found(Word.UNAPPROVED, await checkups.unapproved(session))
        if self._fix and abandoned.count:
            async with self._store.write() as session:
                owned_up = await checkups.own_up(session, before, self._now)
            self.findings.mended(Word.ABANDONED, owned_up)

    async def tables(self) -> None:
        """What lies about elsewhere in the store."""
        async with self._store.read() as session:
            self._found(Word.BURIED, await checkups.buried(session))
            self._found(Word.LATE, await checkups.late(session, self._now - LATE))
            self._found(Word.TRIPPED, await checkups.tripped(session))
            self._found(Word.SLOWED, await checkups.slowed(session))
            self._found(Word.UNTOLD, await checkups.untold(session, self._now - VERY_LATE))
            self._found(Word.BLOWN, await checkups.blown(session))
            self._found(Word.WARNED, await checkups.warned(session))
            self._found(Word.PAUSED, await checkups.paused(session))

    def _found(self, word: Word, some: Some) -> None:
        if some.count:
            first, *others = some.examples
            self.findings.add(word, first, some.count)
            for one in others:
                self.findings.add(word, one, 0)

    async def _compare(self, page: Collection[Standing], after: str, upto: str | None) -> None:
        """The journeys of a page against the workflows of the same stretch of ids."""
        assert self._engine is not None
        expected = {one.id for one in page}
        running: set[str] = set()
        strays: list[str] = []
        async for journey_id in self._engine.running(after, upto):
            (running.add if journey_id in expected else strays.append)(journey_id)
            if len(strays) == PAGE:
                await self._judge(strays)
                strays = []
        await self._judge(strays)
        found = {one: word for one in page if (word := diagnosis(one, one.id in running, self._now))}
        await self._lost([one for one, word in found.items() if word is not Word.OVERDUE])
        for one, word in found.items():
            if word is Word.OVERDUE:
                self.findings.add(word, one.id)

    async def _lost(self, suspects: Collection[Standing]) -> None:
        """Journeys that do not run, unless they moved on while the engine was being asked."""
        if not suspects:
            return
        async with self._store.read() as session:
            lost = set(suspects) & set(await checkups.named(session, [one.id for one in suspects]))
        for one in sorted(lost):
            self.findings.add(_word(one), one.id)
        if self._fix:
            now = self._now
            rows = [
                OutboxRow(lead_id=one.lead_id, kind="start", body={"journey": one.id}, due_at=now, created_at=now)
                for one in sorted(lost)
            ]
            async with self._store.write() as session:
                await outbox.put(session, rows)
            for one in lost:
                self.findings.mended(_word(one))

    async def _judge(self, strays: Collection[str]) -> None:
        """Workflows that run for journeys which are not under way."""
        if not strays:
            return
        async with self._store.read() as session:
            known = await checkups.past(session, strays)
        for journey_id in strays:
            word = of_workflow(known.get(journey_id), self._now)
            if word is not None:
                self.findings.add(word, journey_id)
            if word is Word.LEFTOVER and self._fix:
                assert self._engine is not None
                await self._engine.end(journey_id, "its journey has ended")
                self.findings.mended(word)


def _word(one: Standing) -> Word:
    return Word.UNSTARTED if one.status == "starting" else Word.MISSING
