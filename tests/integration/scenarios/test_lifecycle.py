"""Leaving, being taken out, pausing and going on, as users of other engines know them (section C of their scenarios)."""

from collections.abc import Sequence

import pytest
from sqlmodel import select

from nurture import (
    Campaign,
    State,
    add_points,
    always,
    clicked,
    days,
    enrol,
    hours,
    leave,
    never,
    on,
    send,
    tag,
    wait,
    wait_for,
)
from nurture.campaign import Reentry
from nurture.errors import Refused
from nurture.steps import Step
from nurture.store import journeys
from nurture.store.models import DeadLetterRow, LeadRow, MessageRow, RefusalRow
from tests.integration.life import Life
from tests.integration.scenarios.telling import (
    ANN,
    journeys_of,
    pause,
    put_in,
    resume,
    sent,
    stand,
    take_out,
)

FIRST, SECOND = "first/0/1", "first/2/1"


def slow(key: str = "slow", event: str | None = "asked", *, reenters: Reentry = never) -> Campaign:
    """Two messages, two days apart."""
    states = [State("first", [send("test/one"), wait(days(2)), send("test/two"), wait(days(2))])]
    return Campaign(key, states, enters=[] if event is None else [on(event)], reenters=reenters)


def moving_on(*steps: Step) -> Campaign:
    return Campaign("moving-on", [State("only", [*steps, leave("moved on")])], enters=[on("asked")])


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([enrol("slow")], id="M-50"),
        pytest.param([enrol("slow"), enrol("slow")], id="P-04 twice"),
        pytest.param([add_points(1, score="interest"), tag("seen"), enrol("slow")], id="M-52"),
    ],
)
async def test_who_leaves_one_campaign_for_another_is_out_of_the_one_and_once_in_the_other(
    life: Life, steps: Sequence[Step]
) -> None:
    await life.publish(moving_on(*steps), slow(event=None, reenters=always))
    await life.lead()

    await life.happens("asked")
    await life.passes(hours=1)

    assert await stand(life, "moving-on") == [("ended", "left: moved on")]
    assert await stand(life, "slow") == [("active", None)]
    assert sent(life) == [FIRST]


async def test_what_is_done_before_leaving_is_done(life: Life) -> None:  # M-52
    await life.publish(moving_on(add_points(1, score="interest"), tag("seen")))
    lead_id = await life.lead()

    await life.happens("asked")

    async with life.store.read() as session:
        row = await session.get_one(LeadRow, lead_id)
    assert (row.scores, row.profile["tags"]) == ({"interest": 1}, ["seen"])


async def test_who_is_in_the_other_campaign_already_is_not_in_it_twice(life: Life) -> None:  # M-50, P-04
    await life.publish(moving_on(enrol("slow")), slow(event="earlier", reenters=always))
    await life.lead()
    await life.happens("earlier")

    await life.happens("asked")
    await life.passes(hours=1)

    assert await stand(life, "moving-on") == [("ended", "left: moved on")]
    assert (await stand(life, "slow"), sent(life)) == ([("active", None)], [FIRST])


# --- taken out by a person ---


@pytest.mark.parametrize("held", [pytest.param(False, id="M-59"), pytest.param(True, id="M-59 in a pause")])
async def test_who_is_taken_out_gets_nothing_more_and_a_second_time_changes_nothing(life: Life, held: bool) -> None:
    await life.publish(slow())
    lead_id = await life.lead()
    await life.happens("asked")
    if held:
        await pause(life, "slow")
        await life.passes(days=3)

    assert [await take_out(life, lead_id), await take_out(life, lead_id)] == [1, 0]
    [row] = await journeys_of(life)
    assert (row.status, row.ending) == ("ended", "stopped: asked on the phone")
    assert row.ended_at is not None
    assert row.ended_at >= life.now

    await resume(life, "slow")
    await life.passes(days=10)
    assert (sent(life), len(await journeys_of(life))) == ([FIRST], 1)
    async with life.store.write() as session:
        with pytest.raises(Refused, match="has ended already"):
            await journeys.stop(session, row.id, "again", life.now)


@pytest.mark.parametrize("reenters", [pytest.param(always, id="M-56"), pytest.param(never, id="M-56 once only")])
async def test_whom_a_person_took_out_a_person_puts_back_and_no_rule(life: Life, reenters: Reentry) -> None:
    await life.publish(slow(reenters=reenters))
    lead_id = await life.lead()
    await life.happens("asked")
    await take_out(life, lead_id)

    await life.happens("asked")  # M-58
    await put_in(life, lead_id, "slow", manual=False)
    assert len(await journeys_of(life)) == 1

    await put_in(life, lead_id, "slow")
    assert [(row.run, row.status, row.entered_by) for row in await journeys_of(life)] == [
        (1, "ended", "event asked"), (2, "active", "by hand")
    ]  # fmt: skip

    await take_out(life, lead_id)
    await life.happens("asked")
    assert [row.status for row in await journeys_of(life)] == ["ended", "ended"]

    async with life.store.read() as session:
        reasons = {row.reason for row in (await session.exec(select(RefusalRow))).all()}
    assert reasons == {"a person took it out: only a person may put it back"}


