from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from nurture import (
    Campaign,
    State,
    branch,
    clicked,
    days,
    done,
    escalate,
    event,
    lead,
    leave,
    on,
    once_in,
    send,
    split,
    tag,
    wait,
    wait_for,
    when,
)
from nurture.errors import AddressRefused, Ambiguous, NotFound, ProviderUnavailable
from nurture.store import Store, campaigns, journeys, outbox
from nurture.store.models import LeadRow, OutboxRow
from nurture.store.story import Absence, JourneyStory, Story, story_of, why_not
from nurture.telling import Told
from tests.integration.life import Life

ROAD = Campaign(
    key="road",
    enters=[on("price_list_downloaded")],
    reenters=once_in(days(180)),
    goal=on("order_paid"),
    always=[on("order_paid", to="thanks"), when(lead.score("interest") >= 70, to="handover")],
    states=[
        State("greet", [
            send("test/one"),
            wait_for(clicked("test/one"), up_to=days(3), then="ask", otherwise="remind"),
        ]),
        State("remind", [send("test/two"), wait(days(4)), leave("no interest")]),
        State("ask", [branch(when(lead.country == "DE", to="german"), otherwise=done)]),
        State("german", [send("test/three"), wait(days(30)), done]),
        State("handover", [escalate("ready"), wait_for(on("sales_rejected"), up_to=days(14)), leave("with sales")]),
        State("thanks", [tag("customer"), send("test/thanks")]),
    ],
)  # fmt: skip


@pytest.fixture
async def life(store: Store, now: datetime) -> AsyncIterator[Life]:
    async with Life(store, now) as life:
        await life.publish(ROAD)
        yield life


async def story(life: Life, campaign: str | None = None, email: str = "ann@example.com") -> Story:
    lead_id = await life.lead(email)
    async with life.store.read() as session:
        return await story_of(session, lead_id, life.now, campaign)


async def journey(life: Life) -> JourneyStory:
    [only] = (await story(life)).journeys
    return only


async def line(life: Life, what: str) -> Told:
    return next(one for one in (await journey(life)).lines if what in f"{one.kind} {one.what}")


async def absence(life: Life, template: str) -> Absence:
    told = await story(life)
    async with life.store.read() as session:
        return await why_not(session, told, template)


async def test_a_journey_tells_by_which_event_it_was_entered_and_in_which_version(life: Life) -> None:
    await life.lead()
    await life.happens("price_list_downloaded", page="prices")
    told = await journey(life)
    assert (told.campaign, told.number, told.by) == ("road", 1, "price list downloaded (page prices)")


async def test_a_wait_tells_what_it_is_for_and_until_when(life: Life) -> None:
    await life.lead()
    await life.happens("price_list_downloaded")
    now = (await journey(life)).standing
    assert [(ear.words, ear.to) for ear in now.waits_for] == [("a click in test/one", "ask"), ("otherwise", "remind")]
    assert now.until is not None
    assert (now.until - now.since).days == 3


async def test_what_is_heard_at_any_time_shows_how_it_stands(life: Life) -> None:
    await life.lead()
    await life.happens("price_list_downloaded")
    paid, ready = (await journey(life)).standing.hears
    assert (paid.words, paid.to) == ("order paid", "thanks")
    assert (ready.words, ready.to, str(*ready.seen)) == (
        "interest score is at least 70",
        "handover",
        "interest score: 10",
    )


async def test_a_message_tells_that_it_was_sent_and_what_came_of_it(life: Life) -> None:
    await life.lead()
    await life.happens("price_list_downloaded")
    await life.clicks("test/one", machine=True)
    await life.clicks("test/one")
    sent = await line(life, "sent send test/one")
    assert sent.how == "in en"
    assert [note.partition(" 2026")[0] for note in sent.notes] == [
        "clicked",
        "clicked by a machine 1 time: not counted",
    ]


async def test_a_decision_tells_the_values_it_saw(life: Life) -> None:
    await life.lead(country="FR")
    await life.happens("price_list_downloaded")
    await life.clicks("test/one")
    decided = await line(life, "decides")
    assert (decided.how, str(*decided.seen), decided.to) == ("country is DE: no", "country: FR", "the end")


async def test_a_wait_that_ran_out_tells_so_and_where_it_led(life: Life) -> None:
    await life.lead()
    await life.happens("price_list_downloaded")
    await life.passes(days=3, hours=1)
    over = await line(life, "over")
    assert (over.what, over.to) == ("3 days passed without it", "remind")


async def test_a_message_withheld_tells_the_reason(life: Life) -> None:
    await life.lead(consents={"news": False})
    await life.happens("price_list_downloaded")
    withheld = await line(life, "not sent")
    assert (withheld.what, withheld.how) == ("send test/one", "unsubscribed from news")


