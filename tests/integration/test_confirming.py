"""Mails that ask to confirm a consent, on each database in turn: sent by a campaign, and never more than a few a day."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from nurture import Campaign, State, always, confirm, days, done, leave, on, send, wait_for
from nurture.intake import Consent, Internal
from nurture.intake.capturing import Captured, Proof
from nurture.links import Links
from nurture.store import Store
from nurture.store.models import MessageRow
from tests.integration.life import Life

NEWS = Campaign(
    "news",
    enters=[on("news_wanted")],
    reenters=always,
    states=[
        State("ask", [confirm("news", "test/confirm"),
                      wait_for(on("confirmed", form="news"), up_to=days(7), then="greet", otherwise=leave("never"))]),
        State("greet", [send("test/one"), done]),
    ],
)  # fmt: skip


@pytest.fixture
async def life(store: Store, now: datetime) -> AsyncIterator[Life]:
    async with Life(store, now) as life:
        await life.publish(NEWS)
        yield life


async def asks(life: Life, *, confirmed: bool = False) -> None:
    """Somebody types the address into the form, and ticks the box."""
    address = "ann@example.com"
    proof = Proof(form="news", version="1", topic="news", text="Yes, the news", text_hash="1", language="en",
                  email=address, ip="::1", confirmed=confirmed)  # fmt: skip
    item = Internal(name="news_wanted", lead={"email": address}, captured=Captured(stage="visit", proof=proof))
    [result] = await life.intake.accept([item], life.now)
    assert result.error is None
    await life.settle()


def sent(life: Life) -> list[str]:
    return [mail.subject for mail in life.postbox.mails]


async def test_the_mail_goes_at_once_without_consent_and_holds_a_link_for_a_week(life: Life) -> None:
    await asks(life)

    [mail] = life.postbox.mails
    token = mail.text.partition("/o/")[2].split()[0].rstrip(")>")
    found = Links(life.settings.base_url, life.settings.secrets).confirming(token)
    assert found.until == life.now + timedelta(days=7)


async def test_who_confirms_gets_what_follows(life: Life) -> None:
    await asks(life)
    confirmed = Internal(
        name="confirmed", lead={"email": "ann@example.com"}, properties={"form": "news"},
        consents={"news": Consent(granted=True)},
    )  # fmt: skip
    await life.intake.accept([confirmed], life.now)
    await life.settle()

    assert len(sent(life)) == 2


async def test_who_does_not_gets_nothing_more(life: Life) -> None:
    await asks(life)
    await life.passes(days=8)

    assert len(sent(life)) == 1


async def test_one_address_is_asked_a_few_times_a_day_however_often_it_is_typed_in(life: Life, store: Store) -> None:
    for _ in range(5):
        await asks(life)
        await life.passes(minutes=5)
        await life.happens("confirmed", form="news")  # so that the journey ends, and the next one may begin
    assert sent(life).count("Confirm") == 3

    async with store.read() as session:
        reasons = {row.reason for row in (await session.exec(select(MessageRow))).all()}
    assert "asked 3 times within a day to confirm already" in reasons
    await life.passes(days=1)
    await asks(life)
    assert sent(life).count("Confirm") == 4


async def test_nobody_is_asked_to_confirm_what_needs_it_not(life: Life) -> None:
    await asks(life, confirmed=True)

    assert sent(life) == []
