"""What comes in has one effect, whoever it comes with and however often."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import SQLModel, select

from nurture import catalogue
from nurture.conditions import event
from nurture.durations import days
from nurture.errors import BadInput, NotFound, Unavailable
from nurture.intake import Enrolment, Incoming, Intake, Internal, Result
from nurture.lead import lead
from nurture.scores import Score, Threshold, gives
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.consents import current_consents
from nurture.store.leads import get, look_up
from nurture.store.models import (
    ConsentRow,
    CrossingRow,
    DeadLetterRow,
    EventRow,
    IdentityRow,
    JourneyRow,
    LeadRow,
    MetConditionRow,
    OutboxRow,
    RefusalRow,
    ScoreChangeRow,
    VersionRow,
)
from nurture.triggers import on, when

INTEREST = Score(
    key="interest",
    rules=(
        gives(10, on("price_list_downloaded"), at_most=2),
        gives(5, on("page_viewed", page="/prices")),
        gives(1.1, on("page_viewed")),
        gives(-20, on("complained")),
        gives(30, when(lead.job_title.contains("director"))),
        gives(15, when(event("page_viewed").count() >= 3)),
    ),
    thresholds=(Threshold(key="warm", at=10), Threshold(key="hot", at=40, rearm=20)),
)
CATALOGUE = catalogue.Catalogue(scores={"interest": INTEREST})


@pytest.fixture
async def intake(store: Store) -> AsyncIterator[Intake]:
    intake = Intake(store, CATALOGUE, Settings())
    yield intake
    await intake.close()


def event_of(email: str | None = "ann@example.org", name: str = "page_viewed", **given: Any) -> Incoming:
    lead = {**({"email": email} if email else {}), **given.pop("lead", {})}
    return Incoming(name=name, lead=lead, **given)


async def rows(store: Store, model: type[SQLModel], order: str | None = None) -> Sequence[Any]:
    async with store.read() as session:
        asked = select(model)
        return (await session.exec(asked.order_by(order) if order else asked)).all()


async def lead_of(store: Store, lead_id: str | None) -> LeadRow:
    assert lead_id is not None
    async with store.read() as session:
        return await get(session, lead_id)


# --- one effect ---


async def test_an_event_is_stored_with_its_lead_and_announced(intake: Intake, store: Store, now: datetime) -> None:
    (result,) = await intake.accept([event_of(id="e1", lead={"country": "de"})], now)

    (row,) = await rows(store, OutboxRow)
    assert row.lead_id == result.lead_id
    assert row.body["event"] == "e1"
    assert {"event.page_viewed", "lead.country", "lead.email", "score.interest"} == set(row.body["keys"])
    assert (await lead_of(store, result.lead_id)).profile == {"email": "ann@example.org", "country": "DE"}


async def test_a_duplicate_has_one_effect_and_the_same_answer(intake: Intake, store: Store, now: datetime) -> None:
    first, twin = await intake.accept([event_of(id="e1"), event_of(id="e1")], now)
    (again,) = await intake.accept([event_of(id="e1", lead={"city": "Bonn"})], now + days(8))

    assert (first.lead_id, first.id) == (twin.lead_id, twin.id) == (again.lead_id, again.id)
    assert [first.duplicate, twin.duplicate, again.duplicate] == [False, True, True]
    assert len(await rows(store, EventRow)) == len(await rows(store, OutboxRow)) == 1
    assert (await lead_of(store, first.lead_id)).scores == {"interest": 1.1}


async def test_a_hundred_callers_at_once_share_transactions_and_each_gets_its_own_answer(
    intake: Intake, store: Store, now: datetime
) -> None:
    calls = [
        intake.accept([event_of(f"lead{n % 50 % 7}@example.org", "opened_app", id=f"e{n % 50}")], now)
        for n in range(100)
    ]

    answers = [result for (result,) in await asyncio.gather(*calls)]

    assert [answer.id for answer in answers] == [f"e{n % 50}" for n in range(100)]
    assert len(await rows(store, EventRow)) == 50
    assert len(await rows(store, LeadRow)) == 7


async def test_receipt_rises_strictly_for_each_lead(intake: Intake, store: Store, now: datetime) -> None:
    await intake.accept([event_of(name="opened_app") for _ in range(5)], now)
    await intake.accept(
        [event_of(name="opened_app", at=now - days(14))], now - timedelta(hours=1)
    )  # a clock that was put back

    received = [row.received for row in await rows(store, EventRow)]
    assert len(set(received)) == 6
    assert min(received) == now


async def test_several_webs_on_one_database_make_one_lead_and_one_event(store: Store, now: datetime) -> None:
    webs = [Intake(Store(str(store.url)), CATALOGUE, Settings()) for _ in range(4)]
    calls = [web.accept([event_of(f"lead{n}@example.org", id=f"e{n}")], now) for n in range(10) for web in webs]

    answers = await asyncio.gather(*calls)

    assert all(result.error is None for (result,) in answers)
    assert len(await rows(store, EventRow)) == len(await rows(store, LeadRow)) == 10
    assert {lead.scores["interest"] for lead in await rows(store, LeadRow)} == {1.1}
    for web in webs:
        await web.close()
        await web.store.close()


# --- bad input ---


@pytest.mark.parametrize(
    ("incoming", "field"),
    [
        (event_of("no address"), "lead.email"),
        (event_of(None), "lead"),
        (event_of(name="message_clicked"), "name"),
        (event_of(at="2026-11-25T10:00:00Z"), "at"),
        (event_of(at="1969-11-25T10:00:00Z"), "at"),
        (event_of(properties={"a": float("inf")}), "properties"),
        (event_of(properties={"a": "\ud800"}), "properties"),
        (event_of(properties={"a\0": 1}), "properties"),
        (event_of(properties={"a": "x" * 32_001}), "properties"),
        (event_of(properties={"a": 2**63}), "properties"),
        (event_of(properties={"a": [[[[[[[[1]]]]]]]]}), "properties"),
        (event_of(lead={"contry": "DE"}), "lead.contry"),
        (event_of(lead={"id": "nobody"}), None),
        (event_of(lead={"cookie": "a\nb"}), "lead.cookie"),
        (event_of(consents={"": True}), "consents"),
    ],
)
async def test_a_bad_item_is_refused_with_its_field_and_harms_no_neighbour(
    intake: Intake, store: Store, now: datetime, incoming: Incoming, field: str | None
) -> None:
    before, bad, after = await intake.accept([event_of(), incoming, event_of("bob@example.org")], now)

    assert (before.error, after.error) == (None, None)
    assert isinstance(bad.error, NotFound if field is None else BadInput)
    assert getattr(bad.error, "field", None) == field
    assert len(await rows(store, EventRow)) == 2


async def test_what_the_database_refuses_is_found_and_its_neighbours_are_stored(
    intake: Intake, store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = intake.recorder.record

    def picky(connection: Any, items: Any) -> list[Result]:
        if any(item.id == "poison" for item in items):
            raise RuntimeError("the database did not like it")
        return whole(connection, items)

    monkeypatch.setattr(intake.recorder, "record", picky)
    results = await intake.accept([event_of(id="a"), event_of(id="poison"), event_of(id="b")], now)

    assert [result.error is None for result in results] == [True, False, True]
    assert {row.id for row in await rows(store, EventRow)} == {"a", "b"}


async def test_an_outbox_that_is_full_refuses_all_and_takes_nothing(store: Store, now: datetime) -> None:
    intake = Intake(store, CATALOGUE, Settings(outbox_limit=3))
    await intake.accept([event_of(name="opened_app") for _ in range(3)], now)

    with pytest.raises(Unavailable):
        await intake.accept([event_of(id="late")], now)
    assert len(await rows(store, EventRow)) == 3
    await intake.close()


async def test_a_time_zone_that_is_none_is_left_out_with_a_warning(intake: Intake, store: Store, now: datetime) -> None:
    (result,) = await intake.accept([event_of(lead={"time_zone": "UTC2", "city": "Bonn"})], now)

    assert "UTC2" in result.warnings[0]
    assert (await lead_of(store, result.lead_id)).profile == {"email": "ann@example.org", "city": "Bonn"}


# --- who is who ---


async def test_anonymous_activity_belongs_to_the_person_it_turns_out_to_be(
    intake: Intake, store: Store, now: datetime
) -> None:
    (ann,) = await intake.accept([event_of()], now)
    (visitor,) = await intake.accept([event_of(None, lead={"cookie": "c1"})], now)
    assert visitor.lead_id != ann.lead_id

    await intake.accept([event_of(lead={"cookie": "c1"})], now)

    assert {row.lead_id for row in await rows(store, EventRow)} == {ann.lead_id}
    assert {row.lead_id for row in await rows(store, OutboxRow)} == {ann.lead_id}
    assert [lead.scores for lead in await rows(store, LeadRow)] == [{"interest": 18.3}]


async def test_all_rows_of_an_anonymous_visitor_go_to_the_lead_it_turns_out_to_be(
    intake: Intake, store: Store, now: datetime
) -> None:
    (ann,) = await intake.accept([event_of()], now)
    (visitor,) = await intake.accept([event_of(None, lead={"cookie": "c1"})], now)
    assert visitor.lead_id is not None
    about: dict[str, Any] = {"lead_id": visitor.lead_id, "campaign": "vips"}
    async with store.write() as session:
        session.add(RefusalRow(event="e1", reason="too soon", at=now, **about))
        session.add(MetConditionRow(condition="c", since=now, **about))
        session.add(DeadLetterRow(lead_id=visitor.lead_id, kind="enrol", reason="never worked", at=now))

    await intake.accept([event_of(lead={"cookie": "c1"})], now)

    found = [row for model in (RefusalRow, MetConditionRow, DeadLetterRow) for row in await rows(store, model)]
    assert [row.lead_id for row in found] == [ann.lead_id] * 3


async def test_both_anonymous_ids_of_a_person_are_attached_and_repeated_events_ignored(
    intake: Intake, store: Store, now: datetime
) -> None:
    def batch(cookie: str) -> list[Incoming]:
        return [
            event_of(None, id="v1", lead={"cookie": cookie}),
            event_of(
                None, name="identified", id="v2", lead={"cookie": cookie, "email": "ann@example.org", "city": "Bonn"}
            ),
            event_of(None, id="v3", lead={"cookie": cookie}),
        ]

    await intake.accept(batch("c1"), now)
    await intake.accept(batch("c2"), now)

    (ann,) = await rows(store, LeadRow)
    assert {(row.kind, row.value) for row in await rows(store, IdentityRow)} == {
        ("cookie", "c1"), ("cookie", "c2"), ("email", "ann@example.org")
    }  # fmt: skip
    assert len(await rows(store, EventRow)) == 3
    assert ann.profile["city"] == "Bonn"


async def test_a_visitor_already_on_a_journey_goes_on_as_the_lead_it_turns_out_to_be(
    intake: Intake, store: Store, now: datetime
) -> None:
    (ann,) = await intake.accept([event_of()], now)
    (visitor,) = await intake.accept([event_of(None, lead={"cookie": "c1"})], now)
    await enter(store, visitor.lead_id, now)

    await intake.accept([event_of(lead={"cookie": "c1"})], now)
    (later,) = await intake.accept([event_of(None, lead={"cookie": "c1"})], now)
    (by_old_id,) = await intake.accept([event_of(None, lead={"id": visitor.lead_id})], now)

    assert len(await rows(store, LeadRow)) == 1
    assert [row.lead_id for row in await rows(store, JourneyRow)] == [ann.lead_id]
    assert later.lead_id == by_old_id.lead_id == ann.lead_id


async def test_caps_hold_over_what_a_visitor_did_before_it_was_known(
    intake: Intake, store: Store, now: datetime
) -> None:
    name, known = "price_list_downloaded", {"job_title": "director"}
    (ann,) = await intake.accept([event_of(lead=known, name=name)], now)
    visits = [event_of(None, name, lead={"cookie": "c1", **known}), event_of(None, name, lead={"cookie": "c1"})]
    await intake.accept(visits, now)

    (again,) = await intake.accept([event_of(lead={"cookie": "c1"}, id="form", name="opened_app")], now)

    assert again.lead_id == ann.lead_id
    assert (await lead_of(store, ann.lead_id)).scores == {"interest": 50}
    assert sum(row.points for row in await rows(store, ScoreChangeRow)) == 50


async def test_a_threshold_that_fired_for_a_visitor_does_not_fire_again_for_the_lead_it_turns_out_to_be(
    intake: Intake, store: Store, now: datetime
) -> None:
    warm = event_of(None, "price_list_downloaded", lead={"cookie": "c1"})
    await intake.accept([event_of(name="price_list_downloaded"), warm], now)

    await intake.accept([event_of(lead={"cookie": "c1"}, name="opened_app")], now + days(1))

    fired = await rows(store, CrossingRow, "n")
    assert [(row.threshold, row.n, row.rearmed_at is None) for row in fired] == [("warm", 1, False), ("warm", 2, True)]


async def test_what_two_histories_make_true_together_counts_at_once(
    intake: Intake, store: Store, now: datetime
) -> None:
    (ann,) = await intake.accept([event_of()], now)
    await intake.accept([event_of(None, lead={"cookie": "c1"}) for _ in range(2)], now)

    await intake.accept([event_of(lead={"cookie": "c1"}, name="opened_app")], now)

    assert (await lead_of(store, ann.lead_id)).scores == {"interest": 18.3}


async def test_a_form_sent_twice_finds_its_visitor_known(intake: Intake, store: Store, now: datetime) -> None:
    form = event_of(id="form", name="opened_app")
    (ann,) = await intake.accept([form], now)
    await intake.accept([event_of(None, "price_list_downloaded", lead={"cookie": "c1"})], now)

    (again,) = await intake.accept([event_of(id="form", name="opened_app", lead={"cookie": "c1"})], now)

    assert again.duplicate
    assert (await lead_of(store, ann.lead_id)).scores == {"interest": 10}


async def test_the_no_of_a_visitor_holds_for_the_lead_it_turns_out_to_be(
    intake: Intake, store: Store, now: datetime
) -> None:
    (ann,) = await intake.accept([event_of(consents={"news": True, "ads": True})], now + days(1))
    await intake.accept([event_of(None, lead={"cookie": "c1"}, consents={"news": False, "ads": True})], now)

    await intake.accept([event_of(lead={"cookie": "c1"})], now + days(2))

    async with store.read() as session:
        assert await current_consents(session, str(ann.lead_id), datetime.now(UTC)) == {"news": False, "ads": True}
    assert [row.properties for row in await rows(store, EventRow) if row.name == "unsubscribed"][-1:] == [
        {"topic": "news"}
    ]


async def enter(store: Store, lead_id: str | None, now: datetime) -> None:
    async with store.write() as session:
        session.add(VersionRow(hash="h", campaign="c", number=1, body="{}", published_at=now))
        await session.flush()
        times = {"entered": now, "updated_at": now}
        session.add(JourneyRow(lead_id=lead_id, campaign="c", version="h", state="s", position={}, **times))  # type: ignore[arg-type]  # the rest are defaults


async def test_a_shared_computer_does_not_make_two_people_one(intake: Intake, store: Store, now: datetime) -> None:
    (ann,) = await intake.accept([event_of(lead={"cookie": "family"})], now)
    (bob,) = await intake.accept([event_of("bob@example.org", lead={"cookie": "family"})], now)
    (whoever,) = await intake.accept([event_of(None, lead={"cookie": "family"})], now)
    (cid,) = await intake.accept([event_of("cid@example.org", lead={"cookie": "family"})], now)

    assert len({ann.lead_id, bob.lead_id, cid.lead_id}) == 3
    assert whoever.lead_id == bob.lead_id


async def test_an_external_id_is_stronger_than_an_address_and_an_address_of_another_stays_there(
    intake: Intake, store: Store, now: datetime
) -> None:
    (ann,) = await intake.accept([event_of()], now)
    (crm,) = await intake.accept([event_of("ann2@example.org", lead={"external_id": 17})], now)
    (both,) = await intake.accept([event_of(lead={"external_id": "17"})], now)

    assert both.lead_id == crm.lead_id != ann.lead_id
    assert "merge" in both.warnings[0]
    assert (await lead_of(store, crm.lead_id)).email == "ann2@example.org"


async def test_addresses_differ_by_more_than_their_case(intake: Intake, store: Store, now: datetime) -> None:
    results = await intake.accept(
        [event_of(one) for one in ("Ann@Example.ORG", "ann@example.org", "ann+x@example.org")], now
    )

    assert results[0].lead_id == results[1].lead_id != results[2].lead_id


async def test_ids_of_several_systems_and_messengers_name_one_lead(intake: Intake, store: Store, now: datetime) -> None:
    (ann,) = await intake.accept([event_of(lead={"external_ids": {"crm": 17, "shop": "A9"}})], now)
    (shop,) = await intake.accept(
        [event_of(None, lead={"external_ids": {"shop": "A9"}, "messengers": {"telegram": "@Ann"}})], now
    )
    (chat,) = await intake.accept([event_of(None, lead={"messengers": {"telegram": "ann"}})], now)
    (other,) = await intake.accept([event_of(None, lead={"external_ids": {"crm": "A9"}})], now)

    assert ann.lead_id == shop.lead_id == chat.lead_id != other.lead_id
    async with store.read() as session:
        assert {(await look_up(session, name)).id for name in ("crm:17", "shop:A9", "telegram:@ANN")} == {ann.lead_id}


async def test_a_key_of_another_known_lead_is_a_conflict_that_names_its_field(
    intake: Intake, store: Store, now: datetime
) -> None:
    await intake.accept([event_of("bob@example.org", lead={"messengers": {"telegram": "bob"}}), event_of()], now)

    (ann,) = await intake.accept([event_of(lead={"external_id": "1", "messengers": {"telegram": "bob"}})], now)

    assert ann.warnings == ("lead.messengers.telegram: belongs to another lead and was left there; merge the two",)


async def test_of_fifty_requests_at_once_none_makes_a_second_lead_for_a_key(store: Store, now: datetime) -> None:
    ways: list[dict[str, Any]] = [
        {"email": "Ann@Example.org"}, {"email": "ann@example.org", "phone": "+49 30 1234567"},
        {"email": "ａｎｎ@example.org", "cookie": "c1"}, {"email": "ann@example.org", "external_ids": {"crm": 1}},
        {"external_ids": {"crm": "1"}, "email": "ANN@EXAMPLE.ORG"},
    ]  # fmt: skip
    webs = [Intake(Store(str(store.url)), CATALOGUE, Settings()) for _ in range(5)]
    calls = [webs[n // 10].accept([Incoming(name="opened_app", id=f"e{n}", lead=ways[n % 5])], now) for n in range(50)]

    answers = [result for (result,) in await asyncio.gather(*calls)]

    assert {answer.error for answer in answers} == {None}
    assert len({answer.lead_id for answer in answers}) == len(await rows(store, LeadRow)) == 1
    assert len(await rows(store, EventRow)) == 50
    for web in webs:
        await web.close()
        await web.store.close()


async def test_a_person_finds_a_lead_by_whatever_it_is_known_by(intake: Intake, store: Store, now: datetime) -> None:
    (ann,) = await intake.accept([event_of(lead={"external_id": "crm-1", "phone": "+49 30 1234567"})], now)

    async with store.read() as session:
        found = [
            await look_up(session, name) for name in (str(ann.lead_id), "ANN@example.org", "crm-1", "+49301234567")
        ]
        assert {lead.id for lead in found} == {ann.lead_id}
        with pytest.raises(NotFound):
            await look_up(session, "bob@example.org")


# --- the profile ---


async def test_what_is_left_out_stays_and_null_takes_away(intake: Intake, store: Store, now: datetime) -> None:
    await intake.accept([event_of(lead={"city": "Bonn", "company": {"name": "A", "size": 7}})], now)
    (result,) = await intake.accept([event_of(None, lead={"email": "ann@example.org", "company": {"size": None}})], now)

    profile = (await lead_of(store, result.lead_id)).profile
    assert profile == {"email": "ann@example.org", "city": "Bonn", "company": {"name": "A"}}


async def test_an_older_attribute_that_comes_later_does_not_win(intake: Intake, store: Store, now: datetime) -> None:
    await intake.accept([event_of(lead={"city": "Bonn"}, at=now - days(1))], now)
    (result,) = await intake.accept([event_of(lead={"city": "Berlin", "country": "DE"}, at=now - days(2))], now)

    assert (await lead_of(store, result.lead_id)).profile == {
        "email": "ann@example.org",
        "city": "Bonn",
        "country": "DE",
    }
    assert result.changed == ("lead.country",)


async def test_of_two_values_of_the_same_moment_the_greater_is_kept_whichever_comes_last(
    intake: Intake, store: Store, now: datetime
) -> None:
    for city in ("Bonn", "Kiel", "Aachen"):
        (result,) = await intake.accept(
            [Incoming(lead={"email": "ann@example.org", "city": city}, at=now)], now + days(1)
        )

    assert (await lead_of(store, result.lead_id)).profile["city"] == "Kiel"


async def test_news_without_an_event_announce_what_changed_and_nothing_else(
    intake: Intake, store: Store, now: datetime
) -> None:
    news = Incoming(lead={"email": "ann@example.org", "tags": ["vip"], "test": True})
    (first,) = await intake.accept([news], now)
    (second,) = await intake.accept([news], now)

    (row,) = await rows(store, OutboxRow)
    assert row.body == {"event": None, "name": None, "keys": ["lead.email", "lead.tags"]}
    assert (await lead_of(store, first.lead_id)).test
    assert second.changed == ()


# --- scores ---


async def test_points_are_given_by_rule_with_caps_and_every_change_is_explained(
    intake: Intake, store: Store, now: datetime
) -> None:
    downloads = [event_of(name="price_list_downloaded", id=f"d{n}") for n in range(3)]
    (result, *_) = await intake.accept([*downloads, event_of(properties={"page": "/prices"}, id="p")], now)

    rules = INTEREST.rules
    changes = [(row.rule, row.points, row.cause) for row in await rows(store, ScoreChangeRow, "id")]
    assert changes == [
        (rules[0].key, 10, "d0"),
        (rules[0].key, 10, "d1"),
        (rules[1].key, 5, "p"),
        (rules[2].key, 1.1, "p"),
    ]
    assert (await lead_of(store, result.lead_id)).scores == {"interest": 26.1}


async def test_a_threshold_fires_once_and_again_only_after_it_was_rearmed(
    intake: Intake, store: Store, now: datetime
) -> None:
    director, other = {"job_title": "Sales Director"}, {"job_title": "clerk"}
    await intake.accept([event_of(name="price_list_downloaded", lead=director)], now)
    await intake.accept([event_of() for _ in range(2)], now)
    await intake.accept([event_of(lead=other)], now)
    await intake.accept([event_of(lead=director)], now)
    await intake.accept([event_of(name="complained") for _ in range(3)], now)
    await intake.accept([event_of(name="bought") for _ in range(3)], now)

    crossings = [
        (row.threshold, row.n, row.points, row.rearmed_at is not None) for row in await rows(store, CrossingRow, "id")
    ]
    assert crossings == [("warm", 1, 40, True), ("hot", 1, 40, True)]
    reached = [row.properties for row in await rows(store, EventRow) if row.name == "score_reached"]
    assert {"score": "interest", "threshold": "hot", "points": 40} in reached
    assert len(reached) == 2
    announced = [row.body["keys"] for row in await rows(store, OutboxRow) if row.body["name"] == "score_reached"]
    assert announced == [["event.score_reached"]] * 2


async def test_what_a_machine_did_is_kept_and_counts_for_nothing(intake: Intake, store: Store, now: datetime) -> None:
    (result,) = await intake.accept([event_of(None, name="page_viewed", machine=True, lead={"cookie": "c"})], now)

    assert (await lead_of(store, result.lead_id)).scores == {}
    assert len(await rows(store, EventRow)) == 1
    assert await rows(store, OutboxRow) == []


STORIES = st.lists(
    st.tuples(
        st.sampled_from(["page_viewed", "price_list_downloaded", "complained", "other"]),
        st.sampled_from([{}, {"page": "/prices"}]),
        st.sampled_from([{}, {"job_title": "director"}, {"job_title": "clerk"}, {"job_title": None}]),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@given(story=STORIES, data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_neither_order_nor_repetition_changes_a_score(
    store: Store, now: datetime, story: list[Any], data: st.DataObject
) -> None:
    tag = data.draw(st.uuids()).hex
    told = [(n, *one) for n, one in enumerate(story)]
    retold = data.draw(st.permutations(told + told[: data.draw(st.integers(0, len(told)))]))
    size = data.draw(st.integers(1, 4))
    sums = []
    for email, order in ((f"a{tag}@example.org", told), (f"b{tag}@example.org", retold)):
        intake = Intake(store, CATALOGUE, Settings())
        items = [
            event_of(email, name, id=f"{email}-{n}", at=now + timedelta(minutes=n), properties=has, machine=machine,
                     lead=said)
            for n, name, has, said, machine in order
        ]  # fmt: skip
        for start in range(0, len(items), size):
            await intake.accept(items[start : start + size], now + timedelta(days=1, hours=start))
        await intake.close()
        async with store.read() as session:
            found = await look_up(session, email)
        changes = [row.points for row in await rows(store, ScoreChangeRow) if row.lead_id == found.id]
        assert round(sum(changes), 6) == found.scores.get("interest", 0)
        sums.append((found.scores.get("interest", 0), found.profile.get("job_title")))
    assert sums[0] == sums[1]


# --- consents and enrolment ---


async def test_a_refused_topic_is_noted_and_told_once(intake: Intake, store: Store, now: datetime) -> None:
    leaving = Internal(
        name="unsubscribed", lead={"email": "ann@example.org"}, properties={"message": "m1"}, consents={"news": False}
    )
    (first,) = await intake.accept([leaving], now)
    await intake.accept([leaving], now)

    events = [(row.name, row.properties) for row in await rows(store, EventRow)]
    assert events == [("unsubscribed", {"message": "m1", "topic": "news"})]
    assert len(await rows(store, ConsentRow)) == 1
    async with store.read() as session:
        assert await current_consents(session, str(first.lead_id), datetime.now(UTC)) == {"news": False}


async def test_an_unsubscribe_that_comes_before_the_signup_still_holds(
    intake: Intake, store: Store, now: datetime
) -> None:
    await intake.accept([event_of(name="left", consents={"news": False}, at=now - days(1))], now)
    (result,) = await intake.accept([event_of(name="signed_up", consents={"news": True}, at=now - days(2))], now)
    (_,) = await intake.accept([event_of(name="confused", consents={"news": True}, at=now - days(1))], now)

    async with store.read() as session:
        assert await current_consents(session, str(result.lead_id), datetime.now(UTC)) == {"news": False}


async def test_who_subscribes_again_is_heard(intake: Intake, store: Store, now: datetime) -> None:
    for granted in (True, False, True):
        (result,) = await intake.accept(
            [event_of(consents={"news": {"granted": granted, "text": "Yes, send me news"}})], now
        )

    async with store.read() as session:
        assert await current_consents(session, str(result.lead_id), datetime.now(UTC)) == {"news": True}
    assert {row.text for row in await rows(store, ConsentRow)} == {"Yes, send me news"}


async def test_an_enrolment_is_an_order_for_the_dispatcher(intake: Intake, store: Store, now: datetime) -> None:
    asked = Internal(lead={"email": "ann@example.org"}, enrol=Enrolment(campaign="price-list", key="7"))
    (result,) = await intake.accept([asked], now)

    _, order = await rows(store, OutboxRow, "id")
    assert order.kind == "enrol"
    assert order.body["campaign"] == "price-list"
    assert order.body["order"] == result.id
    assert order.lead_id == result.lead_id
