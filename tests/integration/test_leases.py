"""A lease: one holder at a time, whichever worker it is in; one that died is followed by another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from nurture.errors import DatabaseAway
from nurture.settings import Settings
from nurture.store import Session, Store
from nurture.store.leases import release, take
from nurture.sweeps import LEASE, Sweep, run_sweep

SECOND = timedelta(seconds=1)


async def taken(store: Store, holder: str, now: datetime) -> bool:
    async with store.write() as session:
        return await take(session, "sweep/upkeep", holder, now, LEASE)


class Upkeep:
    """A sweep that notes how many are at it, and can be made to break."""

    def __init__(self) -> None:
        self.at_it, self.most, self.times = 0, 0, 0
        self.trouble: BaseException | None = None

    async def work(self, session: Session, settings: Settings, now: datetime) -> int:
        self.at_it += 1
        self.most, self.times = max(self.most, self.at_it), self.times + 1
        await asyncio.sleep(0)
        self.at_it -= 1
        if self.trouble is not None:
            raise self.trouble
        return 0

    async def swept(self, store: Store, now: datetime) -> None:
        await run_sweep(Sweep("upkeep", SECOND, self.work), store, Settings(_env_file=None), now)


class _Away(Store):
    """A database that is away from its third transaction on: a sweep takes its lease, breaks, and cannot give it back."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.writes = 0

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Session]:
        self.writes += 1
        if self.writes > 2:
            raise DatabaseAway("out of reach")
        async with super().write() as session:
            yield session


async def test_of_all_who_ask_one_holds_it(store: Store, now: datetime) -> None:
    stores = [Store(str(store.url)) for _ in range(4)]
    found = await asyncio.gather(*(taken(one, f"worker-{n}", now) for n, one in enumerate(stores)))
    for one in stores:
        await one.close()

    assert sorted(found) == [False, False, False, True]


async def test_its_holder_renews_it_and_gives_it_back(store: Store, now: datetime) -> None:
    assert await taken(store, "one", now)
    assert await taken(store, "one", now + SECOND)
    async with store.write() as session:
        await release(session, "sweep/upkeep", "another")
    assert not await taken(store, "another", now + SECOND)
    async with store.write() as session:
        await release(session, "sweep/upkeep", "one")

    assert await taken(store, "another", now + SECOND)


async def test_a_sweep_whose_lease_somebody_holds_is_left_to_them(store: Store, now: datetime) -> None:
    upkeep = Upkeep()
    await taken(store, "somebody", now)
    await upkeep.swept(store, now + LEASE - SECOND)
    assert upkeep.times == 0

    await upkeep.swept(store, now + LEASE)
    assert upkeep.times == 1


@pytest.mark.parametrize("trouble", [ZeroDivisionError(), asyncio.CancelledError()], ids=lambda one: type(one).__name__)
async def test_a_sweep_that_broke_may_be_done_by_another_at_once(
    store: Store, now: datetime, trouble: BaseException
) -> None:
    upkeep = Upkeep()
    upkeep.trouble = trouble
    with pytest.raises(type(trouble)):
        await upkeep.swept(store, now)
    upkeep.trouble = None
    await upkeep.swept(store, now + SECOND)

    assert upkeep.times == 2


async def test_a_sweep_whose_database_went_away_is_done_by_another_once_its_lease_has_lapsed(
    store: Store, now: datetime
) -> None:
    upkeep, away = Upkeep(), _Away(str(store.url))
    upkeep.trouble = DatabaseAway("out of reach")
    with pytest.raises(DatabaseAway):
        await upkeep.swept(away, now)
    await away.close()
    upkeep.trouble = None
    await upkeep.swept(store, now + LEASE - SECOND)
    assert upkeep.times == 1

    await upkeep.swept(store, now + LEASE)
    assert upkeep.times == 2


async def test_workers_that_sweep_at_the_same_moment_are_never_at_it_together(store: Store, now: datetime) -> None:
    upkeep, stores = Upkeep(), [Store(str(store.url)) for _ in range(4)]
    await asyncio.gather(*(upkeep.swept(one, now + n * SECOND) for n, one in enumerate(stores)))
    for one in stores:
        await one.close()

    assert upkeep.most == 1
    assert 1 <= upkeep.times <= 4
