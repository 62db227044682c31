"""A round to the mailbox: what came since the last one is taken in, by one worker at a time."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from nurture.errors import Unavailable
from nurture.mailroom.imap import MOST_AT_ONCE, Account, Batch, Place, fetched
from nurture.mailroom.mailroom import Mailroom
from nurture.store import Store, leases
from nurture.store.models import new_id
from nurture.store.return_tables import MailboxRow

LEASE = timedelta(minutes=10)


async def go_round(account: Account, store: Store, mailroom: Mailroom, now: datetime) -> int:
    """Take in all that came, unless another worker is at it; how many mails. Raises `Unavailable`, and loses none."""
    lease, holder = f"mailbox/{account.name}", new_id()
    async with store.write() as session:
        if not await leases.take(session, lease, holder, now, LEASE):
            return 0
    try:
        taken = 0
        while batch := await _batch(account, store):
            for mail in batch.mails:
                await mailroom.take(mail, now)
            await _remember(account, store, batch.upto)
            taken += len(batch.mails)
            if len(batch.mails) < MOST_AT_ONCE:
                break
        return taken
    finally:
        with suppress(Unavailable):  # then it lapses
            async with store.write() as session:
                await leases.release(session, lease, holder)


async def _batch(account: Account, store: Store) -> Batch:
    async with store.read() as session:
        row = await session.get(MailboxRow, account.name)
    since = Place(row.validity, row.uid) if row is not None else Place()
    return await asyncio.to_thread(fetched, account, since)


async def _remember(account: Account, store: Store, place: Place) -> None:
    """Only now, as what is taken in twice has no second effect, and what was never taken in would be lost."""
    async with store.write() as session:
        row = await session.get(MailboxRow, account.name) or MailboxRow(name=account.name)
        row.validity, row.uid = place
        session.add(row)
