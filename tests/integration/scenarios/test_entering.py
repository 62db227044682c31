"""Who enters, how often and under which key, as users of other engines know it: by events, lists, dates and in races."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from nurture import Campaign, State, always, days, done, event, lead, on, on_audience, send, wait, wait_for, when
from nurture.campaign import DateEntry
from nurture.intake import Incoming
from nurture.store.models import JourneyRow, LeadRow, OutboxRow, RefusalRow
from nurture.sweeps import SWEEPS, run_sweep
from tests.integration.life import Life
from tests.integration.scenarios.telling import ANN, journeys_of, sent, stand
from tests.integration.scene import Scene, simple

HOUR = timedelta(hours=1)
BOB = "bob@example.com"


def greeting(**settings: Any) -> Campaign:
    """A message at once, and four days of rest."""
    return simple("greeting", steps=[send("test/one"), wait(days(4))], **settings)


def appointments(**heard: Any) -> Campaign:
    """One journey for each appointment: reminded after six days, unless it is cancelled by then."""
    first = wait(days(6)) if heard else wait_for(on("cancelled", key="id"), up_to=days(6), then="gone")
    remind = State("remind", [first, send("test/one"), wait(days(1)), done])
    gone = State("gone", [send("test/two")])
    return Campaign("appointments", [remind, gone], enters=[on("booked", key="id")], **heard)


REMINDED, GONE = "remind/1/1", "gone/0/1"


@pytest.mark.parametrize(
    "again",
    [
        pytest.param([{"id": 7}], id="D-01"),
        pytest.param([{"id": "7"}, {"id": 7.0}], id="D-05"),
        pytest.param([{"id": 7, "room": 2}], id="D-01 otherwise another one"),
    ],
)
async def test_the_same_appointment_however_often_it_is_told_is_one_journey(
    life: Life, again: Sequence[dict[str, Any]]
) -> None:
    await life.publish(appointments())
    await life.lead()
    await life.lead(BOB)
    await life.happens("booked", id=7)
    for properties in again:
        await life.happens("booked", **properties)
    await life.happens("booked", to=BOB, id=7)

    await life.passes(days=9)

    assert [row.key for row in await journeys_of(life)] == ["7", "7"]
    assert (sent(life), sent(life, BOB)) == ([REMINDED], [REMINDED])


@pytest.mark.parametrize(
    ("heard", "cancelled"),
    [
        pytest.param({}, 1, id="D-02 by a wait"),
        pytest.param({}, "2", id="D-02 the other one"),
        pytest.param({"exits": [on("cancelled", key="id", to="gone")]}, 1, id="D-02 by an exit"),
        pytest.param({"always": [on("cancelled", key="id", to="gone")]}, "2", id="D-02 at any time"),
    ],
)
async def test_of_two_appointments_one_is_cancelled(life: Life, heard: dict[str, Any], cancelled: object) -> None:
    await life.publish(appointments(**heard))
    await life.lead()
    for appointment in (1, 2):
        await life.happens("booked", id=appointment)

    await life.passes(days=3)
    assert life.postbox.mails == []
    await life.happens("cancelled", id=cancelled)
    await life.happens("cancelled", id=cancelled)
    await life.passes(days=9)

    keys = {row.id: row.key for row in await journeys_of(life)}
    got = {keys[mail.key.split("/")[0]]: mail.key.split("/", 1)[1] for mail in life.postbox.mails}
    assert (len(life.postbox.mails), got) == (2, {str(cancelled): GONE, "1" if cancelled == "2" else "2": REMINDED})


@pytest.mark.parametrize(
    ("reenters", "runs"), [pytest.param({"reenters": always}, 2, id="D-07"), pytest.param({}, 1, id="D-08")]
)
async def test_a_campaign_is_run_as_often_as_it_may_be(life: Life, reenters: dict[str, Any], runs: int) -> None:
    await life.publish(Campaign("short", [State("only", [send("test/one")])], enters=[on("asked")], **reenters))
    await life.lead()
    for _ in range(2):
        await life.happens("asked")
        await life.passes(hours=1)

    assert (sent(life), [row.run for row in await journeys_of(life)]) == (["only/0/1"] * runs, [*range(1, runs + 1)])


async def test_who_enters_again_while_a_timer_runs_is_refused_and_holds_up_nobody(life: Life) -> None:  # B-01
    states = [State("first", [wait(days(2)), send("test/one")])]
    await life.publish(Campaign("slow", states, enters=[on("asked")], reenters=always))
    await life.lead()
    await life.lead(BOB)
    await life.happens("asked")
    await life.passes(days=1)
    await life.happens("asked")
    await life.happens("asked", to=BOB)
    await life.passes(days=1, hours=1)
    assert (sent(life), sent(life, BOB)) == (["first/1/1"], [])

    await life.happens("asked")
    await life.passes(days=3)

    assert (sent(life), sent(life, BOB)) == (["first/1/1"] * 2, ["first/1/1"])
    async with life.store.read() as session:
        assert [row.reason for row in (await session.exec(select(RefusalRow))).all()] == ["already in it"]


# --- lists ---

LIST = Campaign(
    "listed",
    [State("first", [send("test/one"), wait(days(4)), send("test/two")])],
    enters=[on_audience("vip")],
    exits=[when(~lead.audiences.has("vip"))],
)


def on_list(email: str, how: str = "add", audience: str = "vip") -> Incoming:
    return Incoming(lead={"email": email, "audiences": {how: [audience]}}, consents={"news": True})


async def test_a_list_enters_its_leads_and_nobody_else_and_who_leaves_it_is_out(life: Life) -> None:  # P-10
    members, outsiders = [f"in-{at}@example.com" for at in range(8)], [f"out-{at}@example.com" for at in range(3)]
    before = [on_list("early@example.com")]
    await life.intake.accept(before, life.now)
    await life.settle()
    assert (await journeys_of(life), life.postbox.mails) == ([], [])  # a campaign not published enters nobody

    await life.publish(LIST)
    await life.intake.accept([*map(on_list, members), *(on_list(one, audience="other") for one in outsiders)], life.now)
    await life.settle()
    assert sorted(mail.recipient for mail in life.postbox.mails) == sorted(members)

    await life.intake.accept([on_list(members[0], "remove")], life.now)
    await life.settle()
    await life.passes(days=5)
    assert (sent(life, members[0]), len(life.postbox.mails)) == (["first/0/1"], 15)


async def test_timers_outlast_every_recount_of_a_list(life: Life) -> None:  # B-05
    await life.publish(Campaign("listed", LIST.states, enters=LIST.enters, reenters=always))
    await life.intake.accept([on_list(ANN)], life.now)
    await life.settle()
    [(until, _)] = [(row.until, row.id) for row in await journeys_of(life)]

    for how in ("remove", "add", "add", "remove", "add"):
        await life.passes(hours=6)
        await life.intake.accept([on_list(ANN, how)], life.now)
        await life.settle()

    assert [(row.status, row.until) for row in await journeys_of(life)] == [("active", until)]
    await life.passes(days=4)
    assert sent(life) == ["first/0/1", "first/2/1"]


# --- what came before, and what comes in disorder ---

DAY_OF_IT = DateEntry(field=("custom", "day"))

GERMAN_OR_HOT = (lead.country == "DE") | (lead.score("interest") >= 10)


@pytest.mark.parametrize(
    ("entry", "before", "after"),
    [
        pytest.param(on("asked"), {"event": "asked"}, {"event": "visit"}, id="B-10"),
        pytest.param(when(lead.country == "DE"), {"country": "DE"}, {"country": "DE"}, id="B-10 by the profile"),
        pytest.param(when(GERMAN_OR_HOT), {"country": "DE"}, {"event": "price_list_downloaded"}, id="B-10 by what else counts"),
        pytest.param(when(lead.score("interest") >= 10), {"event": "price_list_downloaded"},
                     {"event": "price_list_downloaded"}, id="B-10 by more points"),
        pytest.param(when(event("visit").count() >= 1), {"event": "visit"}, {"event": "visit"}, id="B-10 by once more"),
        pytest.param(on_audience("vip"), {"audiences": {"add": ["vip"]}}, {"audiences": {"add": ["other"]}}, id="B-10 by a list"),
        pytest.param(DAY_OF_IT, {"custom": {"day": "2026-11-22"}}, {"custom": {"day": "2026-11-22"}}, id="B-10 by a date"),
    ],
)  # fmt: skip
async def test_who_qualified_before_a_campaign_was_published_does_not_enter_afterwards(
    life: Life, entry: Any, before: dict[str, Any], after: dict[str, Any]
) -> None:
    await life.publish(greeting(enters=[when(lead.city == "Nowhere")]))  # an earlier version of it
    await _learns(life, **before)
    await life.publish(greeting(enters=[entry], reenters=always))

    await _learns(life, **after)
    await life.passes(days=2)

    assert await journeys_of(life) == []


async def test_who_comes_to_qualify_once_it_is_published_enters_and_so_does_who_does_so_again(life: Life) -> None:
    await life.lead(country="DE")
    await life.lead(BOB, country="FR")
    await life.publish(greeting(enters=[when(lead.country == "DE")]))  # B-10

    await life.lead(BOB, country="DE")
    assert [sent(life), sent(life, BOB)] == [[], ["first/0/1"]]

    await life.lead(country="FR")
    await life.lead(country="DE")
    assert sent(life) == ["first/0/1"]


async def test_publishing_again_loses_nobody_who_is_about_to_enter(life: Life) -> None:  # B-10
    await life.publish(greeting(enters=[when(lead.country == "DE")]))
    await life.intake.accept([Incoming(lead={"email": ANN, "country": "DE"}, consents={"news": True})], life.now)
    await life.publish(greeting(enters=[when(lead.country == "DE")], title="Hello!"))

    await life.settle()

    assert sent(life) == ["first/0/1"]


async def _learns(life: Life, event: str = "", **known: Any) -> None:
    await life.lead(**known)
    if event:
        await life.happens(event)


@pytest.mark.parametrize(
    ("told", "moved"),
    [
        pytest.param([("FR", 2), ("DE", 1)], False, id="D-17 the older one later"),
        pytest.param([("DE", 1), ("FR", 2)], True, id="D-17 in order"),
        pytest.param([("FR", 1), ("DE", 2)], True, id="D-17 in order, the other way"),
    ],
)
async def test_of_two_reports_the_one_that_is_older_changes_nothing(
    life: Life, told: Sequence[tuple[str, int]], moved: bool
) -> None:
    states = [State("first", [wait_for(when(lead.country == "DE"), up_to=days(3)), done])]
    await life.publish(Campaign("german", states, enters=[on("asked")]))
    await life.lead()
    await life.happens("asked")
    await life.passes(hours=5)

    for country, hour in told:
        at = life.now - (5 - hour) * HOUR
        await life.intake.accept([Incoming(lead={"email": ANN, "country": country}, at=at)], life.now)
        await life.settle()

    assert await stand(life) == [("ended", "done") if moved else ("active", None)]


async def test_an_event_told_twice_counts_once(life: Life) -> None:  # D-17
    states = [State("first", [wait_for(when(event("order").count() >= 2), up_to=days(3)), done])]
    await life.publish(Campaign("loyal", states, enters=[on("asked")]))
    await life.lead()
    await life.happens("asked")
    for name in ("o-1", "o-1", "o-1"):
        await life.intake.accept([Incoming(id=name, name="order", lead={"email": ANN})], life.now)
        await life.settle()
    assert await stand(life) == [("active", None)]

    await life.intake.accept([Incoming(id="o-2", name="order", lead={"email": ANN})], life.now)
    await life.settle()

    assert await stand(life) == [("ended", "done")]


async def test_what_a_machine_did_is_kept_and_enters_nobody(life: Life) -> None:  # D-16
    await life.publish(greeting(enters=[on("asked")]))
    await life.lead()

    await life.happens("asked", machine=True)

    assert (await journeys_of(life), life.postbox.mails) == ([], [])


# --- races ---

DATES = next(one for one in SWEEPS if one.name == "dates came")


async def sweeps(scene: Scene, times: int = 1) -> None:
    await asyncio.gather(*(run_sweep(DATES, scene.store, scene.settings, scene.now) for _ in range(times)))
    await scene.dispatch()


async def moves(scene: Scene, zone: str) -> None:
    async with scene.store.write() as session:
        (await session.get_one(LeadRow, "ann")).time_zone = zone
    await scene.changes(time_zone=zone)
    await scene.dispatch()


async def until(scene: Scene, moment: str) -> None:
    scene.now = datetime.fromisoformat(moment)
    await sweeps(scene)


async def _swept_often(scene: Scene) -> None:
    for hour in range(20, 24):
        await until(scene, f"2026-11-24T{hour}:00Z")
    for _ in range(3):
        await sweeps(scene, times=4)
    await until(scene, "2026-11-25T00:05Z")
    await sweeps(scene, times=4)


async def _moved_west(scene: Scene) -> None:
    await moves(scene, "Asia/Tokyo")
    await until(scene, "2026-11-24T16:00Z")  # it has come in Tokyo
    await moves(scene, "America/Los_Angeles")


async def _moved_east(scene: Scene) -> None:
    await moves(scene, "America/Los_Angeles")
    await until(scene, "2026-11-24T16:00Z")  # it has come in Tokyo
    await moves(scene, "Asia/Tokyo")


async def _to_and_fro(scene: Scene) -> None:
    await _moved_west(scene)
    await moves(scene, "Asia/Tokyo")
    await moves(scene, "Europe/Berlin")


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param(_swept_often, id="B-16"),
        pytest.param(_moved_west, id="B-16 moved west"),
        pytest.param(_moved_east, id="B-16 moved east"),
        pytest.param(_to_and_fro, id="B-16 moved to and fro"),
    ],
)
async def test_a_date_enters_its_lead_exactly_once(
    scene: Scene, meanwhile: Callable[[Scene], Coroutine[Any, Any, None]]
) -> None:
    await scene.publish(simple("day", enters=[DAY_OF_IT], reenters=always))
    await scene.lead(custom={"day": "2026-11-25"})
    await sweeps(scene)

    await meanwhile(scene)
    for row in await scene.journeys():
        await scene.ends(row.id)
    for hour in range(0, 24, 4):
        await until(scene, f"2026-11-25T{hour:02}:30Z")
    await until(scene, "2026-11-27T00:00Z")

    assert [row.run for row in await scene.journeys()] == [1]
    assert await scene.refusals() == []


@pytest.mark.parametrize(
    ("campaign", "told", "keys"),
    [
        pytest.param(greeting(enters=[on("asked")], reenters=always), [{}] * 6, [""], id="B-17"),
        pytest.param(greeting(enters=[on("asked", key="id")]), [{"id": 1}] * 4, ["1"], id="B-17 for one thing"),
        pytest.param(greeting(enters=[on("asked", key="id")]), [{"id": n % 2} for n in range(6)], ["0", "1"], id="B-17 for two"),
    ],
)  # fmt: skip
async def test_of_equal_triggers_that_race_one_enters(
    life: Life, campaign: Campaign, told: Sequence[dict[str, Any]], keys: list[str]
) -> None:
    await life.publish(campaign)
    asked = [Incoming(name="asked", lead={"email": ANN}, properties=properties) for properties in told]

    await asyncio.gather(*(life.intake.accept([one], life.now) for one in asked))
    async with life.store.write() as session:
        [lead_id] = (await session.exec(select(LeadRow.id))).all()
        body = {"campaign": "greeting", "key": keys[0], "by": "by hand", "manual": True}
        session.add(OutboxRow(lead_id=lead_id, kind="enrol", body=body, due_at=life.now, created_at=life.now))
    await life.settle()

    async with life.store.read() as session:
        assert sorted(row.key for row in (await session.exec(select(JourneyRow))).all()) == keys
