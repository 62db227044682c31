"""Hand-offs in the store: fairly assigned, pressed, answered once; on each database in turn."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import select

from nurture import Salesperson, Team, by_load, by_territory, lead, minutes
from nurture.errors import BadInput, ProviderUnavailable, Refused
from nurture.sales import Said, a_reason
from nurture.store import Store, hand_offs
from nurture.store.hand_off_tables import HandOffDeedRow
from nurture.store.models import EventRow, HandOffRow, MessageRow, RequestRow
from tests.integration.desk import SALES, Desk
from tests.integration.hook import Hook

YES, NO = Said("accepted", by="ann", via="cli"), Said("rejected", "no budget", "bob", "cli")
REAL = Path(__file__).parents[2] / "templates"
BUSY = ProviderUnavailable("busy", code="451")


@pytest.fixture
async def desk(store: Store, now: datetime) -> Desk:
    return await Desk(store, now).opens()


def people(*keys: str, **given: Any) -> Team:
    who = tuple(Salesperson(key=key, name=key, email=f"{key}@sales.example") for key in keys)
    return SALES.model_copy(update={"people": who, **given})


# --- who gets it ---


async def test_a_hand_off_is_somebodys_at_once_who_is_told_with_the_reason_kept(desk: Desk) -> None:
    row = await desk.handed_over()

    assert (row.status, row.team, row.assigned_to, row.because) == ("open", "sales", "ann", "by turn")
    assert [mail.recipient for mail in desk.life.postbox.mails] == ["ann@sales.example"]
    assert row.due_at == desk.now + minutes(15)
    assert row.definition_version != ""


async def test_of_many_leads_at_once_everybody_gets_the_same(store: Store, now: datetime) -> None:
    desk = await Desk(store, now, people("ann", "bob", "cy")).opens()
    for n in range(30):
        await desk.life.lead(f"lead-{n}@example.com")
    dispatchers = [desk.life.dispatcher.run_once(now) for _ in range(2)]
    await asyncio.gather(*(desk.life.happens("asked", to=f"lead-{n}@example.com") for n in range(30)), *dispatchers)
    await desk.life.passes(minutes=1)

    async with store.read() as session:
        got = Counter((await session.exec(select(HandOffRow.assigned_to))).all())
    assert got == {"ann": 10, "bob": 10, "cy": 10}


async def test_turns_taken_at_the_same_time_are_never_the_same_turn(store: Store, now: datetime) -> None:
    desk = await Desk(store, now, people("ann", "bob")).opens()
    rows = [await desk.handed_over(f"lead-{n}@example.com") for n in range(6)]

    async def again(row: HandOffRow) -> str:
        async with store.write() as session:
            held, _ = await hand_offs.locked(session, row.id)
            team = people("ann", "bob", "cy", "dan", "eve", "fay", "gus", "hal")
            return (await hand_offs.given(session, held, team, None, now.date(), now)).person

    assert sorted(await asyncio.gather(*map(again, rows))) == ["cy", "dan", "eve", "fay", "gus", "hal"]


async def test_by_load_an_answer_makes_room(store: Store, now: datetime) -> None:
    desk = await Desk(store, now, people("ann", "bob", assign=by_load())).opens()
    first, second = await desk.handed_over("a@example.com"), await desk.handed_over("b@example.com")
    await desk.says(second.id, YES)
    third = await desk.handed_over("c@example.com")

    assert [row.assigned_to for row in (first, second, third)] == ["ann", "bob", "bob"]
    assert third.because == "has the fewest open: 0"


async def test_a_territory_is_read_off_the_lead(store: Store, now: datetime) -> None:
    ann, bob = SALES.people
    split = (ann.model_copy(update={"territory": ("DE",)}), bob)
    team = SALES.model_copy(update={"people": split, "assign": by_territory(lead.country)})
    desk = await Desk(store, now, team).opens()

    assert (await desk.handed_over("a@example.com", country="DE")).because == "covers DE"
    assert (await desk.handed_over("b@example.com", country="FR")).assigned_to == "bob"


async def test_where_nobody_is_free_the_lead_of_the_team_is_told(store: Store, now: datetime) -> None:
    away = tuple(one.model_copy(update={"away": ((now.date(), now.date()),)}) for one in SALES.people)
    desk = await Desk(store, now, SALES.model_copy(update={"people": away})).opens()
    row = await desk.handed_over()

    assert (row.assigned_to, row.because) == ("", "nobody is free; Ann Able is away; Bob Best is away")
    assert [mail.recipient for mail in desk.life.postbox.mails] == ["boss@sales.example"]


# --- the clock ---


async def test_nobody_answers_and_everybody_hears_of_it_once(desk: Desk) -> None:
    row = await desk.handed_over()
    await desk.life.passes(hours=4)

    assert [(one.deed, one.person) for one in await desk.deeds(row.id)] == [
        ("assigned", "ann"), ("reminded", "ann"), ("escalated", ""), ("reassigned", "bob"), ("reminded", "bob"),
        ("escalated", ""), ("recycled", ""),
    ]  # fmt: skip
    assert [len(desk.mails(f"{who}@sales.example")) for who in ("ann", "bob", "boss")] == [2, 2, 3]
    assert await desk.ending(row) == "left: back in nurture"
    assert len({mail.message_id for mail in desk.life.postbox.mails}) == 7


async def test_each_is_written_to_in_their_own_language_and_no_mail_has_the_leads_unsubscribe(
    store: Store, now: datetime
) -> None:
    desk = await Desk(store, now, templates=REAL).opens()
    await desk.handed_over()
    await desk.life.passes(hours=2, minutes=1)

    [mail] = desk.mails("bob@sales.example")
    assert mail.language == "ru"
    assert all("List-Unsubscribe" not in one.headers for one in desk.life.postbox.mails)
    assert all("/u/" not in one.text + one.html for one in desk.life.postbox.mails)


async def test_a_mail_that_could_not_go_starts_no_clock_and_goes_once(desk: Desk) -> None:
    desk.life.postbox.troubles = [BUSY] * 3
    row = await desk.handed_over()
    assert (row.told_at, desk.life.postbox.mails) == (None, [])
    await desk.life.passes(minutes=40)
    for _ in range(10):
        await desk.life.passes(minutes=5)

    row = await desk.row(row.id)
    assert row.first_told_at is not None
    assert len(desk.mails("ann@sales.example")) >= 1
    assert len({mail.message_id for mail in desk.life.postbox.mails}) == len(desk.life.postbox.mails)


async def test_a_mail_cut_off_at_its_hand_over_is_found_out_though_sales_has_answered_by_it(desk: Desk) -> None:
    row = await desk.handed_over()
    async with desk.store.write() as session:  # as a worker leaves it that is killed before it can note the reply
        await session.exec(update(MessageRow).values(status="committing", claimed_until=desk.now))
        await session.exec(update(HandOffDeedRow).values(told_at=None))
    await desk.says(row.id, YES)
    await desk.life.passes(minutes=2)

    async with desk.store.read() as session:
        assert (await session.exec(select(MessageRow.status))).all() == ["accepted"]
    assert len(desk.life.postbox.mails) == 1


async def test_a_crm_in_trouble_holds_up_nobody_and_is_called_once_it_answers(store: Store, now: datetime) -> None:
    async with Hook().open() as crm:
        desk = await Desk(store, now, sales_webhook=crm.url()).opens()
        crm.answers = ["503 Service Unavailable"] * 3
        row = await desk.handed_over()
        await desk.life.passes(minutes=20)
        taken = [one.deed for one in await desk.deeds(row.id)]
        await desk.life.walkers.equipment.webhooks.close()

    assert taken == ["assigned", "reminded"]
    assert len({post.headers["webhook-id"] for post in crm.took}) == 1
    async with store.read() as session:
        assert {one.status for one in (await session.exec(select(RequestRow))).all()} == {"done"}


async def test_what_a_journey_has_pending_for_sales_survives_its_end(desk: Desk) -> None:
    desk.life.postbox.troubles = [BUSY]
    row = await desk.handed_over()
    await desk.says(row.id, YES)
    await desk.life.passes(minutes=1)

    async with desk.store.read() as session:
        messages = (await session.exec(select(MessageRow))).all()
    assert (await desk.ending(row), {one.topic for one in messages}) == ("left: with sales", {"hand-off"})
    assert "cancelled" not in {one.status for one in messages}


async def test_given_to_somebody_by_hand_they_are_told_and_their_time_begins(desk: Desk) -> None:
    row = await desk.handed_over()
    await desk.life.passes(minutes=10)
    async with desk.store.write() as session:
        held, _ = await hand_offs.locked(session, row.id)
        await hand_offs.put_with(session, held, "bob", "by hand", desk.now)
    await desk.life.settle()

    row = await desk.row(row.id)
    assert (row.assigned_to, row.because, row.due_at) == ("bob", "by hand", desk.now + minutes(15))
    assert len(desk.mails("bob@sales.example")) == 1


# --- the answer ---


@pytest.mark.parametrize(("said", "ending"), [(YES, "with sales"), (NO, "rejected")])
async def test_an_answer_is_an_event_that_the_journey_hears_at_once(desk: Desk, said: Said, ending: str) -> None:
    row = await desk.handed_over()
    await desk.life.passes(minutes=5)
    assert await desk.says(row.id, said)
    await desk.life.settle()

    assert await desk.ending(row) == f"left: {ending}"
    async with desk.store.read() as session:
        event = await session.get_one(EventRow, f"sales/{row.id}")
    assert (event.name, event.properties["reason"]) == (f"sales_{said.answer}", said.reason)
    row = await desk.row(row.id)
    assert (round(row.answered_after or 0, -1), round(row.worked or 0, -1), row.due_at) == (300, 300, None)
    assert desk.life.walkers.ticking[row.id].ending == said.answer


async def test_of_two_answers_at_once_one_holds_and_the_other_is_told_so(desk: Desk) -> None:
    for n in range(8):
        row = await desk.handed_over(f"lead-{n}@example.com")
        first, second = await desk.together(desk.says(row.id, YES), desk.says(row.id, NO))

        assert sorted(type(one).__name__ for one in (first, second)) == ["Refused", "bool"]
        winner = YES if first is True else NO
        row = await desk.row(row.id)
        assert (row.status, row.answered_by) == (winner.answer, winner.by)
        answers = [one.deed for one in await desk.deeds(row.id) if one.deed in ("accepted", "rejected")]
        assert answers == [winner.answer]


async def test_an_answer_and_the_end_of_patience_at_once_leave_one_event(desk: Desk) -> None:
    row = await desk.handed_over()
    await desk.life.passes(hours=2, minutes=59)
    desk.life.now += minutes(2)
    await desk.together(desk.says(row.id, YES), desk.life.walkers.wind(row.id))
    await desk.life.settle()

    row = await desk.row(row.id)
    async with desk.store.read() as session:
        names = set((await session.exec(select(EventRow.name).where(EventRow.lead_id == row.lead_id))).all())
    assert row.status == "accepted"
    assert "sales_accepted" in names


async def test_the_same_answer_again_changes_nothing(desk: Desk) -> None:
    row = await desk.handed_over()
    await desk.says(row.id, YES)
    desk.life.now += timedelta(hours=1)

    assert not await desk.says(row.id, Said("accepted", by="bob"))
    assert (await desk.row(row.id)).answered_by == "ann"
    with pytest.raises(Refused, match=r"was accepted on 2026-11-23 10:00 UTC by ann"):
        await desk.says(row.id, NO)


async def test_sales_may_still_take_what_went_back_into_nurture(desk: Desk) -> None:
    row = await desk.handed_over()
    await desk.life.passes(hours=4)
    assert (await desk.row(row.id)).status == "recycled"

    assert await desk.says(row.id, YES)
    await desk.life.settle()
    assert (await desk.row(row.id)).status == "accepted"


def test_a_reason_is_one_of_the_teams_with_a_word_beside_it_or_without() -> None:
    known = ("no budget", "wrong person")
    assert [a_reason(one, known) for one in ("no budget", "no budget:  not\nnow")] == [
        "no budget",
        "no budget: not now",
    ]
    assert a_reason("whatever") == "whatever"
    with pytest.raises(BadInput, match="begin with one of these: no budget; wrong person"):
        a_reason("none", known)