async def test_a_message_put_off_tells_the_reason_and_the_time(life: Life) -> None:
    await life.lead()
    await life.passes(hours=12)
    await life.happens("price_list_downloaded")
    put_off = await line(life, "put off")
    assert (put_off.how, f"{put_off.until:%H:%M}") == ("quiet hours", "08:00")


async def test_an_address_that_was_refused_is_told_with_the_message_and_with_the_lead(life: Life) -> None:
    life.postbox.troubles = [AddressRefused("no such user", code="5.1.1")]
    await life.lead()
    await life.happens("price_list_downloaded")
    told = await story(life)
    assert told.journeys[0].lines[0].how == "the address was refused: 5.1.1"
    assert told.suppressed == {"all": "the address was refused: 5.1.1"}


async def test_a_message_that_perhaps_arrived_is_told_as_that(life: Life) -> None:
    life.postbox.troubles, life.postbox.can_tell = [Ambiguous("no answer")], False
    await life.lead()
    await life.happens("price_list_downloaded")
    unclear = await line(life, "unclear")
    assert "perhaps it arrived" in unclear.how


async def test_a_message_that_cannot_get_out_tells_what_stands_in_its_way(life: Life) -> None:
    life.postbox.troubles = [ProviderUnavailable("the mail server does not answer")] * 9
    await life.lead()
    await life.happens("price_list_downloaded")
    now = (await journey(life)).standing
    assert (now.at_work, now.because) == ("is about to send test/one", "the mail server does not answer")


async def test_a_score_that_opens_a_way_is_told_with_its_points_at_that_time(life: Life) -> None:
    await life.lead()
    await life.happens("price_list_downloaded")
    await life.happens("request_sent", about="site")
    heard = await line(life, "heard")
    assert (heard.what, str(*heard.seen), heard.to) == (
        "interest score is at least 70",
        "interest score: 70",
        "handover",
    )
    assert heard.notes == ("request sent (about site)",)


async def test_a_score_that_fades_is_told_as_it_was_then_and_as_it_is(life: Life) -> None:
    await life.lead()
    await life.happens("price_list_downloaded")
    await life.happens("request_sent", about="site")
    async with life.store.write() as session:
        row = (await session.exec(select(LeadRow))).one()
        row.fading = {"interest": [70.0, life.now.timestamp(), 864_000.0]}
        session.add(row)
    life.now += timedelta(days=10)

    assert str(*(await line(life, "heard")).seen) == "interest score: 70"
    assert (await story(life)).scores == {"interest": 35}


async def test_a_hand_off_is_told_with_its_facts_and_the_answer_of_sales(life: Life) -> None:
    await life.lead(company={"turnover": 5_000})
    await life.happens("price_list_downloaded")
    await life.happens("request_sent")
    handed = await line(life, "hand over")
    assert handed.notes == (
        "✓ email is known (ann@example.com)",
        "✗ company turnover is at least 1,000,000 (5000)",
        "the lead of sales has it",
        "no answer from sales yet",
    )


async def test_the_goal_is_told_as_the_goal(life: Life) -> None:
    await life.lead()
    await life.happens("price_list_downloaded")
    await life.happens("order_paid", amount=100)
    heard = await line(life, "heard")
    assert (heard.what, heard.how, heard.to, heard.notes) == (
        "order paid",
        "the goal",
        "thanks",
        ("order paid (amount 100)",),
    )


async def test_the_end_is_told_with_its_reason(life: Life) -> None:
    await life.lead()
    await life.happens("price_list_downloaded")
    await life.passes(days=8)
    assert (await journey(life)).standing.ending == "left: no interest"


async def test_a_stop_by_a_person_is_told_with_the_reason(life: Life) -> None:
    lead_id = await life.lead()
    await life.happens("price_list_downloaded")
    async with life.store.write() as session:
        await journeys.remove_lead(session, lead_id, "asked by phone", life.now)
    await life.settle()
    stopped = await line(life, "heard")
    assert (stopped.what, stopped.how) == ("a person stopped it", "asked by phone")


async def test_a_pause_is_told_and_its_end(life: Life) -> None:
    await life.lead()
    async with life.store.write() as session:
        await campaigns.pause(session, "road", life.now)
    await life.happens("price_list_downloaded")
    assert (await journey(life)).standing.why == "is held: the campaign is paused"
    async with life.store.write() as session:
        await campaigns.resume(session, "road", life.now)
    await life.passes(hours=1)
    assert [one.what for one in (await journey(life)).lines][:2] == ["the campaign is paused", "the campaign goes on"]


async def test_a_refused_entry_tells_the_event_and_the_rule(life: Life) -> None:
    await life.lead()
    await life.happens("price_list_downloaded")
    await life.happens("price_list_downloaded", page="again")
    [kept_out] = (await story(life)).kept_out
    assert (kept_out.campaign, kept_out.by, kept_out.reason) == (
        "road", "price list downloaded (page again)", "already in it"
    )  # fmt: skip


