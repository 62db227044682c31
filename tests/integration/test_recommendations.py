"""Recommendations, on each database in turn: a friend is brought once, by one, and rewarded once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlmodel import SQLModel, select

from nurture import Campaign, Reward, State, ask_referral, days, done, lead, on, tag, wait
from nurture.catalogue import Catalogue
from nurture.deals import News
from nurture.errors import Refused
from nurture.intake import Incoming, Intake, Internal
from nurture.intake.incoming import Recommended, stable_id
from nurture.settings import Settings
from nurture.store import Store, rewards
from nurture.store.consents import current_consents
from nurture.store.erasure import erase
from nurture.store.models import EventRow, LeadRow, MoveRow
from nurture.store.recommendation_tables import RecommendationRow, RewardRow
from nurture.store.referrals import share_code
from tests.integration.life import Life

BOB = "bob@example.org"
MONTH = Reward(key="month", when=on("order_paid"), amount="10.00", currency="EUR")


async def rows(store: Store, model: type[SQLModel]) -> list[Any]:
    async with store.read() as session:
        return list((await session.exec(select(model))).all())


async def code_of(store: Store, lead_id: str = "ann") -> str:
    async with store.write() as session:
        return await share_code(session, lead_id, datetime.now(UTC))


@pytest.fixture
async def code(client: httpx.AsyncClient, store: Store) -> str:
    """The share code of Ann, who is known by address, phone and the cookie of her browser."""
    known = {"email": "ann@example.com", "phone": "+49301234567", "cookie": "c-ann"}
    answer = await client.post("/v1/leads", json={"lead": known})
    return await code_of(store, answer.json()["lead_id"])


async def came(client: httpx.AsyncClient, code: str, email: str = BOB, **form: str) -> httpx.Response:
    return await client.post(f"/r/{code}", data={"email": email, "first_name": "Bob", **form})


async def refusals(store: Store) -> list[str]:
    return [row.reason for row in await rows(store, RecommendationRow)]


# --- the page ---


async def test_looking_at_the_page_takes_nobody_in(client: httpx.AsyncClient, store: Store, code: str) -> None:
    page = await client.get(f"/r/{code}")

    assert "You were recommended to us" in page.text
    assert len(await rows(store, LeadRow)) == 1


async def test_a_friend_who_leaves_an_address_is_a_lead_brought_by_who_recommended(
    client: httpx.AsyncClient, store: Store, code: str
) -> None:
    answer = await came(client, code)

    (brought,) = await rows(store, RecommendationRow)
    friend = next(row for row in await rows(store, LeadRow) if row.id == brought.friend_id)
    assert (answer.status_code, "We have your address" in answer.text) == (200, True)
    assert (brought.attributed, brought.channel, friend.email, friend.profile["source"]) == (
        True,
        "referral",
        BOB,
        "referral",
    )
    async with store.read() as session:
        assert (
            await current_consents(session, friend.id, datetime.now(UTC)) == {}
        )  # what was not ticked is not consented to


async def test_what_is_ticked_is_consented_to(client: httpx.AsyncClient, store: Store, code: str) -> None:
    await came(client, code, news="yes")

    (brought,) = await rows(store, RecommendationRow)
    async with store.read() as session:
        assert await current_consents(session, brought.friend_id, datetime.now(UTC)) == {"news": True}


async def test_an_address_that_is_none_is_asked_for_again(client: httpx.AsyncClient, store: Store, code: str) -> None:
    answers = [await came(client, code, email=email) for email in ("", "nobody", "a@b@c")]

    assert {answer.status_code for answer in answers} == {422}
    assert all('value="Bob"' in answer.text for answer in answers)
    assert await rows(store, RecommendationRow) == []


async def test_a_program_that_fills_in_every_field_learns_nothing_and_brings_nobody(
    client: httpx.AsyncClient, store: Store, code: str
) -> None:
    answer = await came(client, code, website="https://example.com")

    assert (answer.status_code, "We have your address" in answer.text) == (200, True)
    assert await rows(store, RecommendationRow) == []


async def test_the_form_sent_many_times_at_once_brings_one_friend_once(
    client: httpx.AsyncClient, store: Store, code: str
) -> None:
    answers = await asyncio.gather(*(came(client, code) for _ in range(10)))

    assert {answer.status_code for answer in answers} == {200}
    assert [row.attributed for row in await rows(store, RecommendationRow)] == [True]
    assert [row.name for row in await rows(store, EventRow)] == ["recommended"]


# --- who is not brought by anybody ---


@pytest.mark.parametrize(
    ("email", "cookie", "why"),
    [
        ("ann@example.com", "", "it is the very person who recommends"),
        ("ann+me@example.com", "", "it has the mailbox of the one who recommends it"),
        (BOB, "c-ann", "it came from the device of the one who recommends it"),
    ],
)
async def test_nobody_recommends_to_themselves(
    client: httpx.AsyncClient, store: Store, code: str, email: str, cookie: str, why: str
) -> None:
    answer = await client.post(f"/r/{code}", data={"email": email}, headers={"Cookie": f"nurture={cookie}"})

    assert "We have your address" in answer.text
    assert await refusals(store) == [why]


async def test_who_is_known_stays_as_it_is_and_is_brought_by_nobody(
    client: httpx.AsyncClient, store: Store, code: str
) -> None:
    await client.post("/v1/leads", json={"lead": {"email": BOB, "first_name": "Robert"}, "consents": {"news": False}})

    await came(client, code, news="yes")

    known = next(row for row in await rows(store, LeadRow) if row.email == BOB)
    assert (known.profile["first_name"], known.profile.get("source")) == ("Robert", None)
    async with store.read() as session:
        assert await current_consents(session, known.id, datetime.now(UTC)) == {"news": False}
    assert await refusals(store) == ["it was known before"]


async def test_two_who_recommend_each_other_count_one_way_only(
    client: httpx.AsyncClient, store: Store, code: str
) -> None:
    await came(client, code)
    (brought,) = await rows(store, RecommendationRow)
    await came(client, await code_of(store, brought.friend_id), email="ann@example.com")

    assert sorted(await refusals(store)) == ["", "it brought the one who recommends it"]


async def test_by_a_code_of_who_was_erased_nobody_comes(client: httpx.AsyncClient, store: Store, code: str) -> None:
    await came(client, code)
    (brought,) = await rows(store, RecommendationRow)
    async with store.write() as session:
        await erase(session, brought.referrer_id, "ops", datetime.now(UTC))

    assert (await came(client, code, email="eve@example.org")).status_code == 404
    assert await rows(store, RecommendationRow) == []


# --- the reward ---


@pytest.fixture
async def life(store: Store, now: datetime) -> AsyncIterator[Life]:
    """Ann has recommended Bob."""
    async with Life(store, now, rewards=[MONTH]) as life:
        ann = await life.lead()
        item = Internal(
            name="recommended", lead={"email": BOB}, recommended=Recommended(code=await code_of(store, ann))
        )
        await life.intake.accept([item], life.now)
        yield life


async def owed(life: Life) -> list[tuple[str, str, str | None]]:
    return [(row.status, row.reason, row.amount) for row in await rows(life.store, RewardRow)]


async def told(life: Life) -> int:
    async with life.store.write() as session:
        await rewards.tell(session, life.now)
    return [row.name for row in await rows(life.store, EventRow)].count("referral_rewarded")


async def test_a_friend_who_does_what_counts_is_rewarded_once(life: Life) -> None:
    await life.orders("placed", to=BOB)
    assert await owed(life) == []

    for number in ("1", "1", "2"):
        await life.orders("paid", to=BOB, number=number)

    assert await owed(life) == [("granted", "", "10.00")]
    assert [await told(life), await told(life)] == [1, 1]
    (event,) = [row for row in await rows(life.store, EventRow) if row.name == "referral_rewarded"]
    assert event.properties == {"reward": "month", "amount": "10.00", "currency": "EUR"}


async def test_who_was_brought_by_nobody_is_worth_nothing(life: Life) -> None:
    await life.lead("eve@example.org")
    await life.orders("paid", to="eve@example.org")

    assert await owed(life) == []


async def test_a_refund_voids_the_reward_and_another_order_brings_it_back(life: Life) -> None:
    await life.orders("paid", to=BOB)
    part = {"id": "r1", "amount": "20.00"}
    await life.orders("refunded", to=BOB, refund=part)
    assert await owed(life) == [("granted", "", "10.00")]

    await life.orders("refunded", to=BOB)
    assert await owed(life) == [("voided", "order 1 was refunded", "10.00")]
    assert await told(life) == 0

    await life.orders("paid", to=BOB, number="2")
    assert await owed(life) == [("granted", "", "10.00")]
    assert await told(life) == 1


async def test_an_order_refunded_before_it_was_heard_to_be_paid_gives_nothing(life: Life) -> None:
    await life.orders("refunded", to=BOB)
    await life.orders("paid", to=BOB)

    assert await owed(life) == []


async def test_what_is_paid_out_stays_so_with_a_note(life: Life) -> None:
    await life.orders("paid", to=BOB)
    (reward,) = await rows(life.store, RewardRow)
    async with life.store.write() as session:
        await rewards.pay(session, reward.id, life.now)

    await life.orders("refunded", to=BOB)

    assert await owed(life) == [("paid", "order 1 was refunded after it was paid out", "10.00")]
    with pytest.raises(Refused, match="is paid"):
        async with life.store.write() as session:
            await rewards.pay(session, reward.id, life.now)


async def test_paid_by_many_at_once_it_is_one_reward(life: Life, database_url: str, now: datetime) -> None:
    other = Store(database_url)
    catalogue = Catalogue(rewards={"month": MONTH})
    intakes = [Intake(one, catalogue, Settings(_env_file=None)) for one in (life.store, other)]
    items = []
    for number in ("1", "2"):
        news = News(number=number, status="paid", amount="5", currency="EUR")
        items.append(Internal(id=stable_id(*news.told_once), name="order_paid", lead={"email": BOB}, order=news))

    await asyncio.gather(*(intake.accept([item], now) for _ in range(5) for intake in intakes for item in items))
    for intake in intakes:
        await intake.close()
    await other.close()

    assert await owed(life) == [("granted", "", "10.00")]


# --- who is asked ---


ASKING = Campaign(
    "asking",
    enters=[on("asked")],
    states=[State("ask", [ask_referral("test/refer"), tag("after"), wait(days(1)), done])],
)
KNOWN: dict[str, tuple[dict[str, Any], tuple[str, ...], bool]] = {
    "nothing": ({}, (), False),
    "bought": ({}, ("paid",), False),
    "content": ({"nps": 10}, (), False),
    "bought and content": ({"nps": 9}, ("paid",), True),
    "bought and solved": ({"tags": ["solved"]}, ("paid",), True),
    "lukewarm": ({"nps": 8}, ("paid",), False),
    "given back": ({"nps": 10}, ("paid", "refunded"), False),
}


@pytest.mark.parametrize("known", KNOWN)
async def test_only_who_bought_and_is_content_is_asked_to_recommend(life: Life, known: str) -> None:
    profile, statuses, asked = KNOWN[known]
    await life.publish(ASKING)
    await life.lead(**profile)
    for status in statuses:
        await life.orders(status)

    await life.happens("asked")

    assert len(life.postbox.mails) == asked
    note = next(
        row.reply["note"] for row in await rows(life.store, MoveRow) if row.words.startswith("ask for a referral")
    )
    assert note.startswith("" if asked else "not asked: ")
    assert any(row.words == "tag after" for row in await rows(life.store, MoveRow))  # the journey goes on


async def test_a_campaign_may_say_itself_who_is_satisfied(life: Life) -> None:
    state = State("ask", [ask_referral("test/refer", satisfied=lead.tags.has("fan")), done])
    await life.publish(Campaign("asking", enters=[on("asked")], states=[state]))
    await life.intake.accept([Incoming(lead={"email": "ann@example.com", "tags": ["fan"]})], life.now)

    await life.happens("asked")

    assert len(life.postbox.mails) == 1
