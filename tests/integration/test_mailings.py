from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete
from sqlmodel import col, select

from activities.bulk import take_page
from activities.errands import TryAgain
from activities.unknowns import TOO_LATE, resolve_unknown
from nurture.channels import Envelope
from nurture.errors import AddressRefused, Ambiguous, NotFound, ProviderUnavailable
from nurture.store import Store, bulk_runs
from nurture.store.consents import record_consent
from nurture.store.models import ConsentRow, IdentityRow, LeadRow, MessageRow
from nurture.store.story import Absence, Story, story_of, why_not
from tests.integration.bulk import NEWS, a_lead, by_status, ledger, ordered, run_of, settle
from tests.integration.life import Life, Postbox
from tests.integration.scene import Engine
from tests.integration.walking import AFTER_THE_LEASE, Killed, Perilous, Way, kill

MORNING = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture
async def life(store: Store, now: datetime) -> AsyncIterator[Life]:
    async with Life(store, now) as life:
        yield life


async def story(life: Life, lead_id: str) -> Story:
    async with life.store.read() as session:
        return await story_of(session, lead_id, life.now)


async def absence(life: Life, lead_id: str, template: str) -> Absence:
    told = await story(life, lead_id)
    async with life.store.read() as session:
        return await why_not(session, told, template)


def received(life: Life) -> Counter[str]:
    return Counter(mail.recipient for mail in life.postbox.mails)


async def test_everybody_in_the_audience_gets_it_once_and_nobody_else(life: Life) -> None:
    await settle(life.store, [a_lead(n, life.now) for n in range(30)], life.now)
    await settle(life.store, [a_lead(n, life.now, country="FR") for n in range(30, 40)], life.now)
    run_id = await ordered(life.store, life.now, "mailing", mailing=NEWS)
    await life.passes(hours=1)

    assert received(life) == {f"lead-{n}@example.com": 1 for n in range(30)}
    assert by_status(await ledger(life.store)) == {"accepted": 30}
    assert (await run_of(life.store, run_id)).status == "done"


async def test_it_can_be_left_with_one_click(life: Life) -> None:
    await settle(life.store, [a_lead(1, life.now)], life.now)
    await ordered(life.store, life.now, "mailing", mailing=NEWS)
    await life.settle()

    assert life.postbox.mails[0].headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


async def test_who_has_not_consented_gets_nothing_and_the_ledger_says_why(life: Life) -> None:
    await settle(life.store, [a_lead(1, life.now)], life.now, consent=None)
    await settle(life.store, [a_lead(2, life.now)], life.now, consent=False)
    await ordered(life.store, life.now, "mailing", mailing=NEWS)
    await life.passes(hours=1)

    assert await ledger(life.store) == {
        "lead-00001": ("suppressed", "no consent to news"),
        "lead-00002": ("suppressed", "unsubscribed from news"),
    }
    assert not life.postbox.mails


async def test_who_sleeps_gets_it_in_the_morning_of_its_own_zone(life: Life) -> None:
    zones = ["Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland"]
    await settle(life.store, [a_lead(n, life.now, time_zone=zone) for n, zone in enumerate(zones)], life.now)
    run_id = await ordered(life.store, life.now, "mailing", mailing=NEWS)
    await life.settle()
    assert received(life) == {"lead-0@example.com": 1}

    await life.passes(days=1)
    assert [f"{mail.date:%d %H:%M}" for mail in life.postbox.mails] == ["23 10:00", "23 16:00", "23 19:00"]
    assert (await run_of(life.store, run_id)).status == "done"


async def test_a_cap_puts_it_off_and_its_end_gives_it_up(life: Life) -> None:
    await settle(life.store, [a_lead(1, life.now)], life.now)
    for key in ("first", "second"):
        hurried = NEWS.model_copy(update={"key": key, "expires_after": timedelta(hours=20)})
        await ordered(life.store, life.now, "mailing", mailing=hurried)
        await life.settle()
    assert sum(received(life).values()) == 1

    await life.passes(days=2)
    async with life.store.read() as session:
        rows = (await session.exec(select(MessageRow.campaign, MessageRow.status, MessageRow.updated_at))).all()
    assert {(key, status) for key, status, _ in rows} == {("first", "accepted"), ("second", "expired")}
    assert max(at for *_, at in rows) < life.now - timedelta(days=1)


