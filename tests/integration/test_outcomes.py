"""What became of messages: counted by campaign, template and mailing; each once, and nothing that machines did."""

import asyncio
import json
from dataclasses import asdict
from datetime import datetime, timedelta

import pytest

from nurture.ledger import Status
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.events import record_own_event
from nurture.store.leads import locked
from nurture.store.models import LeadRow, MessageRow
from nurture.store.outcomes import outcomes
from nurture.store.plain import run
from nurture.store.returns import CameBack, Kind, note
from tests.integration import commands
from tests.integration.bulk import NEWS, ordered

A_DAY = timedelta(days=1)


async def mailed(
    store: Store, n: int, now: datetime, *did: str, template: str = "road/greet", run_id: str | None = None,
    status: Status = Status.ACCEPTED, back: Kind | None = None, machine: bool = False,
) -> None:  # fmt: skip
    """The n-th message, each to a lead of its own, and what its reader did."""
    lead_id, message_id = f"lead-{n}", f"{n:032x}"
    row = MessageRow(id=message_id, occurrence=f"{n}", lead_id=lead_id, run_id=run_id, campaign="road", template=template,
                     channel="email", purpose="marketing", topic="news", status=status.value, due_at=now,
                     message_id=f"<{message_id}@example.org>", committed_at=now, updated_at=now)  # fmt: skip
    async with store.write() as session:
        session.add(LeadRow(id=lead_id, created_at=now, updated_at=now))
        session.add(row)
        await session.flush()
        lead = await locked(session, lead_id)
        for at, name in enumerate(did):
            about = {"message": message_id}
            await record_own_event(session, lead, name, about, f"{message_id}/{at}", now, machine=machine)
        if back is not None:
            await run(session, note, [CameBack(message_id, back, lead_id, "road", run_id, "sender", "", now, now)], now)


async def told(store: Store, now: datetime) -> dict[tuple[str, str | None], dict[str, int]]:
    """The numbers that are not zero, by template and run."""
    async with store.read() as session:
        found = await outcomes(session, now - A_DAY, now + A_DAY)
    numbers = {(one.template, one.run_id): asdict(counts) for one, counts in found.items()}
    return {key: {name: count for name, count in one.items() if count} for key, one in numbers.items()}


async def test_each_message_counts_once_by_template(store: Store, now: datetime) -> None:
    await mailed(store, 1, now, "message_delivered", "message_opened", "message_clicked", "message_clicked")
    await mailed(store, 2, now, "message_delivered", "message_replied", "unsubscribed", "visit")
    await mailed(store, 3, now, back="bounced", status=Status.REJECTED)
    await mailed(store, 4, now, back="complained")
    await mailed(store, 5, now, back="soft")
    await mailed(store, 6, now, "message_opened", template="road/remind")

    assert await told(store, now) == {
        ("road/greet", None): {
            "sent": 4, "delivered": 2, "opened": 1, "clicked": 1, "replied": 1, "unsubscribed": 1, "bounced": 1,
            "complained": 1, "soft": 1,
        },
        ("road/remind", None): {"sent": 1, "opened": 1},
    }  # fmt: skip


async def test_what_machines_do_does_not_count(store: Store, now: datetime) -> None:
    await mailed(store, 1, now, "message_opened", "message_clicked", machine=True)

    assert await told(store, now) == {("road/greet", None): {"sent": 1}}


async def test_each_run_of_a_mailing_counts_by_itself(store: Store, now: datetime) -> None:
    first, second = [await ordered(store, now, "mailing", mailing=NEWS) for _ in range(2)]
    await mailed(store, 1, now, "message_clicked", run_id=first)
    await mailed(store, 2, now, run_id=second)

    assert await told(store, now) == {
        ("road/greet", first): {"sent": 1, "clicked": 1}, ("road/greet", second): {"sent": 1},
    }  # fmt: skip


async def test_only_messages_of_that_time_count_whenever_they_were_read(store: Store, now: datetime) -> None:
    await mailed(store, 1, now - 2 * A_DAY, "message_clicked")

    assert await told(store, now) == {}
    assert await told(store, now - 2 * A_DAY) == {("road/greet", None): {"sent": 1, "clicked": 1}}


@pytest.mark.usefixtures("repository")
def test_the_report_tells_it_to_people_and_to_programs() -> None:
    now = datetime.now().astimezone()

    async def written() -> None:
        store = Store(Settings().database_url.get_secret_value())
        for n in range(4):
            await mailed(store, n, now, *(["message_clicked"] if n == 0 else []))
        await store.close()

    assert "nothing was handed over" in commands.run("report", "mailings").output
    asyncio.run(written())

    assert "1 (25.0%)" in commands.run("report", "mailings").output
    [told] = json.loads(commands.run("report", "mailings", "--json").output)
    assert (told["campaign"], told["template"], told["sent"], told["clicked"]) == ("road", "road/greet", 4, 1)
