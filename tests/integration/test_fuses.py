"""A campaign of whose messages too many come back is paused, once, and the team hears of it, once."""

import asyncio
from datetime import datetime, timedelta

import pytest

from activities.fuse_notices import tell_of_fuses
from nurture import Campaign, State, days, on, send, wait
from nurture.checkup import examine
from nurture.errors import ProviderUnavailable
from nurture.ledger import Status
from nurture.settings import Settings
from nurture.store import Store, bulk_runs, campaigns
from nurture.store.bulk import insert_all
from nurture.store.models import MessageRow
from nurture.store.plain import run
from nurture.store.returns import CameBack, Kind, note
from nurture.sweeps import SWEEPS, run_sweep
from nurture.version import frozen
from tests.integration.bulk import NEWS, ordered, run_of
from tests.integration.walking import Way

(BLOW,) = (one for one in SWEEPS if one.name == "fuses blow")
ROAD = Campaign("road", enters=[on("asked")], states=[State("one", [send("test/one"), wait(days(1))])])
TOLD = {"marketing": "marketing@example.com"}


@pytest.fixture
async def road(way: Way) -> Way:
    way.settings = Settings(_env_file=None, templates=way.settings.templates, secrets=way.settings.secrets, teams=TOLD)
    async with way.store.write() as session:
        await campaigns.publish(session, frozen(ROAD), by="test", now=way.now)
    return way


async def sent(way: Way, number: int, *, back: int, kind: Kind = "bounced", run_id: str | None = None) -> None:
    """So many messages, handed over at this moment, of which some came back."""
    rows = [
        MessageRow(occurrence=f"{way.now}/{n}", lead_id=f"lead-{n}", run_id=run_id, campaign="road", template="test/one",
                   channel="email", purpose="marketing", topic="news", status=Status.ACCEPTED.value, due_at=way.now,
                   message_id=f"<{way.now}-{n}@example.org>", committed_at=way.now, updated_at=way.now)
        for n in range(number)
    ]  # fmt: skip
    came = [
        CameBack(row.id, kind, row.lead_id or "", "road", run_id, "sender", "", way.now, way.now) for row in rows[:back]
    ]
    async with way.store.write() as session:
        await insert_all(session, MessageRow, [row.model_dump() for row in rows])
        await run(session, note, came, way.now)


async def looked_at(way: Way, later: timedelta = timedelta(seconds=5)) -> None:
    """The sweeps of several workers at once, and what they tell."""
    now = way.now + later
    await asyncio.gather(*(run_sweep(BLOW, way.store, way.settings, now) for _ in range(3)))
    await asyncio.gather(*(tell_of_fuses(way.equipment, now) for _ in range(3)))


async def is_paused(store: Store) -> bool:
    async with store.read() as session:
        return await campaigns.paused(session, "road")


async def found(store: Store, now: datetime) -> dict[str, list[str]]:
    return {one.word: one.examples for one in (await examine(store, None, now)).all}


async def test_too_many_bounces_pause_the_campaign_once_and_the_team_is_told_once(road: Way) -> None:
    await sent(road, 200, back=12)

    await looked_at(road)
    await looked_at(road, timedelta(seconds=10))

    reason = "6.00% of 200 messages came back; the limit is 5.00%"
    assert await is_paused(road.store)
    assert [(one.recipient, one.subject) for one in road.post.taken] == [(TOLD["marketing"], f"Paused: road: {reason}")]
    assert await found(road.store, road.now) == {"blown": [f"road: {reason}"]}


async def test_complaints_pause_it_sooner(road: Way) -> None:
    await sent(road, 999, back=3, kind="complained")

    await looked_at(road)

    assert await is_paused(road.store)


async def test_before_that_the_team_is_warned_once_and_it_goes_on(road: Way) -> None:
    await sent(road, 400, back=12)

    await looked_at(road)
    await looked_at(road, timedelta(minutes=1))

    assert not await is_paused(road.store)
    assert [one.subject.partition(":")[0] for one in road.post.taken] == ["Look at road"]
    assert (await found(road.store, road.now)).keys() == {"warned"}


@pytest.mark.parametrize(("back", "kind"), [(9, "bounced"), (2, "complained"), (200, "soft"), (200, "put_off")])
async def test_few_reports_and_full_mailboxes_do_nothing(road: Way, back: int, kind: Kind) -> None:
    await sent(road, 200, back=back, kind=kind)

    await looked_at(road)

    assert not await is_paused(road.store)
    assert road.post.taken == []


async def test_who_resumes_it_begins_to_count_anew(road: Way) -> None:
    await sent(road, 200, back=12)
    await looked_at(road)
    road.now += timedelta(hours=1)
    async with road.store.write() as session:
        await campaigns.resume(session, "road", road.now)

    road.now += timedelta(hours=1)
    await sent(road, 200, back=3)
    await looked_at(road)
    assert not await is_paused(road.store)
    assert await found(road.store, road.now) == {}

    await sent(Way(road.store, road.now + timedelta(hours=1)), 20, back=20)
    await looked_at(road, timedelta(hours=2))
    assert await is_paused(road.store)
    assert len(road.post.taken) == 2


async def test_what_was_sent_a_week_ago_counts_no_more(road: Way) -> None:
    await sent(road, 200, back=12)

    await looked_at(road, timedelta(days=7, seconds=1))

    assert not await is_paused(road.store)


async def test_a_mailing_is_paused_by_its_run(road: Way) -> None:
    run_id = await ordered(road.store, road.now, "mailing", mailing=NEWS)
    await sent(road, 200, back=12, run_id=run_id)

    await looked_at(road)
    assert (await run_of(road.store, run_id)).status == "paused"
    assert not await is_paused(road.store)
    assert f"nurture bulk resume {run_id}" in road.post.taken[0].text

    async with road.store.write() as session:
        await bulk_runs.resume(session, run_id, road.now + timedelta(minutes=1))
    await looked_at(road, timedelta(minutes=2))
    assert (await run_of(road.store, run_id)).status == "waiting"


async def test_of_a_mailing_that_is_over_one_is_only_warned(road: Way) -> None:
    run_id = await ordered(road.store, road.now, "mailing", mailing=NEWS)
    async with road.store.write() as session:
        await bulk_runs.finish(session, run_id, road.now)
    await sent(road, 200, back=12, run_id=run_id)

    await looked_at(road)
    await looked_at(road, timedelta(minutes=1))

    assert (await run_of(road.store, run_id)).status == "done"
    assert [one.subject.partition(":")[0] for one in road.post.taken] == ["Look at road"]


async def test_news_that_cannot_be_told_now_is_told_later(road: Way) -> None:
    await sent(road, 200, back=12)
    road.post.troubles = [ProviderUnavailable("busy")]

    await looked_at(road)
    assert road.post.taken == []

    await looked_at(road, timedelta(minutes=10))
    assert len(road.post.taken) == 1


async def test_a_team_without_an_address_reads_it_in_the_log_and_it_pauses_all_the_same(way: Way) -> None:
    async with way.store.write() as session:
        await campaigns.publish(session, frozen(ROAD), by="test", now=way.now)
    await sent(way, 200, back=12)

    await looked_at(way)

    assert await is_paused(way.store)
    assert way.post.taken == []
    assert await tell_of_fuses(way.equipment, way.now + timedelta(minutes=1)) == 0
