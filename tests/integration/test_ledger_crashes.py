"""A walk that is killed at any point and made again: nothing lost, nothing sent twice, the ambiguous instant shown."""

import asyncio
from contextlib import suppress
from datetime import datetime
from itertools import product

import pytest
from sqlmodel import select

from activities.errands import TryAgain
from activities.unknowns import TOO_LATE, resolve_unknown
from nurture import Campaign, State, add_points, branch, days, done, lead, on, send, tag, wait, when
from nurture.errors import Ambiguous
from nurture.journey import Did, Heard
from nurture.ledger import CERTAIN, Status
from nurture.store.messages import found_out, settle
from nurture.store.models import EventRow
from tests.integration.walking import AFTER_THE_LEASE, Killed, Perilous, Post, Walker, Way, kill

COMMITS = 3  # the walk to the touch, the last look, the record with what follows
POINTS = [
    *(f"{when_} commit {n}" for n in range(1, COMMITS + 1) for when_ in ("before", "after")),
    "before it is taken",
    "after it is taken",
]
# Claimed; committed and not sent; sent: every other point leaves the ledger as one of these does.
UNLIKE_POINTS = ["after commit 1", "after commit 2", "after it is taken"]
WHOLE = ["did", "did", "did", "chose", "parked"]


def road(on_unknown: str) -> Campaign:
    message = send("test/one", on_unknown=on_unknown)  # type: ignore[arg-type]  # one of the two
    return Campaign(
        key=f"road-{on_unknown}",
        enters=[on("asked")],
        exits=[on("objected")],
        states=[
            State("one", [tag("seen"), message, add_points(5, score="interest"),
                          branch(when(lead.tags.has("seen"), to="two"), otherwise=done)]),
            State("two", [wait(days(3))]),
        ],
    )  # fmt: skip


def killed_at(walker: Walker, point: str) -> None:
    deeds = walker.way.post.deeds if "taken" in point else walker.way.store.deeds
    deeds[point] = kill


async def crashed(way: Way, on_unknown: str, *points: str) -> Walker:
    """A walker that met with these crashes, one an attempt, and came to rest in the end."""
    walker = await way.begin(road(on_unknown))
    for attempt, point in enumerate(points):
        killed_at(walker, point)
        with suppress(Killed, TryAgain):
            await walker.walk(attempt * AFTER_THE_LEASE)
    way.store.deeds.clear()
    way.post.deeds.clear()
    walker.order = walker.order.model_copy(update={"now": walker.order.now + len(points) * AFTER_THE_LEASE})
    assert await walker.until_it_rests() == WHOLE
    return walker


async def test_a_walk_that_nothing_happens_to_sends_once_however_often_it_is_made(way: Way) -> None:
    walker = await way.begin(road("hold"))

    assert [await walker.walk(), way.store.commits] == [WHOLE, COMMITS]
    assert await walker.walk(AFTER_THE_LEASE) == WHOLE
    assert await walker.times_taken == 1


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("on_unknown", ["hold", "resend"])
async def test_where_the_provider_can_tell_a_crash_at_any_point_sends_once(
    way: Way, on_unknown: str, point: str
) -> None:
    walker = await crashed(way, on_unknown, point)

    assert (await walker.message()).status == "accepted"
    assert await walker.times_taken == 1


@pytest.mark.parametrize("point", POINTS)
async def test_held_it_is_sent_once_or_shown_as_unknown(way: Way, point: str) -> None:
    way.post.can_tell = False
    walker = await crashed(way, "hold", point)

    ambiguous = point in {"after commit 2", "before it is taken", "after it is taken", "before commit 3"}
    assert (await walker.message()).status == ("unknown" if ambiguous else "accepted")
    assert await walker.times_taken == (0 if point in {"after commit 2", "before it is taken"} else 1)


@pytest.mark.parametrize("point", POINTS)
async def test_resent_it_is_sent_once_more_at_most_and_says_so(way: Way, point: str) -> None:
    way.post.can_tell = False
    walker = await crashed(way, "resend", point)

    message, twice = await walker.message(), point in {"after it is taken", "before commit 3"}
    assert message.status == "accepted"
    assert await walker.times_taken == (2 if twice else 1)
    assert not twice or message.reason == "sent again, as no answer came the first time"


