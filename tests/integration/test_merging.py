"""Two known leads made one, on each database in turn: nothing of either is lost, and nobody gets a message twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint
from sqlmodel import SQLModel, select

from nurture import (
    Campaign,
    State,
    always,
    ask_referral,
    clicked,
    days,
    done,
    escalate,
    lead,
    on,
    send,
    wait,
    wait_for,
    when,
)
from nurture.catalogue import Catalogue
from nurture.channels import Envelope
from nurture.errors import BadInput, NotFound, ProviderUnavailable, Refused
from nurture.intake import Incoming, Internal, Recorder
from nurture.intake.merging import Merged, merge
from nurture.links import Links
from nurture.needs import Need
from nurture.permission import HouseRules
from nurture.rewards import Reward
from nurture.settings import Settings
from nurture.store import Session, Store, hand_offs
from nurture.store.bulk import table
from nurture.store.capture_tables import ArrivalRow, VisitorRow
from nurture.store.consents import current_consents
from nurture.store.erasure import erase
from nurture.store.leads import get, look_up
from nurture.store.merge_tables import MergeRow
from nurture.store.merging import moving
from nurture.store.models import (
    EventRow,
    HandOffRow,
    IdentityRow,
    JourneyRow,
    LeadRow,
    MessageRow,
    OutboxRow,
    ReferralRow,
    ScoreChangeRow,
)
from nurture.store.need_tables import NeedRow
from nurture.store.order_tables import OrderRow
from nurture.store.personal import PERSONAL
from nurture.store.recommendation_tables import RecommendationRow, RewardRow
from nurture.store.referrals import share_code
from nurture.store.stage_tables import StageChangeRow
from nurture.store.story import story_of
from tests.integration.bulk import NEWS, a_lead, ordered, settle
from tests.integration.life import Life
from tests.integration.scene import Scene

ROAD = Campaign(
    "road",
    enters=[on("asked")],
    states=[
        State("greet", [send("test/one"), wait_for(clicked("test/one"), up_to=days(3), then="more", otherwise="more")]),
        State("more", [send("test/two"), wait(days(30)), done]),
    ],
)  # fmt: skip
OFTEN = Campaign(
    "often", enters=[on("rang")], reenters=always, states=[State("one", [send("test/three"), wait(days(1))])]
)
VISITS = Campaign(
    "visits", enters=[on("booked", key="visit")], states=[State("one", [send("test/one"), wait(days(9))])]
)
SALES = Campaign(
    "sales", enters=[on("request_sent")], states=[State("one", [escalate("ready"), ask_referral("test/refer")])]
)
VIPS = Campaign("vips", enters=[when(lead.tags.has("vip") & lead.city.known())], states=[State("one", [wait(days(9))])])
ANN, BOB = "ann@example.com", "bob@example.com"
RULES = HouseRules(quiet=None, caps=())


@pytest.fixture
async def life(store: Store, now: datetime) -> AsyncIterator[Life]:
    async with Life(store, now, rules=RULES) as life:
        await life.publish(ROAD, OFTEN, VISITS, SALES, VIPS)
        yield life


async def merged(life: Life, keep: str = ANN, gone: str = BOB, **options: Any) -> Merged:
    done = await merge(life.store, life.intake.recorder, keep, gone, by="ops", now=life.now, **options)
    await life.settle()
    return done


async def rows(life: Life, model: type[SQLModel]) -> list[Any]:
    async with life.store.read() as session:
        return list((await session.exec(select(model))).all())


async def only_lead(life: Life) -> LeadRow:
    (found,) = await rows(life, LeadRow)
    assert isinstance(found, LeadRow)
    return found


def sent(life: Life) -> list[tuple[str, str]]:
    return [(mail.recipient, mail.subject) for mail in life.postbox.mails]


# --- what is known ---


async def test_the_kept_lead_has_all_that_was_known_of_both(life: Life) -> None:
    ann = await life.lead(ANN, {"news": True, "ads": True}, city="Bonn", tags=["a"], external_id="crm-1")
    life.now += days(1)
    bob = await life.lead(BOB, {"news": False}, city="Kiel", tags=["b"], phone="+49301234567", company={"size": 5})

    done = await merged(life)

    row = await only_lead(life)
    assert (done.kept, done.gone, row.id) == (ann, bob, ann)
    assert row.profile == {
        "email": BOB, "city": "Kiel", "tags": ["a", "b"], "phone": "+49301234567", "company": {"size": 5}
    }  # fmt: skip
    assert row.email == BOB
    assert {(one.kind, one.value) for one in await rows(life, IdentityRow)} == {
        ("email", ANN), ("email", BOB), ("external", "crm-1"), ("phone", "+49301234567")
    }  # fmt: skip
    async with life.store.read() as session:
        assert await current_consents(session, ann, datetime.now(UTC)) == {"news": False, "ads": True}


async def test_points_are_those_that_one_lead_would_have_got(life: Life) -> None:
    for email in (ANN, BOB):
        await life.lead(email)
        await life.happens("price_list_downloaded", to=email)

    done = await merged(life)

    assert done.scores == (await only_lead(life)).scores == {"interest": 20}
    assert sum(one.points for one in await rows(life, ScoreChangeRow)) == 20


async def test_a_threshold_that_only_both_together_reach_is_reached_by_the_merge(life: Life) -> None:
    await life.lead(ANN)
    await life.happens("request_sent", to=ANN)
    await life.lead(BOB)
    await life.happens("price_list_downloaded", to=BOB)

    await merged(life)

    assert [one.properties["points"] for one in await rows(life, EventRow) if one.name == "score_reached"] == [70]


async def test_a_campaign_is_entered_by_what_only_both_together_meet(life: Life) -> None:
    await life.lead(ANN, tags=["vip"])
    await life.lead(BOB, city="Kiel")

    await merged(life)

    assert [one.campaign for one in await rows(life, JourneyRow)] == ["vips"]


# --- who is gone ---


async def test_whoever_names_the_lead_that_is_gone_means_the_one_that_is_kept(life: Life) -> None:
    ann, bob = await life.lead(ANN), await life.lead(BOB, external_id="crm-2")
    cid = await life.lead("cid@example.com")

    await merged(life)
    await merged(life, "cid@example.com", ANN)

    names = [{"id": bob}, {"id": ann}, {"email": BOB}, {"external_id": "crm-2"}]
    results = await life.intake.accept([Incoming(name="visit", lead=one) for one in names], life.now)
    assert [one.lead_id for one in results] == [cid] * 4
    async with life.store.read() as session:
        assert {(await look_up(session, one)).id for one in (ann, bob, BOB, "crm-2")} == {cid}
        assert (await get(session, bob)).id == cid


async def test_a_link_that_was_made_for_the_lead_that_is_gone_still_leaves(
    client: httpx.AsyncClient, store: Store, now: datetime
) -> None:
    made = [(await client.post("/v1/leads", json={"lead": {"email": one}})).json()["lead_id"] for one in (ANN, BOB)]
    answer = await client.post("/v1/leads/merge", json={"keep": ANN, "gone": BOB})
    assert (answer.status_code, answer.json()["lead_id"], answer.json()["gone_id"]) == (200, *made)
    link = Links("http://nurture", Settings().secrets).unsubscribe(made[1], "news")

    assert (await client.post(link, data={"List-Unsubscribe": "One-Click"})).status_code == 200
    async with store.read() as session:
        assert await current_consents(session, made[0], datetime.now(UTC)) == {"news": False}


async def test_the_codes_of_both_lead_to_the_kept_one_and_its_own_is_given_on(life: Life) -> None:
    ann, bob = await life.lead(ANN), await life.lead(BOB)
    async with life.store.write() as session:
        codes = [await share_code(session, one, life.now) for one in (ann, bob)]

    await merged(life)

    assert {(one.code, one.lead_id) for one in await rows(life, ReferralRow)} == {(one, ann) for one in codes}
    async with life.store.write() as session:
        assert await share_code(session, ann, life.now) in codes


async def test_a_merged_lead_is_erased_whole_and_its_old_id_finds_nobody(life: Life) -> None:
    await life.lead(ANN)
    bob = await life.lead(BOB)
    await merged(life)

    async with life.store.write() as session:
        await erase(session, bob, "ops", life.now)

    assert await rows(life, LeadRow) == await rows(life, MergeRow) == await rows(life, EventRow) == []
    with pytest.raises(Refused, match="was erased"):
        await merged(life, await life.lead("cid@example.com"), bob)


# --- journeys ---


async def test_the_journeys_of_both_go_on_and_nothing_is_sent_twice(life: Life) -> None:
    await life.lead(ANN, nps=10)
    await life.orders("paid", to=ANN)
    await life.happens("request_sent", to=ANN)
    bob = await life.lead(BOB)
    await life.happens("asked", to=BOB)

    done = await merged(life)
    await life.passes(days=4)

    assert [one.status for one in await rows(life, JourneyRow) if one.id in done.journeys] == ["active"]
    assert {one.lead_id for one in await rows(life, JourneyRow)} == {done.kept}
    templates = [one.template for one in await rows(life, MessageRow) if one.lead_id == done.kept]
    assert sorted(templates) == ["test/one", "test/refer", "test/two"]
    assert bob not in {one.lead_id for one in await rows(life, HandOffRow)}


async def test_of_two_in_one_campaign_the_later_one_ends_and_no_message_comes_again(life: Life) -> None:
    await life.lead(ANN)
    await life.happens("asked", to=ANN)
    await life.passes(days=1)
    await life.lead(BOB)
    await life.happens("asked", to=BOB)

    done = await merged(life)
    await life.passes(days=9)

    endings = {one.id: (one.run, one.ending) for one in await rows(life, JourneyRow)}
    assert sorted(endings.values(), key=str) == [(1, None), (2, "merged")]
    assert endings[done.ended[0]] == (2, "merged")
    assert [one.template for one in await rows(life, MessageRow)].count("test/two") == 1


async def test_a_message_that_the_other_got_before_is_passed_over_and_told(life: Life) -> None:
    await life.lead(ANN)
    await life.happens("asked", to=ANN)
    await life.passes(days=4)  # Ann has both letters
    await life.lead(BOB)
    await life.happens("asked", to=BOB)
    await life.lead("cid@example.com")

    await merged(life, "cid@example.com", BOB)
    await merged(life, "cid@example.com", ANN)
    await life.passes(days=9)

    assert [one.template for one in await rows(life, MessageRow) if one.status == "accepted"].count("test/two") == 1


async def test_the_journey_that_goes_on_does_not_send_what_the_other_lead_got(life: Life) -> None:
    await life.lead(ANN, {"news": True})
    await life.happens("asked", to=ANN)
    await life.passes(minutes=5)
    await life.lead(BOB, {"news": True})
    await life.happens("asked", to=BOB)
    await life.clicks("test/one", to=BOB)  # the later one is ahead

    await merged(life)
    await life.passes(days=9)

    told = {(one.template, one.status, one.reason) for one in await rows(life, MessageRow)}
    assert told == {
        ("test/one", "accepted", ""),
        ("test/two", "accepted", ""),
        ("test/two", "suppressed", "it was sent before the lead was merged"),
    }


async def test_what_a_campaign_repeats_itself_is_sent_again(life: Life) -> None:
    await life.lead(ANN)
    await life.happens("rang", to=ANN)
    await life.passes(days=2)  # it has ended
    await life.lead(BOB)
    await merged(life)

    await life.happens("rang", to=BOB)

    assert [one.status for one in await rows(life, MessageRow)] == ["accepted"] * 2


async def test_journeys_for_different_appointments_all_go_on(life: Life) -> None:
    for email, visit in ((ANN, "v1"), (BOB, "v2")):
        await life.lead(email)
        await life.happens("booked", to=email, visit=visit)

    done = await merged(life)

    assert done.ended == ()
    assert [one.status for one in await rows(life, JourneyRow)] == ["active"] * 2
    assert len(life.postbox.mails) == 2


@pytest.mark.parametrize("before", [("lead-00000", "lead-00001"), ("lead-00001", "lead-00000")])
async def test_a_mailing_reaches_the_two_of_them_once(life: Life, before: tuple[str, str]) -> None:
    keep, gone = before
    await settle(life.store, [a_lead(n, life.now) for n in range(3)], life.now)
    put_off: list[str] = []

    async def busy_once(envelope: Envelope) -> None:
        if envelope.recipient == "lead-0@example.com" and not put_off:
            put_off.append(envelope.recipient)
            raise ProviderUnavailable("busy", code="451")

    life.postbox.on_send = busy_once
    await ordered(life.store, life.now, "mailing", mailing=NEWS)
    await life.settle()

    await merged(life, keep, gone)
    await life.passes(hours=1)

    reached = {mail.recipient for mail in life.postbox.mails}
    assert len(life.postbox.mails) == len(reached) == 2
    assert "lead-2@example.com" in reached


# --- refusals ---


async def test_what_cannot_be_merged_is_told_with_the_reason(life: Life) -> None:
    ann, bob = await life.lead(ANN), await life.lead(BOB)
    with pytest.raises(BadInput, match="one lead already"):
        await merged(life, ANN, ann)
    with pytest.raises(NotFound, match="gone: no lead goes by 'nobody'"):
        await merged(life, ANN, "nobody")

    await merged(life)

    with pytest.raises(BadInput, match="one lead already"):
        await merged(life, bob, ann)


async def test_a_rehearsal_tells_all_and_changes_nothing(life: Life) -> None:
    await life.lead(ANN)
    bob = await life.lead(BOB, city="Kiel")
    await life.happens("asked", to=BOB)

    told = await merged(life, rehearse=True)

    assert told.changed[:1] == ("lead.city",)
    assert len(told.journeys) == 1
    assert {one.lead_id for one in await rows(life, JourneyRow)} == {bob}
    assert len(await rows(life, LeadRow)) == 2
    assert await rows(life, MergeRow) == []
    done = await merged(life)
    assert done == told


async def test_the_story_tells_of_the_merge(life: Life) -> None:
    await life.lead(ANN)
    bob = await life.lead(BOB)
    await life.happens("asked", to=BOB)
    await merged(life)

    async with life.store.read() as session:
        (told,) = (await story_of(session, bob, life.now)).merged

    assert (told.gone_id, told.by, told.known_by, told.journeys) == (bob, "ops", (BOB,), 1)


# --- all tables ---


def test_every_column_that_names_a_lead_is_one_that_is_moved() -> None:
    named = {
        (table(model).name, column.name)
        for model in PERSONAL
        for column in table(model).columns
        if any(one.column is table(LeadRow).c.id for one in column.foreign_keys)
    }

    by_two = {(name, column) for name in ("recommendations", "rewards") for column in ("friend_id", "referrer_id")}
    assert named <= {(table(model).name, "lead_id") for model in moving()} | by_two


def test_every_table_that_holds_a_thing_of_a_lead_once_has_a_rule_of_its_own() -> None:
    once = set()
    for model in PERSONAL:
        keys = [
            one.columns for one in table(model).constraints if isinstance(one, UniqueConstraint | PrimaryKeyConstraint)
        ]
        keys += [one.columns for one in table(model).indexes if one.unique]
        once |= {table(model).name for key in keys if {"lead_id", "friend_id", "referrer_id"} & set(key.keys())}

    assert once == {
        "journeys", "score_changes", "crossings", "refusals", "met_conditions", "needs", "visitors", "fading_scores",
        "shadows", "recommendations", "rewards", "experiment_entries",
    }  # fmt: skip


# --- deals, needs, arrivals ---


async def test_orders_of_both_are_those_of_one_customer(life: Life) -> None:
    ann = await life.lead(ANN)
    await life.lead(BOB)
    await life.orders("paid", to=ANN, number="1")
    await life.orders("paid", to=BOB, number="2", lines=[{"product": "kit"}])

    done = await merged(life, BOB, ANN)

    row = await only_lead(life)
    assert {one.lead_id for one in await rows(life, OrderRow)} == {row.id}
    assert (row.profile["customer"], row.profile["orders"]["count"], row.profile["orders"]["total"]) == (
        True,
        2,
        {"EUR": 240.0},
    )
    assert "lead.orders" in done.changed
    assert {(one.lead_id, one.to_stage) for one in await rows(life, StageChangeRow)} == {(row.id, "buy")}
    await life.orders("refunded", to=BOB, number="1")
    assert (await only_lead(life)).profile["orders"]["count"] == 1
    assert done.gone == ann


async def test_of_a_need_of_both_what_was_said_last_holds_but_nothing_presumed_against_it(life: Life) -> None:
    await life.lead(ANN)
    await life.lead(BOB)
    said = [
        (ANN, Need(product="kit", readiness=40)),
        (BOB, Need(product="kit", kind="presumed", readiness=70)),
        (BOB, Need(product="book", readiness=20)),
        (ANN, Need(product="book", readiness=90, status="met")),
    ]
    for email, need in said:
        life.now += timedelta(hours=1)
        await life.intake.accept([Internal(lead={"email": email}, needs=(need,))], life.now)

    await merged(life)

    needs = {one.product: (one.kind, one.readiness, one.status) for one in await rows(life, NeedRow)}
    assert needs == {"kit": ("explicit", 70, "open"), "book": ("explicit", 90, "met")}
    assert (await only_lead(life)).profile["needs"] == {"kit": 70}


@pytest.mark.parametrize(
    ("status", "after", "why"),
    [
        ("granted", "voided", "who recommends and the friend turned out to be one person"),
        ("paid", "paid", "who recommends and the friend turned out to be one person after it was paid out"),
    ],
)
async def test_nobody_is_owed_for_bringing_itself(life: Life, status: str, after: str, why: str) -> None:
    ann, bob = await life.lead(ANN), await life.lead(BOB)
    async with life.store.write() as session:
        session.add(_brought(ann, bob, life.now))
        session.add(_owed(ann, bob, life.now, status))

    await merged(life)

    (brought,), (owed,) = await rows(life, RecommendationRow), await rows(life, RewardRow)
    assert (brought.friend_id, brought.referrer_id, brought.attributed) == (ann, ann, False)
    assert (owed.friend_id, owed.referrer_id, owed.status, owed.reason) == (ann, ann, after, why)


async def test_a_friend_that_was_two_is_brought_by_the_first_and_rewarded_once(life: Life) -> None:
    ann, bob = await life.lead(ANN), await life.lead(BOB)
    cid, dan = await life.lead("cid@example.com"), await life.lead("dan@example.com")
    later = life.now + timedelta(hours=1)
    async with life.store.write() as session:
        for one in (_brought(cid, ann, later), _brought(cid, bob, life.now), _brought(dan, ann, later)):
            session.add(one)
        session.add(_owed(cid, ann, life.now, "granted"))
        session.add(_owed(cid, bob, later, "paid"))

    await merged(life)

    brought = {one.referrer_id: (one.friend_id, one.attributed) for one in await rows(life, RecommendationRow)}
    assert brought == {cid: (ann, True), dan: (ann, False)}
    assert [(one.friend_id, one.status, one.grants) for one in await rows(life, RewardRow)] == [(ann, "paid", 2)]


async def test_the_one_who_brought_it_first_is_rewarded_though_another_was_promised_it_in_vain(
    store: Store, now: datetime
) -> None:
    gift = Reward(key="gift", when=on("order_paid"), amount="10.00", currency="EUR")
    async with Life(store, now, rewards=[gift]) as life:
        ann, bob = await life.lead(ANN), await life.lead(BOB)
        cid, dan = await life.lead("cid@example.com"), await life.lead("dan@example.com")
        async with life.store.write() as session:
            for row in (_brought(cid, bob, now), _brought(dan, ann, now + timedelta(hours=1))):
                session.add(row)
            session.add(_owed(dan, ann, now, "voided"))

        await merged(life)
        await life.orders("paid")

        owed = {one.referrer_id: (one.friend_id, one.status) for one in await rows(life, RewardRow)}
        assert owed == {cid: (ann, "granted"), dan: (ann, "voided")}


def _brought(referrer: str, friend: str, at: datetime) -> RecommendationRow:
    return RecommendationRow(friend_id=friend, referrer_id=referrer, code="c0de", attributed=True, at=at)


def _owed(referrer: str, friend: str, at: datetime, status: str) -> RewardRow:
    return RewardRow(reward="gift", cause="order", status=status, granted_at=at, friend_id=friend, referrer_id=referrer)


async def test_how_both_came_and_when_they_were_here_is_of_the_kept_lead(life: Life) -> None:
    await life.lead(BOB)
    for email, channel in ((BOB, "telegram"), (ANN, "vk"), (BOB, "dzen")):
        life.now += timedelta(hours=1)
        came = {"lead": {"email": email}, "context": {"arrival": {"channel": channel}}}
        await life.intake.accept([Incoming(name="visit", **came)], life.now)  # type: ignore[arg-type]  # read by pydantic

    await merged(life)

    row = await only_lead(life)
    assert (row.profile["first_touch"]["channel"], row.profile["last_touch"]["channel"]) == ("telegram", "dzen")
    assert {one.lead_id for one in await rows(life, ArrivalRow)} == {row.id}
    assert [(one.lead_id, one.sessions) for one in await rows(life, VisitorRow)] == [(row.id, 3)]


async def test_a_hand_off_of_the_lead_that_is_gone_is_answered_as_before(life: Life) -> None:
    await life.lead(ANN)
    await life.lead(BOB, company={"turnover": 2_000_000})
    await life.happens("request_sent", to=BOB)

    done = await merged(life)

    (handed,) = await rows(life, HandOffRow)
    assert (handed.lead_id, handed.status) == (done.kept, "open")
    async with life.store.write() as session:
        _, lead = await hand_offs.locked(session, handed.id)
    assert lead.id == done.kept


# --- at once ---


async def test_two_merges_of_the_same_leads_at_once_make_one(life: Life) -> None:
    ann, bob = await life.lead(ANN), await life.lead(BOB)
    several = [Store(str(life.store.url)) for _ in range(4)]
    recorder = Recorder(life.walkers.equipment.catalogue, life.settings)
    both_ways = [(ann, bob), (bob, ann)] * 2

    done = await asyncio.gather(
        *(
            merge(store, recorder, *pair, by="ops", now=life.now)
            for store, pair in zip(several, both_ways, strict=True)
        ),
        return_exceptions=True,
    )

    assert sorted(type(one).__name__ for one in done) == ["BadInput"] * 3 + ["Merged"]
    assert len(await rows(life, LeadRow)) == len(await rows(life, MergeRow)) == 1
    for store in several:
        await store.close()


async def test_events_that_come_in_while_leads_are_merged_all_belong_to_the_one_that_is_kept(life: Life) -> None:
    people = [f"lead{n}@example.com" for n in range(6)]
    ids = [await life.lead(one) for one in people]
    recorder = Recorder(life.walkers.equipment.catalogue, life.settings)
    other = Store(str(life.store.url))

    async def come_in(n: int) -> None:
        by_turns = {"id": ids[n % 6]} if n % 2 else {"email": people[n % 6]}
        [result] = await life.intake.accept(
            [Incoming(id=f"e{n}", name="price_list_downloaded", lead=by_turns)], life.now
        )
        assert result.error is None, result.error

    async def merging() -> None:
        for one in ids[1:]:
            await merge(other, recorder, ids[0], one, by="ops", now=life.now)

    await asyncio.gather(merging(), *(come_in(n) for n in range(60)))
    await life.settle()

    row = await only_lead(life)
    assert row.id == ids[0]
    assert row.scores == {"interest": 600}
    assert {one.lead_id for model in (EventRow, ScoreChangeRow) for one in await rows(life, model)} == {ids[0]}
    assert await rows(life, OutboxRow) == []
    await other.close()


async def test_a_merge_while_a_message_is_handed_over_loses_nothing(life: Life) -> None:
    await life.lead(ANN)
    await life.lead(BOB)
    merging = partial(merge, life.store, life.intake.recorder, ANN, BOB, by="ops", now=life.now)

    async def in_the_middle(_: object) -> None:
        life.postbox.on_send = None
        await merging()

    life.postbox.on_send = in_the_middle
    await life.happens("asked", to=BOB)
    await life.passes(minutes=5)

    kept = (await only_lead(life)).id
    assert [(one.status, one.lead_id) for one in await rows(life, MessageRow)] == [("accepted", kept)]
    assert [one.lead_id for one in await rows(life, EventRow) if one.name == "message_sent"] == [kept]
    assert {one.status for one in await rows(life, JourneyRow)} == {"active"}


class Watched(Store):
    """A store where something happens just after a message was claimed."""

    deed: Callable[[], Awaitable[Any]] | None = None

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Session]:
        async with super().write() as session:
            yield session
            claimed = await session.exec(select(MessageRow).where(MessageRow.status == "claimed"))
            deed = self.deed if claimed.first() is not None else None
        if deed is not None:
            self.deed = None
            await deed()


@pytest.fixture
async def watched(database_url: str, now: datetime) -> AsyncIterator[Life]:
    store = Watched(database_url)
    async with Life(store, now, rules=RULES) as life:
        await life.publish(ROAD)
        yield life
    await store.close()


def about_to_merge(life: Life) -> None:
    assert isinstance(life.store, Watched)
    life.store.deed = partial(merge, life.store, life.intake.recorder, ANN, BOB, by="ops", now=life.now)


async def test_a_message_to_the_lead_that_is_gone_is_looked_at_again_before_it_is_handed_over(watched: Life) -> None:
    await watched.lead(ANN)
    await watched.happens("asked", to=ANN)
    await watched.passes(minutes=5)
    await watched.lead(BOB)

    about_to_merge(watched)
    await watched.happens("asked", to=BOB)
    await watched.passes(minutes=5)

    assert [mail.recipient for mail in watched.postbox.mails] == [ANN]
    found = {(one.status, one.reason) for one in await rows(watched, MessageRow)}
    assert found == {("accepted", ""), ("cancelled", "the journey went another way")}
    assert {one.ending for one in await rows(watched, JourneyRow)} == {None, "merged"}


async def test_a_message_to_the_kept_lead_is_looked_at_again_before_it_is_handed_over(watched: Life) -> None:
    await watched.lead(BOB)
    await watched.happens("asked", to=BOB)
    await watched.passes(days=40)  # Bob has both letters, and his journey has ended
    await watched.lead(ANN)

    about_to_merge(watched)
    await watched.happens("asked", to=ANN)
    (going_on,) = [one.id for one in await rows(watched, JourneyRow) if one.status != "ended"]
    await watched.passes(minutes=5)
    await watched.walkers.go_on(going_on)

    assert [mail.recipient for mail in watched.postbox.mails] == [BOB, BOB]
    told = [(one.status, one.reason) for one in await rows(watched, MessageRow) if one.journey_id == going_on]
    assert told == [("suppressed", "it was sent before the lead was merged")]


class Overtaken(Store):
    """A store where something happens just before it is read the next time."""

    deed: Callable[[], Awaitable[Any]] | None = None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Session]:
        deed, self.deed = self.deed, None
        if deed is not None:
            await deed()
        async with super().read() as session:
            yield session


async def test_what_a_dispatcher_has_in_its_hands_is_heard_by_the_journeys_that_went_to_the_kept_lead(
    database_url: str, now: datetime
) -> None:
    store = Overtaken(database_url)
    other = Store(database_url)
    scene = Scene(store, now)
    waits = Campaign("waits", enters=[on("asked")], states=[State("one", [wait_for(on("rang"), up_to=days(9)), done])])
    await scene.publish(waits.model_copy(update={"always": (on("rang", to="one"),)}))
    for one in ("ann", "bob"):
        await scene.lead(one)
    await scene.happens("asked", to="bob")
    await scene.dispatch()

    await scene.happens("rang", to="bob")
    store.deed = partial(merge, other, Recorder(Catalogue(), Settings()), "ann", "bob", by="ops", now=now)
    await scene.dispatch()

    assert [heard.event for _, heard in scene.engine.heard] == ["rang-2"]
    assert [row.lead_id for row in await scene.journeys()] == ["ann"]
    await store.close()
    await other.close()
