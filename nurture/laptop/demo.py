"""The demo: scripted people walk the example campaigns on the whole stack, one day a second, and an audit at the end."""

import asyncio
import base64
import hashlib
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from rich.console import Console
from sqlmodel import select

from nurture.laptop.audit import Audit, audit, of_that_moment, read_log
from nurture.laptop.board import Board
from nurture.laptop.books import at_rest, books
from nurture.laptop.crowd import Crowd
from nurture.laptop.people import person
from nurture.laptop.report import journeys_table, messages_table, people_table, print_audit, reasons_table
from nurture.laptop.stack import Stack
from nurture.pace import speed as factor
from nurture.store import Store, journeys
from nurture.store.models import JourneyRow, MessageRow

DAYS = 75.0
LEAST_SECONDS = 12.0
TO_SETTLE = 45.0
"""How long what is on its way may take: a killed worker's messages are free again after twenty seconds."""

KILLS = 4
LOOKS_A_SECOND = 2
SOURCES = ("shop", "crm")


@dataclass
class Demo:
    """What is asked for."""

    leads: int = 200
    seed: int = 1
    speed: str = "1d=1s"
    chaos: bool = False
    out: Console = field(default_factory=Console)

    def __post_init__(self) -> None:
        self.day = 86400 / factor(self.speed)
        self.seconds = max(DAYS * self.day, LEAST_SECONDS)
        self.people = [person(number, self.seed, datetime.now(UTC)) for number in range(1, self.leads + 1)]
        self.secrets = {source: _secret(source, self.seed) for source in SOURCES}

    async def run(self, stack: Stack) -> Audit:
        """Let everybody walk; answers the audit, which is printed."""
        key = stack.api_key.get_secret_value() if stack.api_key else ""
        crowd = Crowd(self.people, self.day, stack.web_url, stack.inbox_url, key, self.secrets)
        board = Board(self.out, self.seconds / self.day, did=crowd.did)
        store = Store(stack.database_url)
        try:
            await crowd.enlist()
            self.out.print(f"{self.leads} leads imported; now they come, and one day lasts {self.day:g} s.")
            with board.shown():
                await self._days(stack, store, crowd, board)
                board.doing = "waiting until nothing is on its way …"
                found = await self._settled(stack, store, crowd, board)
            await self._report(store, crowd, board, found)
        finally:
            await store.close()
        return found

    async def _days(self, stack: Stack, store: Store, crowd: Crowd, board: Board) -> None:
        """Until every journey has ended or time is up."""
        stop = asyncio.Event()
        begun = time.monotonic()
        async with asyncio.TaskGroup() as group:
            living = group.create_task(crowd.live(stop))
            raging = group.create_task(self._rage(stack, board)) if self.chaos else None
            while (passed := time.monotonic() - begun) < self.seconds or not (raging is None or raging.done()):
                await self._look(stack, store, board)
                board.day, board.mails = passed / self.day, crowd.mails_read
                board.tell()
                if crowd.idle and not board.under_way and await at_rest(store, datetime.now(UTC)):
                    break
                await asyncio.sleep(1 / LOOKS_A_SECOND)
            if raging is not None:
                await raging
            stop.set()
            await living

    async def _rage(self, stack: Stack, board: Board) -> None:
        """Kill the worker several times, at moments that the seed picks."""
        dice = Random(f"{self.seed}/chaos")  # noqa: S311  # a script, no secret
        longest = self.seconds / 8
        for _ in range(KILLS):
            await asyncio.sleep(dice.uniform(longest / 4, longest))
            stack.kill_worker()
            stack.start_worker()
            board.kills += 1
            await stack.worker_ready()

    async def _look(self, stack: Stack, store: Store, board: Board) -> None:
        stack.check()
        async with store.read() as session:
            board.counts = await journeys.counts(session)

    async def _settled(self, stack: Stack, store: Store, crowd: Crowd, board: Board) -> Audit:
        """The audit of a moment at which nothing is on its way; of the last one, when such a moment does not come."""
        end = time.monotonic() + TO_SETTLE
        while True:
            await self._look(stack, store, board)
            resting = await at_rest(store, datetime.now(UTC))
            if resting or time.monotonic() > end:
                found = await self._audit(stack, store, crowd)
                if found.holds or time.monotonic() > end:
                    return found
            await asyncio.sleep(1 / LOOKS_A_SECOND)

    async def _audit(self, stack: Stack, store: Store, crowd: Crowd) -> Audit:
        """The log is read before the books and after them, since journeys may go on meanwhile."""
        before = len(list(read_log(stack.mail_log)))
        said = await books(store, datetime.now(UTC))
        return audit(of_that_moment(list(read_log(stack.mail_log)), before, said), said, crowd.acknowledged)

    async def _report(self, store: Store, crowd: Crowd, board: Board, found: Audit) -> None:
        async with store.read() as session:
            walked = (await session.exec(select(JourneyRow))).all()
            sent = (await session.exec(select(MessageRow))).all()
        self.out.print(journeys_table(walked), messages_table(sent), reasons_table(sent), people_table(crowd.did))
        if board.kills:
            self.out.print(
                f"\nThe worker was killed {board.kills} times on the way (SIGKILL) and started again each time."
            )
        print_audit(self.out, found)


def _secret(source: str, seed: int) -> str:
    """The secret of a webhook: made up, for loopback only."""
    return "whsec_" + base64.b64encode(hashlib.sha256(f"{source}/{seed}".encode()).digest()).decode()