async def test_while_the_provider_is_down_the_audience_is_not_run_through_and_nobody_is_lost(life: Life) -> None:
    await settle(life.store, [a_lead(n, life.now) for n in range(60)], life.now)
    life.postbox.troubles = [ProviderUnavailable("busy")] * 40
    run_id = await ordered(life.store, life.now, "mailing", mailing=NEWS)
    await life.settle()
    at_once = life.settings.email_connections // 2
    assert at_once <= len(await ledger(life.store)) < 2 * at_once
    assert not (await run_of(life.store, run_id)).exhausted

    await life.passes(hours=2)
    assert received(life) == {f"lead-{n}@example.com": 1 for n in range(60)}
    assert by_status(await ledger(life.store)) == {"accepted": 60}


async def test_one_address_in_trouble_holds_up_nobody_else(life: Life) -> None:
    await settle(life.store, [a_lead(n, life.now) for n in range(20)], life.now)
    life.postbox.troubles = [ProviderUnavailable("greylisted", retry_after=timedelta(minutes=5))]
    await ordered(life.store, life.now, "mailing", mailing=NEWS)
    await life.settle()
    assert len(life.postbox.mails) == 19

    await life.passes(minutes=6)
    assert len(life.postbox.mails) == 20


async def test_a_receiver_that_takes_no_more_holds_up_nobody_elses_mail(life: Life) -> None:
    async def refuse(mail: Envelope) -> None:
        if mail.recipient.endswith("@gmail.com") and life.now < MORNING + timedelta(hours=1):
            later = timedelta(minutes=30)
            raise ProviderUnavailable("mail to gmail goes at 0.1 a second", retry_after=later, cause="ours", lone=True)

    ours = {n: "gmail.com" if n < 12 else "example.com" for n in range(22)}
    await settle(life.store, [a_lead(n, life.now, email=f"{n}@{domain}") for n, domain in ours.items()], life.now)
    life.postbox.on_send = refuse
    run_id = await ordered(life.store, life.now, "mailing", mailing=NEWS)
    await life.settle()
    assert len(life.postbox.mails) == 10
    assert (await ledger(life.store))["lead-00000"] == ("deferred", "mail to gmail goes at 0.1 a second")

    await life.passes(hours=2)
    assert received(life) == {f"{n}@{domain}": 1 for n, domain in ours.items()}
    assert (await run_of(life.store, run_id)).status == "done"


async def test_a_spread_lets_its_leads_get_it_one_after_the_other_and_nobody_in_quiet_hours(life: Life) -> None:
    await settle(life.store, [a_lead(n, life.now) for n in range(20)], life.now)
    await ordered(life.store, life.now, "mailing", mailing=NEWS.model_copy(update={"spread": timedelta(hours=16)}))
    await life.settle()
    assert len(life.postbox.mails) == 0
    assert set((await ledger(life.store)).values()) == {("deferred", "its turn in the spread")}

    await life.passes(hours=11)
    sent = [mail.date for mail in life.postbox.mails]
    assert 10 <= len(sent) < 20
    assert len({f"{at:%H}" for at in sent}) >= 6

    await life.passes(hours=12)
    hours = [mail.date.hour for mail in life.postbox.mails]
    assert received(life) == {f"lead-{n}@example.com": 1 for n in range(20)}
    assert all(8 <= hour < 21 for hour in hours)


async def test_a_message_that_perhaps_arrived_is_held_and_the_run_ends(life: Life) -> None:
    [lead_id] = await settle(life.store, [a_lead(1, life.now)], life.now)
    life.postbox.troubles, life.postbox.can_tell = [Ambiguous("no answer")], False
    run_id = await ordered(life.store, life.now, "mailing", mailing=NEWS)
    await life.passes(days=5)

    assert (by_status(await ledger(life.store)), not life.postbox.mails) == ({"unknown": 1}, True)
    assert (await run_of(life.store, run_id)).status == "done"
    [told] = (await story(life, lead_id)).mailed
    assert (told.kind, "perhaps it arrived" in told.how) == ("unclear", True)