# --- paused ---


@pytest.mark.parametrize("paused", [pytest.param("slow", id="M-53"), pytest.param("other", id="M-53 the other one")])
async def test_a_pause_holds_one_campaign_and_no_other(life: Life, paused: str) -> None:
    await life.publish(slow("slow"), slow("other"))
    await life.lead()
    await life.happens("asked")
    await pause(life, paused)

    await life.passes(days=5)

    standing = {row.campaign: row.status for row in await journeys_of(life)}
    assert standing == {paused: "held", "other" if paused == "slow" else "slow": "ended"}
    assert sorted(sent(life)) == [FIRST, FIRST, SECOND]


async def test_what_falls_due_in_a_pause_is_held_and_goes_out_once_after_it(life: Life) -> None:  # M-61, M-64, D-13
    await life.publish(slow())
    for name in ("ann", "bob"):
        await life.lead(f"{name}@example.com")
        await life.happens("asked", to=f"{name}@example.com")
    await pause(life, "slow")

    await life.passes(days=4)
    assert await stand(life) == [("held", None), ("held", None)]
    async with life.store.read() as session:
        assert [row.status for row in (await session.exec(select(MessageRow))).all()] == ["accepted", "accepted"]
        assert (await session.exec(select(DeadLetterRow))).all() == []

    assert [await resume(life, "slow"), await resume(life, "slow")] == [2, 0]
    assert [sent(life), sent(life, "bob@example.com")] == [[FIRST, SECOND]] * 2
    await life.passes(days=3)
    assert await stand(life) == [("ended", "done")] * 2


async def test_paused_again_before_all_have_gone_on_the_rest_stays_held(life: Life) -> None:  # M-61
    await life.publish(slow())
    for at in range(4):
        await life.lead(f"lead-{at}@example.com")
        await life.happens("asked", to=f"lead-{at}@example.com")
    await pause(life, "slow")
    await life.passes(days=3)

    await resume(life, "slow", over=3600)
    await life.passes(hours=0.5)
    gone_on = len(life.postbox.mails) - 4
    await pause(life, "slow")
    await life.passes(hours=2)
    assert (gone_on, len(life.postbox.mails) - 4) == (2, 2)

    await resume(life, "slow")
    await life.passes(hours=1)
    assert sorted(mail.recipient for mail in life.postbox.mails) == sorted(
        2 * [f"lead-{at}@example.com" for at in range(4)]
    )


async def test_who_comes_in_a_pause_is_taken_in_and_held(life: Life) -> None:  # B-10
    await life.publish(slow())
    await pause(life, "slow")
    await life.lead()
    await life.happens("asked")
    assert (await stand(life), sent(life)) == ([("held", None)], [])

    await resume(life, "slow")

    assert sent(life) == [FIRST]


@pytest.mark.parametrize(
    ("after", "then"),
    [pytest.param(hours(1), "yes", id="M-61 heard in time"), pytest.param(days(3), "no", id="M-61 heard too late")],
)
async def test_a_journey_hears_in_a_pause_and_acts_on_it_afterwards(life: Life, after: object, then: str) -> None:
    states = [
        State("first", [send("test/one"), wait_for(clicked("test/one"), up_to=days(1), then="yes", otherwise="no")]),
        State("yes", [send("test/two"), leave("yes")]),
        State("no", [send("test/three"), leave("no")]),
    ]
    await life.publish(Campaign("asking", states, enters=[on("asked")], exits=[on("objected")]))
    await life.lead()
    await life.happens("asked")
    await pause(life, "asking")

    await life.until(life.now + after)  # type: ignore[operator]
    await life.clicks("test/one")
    await life.passes(days=4)
    assert (await stand(life), sent(life)) == ([("held", None)], [FIRST])

    await resume(life, "asking")
    assert (await stand(life), sent(life)) == ([("ended", f"left: {then}")], [FIRST, f"{then}/0/1"])


async def test_an_exit_ends_a_journey_in_a_pause(life: Life) -> None:  # M-59, M-61
    states = [State("first", [send("test/one"), wait(days(2)), send("test/two")])]
    await life.publish(Campaign("asking", states, enters=[on("asked")], exits=[on("objected")]))
    await life.lead()
    await life.happens("asked")
    await pause(life, "asking")
    await life.passes(days=3)

    await life.happens("objected")

    assert await stand(life) == [("ended", "left: on objected")]
    assert (await resume(life, "asking"), sent(life, ANN)) == (0, [FIRST])
