"""The walk, driven without Temporal: what it does, what it puts off, and what it closes with a reason."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from activities.errands import TryAgain
from nurture import (
    Campaign,
    State,
    add_points,
    advance,
    branch,
    days,
    enrol,
    escalate,
    hours,
    lead,
    leave,
    on,
    quiet,
    send,
    set_field,
    tag,
    task,
    wait,
    wait_for,
    when,
)
from nurture.campaign import Cap
from nurture.errors import AddressRefused, Ambiguous, Cause, MessageRefused, ProviderUnavailable
from nurture.journey import RESUME, Heard
from nurture.permission import HouseRules
from nurture.profile import address_hash
from nurture.store import suppressions
from nurture.store.campaigns import pause, resume
from nurture.store.consents import record_consent
from nurture.store.events import record_own_event
from nurture.store.hand_off_tables import TurnRow
from nurture.store.leads import locked
from nurture.store.models import HandOffRow, LeadRow, ListenerRow, OutboxRow, RequestRow, SuppressionRow
from tests.integration.walking import AFTER_THE_LEASE, Killed, Walker, Way, kill

DOWN = ProviderUnavailable("busy", code="451")


def one_message(key: str = "plain", **options: Any) -> Campaign:
    return Campaign(key, enters=[on("asked")], states=[State("one", [send("test/one", **options), wait(days(3))])])


async def rows(way: Way, model: Any) -> list[Any]:
    async with way.store.read() as session:
        return list((await session.exec(select(model))).all())


# --- what goes wrong with a message ---


@pytest.mark.parametrize(
    ("trouble", "status", "suppressed"),
    [
        pytest.param(AddressRefused("refused", code="5.1.1"), "rejected", ["all"], id="address refused"),
        pytest.param(MessageRefused("policy", code="5.7.1"), "rejected", [], id="message refused"),
        pytest.param(Ambiguous("the line broke"), "unknown", [], id="no answer"),
    ],
)
async def test_a_message_that_cannot_be_sent_closes_its_step_and_the_journey_goes_on(
    way: Way, trouble: Exception, status: str, suppressed: list[str]
) -> None:
    walker, way.post.troubles, way.post.can_tell = await way.begin(one_message()), [trouble], False

    assert await walker.walk() == ["did", "parked"]
    assert (await walker.message()).status == status
    assert [row.scope for row in await rows(way, SuppressionRow)] == suppressed


async def test_trouble_that_passes_puts_the_message_off_for_as_long_as_it_takes(way: Way) -> None:
    walker, way.post.troubles = await way.begin(one_message()), [DOWN] * 6
    for hour in range(6):
        with pytest.raises(TryAgain, match="busy"):
            await walker.walk(timedelta(hours=hour))
        assert [(await walker.message()).status, (await walker.row()).status] == ["deferred", "active"]

    assert await walker.walk(timedelta(hours=7)) == ["did", "parked"]
    assert await walker.times_taken == 1


async def test_a_provider_that_names_a_delay_is_tried_again_then(way: Way) -> None:
    busy = ProviderUnavailable("busy", retry_after=timedelta(minutes=7))
    walker, way.post.troubles = await way.begin(one_message()), [busy]

    with pytest.raises(TryAgain) as raised:
        await walker.walk()
    assert raised.value.delay == timedelta(minutes=7)


async def test_a_message_that_is_held_back_here_was_not_tried(way: Way) -> None:
    held = ProviderUnavailable("nothing is sent at present", retry_after=timedelta(seconds=40), cause="ours")
    walker, way.post.troubles = await way.begin(one_message()), [held, held, DOWN]
    for minutes in (0, 1):
        with pytest.raises(TryAgain):
            await walker.walk(timedelta(minutes=minutes))
        assert ((await walker.message()).status, (await walker.message()).attempts) == ("deferred", 0)

    with pytest.raises(TryAgain) as raised:
        await walker.walk(timedelta(minutes=2))
    assert ((await walker.message()).attempts, raised.value.delay) == (1, timedelta(seconds=2))


async def put_off(way: Way, code: str, reply: str, tries: tuple[int, ...], cause: Cause = "message") -> list[str]:
    """Three messages to one address, four days apart, each put off twice by that reply; what became of them."""
    found = []
    for n in range(3):
        walker = await way.begin(one_message(f"road-{n}", expires_after=hours(2)), email="ann@example.com")
        way.post.troubles = [ProviderUnavailable("later", code=code, reply=reply, cause=cause) for _ in range(2)]
        for minutes in tries:
            with suppress(TryAgain):
                await walker.walk(timedelta(minutes=minutes))
        found.append((await walker.message()).status)
        way.now += timedelta(days=4)
    return found


TAKEN, TOO_LATE = (0, 30, 60), (0, 30, 130)


@pytest.mark.parametrize(("code", "reply"), [("5.2.2", "full"), ("4.2.2", "later"), ("552", "mailbox is full")])
async def test_a_mailbox_that_is_full_for_a_week_is_given_up(way: Way, code: str, reply: str) -> None:
    assert await put_off(way, code, reply, TOO_LATE) == ["expired", "expired", "suppressed"]
    assert [row.reason for row in await rows(way, SuppressionRow)] == ["its messages came back again and again"]


async def test_one_that_takes_each_message_at_a_later_try_is_not(way: Way) -> None:
    assert await put_off(way, "4.2.2", "full", TAKEN) == ["accepted"] * 3


@pytest.mark.parametrize(
    ("code", "reply"), [("421", "busy"), ("4.3.2", "going down"), ("4.7.1", "greylisted"), ("4.4.1", "no route")]
)
async def test_no_address_is_given_up_for_an_outage_or_a_rate(way: Way, code: str, reply: str) -> None:
    assert await put_off(way, code, reply, TOO_LATE) == ["expired"] * 3


async def test_no_address_is_given_up_for_a_relay_that_goes_down_with_a_mailboxs_code(way: Way) -> None:
    assert await put_off(way, "4.2.1", "closing", TOO_LATE, cause="provider") == ["expired"] * 3


async def test_only_an_expiry_gives_a_message_up(way: Way) -> None:
    walker, way.post.troubles = await way.begin(one_message(expires_after=hours(2))), [DOWN, DOWN]
    for minutes in (0, 100):
        with pytest.raises(TryAgain):
            await walker.walk(timedelta(minutes=minutes))

    assert await walker.walk(timedelta(minutes=121)) == ["did", "parked"]
    assert [(await walker.message()).status, (await walker.message()).reason] == ["expired", "not sent within 2 hours"]


async def test_a_template_that_breaks_waits_for_whoever_mends_it(way: Way) -> None:
    walker = await way.begin(Campaign("plain", enters=[on("asked")], states=[State("one", [send("test/no-such")])]))

    with pytest.raises(TryAgain, match="test/no-such cannot be rendered"):
        await walker.walk()
    assert (await walker.message()).status == "deferred"


# --- what closes a step before anything is sent ---


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        pytest.param({"email": None}, "no address", id="no address"),
        pytest.param({"consent": None}, "no consent to news", id="no consent"),
        pytest.param({"consent": False}, "unsubscribed from news", id="unsubscribed"),
    ],
)
async def test_what_may_not_be_sent_closes_the_step_with_its_reason(
    way: Way, about: dict[str, Any], reason: str
) -> None:
    walker = await way.begin(one_message(), **about)

    assert await walker.walk() == ["did", "parked"]
    assert [(await walker.message()).status, (await walker.message()).reason] == ["suppressed", reason]
    assert [one.reply.get("note") for one in await walker.moves()] == [reason, None]


async def test_a_suppressed_address_gets_nothing_whoever_has_it(way: Way) -> None:
    walker = await way.begin(one_message(), email="Ann@Example.com")
    async with way.store.write() as session:
        await suppressions.suppress(session, address_hash("ann@example.com"), "all", "5.1.1", way.now)

    assert await walker.walk() == ["did", "parked"]
    assert (await walker.message()).reason == "the address is suppressed: 5.1.1"


async def test_a_lead_with_an_unknown_zone_lives_by_the_default_one(way: Way) -> None:
    road = Campaign(
        "hours", enters=[on("asked")], quiet=quiet("09:00", "11:00"), states=[State("one", [send("test/one")])]
    )
    walker = await way.begin(road, time_zone="UTC2")

    assert await walker.walk() == ["deferred"]
    assert (await walker.row()).until == way.now + timedelta(hours=1)


async def test_a_cap_counts_what_other_journeys_of_the_lead_sent(way: Way) -> None:
    first, second = await way.begin(one_message("first")), await way.begin(one_message("second"))
    await _give(way, second, first.order.lead_id)

    assert [await first.walk(), await second.walk()] == [["did", "parked"], ["deferred"]]
    sent = (await first.message()).committed_at
    assert (await second.row()).until == (sent and sent + timedelta(days=1))


async def test_two_journeys_of_a_lead_that_send_at_the_same_time_share_its_cap(way: Way) -> None:
    way.settings = way.settings.model_copy(
        update={"rules": HouseRules(quiet=None, caps=(Cap(messages=1, period=days(1)),))}
    )
    first, second = await way.begin(one_message("first")), await way.begin(one_message("second"))
    await _give(way, second, first.order.lead_id)
    way.store.deeds["after commit 1"] = lambda: _walk(second)

    assert await first.walk() == ["deferred"]
    assert len(way.post.taken) == 1
    sent, row = (await second.message()).committed_at, await first.row()
    assert (row.until, (await first.message()).until) == (sent and sent + timedelta(days=1),) * 2


# --- what happens between the claim and the hand-over ---


async def test_who_unsubscribes_between_the_claim_and_the_hand_over_gets_nothing(way: Way) -> None:
    walker = await way.begin(one_message())
    way.store.deeds["after commit 1"] = lambda: _unsubscribe(walker)

    assert await walker.walk() == ["did", "parked"]
    assert [(await walker.message()).status, way.post.taken] == ["suppressed", []]


async def test_who_changes_the_address_between_the_claim_and_the_hand_over_gets_it_at_the_new_one(way: Way) -> None:
    walker = await way.begin(one_message())
    way.store.deeds["after commit 1"] = lambda: _moves_to(walker, "new@example.com")

    with pytest.raises(TryAgain, match="the address changed") as raised:
        await walker.walk()
    assert raised.value.delay == timedelta(seconds=1)
    await walker.until_it_rests()
    assert [one.recipient for one in way.post.taken] == ["new@example.com"]


async def test_a_pause_between_the_claim_and_the_hand_over_holds_the_message(way: Way) -> None:
    walker = await way.begin(one_message())
    way.store.deeds["after commit 1"] = lambda: _pause(way)

    with pytest.raises(TryAgain, match="the campaign is paused"):
        await walker.walk()
    assert [await walker.walk(AFTER_THE_LEASE), way.post.taken] == [["held"], []]


# --- pause and resume ---


async def test_a_paused_journey_is_held_and_goes_on_where_it_was(way: Way) -> None:
    walker = await way.begin(one_message())
    await _pause(way)

    assert [await walker.walk(), (await walker.row()).status] == [["held"], "held"]
    await _resume(way)
    assert await walker.walk(news=(Heard(at=way.now, arm=RESUME),)) == ["held", "heard", "did", "parked"]


async def test_a_pause_that_ends_while_the_journey_is_being_held_does_not_hold_it_for_ever(way: Way) -> None:
    walker = await way.begin(one_message())
    await _pause(way)
    way.store.deeds["after commit 1"] = lambda: _resume(way)

    assert await walker.walk() == ["held", "heard"]


async def test_a_journey_in_a_paused_campaign_may_still_end(way: Way) -> None:
    road = Campaign("plain", enters=[on("asked")], exits=[on("objected")], states=[State("one", [send("test/one")])])
    walker = await way.begin(road)
    await _pause(way)

    assert await walker.walk(news=(Heard(at=way.now, arm="exit:0"),)) == ["heard", "closed"]
    assert (await walker.row()).ending == "left: on objected"


# --- several moves in one walk ---

EVERYTHING = Campaign(
    "everything",
    enters=[on("asked")],
    states=[
        State("one", [branch(when(lead.country == "DE", to="german"), otherwise="other")]),
        State("german", [tag("german"), send("test/one"), set_field(lead.city, "Berlin"), wait(days(1))]),
        State("other", [tag("other"), send("test/two"), wait(days(1))]),
    ],
)


@pytest.mark.parametrize("point", ["after commit 1", "after commit 2", "after commit 3"])
async def test_a_move_that_is_recorded_stands_though_the_facts_change_before_the_next_attempt(
    way: Way, point: str
) -> None:
    walker = await way.begin(EVERYTHING, country="DE")
    way.store.deeds[point] = kill
    with pytest.raises(Killed):
        await walker.walk()
    await _knows(walker, country="FR")

    assert await walker.until_it_rests() == ["chose", "did", "did", "did", "parked"]
    assert [one.state for one in await walker.moves()] == ["one", *["german"] * 4]
    assert (await walker.lead()).profile["tags"] == ["german"]


async def test_what_is_not_recorded_is_decided_by_the_facts_of_the_next_attempt(way: Way) -> None:
    walker = await way.begin(EVERYTHING, country="DE")
    way.store.deeds["before commit 1"] = kill
    with pytest.raises(Killed):
        await walker.walk()
    await _knows(walker, country="FR")

    await walker.until_it_rests()
    assert (await walker.lead()).profile["tags"] == ["other"]


async def test_bookkeeping_that_breaks_after_a_message_does_not_have_it_sent_again(way: Way) -> None:
    walker = await way.begin(EVERYTHING, country="DE")
    way.store.deeds["before commit 3"] = _break
    with pytest.raises(RuntimeError):
        await walker.walk()

    assert [(await walker.message()).status, len(await walker.moves())] == ["accepted", 3]
    assert await walker.walk() == ["chose", "did", "did", "did", "parked"]
    assert await walker.times_taken == 1


async def test_a_step_that_says_something_impossible_closes_with_the_reason(way: Way) -> None:
    road = Campaign(
        "plain", enters=[on("asked")], states=[State("one", [set_field(lead.email, "nowhere"), wait(days(1))])]
    )
    walker = await way.begin(road)

    assert await walker.walk() == ["did", "parked"]
    assert "email" in (await walker.moves())[0].reply["note"]


async def test_bookkeeping_is_announced_to_whoever_listens(way: Way) -> None:
    road = Campaign("plain", enters=[on("asked")], states=[
        State("one", [advance("learn"), add_points(5, score="interest"), enrol("other"), wait(days(1))])
    ])  # fmt: skip
    walker = await way.begin(road)
    await walker.walk()

    bodies = [row.body for row in await rows(way, OutboxRow)]
    assert {key for body in bodies for key in body.get("keys", [])} >= {"lead.stage", "score.interest"}
    assert [body["campaign"] for body in bodies if "campaign" in body] == ["other"]


async def test_a_campaign_with_a_sender_of_its_own_writes_as_that(way: Way) -> None:
    campaign = one_message().model_copy(update={"sender": "The shop <shop@example.com>"})
    await (await way.begin(campaign)).walk()

    assert [mail.sender for mail in way.post.taken] == ["The shop <shop@example.com>"]


async def test_at_most_one_message_goes_out_in_a_walk(way: Way) -> None:
    house = HouseRules(quiet=None, caps=())
    way.settings = way.settings.model_copy(update={"rules": house})
    road = Campaign(
        "plain", enters=[on("asked")], states=[State("one", [send("test/one"), tag("sent"), send("test/two")])]
    )
    walker = await way.begin(road)

    assert await walker.walk() == ["did", "did"]
    assert [one.subject for one in way.post.taken] == ["one"]


# --- hearing ---

LISTENING = Campaign(
    "listening",
    enters=[on("asked")],
    always=[when(lead.tags.has("hot"), to="sales")],
    states=[
        State("one", [send("test/one"), wait_for(on("visit"), up_to=days(3), then="two")]),
        State("two", [wait(days(1)), leave("enough")]),
        State("sales", [escalate("ready"), wait(days(1))]),
    ],
)


async def test_what_came_while_the_journey_was_on_its_way_to_the_wait_is_heard(way: Way) -> None:
    walker = await way.begin(LISTENING)
    way.store.deeds["after commit 3"] = lambda: _happens(walker, "visit")

    assert await walker.walk() == ["did", "parked", "heard"]
    assert (await walker.row()).state == "two"


async def test_a_journey_in_a_wait_listens_for_it_and_in_another_one_no_more(way: Way) -> None:
    walker = await way.begin(LISTENING)
    await walker.walk()
    waiting = {row.arm for row in await rows(way, ListenerRow)}
    await walker.walk(news=(Heard(at=way.now, arm="one/1/1:0", event="visit-1"),))

    assert waiting - {row.arm for row in await rows(way, ListenerRow)} == {"one/1/1:0"}


async def test_a_message_put_off_is_cancelled_when_the_journey_goes_another_way(way: Way) -> None:
    rules = HouseRules(quiet=quiet("09:00", "11:00"))
    way.settings = way.settings.model_copy(update={"rules": rules})
    walker = await way.begin(LISTENING, tags=["hot"])

    assert await walker.walk() == ["deferred", "heard"]
    assert (await walker.message()).status == "cancelled"


async def test_a_hand_over_waits_for_no_mail_and_is_made_once(way: Way) -> None:
    walker, way.post.troubles = await way.begin(LISTENING), [DOWN]
    hot = (Heard(at=way.now, arm="always:0"),)

    assert await walker.walk(news=hot) == ["heard", "did", "parked"]
    assert await walker.walk(AFTER_THE_LEASE, news=hot) == ["heard", "did", "parked"]
    assert (way.post.taken, len(await rows(way, HandOffRow)), len(await rows(way, TurnRow))) == ([], 1, 0)


async def test_a_task_is_noted_though_nobody_can_be_told(way: Way) -> None:
    way.settings = way.settings.model_copy(update={"teams": {}})
    road = Campaign(
        "plain", enters=[on("asked")], states=[State("one", [task("call them", due_in=days(2)), wait(days(1))])]
    )
    walker = await way.begin(road)

    assert await walker.walk() == ["did", "parked"]
    assert [(row.kind, row.due_at - way.now >= timedelta(days=2)) for row in await rows(way, RequestRow)] == [
        ("task", True)
    ]


async def test_news_that_an_earlier_attempt_went_past_is_no_news(way: Way) -> None:
    walker = await way.begin(LISTENING)
    await walker.walk()
    visit = Heard(at=way.now, arm="one/1/1:0", event="visit-1")
    await walker.walk(news=(visit,))

    late = Heard(at=way.now + timedelta(seconds=1), arm="one/1/1:0", event="visit-2")
    assert await walker.walk(news=(visit, late)) == ["did", "parked", "heard", "parked"]


# --- what happens ---


async def _walk(walker: Walker) -> None:
    await walker.walk()


async def _break() -> None:
    raise RuntimeError("broken")


async def _pause(way: Way) -> None:
    async with way.store.write() as session:
        await pause(session, "plain", way.now)


async def _resume(way: Way) -> None:
    async with way.store.write() as session:
        await resume(session, "plain", way.now)


async def _unsubscribe(walker: Walker) -> None:
    async with walker.way.store.write() as session:
        await record_consent(session, walker.order.lead_id, "*", False, "link", walker.way.now)


async def _moves_to(walker: Walker, email: str) -> None:
    await _change(walker, email=email)


async def _knows(walker: Walker, **profile: Any) -> None:
    row = await walker.lead()
    await _change(walker, profile={**row.profile, **profile})


async def _change(walker: Walker, **columns: Any) -> None:
    async with walker.way.store.write() as session:
        row = await session.get_one(LeadRow, walker.order.lead_id)
        for name, value in columns.items():
            setattr(row, name, value)
        session.add(row)


async def _happens(walker: Walker, name: str) -> None:
    later = walker.way.now + timedelta(seconds=1)
    async with walker.way.store.write() as session:
        lead_row = await locked(session, walker.order.lead_id)
        await record_own_event(session, lead_row, name, {}, f"{name}-1", later)


async def _give(way: Way, walker: Walker, lead_id: str) -> None:
    """The journey is another lead's."""
    walker.order = walker.order.model_copy(update={"lead_id": lead_id})
    row = await walker.row()
    row.lead_id = lead_id
    async with way.store.write() as session:
        await session.merge(row)