async def test_a_campaign_never_entered_tells_what_would_have_entered_it(life: Life) -> None:
    quiet = Campaign("quiet", [State("one", [tag("x")])], enters=[when(event("order_paid").count() >= 1), on("visit")])
    await life.publish(quiet)
    told = await story(life, "quiet")
    condition, visit = told.outside[0].doors
    assert (condition.answer, [str(one) for one in condition.seen]) == ("that is not so", ["order paid: 0 times"])
    assert (visit.words, visit.answer) == ("on visit", "it has not happened")


async def test_an_event_before_the_campaign_was_published_is_told_as_that(life: Life) -> None:
    await life.lead()
    await life.happens("visit")
    await life.passes(days=1)
    await life.publish(Campaign("late", [State("one", [tag("x")])], enters=[on("visit")]))
    [door] = (await story(life, "late")).outside[0].doors
    assert door.answer == "it happened 2026-11-23 10:00, before the campaign was published"


async def test_a_lead_held_out_is_told_so(life: Life) -> None:
    await life.publish(Campaign("test", [State("one", [send("test/one")])], enters=[on("visit")], holdout=100))
    await life.lead()
    await life.happens("visit")
    assert (await journey(life)).standing.status == "holdout"
    assert (await absence(life, "test/one")).spots[0].answer == "the lead is held out of this campaign"


async def test_what_is_still_to_be_told_is_counted(life: Life) -> None:
    lead_id = await life.lead()
    async with life.store.write() as session:
        row = OutboxRow(lead_id=lead_id, kind="event", body={}, due_at=life.now.replace(year=2030), created_at=life.now)
        await outbox.put(session, [row])
        told = await story_of(session, lead_id, life.now)
    assert told.pending == 1


async def test_consents_and_points_are_told_with_their_source(life: Life) -> None:
    await life.lead()
    await life.happens("price_list_downloaded")
    told = await story(life)
    assert [(one.topic, one.granted, one.source) for one in told.consents] == [("news", True, "form")]
    assert [(one.score, one.rule, one.points) for one in told.points] == [("interest", "on price list downloaded", 10)]


# --- why not ---


async def test_a_message_still_ahead_tells_the_way_there(life: Life) -> None:
    await life.lead()
    await life.happens("price_list_downloaded")
    [spot] = (await absence(life, "test/three")).spots
    assert spot.answer == "not yet: the way there is greet → ask → german"


async def test_a_message_passed_by_tells_where_the_road_turned_off(life: Life) -> None:
    await life.lead(country="FR")
    await life.happens("price_list_downloaded")
    await life.clicks("test/one")
    [spot] = (await absence(life, "test/three")).spots
    assert spot.answer == "its road turned off before"
    assert spot.by is not None
    assert (spot.by.state, spot.by.how) == ("ask", "country is DE: no")


async def test_a_message_behind_an_event_tells_which(life: Life) -> None:
    await life.lead()
    await life.happens("price_list_downloaded")
    [spot] = (await absence(life, "test/thanks")).spots
    assert spot.answer == "the way there opens only by order paid, which has not been heard"


async def test_a_message_withheld_is_told_from_the_ledger(life: Life) -> None:
    await life.lead(consents={"news": False})
    await life.happens("price_list_downloaded")
    found = await absence(life, "test/one")
    assert (found.sent, found.spots[0].answer) == (False, "it was withheld: unsubscribed from news")


async def test_a_message_that_was_sent_after_all_tells_when(life: Life) -> None:
    await life.lead()
    await life.happens("price_list_downloaded")
    found = await absence(life, "test/one")
    assert (found.sent, found.spots[0].answer) == (True, "it was sent")


async def test_a_message_of_a_campaign_never_entered_tells_its_doors(life: Life) -> None:
    await life.lead()
    [spot] = (await absence(life, "test/one")).spots
    assert spot.answer == "it is not in this campaign (on price list downloaded: it has not happened)"


async def test_a_message_that_no_campaign_sends_is_named_with_the_one_that_is_meant(life: Life) -> None:
    with pytest.raises(NotFound, match='did you mean "test/three"'):
        await absence(life, "test/thre")


async def test_a_split_tells_its_lot(life: Life) -> None:
    halves = [
        State("draw", [split({"left": 50, "right": 50})]),
        State("left", [tag("x"), done]),
        State("right", [tag("y")]),
    ]
    await life.publish(Campaign("halves", halves, enters=[on("visit")]))
    await life.lead()
    await life.happens("visit")
    drawn = await line(life, "decides")
    assert (drawn.what, drawn.how, drawn.to in ("left", "right")) == ("split 50 → left, 50 → right", "by lot", True)