async def test_one_that_is_to_be_sent_again_is_sent_again_once(life: Life) -> None:
    await settle(life.store, [a_lead(1, life.now)], life.now)
    life.postbox.troubles = [Ambiguous("no answer")]
    again = NEWS.model_copy(update={"on_unknown": "resend"})
    await ordered(life.store, life.now, "mailing", mailing=again)
    await life.passes(hours=1)

    assert (by_status(await ledger(life.store)), len(life.postbox.mails)) == ({"accepted": 1}, 1)


async def test_one_that_the_provider_never_took_is_sent_once(life: Life) -> None:
    await settle(life.store, [a_lead(1, life.now)], life.now)
    life.postbox.troubles = [Ambiguous("no answer")]
    await ordered(life.store, life.now, "mailing", mailing=NEWS)
    await life.passes(hours=1)

    assert (by_status(await ledger(life.store)), len(life.postbox.mails)) == ({"accepted": 1}, 1)


async def test_an_address_that_is_refused_is_suppressed(life: Life) -> None:
    [lead_id] = await settle(life.store, [a_lead(1, life.now)], life.now)
    life.postbox.troubles = [AddressRefused("no such user", code="5.1.1")]
    await ordered(life.store, life.now, "mailing", mailing=NEWS)
    await life.settle()

    assert (await story(life, lead_id)).suppressed == {"all": "the address was refused: 5.1.1"}


async def test_each_lead_gets_a_mailing_by_the_first_channel_that_reaches_it(life: Life) -> None:
    leads = [a_lead(1, life.now, phone="+4930111111"), a_lead(2, life.now, phone="+4930222222"), a_lead(3, life.now)]
    known = await settle(life.store, leads, life.now)
    async with life.store.write() as session:
        for lead_id in known:
            await record_consent(session, lead_id, "channel:sms", True, "test", life.now)
    sms = Postbox("sms", troubles=[AddressRefused("said stop", code="21610")])
    life.walkers.equipment.channels["sms"] = sms  # type: ignore[index]  # a dict here
    await ordered(life.store, life.now, "mailing", mailing=NEWS.model_copy(update={"channel": ("sms", "email")}))
    await life.passes(hours=1)

    by_sms, by_mail = [mail.recipient for mail in sms.mails], [mail.recipient for mail in life.postbox.mails]
    assert (len(by_sms), len(by_mail), len(set(by_sms + by_mail))) == (1, 2, 3)
    assert "lead-3@example.com" in by_mail
    assert by_status(await ledger(life.store)) == {"accepted": 3}


async def test_what_was_put_off_is_cancelled_with_the_mailing(life: Life) -> None:
    await settle(life.store, [a_lead(n, life.now, time_zone="America/Los_Angeles") for n in range(3)], life.now)
    run_id = await ordered(life.store, life.now, "mailing", mailing=NEWS)
    await life.settle()
    async with life.store.write() as session:
        await bulk_runs.cancel(session, run_id, life.now)
    await life.passes(days=1)

    assert set((await ledger(life.store)).values()) == {("cancelled", "the mailing was cancelled")}
    assert not life.postbox.mails


async def test_a_pause_in_the_middle_of_a_page_holds_what_is_not_committed_yet(life: Life) -> None:
    await settle(life.store, [a_lead(n, life.now) for n in range(40)], life.now)
    run_id = await ordered(life.store, life.now, "mailing", mailing=NEWS)

    async def pause(_: object) -> None:
        async with life.store.write() as session:
            await bulk_runs.pause(session, run_id)

    life.postbox.on_send = pause
    await life.settle()
    at_once = life.settings.email_connections // 2
    assert 0 < len(life.postbox.mails) <= at_once

    async with life.store.write() as session:
        await bulk_runs.resume(session, run_id, life.now)
    life.postbox.on_send = None
    await life.passes(hours=1)
    assert received(life) == {f"lead-{n}@example.com": 1 for n in range(40)}


