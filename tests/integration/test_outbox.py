import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from nurture.profile import key_hash
from nurture.store import Store, outbox
from nurture.store.models import DeadLetterRow, ErasureRow, OutboxRow

LEASE = timedelta(seconds=30)
SECOND = timedelta(seconds=1)


def row(lead_id: str, now: datetime, kind: str = "event", *, due: datetime | None = None, **body: object) -> OutboxRow:
    return OutboxRow(lead_id=lead_id, kind=kind, body=body, due_at=due or now, created_at=now)


async def put(store: Store, *rows: OutboxRow) -> None:
    async with store.write() as session:
        await outbox.put(session, rows)


async def claim(store: Store, now: datetime, by: str = "one", limit: int = 200) -> Sequence[OutboxRow]:
    async with store.write() as session:
        return await outbox.claim(session, by, now, LEASE, limit)


async def test_rows_are_claimed_in_order(store: Store, now: datetime) -> None:
    await put(store, *(row(lead, now, n=n) for n, lead in enumerate(["ann", "bob", "ann", "ann", "bob"])))

    assert [one.body["n"] for one in await claim(store, now)] == [0, 1, 2, 3, 4]


async def test_the_order_of_a_lead_s_rows_is_kept_where_clocks_differ(store: Store, now: datetime) -> None:
    await put(store, row("ann", now, n=0), row("ann", now, due=now - 5 * SECOND, n=1), row("bob", now, n=2))

    assert [one.body["n"] for one in await claim(store, now, limit=2)] == [0, 1]


async def test_a_row_is_not_claimed_before_it_is_due_and_keeps_back_no_other(store: Store, now: datetime) -> None:
    await put(store, row("ann", now, due=now + SECOND, n=0), row("ann", now, n=1))

    assert [one.body["n"] for one in await claim(store, now)] == [1]


async def test_no_two_rows_of_a_lead_are_claimed_by_two(store: Store, now: datetime) -> None:
    await put(store, row("ann", now, n=0))
    await claim(store, now)
    await put(store, row("ann", now, n=1), row("bob", now, n=2))

    assert [one.lead_id for one in await claim(store, now, by="two")] == ["bob"]


async def test_claimers_at_once_share_the_rows_and_never_a_lead(store: Store, now: datetime) -> None:
    await put(store, *(row(f"lead-{n % 30}", now, n=n) for n in range(90)))

    claims = await asyncio.gather(*(claim(store, now, by=f"claimer-{n}", limit=20) for n in range(8)))

    leads = [{one.lead_id for one in rows} for rows in claims]
    assert sum(map(len, leads)) == len(set().union(*leads))
    assert len({one.id for rows in claims for one in rows}) == sum(map(len, claims))


async def test_a_claim_that_ran_out_is_free(store: Store, now: datetime) -> None:
    await put(store, row("ann", now))
    await claim(store, now)

    assert len(await claim(store, now + LEASE - SECOND, by="two")) == 0
    assert len(await claim(store, now + LEASE, by="two")) == 1


async def test_a_row_that_is_done_is_gone(store: Store, now: datetime) -> None:
    await put(store, row("ann", now), row("bob", now))
    first, _ = await claim(store, now)
    async with store.write() as session:
        await outbox.done(session, [first.id or 0], "one")

    async with store.read() as session:
        assert await outbox.depth(session) == 1


async def test_who_lost_a_claim_takes_nothing_away(store: Store, now: datetime) -> None:
    await put(store, row("ann", now))
    await claim(store, now)
    [taken] = await claim(store, now + LEASE, by="two")
    async with store.write() as session:
        await outbox.done(session, [taken.id or 0], "one")
        await outbox.give_back(session, [taken.id or 0], "one")

    assert len(await claim(store, now + LEASE, by="three")) == 0


async def test_what_is_given_back_is_free_at_once(store: Store, now: datetime) -> None:
    await put(store, row("ann", now))
    [taken] = await claim(store, now)
    async with store.write() as session:
        await outbox.give_back(session, [taken.id or 0], "one")

    assert len(await claim(store, now, by="two")) == 1


async def test_a_lead_waits_for_the_row_that_is_tried_again(store: Store, now: datetime) -> None:
    await put(store, row("ann", now, n=0), row("ann", now, n=1), row("bob", now, n=2))
    first, *others = await claim(store, now)
    async with store.write() as session:
        await outbox.give_back(session, [one.id or 0 for one in others], "one")
        await outbox.retry(session, first, now)

    assert [one.body["n"] for one in await claim(store, now, by="two")] == [2]
    assert [(one.body["n"], one.attempts) for one in await claim(store, now + SECOND)] == [(0, 1), (1, 0)]


async def test_what_can_never_work_is_buried_with_the_reason(store: Store, now: datetime) -> None:
    await put(store, row("ann", now, n=0))
    [taken] = await claim(store, now)
    async with store.write() as session:
        await outbox.bury(session, taken, "no such campaign", now)

    async with store.read() as session:
        [letter] = (await session.exec(select(DeadLetterRow))).all()
        assert await outbox.depth(session) == 0
    assert (letter.lead_id, letter.kind, letter.body, letter.reason) == ("ann", "event", {"n": 0}, "no such campaign")


async def test_of_an_erased_lead_only_what_is_to_be_forgotten_is_buried(store: Store, now: datetime) -> None:
    await put(store, row("ann", now, n=0), row("ann", now, "forget", n=1))
    async with store.write() as session:
        session.add(ErasureRow(hash=key_hash("lead", "ann"), at=now, by="ops"))
    taken = await claim(store, now)
    async with store.write() as session:
        for one in taken:
            await outbox.bury(session, one, "there is no such lead", now)

    async with store.read() as session:
        letters = (await session.exec(select(DeadLetterRow))).all()
        assert await outbox.depth(session) == 0
    assert [letter.body["n"] for letter in letters] == [1]


async def test_an_id_is_never_given_twice(store: Store, now: datetime) -> None:
    await put(store, row("ann", now))
    [first] = await claim(store, now)
    async with store.write() as session:
        await outbox.done(session, [first.id or 0], "one")
    await put(store, row("ann", now))

    [second] = await claim(store, now)
    assert first.id != second.id


@pytest.mark.parametrize(("attempts", "least", "most"), [(1, 0.25, 0.5), (4, 2, 4), (8, 30, 60), (500, 30, 60)])
def test_the_wait_doubles_up_to_a_minute_and_is_spread(attempts: int, least: float, most: float) -> None:
    delays = [outbox.delay(row_id, attempts).total_seconds() for row_id in range(100)]

    assert least <= min(delays) < max(delays) <= most
    assert outbox.delay(7, attempts) == outbox.delay(7, attempts)