@pytest.mark.parametrize("can_tell", [True, False])
@pytest.mark.parametrize("on_unknown", ["hold", "resend"])
async def test_two_crashes_in_a_row_neither_lose_nor_double_it_unseen(
    sqlite_url: str, now: datetime, on_unknown: str, can_tell: bool
) -> None:
    way = Way(Perilous(sqlite_url), now, Post(can_tell=can_tell))
    for points in product(UNLIKE_POINTS, repeat=2):
        walker = await crashed(way, on_unknown, *points)
        message, times = await walker.message(), await walker.times_taken
        assert times <= (2 if on_unknown == "resend" and not can_tell else 1), points
        assert times < 2 or message.reason.startswith("sent again"), points
        assert times > 0 or message.status == "unknown", points
        assert not can_tell or (times, message.status) == (1, "accepted"), points
    await way.store.close()


async def test_after_any_crash_every_move_is_recorded_once_and_its_effect_is_there_once(way: Way) -> None:
    for point in UNLIKE_POINTS:
        walker = await crashed(way, "hold", point)
        moves = await walker.moves()
        assert [one.reply["kind"] for one in moves] == WHOLE, point
        assert [one.n for one in moves] == list(range(len(WHOLE))), point
        assert (await walker.lead()).scores == {"interest": 5}, point


async def test_two_attempts_at_once_send_once(way: Way) -> None:
    walker = await way.begin(road("hold"))
    await asyncio.gather(walker.walk(), walker.walk(), return_exceptions=True)

    assert await walker.until_it_rests() == WHOLE
    assert await walker.times_taken == 1


@pytest.mark.parametrize(("on_unknown", "times"), [("hold", 1), ("resend", 2)])
async def test_an_attempt_that_outlives_its_lease_at_the_hand_over_records_what_it_sent(
    way: Way, on_unknown: str, times: int
) -> None:
    walker, way.post.can_tell = await way.begin(road(on_unknown)), False
    way.post.deeds["after it is taken"] = lambda: _walk_on(walker)

    with pytest.raises(TryAgain):
        await walker.walk()
    assert [await walker.walk(AFTER_THE_LEASE), await walker.times_taken] == [WHOLE, times]
    assert (await walker.message()).status == "accepted"


async def test_an_attempt_that_was_overtaken_before_its_last_look_sends_nothing(way: Way) -> None:
    walker = await way.begin(road("hold"))
    way.store.deeds["after commit 1"] = lambda: _walk_on(walker)

    with pytest.raises(TryAgain):
        await walker.walk()
    assert await walker.times_taken == 1


async def test_of_two_attempts_that_ask_after_a_message_one_sends_it_again(way: Way) -> None:
    walker = await way.begin(road("resend"))
    way.post = _SlowToTell(way.post)
    killed_at(walker, "before it is taken")
    with pytest.raises(Killed):
        await walker.walk()
    way.post.deeds["while it is asked"] = lambda: _walk_on(walker, 2)

    with pytest.raises(TryAgain, match="another attempt"):
        await walker.walk(AFTER_THE_LEASE)
    assert await walker.times_taken == 1


async def test_a_message_taken_while_the_lead_left_is_still_recorded_as_taken(way: Way) -> None:
    walker = await way.begin(road("hold"))
    exit_ = Heard(at=way.now, arm="exit:0", event="objected-1")
    way.post.deeds["after it is taken"] = lambda: _walk_on(walker, 1, exit_)

    with pytest.raises(TryAgain, match="went on meanwhile"):
        await walker.walk()
    assert (await walker.message()).status == "accepted"
    assert (await walker.row()).ending == "left: on objected"


async def test_a_lead_that_leaves_before_the_last_look_gets_nothing(way: Way) -> None:
    walker = await way.begin(road("hold"))
    exit_ = Heard(at=way.now, arm="exit:0", event="objected-1")
    way.store.deeds["after commit 1"] = lambda: _walk_on(walker, 0, exit_)

    with pytest.raises(TryAgain):
        await walker.walk()
    assert (await walker.message()).status == "cancelled"
    assert way.post.taken == []


async def test_a_message_nobody_came_back_to_becomes_unknown(way: Way) -> None:
    walker, way.post.can_tell = await way.begin(road("hold")), False
    killed_at(walker, "after it is taken")
    with pytest.raises(Killed):
        await walker.walk()
    await resolve_unknown(way.equipment, way.now + 60 * AFTER_THE_LEASE)

    assert (await walker.message()).status == "unknown"


async def test_an_unknown_message_that_is_found_at_the_provider_is_told_of_as_any_other(way: Way) -> None:
    way.post.can_tell = False
    walker = await crashed(way, "hold", "after it is taken")
    assert await told_of(walker) == []
    way.post.can_tell = True

    assert await resolve_unknown(way.equipment, way.now + 60 * AFTER_THE_LEASE) == 1
    message = await walker.message()
    assert message.status == "accepted"
    assert await told_of(walker) == [(message.id, message.committed_at)]


