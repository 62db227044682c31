"""Leaving in the middle of a sending burst (F25), on each database in turn: what was acknowledged holds at once (I4)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pytest

from nurture.ledger import Status
from nurture.links import Links
from nurture.permission import HouseRules
from nurture.settings import Settings
from nurture.store import Session, Store
from nurture.store.models import MessageRow
from tests.integration.bulk import NEWS, a_lead, ledger_rows, ordered, settle
from tests.integration.life import Life

LEADS = 80
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


class Watched(Store):
    """A store that tells after each commit."""

    committed: Callable[[], Awaitable[None]] | None = None

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Session]:
        async with super().write() as session:
            yield session
        if self.committed is not None:
            await self.committed()


@dataclass
class Leavers:
    """Leads that leave by one click just when a message to them is claimed; when each was acknowledged is kept.

    A third of them is waited for, before the last look; a third races with it.
    """

    store: Store
    client: httpx.AsyncClient
    links: Links = field(default_factory=lambda: Links("http://nurture", Settings(_env_file=None).secrets))
    leaving: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    acknowledged: dict[str, datetime] = field(default_factory=dict)

    async def see(self) -> None:
        """Look who is about to get mail."""
        claimed = [row.lead_id or "" for row in await ledger_rows(self.store) if row.status == Status.CLAIMED]
        for lead_id in claimed:
            if int(lead_id[-5:]) % 3 and lead_id not in self.leaving:
                self.leaving[lead_id] = asyncio.create_task(self._leave(lead_id))
        await asyncio.gather(*(self.leaving[one] for one in claimed if waited_for(one)))

    async def _leave(self, lead_id: str) -> None:
        answer = await self.client.post(self.links.unsubscribe(lead_id, "news"), data=ONE_CLICK)
        assert answer.status_code == 200
        self.acknowledged[lead_id] = datetime.now(UTC)


def waited_for(lead_id: str) -> bool:
    """Whether the lead has left for certain before the last look."""
    return int(lead_id[-5:]) % 3 == 1


@pytest.fixture
async def life(database_url: str, store: Store) -> AsyncIterator[Life]:
    rules = HouseRules(quiet=None, caps=())
    watched = Watched(database_url)
    async with Life(watched, datetime.now(UTC), rules=rules) as life:
        life.walkers.clock = lambda: datetime.now(UTC)
        yield life
    await watched.close()


async def test_after_it_was_acknowledged_nothing_is_committed_to(
    life: Life, store: Store, client: httpx.AsyncClient
) -> None:
    assert isinstance(life.store, Watched)
    leavers = Leavers(store, client)
    await settle(store, [a_lead(n, life.now) for n in range(LEADS)], life.now)
    await ordered(store, life.now, "mailing", mailing=NEWS)
    life.store.committed = leavers.see
    await life.settle()
    await asyncio.gather(*leavers.leaving.values())

    messages = await ledger_rows(store)
    assert [row.lead_id for row in messages if _after(row, leavers.acknowledged)] == []
    assert {row.reason for row in messages if waited_for(row.lead_id or "")} == {"unsubscribed from news"}
    assert (len(messages), len(leavers.acknowledged)) == (LEADS, LEADS * 2 // 3)


def _after(row: MessageRow, acknowledged: dict[str, datetime]) -> bool:
    """Whether the message was committed to after its lead's leaving was acknowledged."""
    at = acknowledged.get(row.lead_id or "")
    return at is not None and row.committed_at is not None and row.committed_at > at
