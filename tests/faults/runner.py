"""The runner: lets cohorts come, has the nemesis strike, waits until everything is at rest, and asks the checker."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import NamedTuple

from nurture.laptop.ports import HOST
from tests.faults.arena import Arena
from tests.faults.checker import Expected, Verdict, check, overall
from tests.faults.crowd import Cohort, Sender
from tests.faults.evidence import Evidence, gather
from tests.faults.records import Record

TO_SETTLE = 90.0


class Stage(NamedTuple):
    """What a scenario works with: the arena, chance by the seed, a sender, and how much there is to be of everything."""

    arena: Arena
    dice: Random
    sender: Sender
    scale: int = 1


Deed = Callable[[Stage], Awaitable[None]]


async def nothing(_: Stage) -> None:
    """Let things be."""


@dataclass(frozen=True)
class Scenario:
    """A fault, in words; who meets with it, and what is to become of them.

    `arm` is done before they come; `ready` waits until they are where the blow is to meet them.
    """

    fault: str
    title: str
    cohorts: Mapping[Cohort, Expected]
    arm: Deed = nothing
    ready: Deed = nothing


@dataclass(frozen=True)
class Blow:
    """What the nemesis does once, to all of these; after `mend` the fault is over."""

    scenarios: tuple[Scenario, ...]
    strike: Deed = nothing
    mend: Deed = nothing


class Line(NamedTuple):
    """A line of the table."""

    fault: str
    title: str
    seed: int
    verdicts: tuple[Verdict, ...]

    @property
    def holds(self) -> bool:
        """Whether every cohort came through."""
        return all(one.holds for one in self.verdicts)

    @property
    def findings(self) -> list[str]:
        """What may not be."""
        return [f"{self.fault}: {found}" for one in self.verdicts for found in (*one.lost, *one.twice, *one.other)]


@dataclass
class Run:
    """One seed's run over one arena."""

    arena: Arena
    seed: int
    scale: int = 1
    mended: dict[str, datetime] = field(default_factory=dict)

    async def run(self, blows: Sequence[Blow]) -> tuple[list[Line], list[str]]:
        """All blows one after the other; a line for each scenario, and what else was found."""
        await self.arena.start()
        try:
            log = Record(self.arena.folder / "acknowledged.jsonl")
            sender = Sender(f"http://{HOST}:{self.arena.to_web.port}", self.arena.key, log)
            stage = Stage(self.arena, Random(self.seed), sender, self.scale)  # a script, no secret
            coming = [task for blow in blows for task in await self._strike(blow, stage)]
            await asyncio.wait_for(asyncio.gather(*coming), TO_SETTLE)
            lines, rest = await self._settled([one for blow in blows for one in blow.scenarios])
            await sender.close()
            return lines, rest
        finally:
            await self.arena.stop()

    async def _strike(self, blow: Blow, stage: Stage) -> list[asyncio.Task[None]]:
        coming = []
        for one in blow.scenarios:
            self.arena.note("begins", f"{one.fault} {one.title}")
            await one.arm(stage)
            coming += [asyncio.create_task(stage.sender.send(cohort.entries())) for cohort in one.cohorts]
            await one.ready(stage)
        await blow.strike(stage)
        await blow.mend(stage)
        for one in blow.scenarios:
            self.mended[one.fault + one.title] = datetime.now(UTC)
        return coming

    async def _settled(self, scenarios: Sequence[Scenario]) -> tuple[list[Line], list[str]]:
        """The verdict as soon as everything holds; when that does not come, the last one."""
        with suppress(AssertionError):
            await self.arena.until(lambda: self._holds(scenarios), "everything is at rest", TO_SETTLE)
        evidence = await gather(self.arena.folder, self.arena.database, await self.arena.temporal())
        return [self._line(one, evidence) for one in scenarios], overall(evidence)

    async def _holds(self, scenarios: Sequence[Scenario]) -> bool:
        """Whether everything holds as far as can be told without histories."""
        temporal = await self.arena.temporal()
        evidence = await gather(self.arena.folder, self.arena.database, temporal, histories=False)
        lines = [self._line(one, evidence, histories=False) for one in scenarios]
        return all(one.holds for one in lines) and not overall(evidence)

    def _line(self, scenario: Scenario, evidence: Evidence, *, histories: bool = True) -> Line:
        mended = self.mended.get(scenario.fault + scenario.title)
        cohorts = scenario.cohorts if histories else {a: replace(b, breaks=False) for a, b in scenario.cohorts.items()}
        verdicts = tuple(check(evidence, cohort, expected, mended) for cohort, expected in cohorts.items())
        return Line(scenario.fault, scenario.title, self.seed, verdicts)