async def test_workers_that_ask_after_an_unknown_message_at_the_same_time_settle_it_once(way: Way) -> None:
    way.post.can_tell = False
    walker = await crashed(way, "hold", "after it is taken")
    way.post.can_tell = True

    settled = await asyncio.gather(*(resolve_unknown(way.equipment, way.now + 60 * AFTER_THE_LEASE) for _ in range(4)))

    assert sum(settled) == 1
    assert (await walker.message()).status == "accepted"
    assert len(await told_of(walker)) == 1


@pytest.mark.parametrize("on_unknown", ["hold", "resend"])
async def test_a_message_that_the_provider_took_without_an_answer_is_found_there_at_once(
    way: Way, on_unknown: str
) -> None:
    walker = await way.begin(road(on_unknown))
    way.post.deeds["after it is taken"] = no_answer

    assert await walker.walk() == WHOLE
    assert (await walker.message()).status == "accepted"
    assert [len(await told_of(walker)), await walker.times_taken] == [1, 1]


async def test_a_message_that_the_provider_never_took_is_sent_once_it_says_so_for_certain(way: Way) -> None:
    walker, way.post.troubles = await way.begin(road("hold")), [Ambiguous("the line broke")]
    with pytest.raises(TryAgain) as raised:
        await walker.walk()
    assert raised.value.delay == CERTAIN
    assert await resolve_unknown(way.equipment, way.now + AFTER_THE_LEASE) == 0, "its journey stands at it"

    assert await walker.walk(2 * AFTER_THE_LEASE) == WHOLE
    assert ((await walker.message()).status, await walker.times_taken) == ("accepted", 1)


async def test_a_message_that_the_journey_left_behind_is_closed_when_the_provider_never_took_it(way: Way) -> None:
    walker, way.post.can_tell = await way.begin(road("hold")), False
    way.post.troubles = [Ambiguous("the line broke")]
    assert await walker.walk() == WHOLE
    way.post.can_tell = True

    assert await resolve_unknown(way.equipment, way.now + AFTER_THE_LEASE) == 1
    message = await walker.message()
    assert (message.status, message.reason) == ("rejected", TOO_LATE)
    assert await told_of(walker) == []


async def test_a_message_that_a_person_settled_closes_its_step_without_the_persons_words(way: Way) -> None:
    walker, way.post.troubles = await way.begin(road("hold")), [Ambiguous("the line broke")]
    with pytest.raises(TryAgain):
        await walker.walk()
    async with way.store.write() as session:
        await settle(session, (await walker.message()).id, Status.REJECTED, "Ann says so", way.now)

    did = (await walker.replies(AFTER_THE_LEASE))[1]
    assert isinstance(did, Did)
    assert did.note == "settled by hand"
    assert (await walker.message()).reason == "by hand: Ann says so"


async def test_what_is_found_out_too_late_changes_no_message_that_is_being_sent_again(way: Way) -> None:
    walker, way.post.troubles = await way.begin(road("hold")), [Ambiguous("the line broke")]
    with pytest.raises(TryAgain):
        await walker.walk()
    doubtful = await walker.message()
    way.post.deeds["before it is taken"] = kill
    with pytest.raises(Killed):
        await walker.walk(AFTER_THE_LEASE)

    async with way.store.write() as session:
        assert not await found_out(session, doubtful, Status.REJECTED, "too late", way.now)
    assert (await walker.message()).status == "committing"


async def told_of(walker: Walker) -> list[tuple[str, datetime]]:
    """The messages that the lead's events tell of as sent, and when."""
    query = select(EventRow).where(EventRow.name == "message_sent", EventRow.lead_id == walker.order.lead_id)
    async with walker.way.store.read() as session:
        return [(row.properties["message"], row.at) for row in (await session.exec(query)).all()]


async def no_answer() -> None:
    """What a broken line does."""
    raise Ambiguous("the line broke")


class _SlowToTell(Post):
    """A post at which something can happen while it is asked."""

    def __init__(self, other: Post) -> None:
        super().__init__(deeds=other.deeds)

    async def lookup(self, message_id: str) -> bool | None:
        answer = await super().lookup(message_id)
        await self._meets("while it is asked")
        return answer


async def _walk_on(walker: Walker, minutes: int = 1, *news: Heard) -> None:
    """A whole other attempt, so many minutes later."""
    await walker.walk(minutes * AFTER_THE_LEASE, news)