async def test_a_lead_that_is_erased_meanwhile_is_passed_over(life: Life) -> None:
    first, second = await settle(
        life.store, [a_lead(n, life.now, time_zone="America/Los_Angeles") for n in range(2)], life.now
    )
    run_id = await ordered(life.store, life.now, "mailing", mailing=NEWS)
    await life.settle()
    async with life.store.write() as session:
        for model in (ConsentRow, IdentityRow):
            await session.exec(delete(model).where(col(model.lead_id) == first))
        await session.exec(delete(LeadRow).where(col(LeadRow.id) == first))
    await life.passes(days=1)

    assert {lead_id: status for lead_id, (status, _) in (await ledger(life.store)).items()} == {
        first: "cancelled", second: "accepted",
    }  # fmt: skip
    assert (await run_of(life.store, run_id)).status == "done"


async def test_a_worker_that_is_stopped_begins_no_other_letter_and_another_goes_on(life: Life) -> None:
    await settle(life.store, [a_lead(n, life.now) for n in range(20)], life.now)
    run_id, equipment = await ordered(life.store, life.now, "mailing", mailing=NEWS), life.walkers.equipment
    await take_page(equipment, Engine(), run_id, lambda: life.now, lambda: len(life.postbox.mails) >= 3)
    begun = len(life.postbox.mails)
    assert 3 <= begun < 3 + life.settings.email_connections // 2

    await life.passes(hours=1)
    assert received(life) == {f"lead-{n}@example.com": 1 for n in range(20)}


# --- what the story of a lead tells ---


async def test_the_story_tells_the_mailing_and_what_came_of_it(life: Life) -> None:
    [lead_id] = await settle(life.store, [a_lead(1, life.now)], life.now)
    await ordered(life.store, life.now, "mailing", mailing=NEWS)
    await life.settle()
    await life.clicks("test/one", to="lead-1@example.com")

    [told] = (await story(life, lead_id)).mailed
    assert (told.state, told.kind, told.what, told.notes) == (
        "november", "sent", "send test/one", ("clicked 2026-11-23 10:00",)
    )  # fmt: skip


async def test_the_story_tells_why_and_until_when_it_is_put_off(life: Life) -> None:
    [lead_id] = await settle(life.store, [a_lead(1, life.now, time_zone="America/Los_Angeles")], life.now)
    await ordered(life.store, life.now, "mailing", mailing=NEWS)
    await life.settle()

    [told] = (await story(life, lead_id)).mailed
    assert (told.kind, told.how, told.until) == ("put off", "quiet hours", MORNING.replace(hour=16))


@pytest.mark.parametrize(
    ("country", "answer"),
    [("DE", "it was sent"), ("FR", "it was not in the audience germans when the mailing came by")],
)
async def test_why_a_lead_has_no_mailing_is_told(life: Life, country: str, answer: str) -> None:
    [lead_id] = await settle(life.store, [a_lead(1, life.now, country=country)], life.now)
    await ordered(life.store, life.now, "mailing", mailing=NEWS)
    await life.passes(hours=1)

    assert [(spot.campaign, spot.answer) for spot in (await absence(life, lead_id, "test/one")).spots] == [
        ("november", answer)
    ]


async def test_a_message_that_nothing_ever_sent_is_unknown(life: Life) -> None:
    [lead_id] = await settle(life.store, [a_lead(1, life.now)], life.now)
    await ordered(life.store, life.now, "mailing", mailing=NEWS)

    with pytest.raises(NotFound, match=r'no mailing sends the message .*did you mean "test/one"'):
        await absence(life, lead_id, "test/on")


# --- a worker that dies, at every point ---

POINTS = [f"{when} commit {n}" for n in range(1, 10) for when in ("before", "after")]


@pytest.fixture
async def way(database_url: str, now: datetime) -> AsyncIterator[Way]:
    store = Perilous(database_url)
    yield Way(store, now)
    await store.close()


async def taken_to_its_end(way: Way, run_id: str) -> None:
    """Page after page, each a minute later, whatever happens in one."""
    for minute in range(1, 30):
        try:
            now = way.now + minute * AFTER_THE_LEASE
            paged = await take_page(way.equipment, Engine(), run_id, lambda at=now: at)  # type: ignore[misc]  # bound now
        except (Killed, TryAgain):
            continue
        if paged.ending:
            return
    raise AssertionError("the run never comes to an end")


