"""Erasing a lead, on each database in turn: nothing is left, nothing more goes out, nothing comes back (F26)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event as database_event
from sqlalchemy import select as select_columns
from sqlmodel import SQLModel, select

from activities.errands import TryAgain
from activities.hand_off_clock import attend
from nurture import (
    Campaign,
    State,
    advance,
    ask_referral,
    clicked,
    days,
    done,
    escalate,
    lead,
    on,
    quiet,
    send,
    survey,
    wait,
    wait_for,
    when,
)
from nurture.arrivals import Context, Page
from nurture.errors import AddressRefused, NotFound, NurtureError, Refused, Unavailable
from nurture.intake import Consent, Incoming, Internal
from nurture.intake.capturing import Captured, Proof
from nurture.intake.clicking import Clicking, Followed
from nurture.permission import HouseRules
from nurture.profile import address_hash, key_hash
from nurture.store import Store, outbox
from nurture.store.bulk import table
from nurture.store.consents import current_consents
from nurture.store.document_tables import DocumentRow
from nurture.store.erasure import Erased, erase
from nurture.store.experiment_tables import ExperimentEntryRow
from nurture.store.export import export
from nurture.store.leads import look_up
from nurture.store.merge_tables import MergeRow
from nurture.store.models import (
    DeadLetterRow,
    ErasureRow,
    HandOffRow,
    JourneyRow,
    LeadRow,
    MessageRow,
    OutboxRow,
    RefusalRow,
    SuppressionRow,
)
from nurture.store.need_tables import NeedRow
from nurture.store.order_tables import OrderRow, ThankRow
from nurture.store.personal import KEPT, PERSONAL
from nurture.store.recommendation_tables import RecommendationRow, RewardRow
from nurture.store.retarget_tables import RetargetEntryRow
from nurture.store.return_tables import ReturnRow
from nurture.store.score_tables import FadingRow, ShadowRow
from nurture.store.suppressions import suppress, suppressed
from tests.integration.hook import Hook
from tests.integration.life import Life
from tests.integration.scene import Scene, simple
from tests.integration.walking import AFTER_THE_LEASE, Walker, Way

ROAD = Campaign(
    "road",
    enters=[on("asked")],
    always=[on("order_paid", to="thanks")],
    states=[
        State("greet", [advance("learn"), send("test/one"), escalate("ready"), survey("nps", "test/survey"),
                        ask_referral("test/refer", satisfied=lead.email.known()),
                        wait_for(clicked("test/one"), up_to=days(30), then="thanks", otherwise=done)]),
        State("thanks", [wait(days(2)), done]),
    ],
)  # fmt: skip
VIPS = Campaign("vips", enters=[when(lead.tags.has("vip"))], states=[State("one", [wait(days(9)), done])])
ONE_LETTER = Campaign("letter", enters=[on("asked")], states=[State("one", [send("test/one"), wait(days(3))])])
CANARIES = {"first_name": "Canaryanna", "city": "Canaryville", "phone": "+49301234567"}
ADDRESS = "ann@canary.example"


@pytest.fixture
async def life(store: Store, now: datetime) -> AsyncIterator[Life]:
    async with Life(store, now, rules=HouseRules(quiet=quiet("21:00", "08:00"), caps=())) as life:
        await life.publish(ROAD, VIPS)
        yield life


async def lives(life: Life, email: str = ADDRESS, name: str = "ann", **known: Any) -> str:
    """A lead of whom every table knows something."""
    lead_id = await life.lead(email, {"news": True}, external_id=f"crm-{name}", tags=["vip"], **known)
    visit, known_again = Incoming(name="visit", lead={"cookie": name}), Incoming(lead={"cookie": name, "email": email})
    await life.intake.accept([visit], life.now)
    await life.intake.accept([known_again], life.now)
    for event in ("price_list_downloaded", "request_sent", "asked", "asked"):
        await life.happens(event, to=email, note=f"{name} was here")
    later = life.now + timedelta(days=400)
    await _captured(life, email, name)
    waiting = OutboxRow(lead_id=lead_id, kind="event", body={"keys": []}, due_at=later, created_at=life.now)
    dead = DeadLetterRow(lead_id=lead_id, kind="enrol", body={"by": name}, reason="never worked", at=life.now)
    fades = FadingRow(lead_id=lead_id, score="warmth", half_life=9.0, level=1.0)
    noted = ShadowRow(lead_id=lead_id, definition="ready", version="1", facts=[{"value": name}], at=life.now)
    drawn = ExperimentEntryRow(experiment="e", design="1", lead_id=lead_id, arm="a", at=life.now, until=life.now)
    listed = RetargetEntryRow(retarget="r", network="google", kind="email", hash=name, lead_id=lead_id, state="adding")
    async with life.store.write() as session:
        await outbox.put(session, [waiting])
        session.add_all([dead, fades, noted, drawn, listed])
        sent = (await session.exec(select(MessageRow.id).where(MessageRow.lead_id == lead_id))).first()
        assert sent is not None
        back = {"message_id": sent, "kind": "soft", "address_hash": address_hash(email), "campaign": "road"}
        session.add(ReturnRow(lead_id=lead_id, at=life.now, sent_at=life.now, **back))
    await deals(life, email, lead_id, name)
    await follows(life, lead_id, name)
    return lead_id


async def follows(life: Life, lead_id: str, name: str) -> None:
    """It follows a link."""
    message = next(one for one in await rows(life.store, MessageRow) if one.lead_id == lead_id)
    followed = Followed(link="l", url=f"https://example.com/{name}", network=name, agent=name, program=True)
    clicking = Clicking(message=message.id, followed=followed)
    [result] = await life.intake.accept([Internal(lead={"id": lead_id}, clicks=clicking)], life.now)
    assert result.error is None


async def _captured(life: Life, email: str, name: str) -> None:
    """It visits, comes from somewhere, and consents on a form."""
    proof = Proof(form="f", version="1", topic="news", text="yes", text_hash="1", language="en", email=email, ip="::1",
                  confirmed=True)  # fmt: skip
    visit = Internal(
        name="visit",
        lead={"email": email},
        context=Context(page=Page(url=f"https://www.example.com/?utm_source=vk&utm_campaign={name} was here")),
        captured=Captured(proof=proof),
    )
    [result] = await life.intake.accept([visit], life.now)
    assert result.error is None
    await life.settle()


async def deals(life: Life, email: str, lead_id: str, name: str) -> None:
    """What it ordered and needs, was thanked for, and is owed."""
    await life.orders("placed", to=email, number=name, lines=[{"product": "kit"}])
    about: dict[str, Any] = {"friend_id": lead_id, "referrer_id": lead_id}
    async with life.store.write() as session:
        order_id = (await session.exec(select(OrderRow.id).where(OrderRow.lead_id == lead_id))).one()
        journey_id = (await session.exec(select(JourneyRow.id).where(JourneyRow.lead_id == lead_id))).first()
        assert journey_id is not None
        session.add(NeedRow(lead_id=lead_id, product="kit", kind="explicit", readiness=50, cause=name, at=life.now))
        session.add(RecommendationRow(code=name, attributed=False, at=life.now, **about))
        session.add(DocumentRow(kind="invoice", number=name, occasion=name, lead_id=lead_id, title=name, language="en",
                                currency="EUR", total="1", html=name, at=life.now))  # fmt: skip
        session.add(RewardRow(reward="month", cause=name, points=1, granted_at=life.now, **about))
        session.add(ThankRow(order_id=order_id, lead_id=lead_id, journey_id=journey_id, occurrence=name, at=life.now))


async def erased(life: Life, lead_id: str) -> Erased:
    async with life.store.write() as session:
        return await erase(session, lead_id, "ops", life.now)


async def content(store: Store) -> dict[str, list[str]]:
    """Every row of every table as text."""
    found = {}
    async with store.read() as session:
        for model in [*PERSONAL, *KEPT]:
            rows = await (await session.connection()).execute(select_columns(table(model)))
            found[table(model).name] = sorted(str(tuple(row)) for row in rows)
    return found


async def rows(store: Store, model: type[SQLModel]) -> list[Any]:
    async with store.read() as session:
        return list((await session.exec(select(model))).all())


# --- the lists of tables ---


def test_every_table_is_listed_as_personal_or_as_kept_with_a_reason() -> None:
    listed = [table(model).name for model in (*PERSONAL, *KEPT)]

    assert sorted(listed) == sorted(SQLModel.metadata.tables)
    assert all(KEPT.values())


def test_no_table_that_names_a_lead_is_kept() -> None:
    personal = {table(model).name for model in PERSONAL}
    naming = {name for name, one in SQLModel.metadata.tables.items() if "lead_id" in one.columns}
    referring = {
        name
        for name, one in SQLModel.metadata.tables.items()
        if any(key.column.table.name in personal for key in one.foreign_keys)
    }

    assert naming | referring <= personal


# --- what is left ---


async def test_a_lead_of_whom_every_table_knows_leaves_no_word_in_any(life: Life) -> None:
    lead_id = await lives(life, **CANARIES)
    async with life.store.read() as session:
        before = (await export(session, lead_id, life.now))["tables"]
    assert [name for name, held in before.items() if not held and name != "suppressions"] == []

    done = await erased(life, lead_id)
    await life.settle()
    await life.passes(hours=1)

    assert (done.journeys, done.rows) == (2, sum(map(len, before.values())))
    left = str(await content(life.store))
    ours = [
        str(row[key]) for name in before for row in before[name] for key in ("id", "code", "journey_id") if row.get(key)
    ]
    words = [lead_id, ADDRESS, "crm-ann", "ann was here", *CANARIES.values(), *(one for one in ours if len(one) > 4)]
    assert [word for word in words if word in left] == []


async def test_of_a_database_in_a_file_no_byte_about_the_lead_is_left(sqlite_url: str, now: datetime) -> None:
    store = Store(sqlite_url)
    async with Life(store, now) as life:
        await life.publish(ROAD, VIPS)
        lead_id = await lives(life, **CANARIES)
        await erased(life, lead_id)
        await life.settle()
        await life.passes(hours=1)
    await store.close()

    kept = await asyncio.to_thread(Path(sqlite_url.removeprefix("sqlite:///")).read_bytes)
    words = [lead_id, ADDRESS, "ann was here", *CANARIES.values()]
    assert [word for word in words if word.encode() in kept] == []


async def test_in_a_flood_of_news_an_erasure_leaves_nothing(life: Life) -> None:
    lead_id = await lives(life)
    again = {"email": ADDRESS, "city": "Canaryville"}
    flood = [life.intake.accept([Incoming(name="asked", lead=again)], life.now) for _ in range(30)]

    await asyncio.gather(*flood[:10], life.settle(), erased(life, lead_id), *flood[10:], life.settle())
    await life.settle()
    await life.passes(hours=1)

    left = str(await content(life.store))
    assert [word for word in (lead_id, ADDRESS, "Canaryville") if word in left] == []


async def test_what_slipped_in_beside_the_erasure_is_gone_once_the_journeys_are(life: Life) -> None:
    lead_id = await lives(life)
    await erased(life, lead_id)
    async with life.store.write() as session:
        session.add(RefusalRow(lead_id=lead_id, campaign="road", event="e", reason="already in it", at=life.now))
    await life.settle()
    await life.passes(hours=1)

    assert await rows(life.store, RefusalRow) == []


async def test_of_others_nothing_is_touched(life: Life) -> None:
    ann = await lives(life)
    bob = await lives(life, "bob@other.example", "bob")
    async with life.store.read() as session:
        before = await export(session, bob, life.now)

    await erased(life, ann)
    await life.settle()

    async with life.store.read() as session:
        assert await export(session, bob, life.now) == before


async def test_what_is_kept_are_hashes_the_date_and_who_did_it(life: Life) -> None:
    lead_id = await lives(life)
    [visitor] = await rows(life.store, MergeRow)

    await erased(life, lead_id)

    kept = {row.hash: (row.at, row.by) for row in await rows(life.store, ErasureRow)}
    known_by = [("lead", lead_id), ("lead", visitor.gone_id), ("email", ADDRESS), ("external", "crm-ann")]
    assert kept == {key_hash(*key): (life.now, "ops") for key in known_by}
    [suppression] = await rows(life.store, SuppressionRow)
    assert (suppression.address_hash, suppression.scope, suppression.reason) == (address_hash(ADDRESS), "all", "erased")


async def test_an_address_that_the_lead_had_before_is_suppressed_too(life: Life) -> None:
    lead_id = await life.lead(ADDRESS, external_id="crm-ann")
    await life.lead("new@canary.example", external_id="crm-ann")

    await erased(life, lead_id)

    found = {row.address_hash for row in await rows(life.store, SuppressionRow)}
    assert found == {address_hash(ADDRESS), address_hash("new@canary.example")}


# --- its journeys ---


async def test_the_engine_is_told_to_forget_each_journey_until_nothing_is_left(life: Life) -> None:
    lead_id = await lives(life)
    assert len(life.walkers.running) == 2

    await erased(life, lead_id)
    await life.settle()
    assert (life.walkers.running, len(await rows(life.store, OutboxRow))) == ({}, 1)

    life.now += timedelta(seconds=2)
    await life.settle()
    assert [await rows(life.store, model) for model in (OutboxRow, DeadLetterRow)] == [[], []]


async def test_while_the_engine_is_away_what_is_to_be_forgotten_waits(scene: Scene) -> None:
    await scene.publish(simple(enters=[on("asked")]))
    await scene.lead()
    await scene.happens("asked")
    await scene.dispatch()
    [journey] = await scene.journeys()
    scene.engine.reachable = False
    async with scene.store.write() as session:
        await erase(session, "ann", "ops", scene.now)

    with pytest.raises(Unavailable):
        await scene.dispatch()
    assert (await scene.pending(), scene.engine.running) == (1, {journey.id})

    scene.engine.reachable = True
    for _ in range(3):
        await scene.dispatch()
    assert (await scene.pending(), scene.engine.running, await scene.dead_letters()) == (0, set(), [])
    assert scene.engine.forgotten == [journey.id, journey.id]


async def test_what_a_dispatcher_works_on_is_left_to_it_and_comes_before_the_forgetting(life: Life) -> None:
    lead_id = await life.lead(ADDRESS)
    order = OutboxRow(lead_id=lead_id, kind="enrol", body={"campaign": "road"}, due_at=life.now, created_at=life.now)
    async with life.store.write() as session:
        await outbox.put(session, [order])
        await outbox.claim(session, "another", life.now, timedelta(seconds=30))
    await erased(life, lead_id)
    assert sorted(row.kind for row in await rows(life.store, OutboxRow)) == ["enrol", "forget"]

    life.now += timedelta(minutes=1)
    await life.settle()

    assert [await rows(life.store, model) for model in (OutboxRow, DeadLetterRow)] == [[], []]


# --- a send under way ---


async def _erased(walker: Walker) -> None:
    async with walker.way.store.write() as session:
        await erase(session, walker.order.lead_id, "ops", walker.way.now)


@pytest.mark.postgres
async def test_erasures_and_a_dispatcher_at_the_same_rows_never_wait_for_each_other_in_a_circle(
    postgres_url: str, now: datetime
) -> None:
    store = Store(postgres_url)
    for n in range(6):
        await erased_while_settled(Scene(store, now), [f"lead-{n}-{m}" for m in range(12)])
    left = {name for name, theirs in (await content(store)).items() if any("lead-" in row for row in theirs)}
    await store.close()

    assert left == set()


async def erased_while_settled(scene: Scene, lead_ids: list[str]) -> None:
    """All of them are erased at once while a dispatcher, whose claim has lapsed, notes that it started their journeys."""
    await scene.publish(simple(enters=[on("signed_up")]))
    for lead_id in lead_ids:
        await scene.lead(lead_id)
        await scene.happens("signed_up", to=lead_id)
    started, erasing = asyncio.Event(), asyncio.Event()
    scene.engine.starting = lambda: _told(started, erasing)

    def in_the_midst(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.startswith("DELETE FROM journeys"):
            erasing.set()

    async def goes(lead_id: str) -> None:
        await started.wait()
        async with scene.store.write() as session:
            await erase(session, lead_id, "ops", scene.now + timedelta(minutes=1))

    engine = scene.store.engine.sync_engine
    database_event.listen(engine, "after_cursor_execute", in_the_midst)
    await asyncio.gather(scene.dispatcher.run_once(scene.now), *map(goes, lead_ids))
    database_event.remove(engine, "after_cursor_execute", in_the_midst)
    scene.engine.starting = None
    while await scene.pending():
        scene.now += timedelta(minutes=2)
        await scene.dispatch()


async def _told(first: asyncio.Event, then: asyncio.Event) -> None:
    first.set()
    await then.wait()


async def test_a_message_that_was_not_committed_before_the_erasure_is_never_sent(way: Way) -> None:
    walker = await way.begin(ONE_LETTER)
    way.store.deeds["after commit 1"] = lambda: _erased(walker)

    with pytest.raises(NotFound, match="there is no lead"):
        await walker.walk()
    with pytest.raises(NotFound, match="there is no journey"):
        await walker.walk(AFTER_THE_LEASE)
    assert way.post.taken == []


async def test_of_a_message_that_was_already_being_handed_over_nothing_comes_back(way: Way) -> None:
    walker = await way.begin(ONE_LETTER)
    way.store.deeds["after commit 2"] = lambda: _erased(walker)

    with pytest.raises(NurtureError):
        await walker.walk()
    with pytest.raises(NotFound):
        await walker.walk(AFTER_THE_LEASE)
    assert len(way.post.taken) == 1
    assert [await rows(way.store, model) for model in (LeadRow, MessageRow)] == [[], []]


async def test_an_address_refused_after_the_erasure_brings_nothing_back(way: Way) -> None:
    walker = await way.begin(ONE_LETTER)
    way.post.troubles = [AddressRefused("no such user", code="5.1.1")]
    way.store.deeds["after commit 2"] = lambda: _erased(walker)

    with pytest.raises(NurtureError):
        await walker.walk()
    assert [row.reason for row in await rows(way.store, SuppressionRow)] == ["erased"]


HANDED_OVER = Campaign("sales", enters=[on("asked")], states=[State("one", [escalate("ready"), wait(days(3))])])


@pytest.mark.parametrize(("point", "calls"), [("after commit 1", 0), ("after commit 2", 1)])
async def test_the_team_and_its_webhook_hear_nothing_after_the_erasure(way: Way, point: str, calls: int) -> None:
    async with Hook().open() as crm:
        way.settings = way.settings.model_copy(update={"sales_webhook": crm.url()})
        walker = await way.begin(HANDED_OVER)
        await walker.walk()
        way.store.deeds[point] = lambda: _erased(walker)

        [hand_off] = await rows(way.store, HandOffRow)
        with contextlib.suppress(TryAgain):
            await walker.attend()
        assert (await attend(way.equipment, hand_off.id, lambda: way.now)).ending == "forgotten"
    assert (way.post.taken, len(crm.took)) == ([], calls)


# --- what comes in later ---


async def accepted(life: Life, *items: Incoming) -> list[NurtureError | None]:
    return [result.error for result in await life.intake.accept(items, life.now)]


@pytest.mark.parametrize("known", [{"email": ADDRESS.upper()}, {"external_id": "crm-ann", "first_name": "Ann"}])
async def test_who_was_erased_is_not_brought_in_again_by_a_record_of_somebody_else(
    life: Life, known: dict[str, Any]
) -> None:
    await erased(life, await lives(life))

    [error] = await accepted(life, Incoming(name="visited", lead=known))

    assert isinstance(error, Refused)
    assert "was erased" in str(error)
    assert await rows(life.store, LeadRow) == []


async def test_its_neighbours_in_a_batch_are_taken(life: Life) -> None:
    await erased(life, await lives(life))

    late, other = await accepted(life, Incoming(lead={"email": ADDRESS}), Incoming(lead={"email": "bob@other.example"}))

    assert (isinstance(late, Refused), other) == (True, None)


async def test_an_event_of_its_old_id_finds_nobody(life: Life) -> None:
    lead_id = await lives(life)
    await erased(life, lead_id)

    [error] = await accepted(life, Incoming(name="visited", lead={"id": lead_id}))

    assert isinstance(error, NotFound)


async def test_who_comes_back_with_a_consent_of_their_own_is_a_new_lead_that_gets_mail(life: Life) -> None:
    before = await lives(life)
    await erased(life, before)

    after = await life.lead(ADDRESS, {"news": True})

    assert after != before
    async with life.store.read() as session:
        assert await suppressed(session, address_hash(ADDRESS)) == {}
        assert await current_consents(session, after, datetime.now(UTC)) == {"news": True}
    await life.happens("asked", to=ADDRESS)
    assert life.postbox.mails[-1].recipient == ADDRESS


async def test_a_no_with_the_address_is_no_consent(life: Life) -> None:
    await erased(life, await lives(life))

    [error] = await accepted(
        life, Incoming(lead={"email": ADDRESS}, consents={"news": Consent(granted=False), "*": False})
    )

    assert isinstance(error, Refused)


async def test_an_address_that_bounced_before_its_erasure_takes_no_mail_though_its_owner_comes_back(life: Life) -> None:
    lead_id = await lives(life)
    async with life.store.write() as session:
        await suppress(session, address_hash(ADDRESS), "all", "no such user", life.now)
    await erased(life, lead_id)
    [error] = await accepted(life, Incoming(lead={"email": ADDRESS}))
    assert isinstance(error, Refused)

    await life.lead(ADDRESS, {"news": True})

    async with life.store.read() as session:
        assert await suppressed(session, address_hash(ADDRESS)) == {"all": "no such user"}


async def test_nobody_can_be_erased_who_is_not_there(life: Life) -> None:
    lead_id = await lives(life)
    await erased(life, lead_id)

    with pytest.raises(NotFound):
        await erased(life, lead_id)
    async with life.store.read() as session:
        with pytest.raises(NotFound):
            await look_up(session, ADDRESS)
