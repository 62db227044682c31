"""Bounces and complaints by the hundred, shuffled with sends: each counts once, and nothing goes out after it."""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from nurture import Campaign, State, days, on, send, wait
from nurture.intake import Reports
from nurture.journey import Elapsed
from nurture.ledger import Status
from nurture.permission import HouseRules
from nurture.returns.bounces import Fault
from nurture.returns.report import Kind, Report, name_of
from nurture.settings import Settings
from nurture.store.models import EventRow, MessageRow, SuppressionRow
from nurture.store.return_tables import ReturnRow
from tests.integration.walking import Walker, Way

LEADS, BOUNCED, COMPLAINED = 60, 24, 6
A_DAY = timedelta(days=1)
ROAD = Campaign("road", enters=[on("asked")],
                states=[State("one", [send("test/one"), wait(days(1)), send("test/one"), wait(days(1))])])  # fmt: skip


@pytest.fixture
def unhurried(way: Way) -> Way:
    way.now = datetime.now(UTC)
    rules = HouseRules(quiet=None, caps=())
    way.settings = Settings(_env_file=None, templates=way.settings.templates, secrets=way.settings.secrets, rules=rules)
    return way


async def test_a_storm_of_bounces_among_sends_counts_each_once_and_nothing_follows_it(unhurried: Way) -> None:
    way, dice = unhurried, random.Random(23)
    walkers = [await way.begin(ROAD) for _ in range(LEADS)]
    firsts = {walker.order.lead_id: await first_message(walker) for walker in walkers}
    reports = Reports(way.store, way.equipment.recorder, outbox_limit=100_000)
    told = [report_of(n, walker, firsts[walker.order.lead_id]) for n, walker in enumerate(walkers)]
    acknowledged: dict[str, datetime] = {}

    async def tell(n: int) -> None:
        await reports.take("relay", told[n : n + dice.choice((1, 3))], datetime.now(UTC))
        acknowledged.setdefault(walkers[n].order.lead_id, datetime.now(UTC) + A_DAY)

    work = [tell(n) for n in range(BOUNCED + COMPLAINED) for _ in range(3)] + [walk_on(walker) for walker in walkers]
    dice.shuffle(work)
    await asyncio.gather(*work)

    async with way.store.read() as session:
        events = (await session.exec(select(EventRow).where(col(EventRow.source) == "relay"))).all()
        messages = (await session.exec(select(MessageRow))).all()
        no_more = Counter((await session.exec(select(SuppressionRow.scope))).all())
        back = Counter((await session.exec(select(ReturnRow.kind))).all())
    counts = Counter(one.name for one in events)
    assert (counts["message_bounced"], counts["message_complained"]) == (BOUNCED, COMPLAINED)
    assert back == {"bounced": BOUNCED, "complained": COMPLAINED}
    assert no_more == {"all": BOUNCED, "marketing": COMPLAINED}
    late = [one.id for one in messages if one.committed_at and one.committed_at > at_the_latest(acknowledged, one)]
    assert late == []
    statuses = Counter(one.status for one in messages if one.id not in {first.id for first in firsts.values()})
    assert statuses[Status.ACCEPTED] + statuses[Status.SUPPRESSED] == LEADS
    assert statuses[Status.ACCEPTED] >= LEADS - BOUNCED - COMPLAINED


async def first_message(walker: Walker) -> MessageRow:
    await walker.walk()
    return await walker.message()


async def walk_on(walker: Walker) -> None:
    """The wait is over a day later, and the second message is due."""
    now = datetime.now(UTC) + A_DAY
    await walker.walk(now - walker.order.now, news=(Elapsed(at=now),))


def report_of(n: int, walker: Walker, message: MessageRow) -> Report:
    kind = Kind.BOUNCED if n < BOUNCED else Kind.COMPLAINED if n < BOUNCED + COMPLAINED else Kind.DELIVERED
    name = name_of(message.message_id)
    assert name is not None
    return Report(f"r{n}", kind, name, datetime.now(UTC), None, Fault.ADDRESS if kind is Kind.BOUNCED else None)


def at_the_latest(acknowledged: dict[str, datetime], message: MessageRow) -> datetime:
    return acknowledged.get(message.lead_id or "", datetime.max.replace(tzinfo=UTC))