@pytest.mark.parametrize("point", POINTS)
async def test_a_death_at_any_commit_loses_nothing_and_sends_nothing_twice(way: Way, point: str) -> None:
    await settle(way.store, [a_lead(n, way.now) for n in range(2)], way.now)
    run_id = await ordered(way.store, way.now, "mailing", mailing=NEWS)
    way.store.commits, way.store.deeds = 0, {point: kill}
    await taken_to_its_end(way, run_id)

    assert not way.store.deeds, "the point was never met"
    assert Counter(mail.recipient for mail in way.post.taken) == {f"lead-{n}@example.com": 1 for n in range(2)}
    assert by_status(await ledger(way.store)) == {"accepted": 2}


@pytest.mark.parametrize("point", ["before it is taken", "after it is taken"])
async def test_after_a_death_in_the_hand_over_nothing_is_sent_that_perhaps_arrived(way: Way, point: str) -> None:
    await settle(way.store, [a_lead(n, way.now) for n in range(2)], way.now)
    run_id = await ordered(way.store, way.now, "mailing", mailing=NEWS)
    way.post.can_tell, way.post.deeds = False, {point: kill}
    await taken_to_its_end(way, run_id)

    taken = Counter(mail.recipient for mail in way.post.taken)
    assert by_status(await ledger(way.store)) == {"accepted": 1, "unknown": 1}
    assert (set(taken.values()), len(taken)) == ({1}, 2 if point == "after it is taken" else 1)


async def test_what_a_death_left_of_a_cancelled_mailing_is_settled_by_the_provider(way: Way) -> None:
    await settle(way.store, [a_lead(1, way.now)], way.now)
    run_id = await ordered(way.store, way.now, "mailing", mailing=NEWS)
    way.post.deeds = {"before it is taken": kill}
    with pytest.raises(Killed):
        await take_page(way.equipment, Engine(), run_id, lambda: way.now)
    async with way.store.write() as session:
        await bulk_runs.cancel(session, run_id, way.now)
    await taken_to_its_end(way, run_id)
    assert await ledger(way.store) == {"lead-00001": ("unknown", "the mailing was cancelled")}

    await resolve_unknown(way.equipment, way.now + timedelta(hours=1))
    assert await ledger(way.store) == {"lead-00001": ("rejected", TOO_LATE)}


async def test_one_that_turns_out_too_late_never_to_have_been_taken_is_closed(way: Way) -> None:
    await settle(way.store, [a_lead(1, way.now)], way.now)
    run_id = await ordered(way.store, way.now, "mailing", mailing=NEWS)
    way.post.troubles, way.post.can_tell = [Ambiguous("no answer")], False
    await taken_to_its_end(way, run_id)
    way.post.can_tell = True
    await resolve_unknown(way.equipment, way.now + timedelta(hours=1))

    assert await ledger(way.store) == {"lead-00001": ("rejected", TOO_LATE)}


async def test_one_left_behind_by_a_mailing_that_is_paused_is_sent_once_it_goes_on(way: Way) -> None:
    await settle(way.store, [a_lead(1, way.now)], way.now)
    run_id = await ordered(way.store, way.now, "mailing", mailing=NEWS)
    way.post.deeds = {"before it is taken": kill}
    with pytest.raises(Killed):
        await take_page(way.equipment, Engine(), run_id, lambda: way.now)
    async with way.store.write() as session:
        await bulk_runs.pause(session, run_id)
    for hour in (1, 2):
        await resolve_unknown(way.equipment, way.now + timedelta(hours=hour))
    assert by_status(await ledger(way.store)) == {"unknown": 1}

    async with way.store.write() as session:
        await bulk_runs.resume(session, run_id, way.now)
    way.now += timedelta(hours=3)
    await taken_to_its_end(way, run_id)
    assert (by_status(await ledger(way.store)), len(way.post.taken)) == ({"accepted": 1}, 1)
