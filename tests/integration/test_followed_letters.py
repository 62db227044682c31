"""What messages are followed by, and what they go without: by campaign and by lead, on each database in turn."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from nurture import Campaign, State, days, on, send, subscribe, track, wait
from nurture.intake import Consent, Incoming
from nurture.permission import HouseRules
from nurture.store import Store
from nurture.store.consents import proofs
from nurture.store.models import LinkRow, MessageRow
from tests.integration.life import Life

TARGET = "https://example.com/one"


@pytest.fixture
async def life(store: Store, now: datetime) -> AsyncIterator[Life]:
    rules = HouseRules(quiet=None, caps=())
    async with Life(store, now, sites=["https://example.com"], rules=rules) as life:
        yield life


def asking(*steps: Any, **settings: Any) -> Campaign:
    """A campaign that does that when it is asked."""
    return Campaign("road", [State("one", list(steps))], enters=[on("asked")], **settings)


async def answers(life: Life, **said: Any) -> tuple[str, ...]:
    """The lead answers; what it is warned of."""
    given = {topic: one if isinstance(one, bool) else Consent.model_validate(one) for topic, one in said.items()}
    [result] = await life.intake.accept([Incoming(lead={"email": "ann@example.com"}, consents=given)], life.now)
    assert result.error is None
    return result.warnings


async def targets(life: Life) -> list[str]:
    """Where the links of all messages lead."""
    async with life.store.read() as session:
        return [row.url for row in (await session.exec(select(LinkRow))).all()]


async def reasons(life: Life) -> list[tuple[str, str]]:
    """What became of the messages."""
    async with life.store.read() as session:
        rows = (await session.exec(select(MessageRow))).all()
        return [(row.status, row.reason) for row in sorted(rows, key=lambda row: (row.due_at, row.occurrence))]


async def test_links_are_ours_with_a_trap_in_the_html_alone_and_our_site_is_told(life: Life) -> None:
    await life.publish(asking(send("test/one")))
    await life.lead()
    await life.happens("asked")
    [mail] = life.postbox.mails

    assert await targets(life) == [f"{TARGET}?utm_source=email&utm_medium=email&utm_campaign=road&utm_content=test/one"]
    assert (mail.html.count("/c/"), mail.text.count("/c/"), mail.html.count("<img")) == (2, 1, 0)
    assert mail.html.index("display:none") < mail.html.index("<p>one</p>")


@pytest.mark.parametrize(
    ("followed", "links", "pictures"),
    [
        pytest.param(track(clicks=False, utm=False), [], 0, id="not followed"),
        pytest.param(track(trap=False, utm=False), [TARGET], 0, id="without a trap"),
        pytest.param(track(opens=True, utm=False), [TARGET], 1, id="opens too"),
    ],
)
async def test_a_campaign_says_what_is_followed(life: Life, followed: Any, links: list[str], pictures: int) -> None:
    await life.publish(asking(send("test/one"), track=followed))
    await life.lead()
    await life.happens("asked")
    [mail] = life.postbox.mails

    assert (await targets(life), mail.html.count("<img")) == (links, pictures)
    assert (f'href="{TARGET}"' in mail.html, "display:none" in mail.html) == (not links, followed.trap and bool(links))


async def test_a_lead_that_objects_is_not_followed(life: Life) -> None:
    await life.publish(asking(send("test/one"), track=track(opens=True, utm=False)))
    await life.lead()
    await answers(life, tracking=False)
    await life.happens("asked")
    [mail] = life.postbox.mails

    assert (await targets(life), f'href="{TARGET}"' in mail.html, "<img" in mail.html) == ([], True, False)


async def test_a_yes_that_follows_from_a_purchase_holds_for_its_time_alone(life: Life) -> None:
    steps = [subscribe("offers", expires_after=days(730)), send("test/one"), wait(days(731)), send("test/two")]
    await life.publish(asking(*steps, topic="offers"))
    await life.lead()
    await life.happens("asked")
    await life.passes(days=732)

    assert await reasons(life) == [("accepted", ""), ("suppressed", "no consent to offers")]


async def test_a_yes_that_holds_longer_is_not_shortened(life: Life) -> None:
    lead_id = await life.lead(consents={"news": True})
    await answers(life, news={"granted": True, "text": "bought", "expires": life.now + timedelta(days=1)})

    async with life.store.read() as session:
        assert [one.expires_at for one in await proofs(session, lead_id)] == [None]


async def test_a_campaign_does_not_take_back_a_no(life: Life) -> None:
    await life.publish(asking(subscribe("news"), send("test/one")))
    await life.lead(consents={"news": False})
    await life.happens("asked")

    assert await reasons(life) == [("suppressed", "unsubscribed from news")]


async def test_over_a_no_a_yes_is_taken_with_its_words_only(life: Life) -> None:
    lead_id = await life.lead(consents={"*": False})

    assert await answers(life, news=True) == (
        "consents.news: was refused before: give the words that the lead said yes to (text)",
    )
    assert await answers(life, news={"granted": True, "text": "Send me the news"}) == ()
    async with life.store.read() as session:
        newest = next(iter(await proofs(session, lead_id)))
    assert (newest.topic, newest.granted, newest.text) == ("news", True, "Send me the news")
