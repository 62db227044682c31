"""Every kind of course that the clock of a hand-off takes, to be recorded."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from nurture import minutes
from nurture.errors import ProviderUnavailable
from nurture.store import hand_offs
from tests.temporal.desk import Handed, handed_over
from tests.temporal.town import Town

SOON = timedelta(milliseconds=50)

ClockStory: TypeAlias = Callable[[Town], Awaitable[Handed]]
"""Lives a hand-off to its end."""


async def ended(one: Handed) -> Handed:
    """The hand-off once its clock is done, whatever time that takes."""
    await one.passes()
    await one.clock.result()
    return one


async def never_answered(town: Town) -> Handed:
    """Pressed, passed on and taken back."""
    one = await handed_over(town)
    await one.told()
    return await ended(one)


async def accepted_at_once(town: Town) -> Handed:
    """Answered before anything was due."""
    one = await handed_over(town)
    await one.told()
    await one.answers("accepted")
    return await ended(one)


async def rejected_after_a_reminder(town: Town) -> Handed:
    """Answered in the middle of the clock."""
    one = await handed_over(town)
    await one.told()
    await one.passes(minutes(20))
    await one.answers("rejected", "no budget")
    return await ended(one)


async def given_to_somebody_else_by_hand(town: Town) -> Handed:
    """Put with another person, who then accepts."""
    one = await handed_over(town)
    await one.told()
    now = datetime.now(UTC)
    async with town.store.write() as session:
        row, _ = await hand_offs.locked(session, one.id)
        await hand_offs.put_with(session, row, "bob", "by hand", now)
    await town.dispatch(now)
    await one.told()
    await one.answers("accepted", by="bob")
    return await ended(one)


async def told_late(town: Town) -> Handed:
    """The mail went out only at a later attempt."""
    town.postbox.trouble = ProviderUnavailable("busy", retry_after=SOON)
    one = await handed_over(town)
    await town.tries(one.journey)
    town.postbox.trouble = None
    await one.told()
    return await ended(one)


async def stirred_again_and_again(town: Town) -> Handed:
    """Its history grows long and goes on afresh."""
    one = await handed_over(town)
    await one.told()
    first = (await one.clock.describe()).run_id
    with town.environment.with_time_skipping_disabled():
        while (await one.clock.describe()).run_id == first:
            await town.journeys.wind(one.id)
    await one.answers("accepted")
    return await ended(one)


CLOCK_STORIES: dict[str, ClockStory] = {
    story.__name__.replace("_", "-"): story
    for story in (
        never_answered,
        accepted_at_once,
        rejected_after_a_reminder,
        given_to_somebody_else_by_hand,
        told_late,
        stirred_again_and_again,
    )
}
