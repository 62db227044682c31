"""Trouble on the way out, as users of other engines know it: nobody is lost by it, nobody is written to against their will."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import select

from activities.errands import TryAgain
from nurture import Campaign, State, call, days, hours, on, quiet, send, tag, wait
from nurture.catalogue import Catalogue
from nurture.errors import NurtureError, ProviderUnavailable
from nurture.hooks import Hook
from nurture.journey import Elapsed
from nurture.permission import HouseRules
from nurture.profile import address_hash
from nurture.store.consents import record_consent
from nurture.store.models import LeadRow, MoveRow, RequestRow
from nurture.store.suppressions import suppress
from tests.integration.hook import OK
from tests.integration.hook import Hook as Server
from tests.integration.walking import AFTER_THE_LEASE, Walker, Way

ROAD = Campaign("plain", [State("one", [send("test/one"), tag("went on"), wait(days(3))])], enters=[on("asked")])
DOWN = ProviderUnavailable("busy", code="451")


# --- permission lost while a message is scheduled ---


async def _unsubscribed(walker: Walker) -> None:
    async with walker.way.store.write() as session:
        await record_consent(session, walker.order.lead_id, "news", False, "link", walker.way.now)


async def _bounced(walker: Walker) -> None:
    async with walker.way.store.write() as session:
        address = (await session.get_one(LeadRow, walker.order.lead_id)).email
        await suppress(session, address_hash(address or ""), "all", "5.1.1", walker.way.now)


async def _complained(walker: Walker) -> None:
    async with walker.way.store.write() as session:
        address = (await session.get_one(LeadRow, walker.order.lead_id)).email
        await suppress(session, address_hash(address or ""), "marketing", "it complained", walker.way.now)


async def _address_gone(walker: Walker) -> None:
    async with walker.way.store.write() as session:
        (await session.get_one(LeadRow, walker.order.lead_id)).email = None


LOST = [
    pytest.param(_unsubscribed, "unsubscribed from news", id="B-04"),
    pytest.param(_bounced, "the address is suppressed: 5.1.1", id="B-04 bounced"),
    pytest.param(_complained, "it complained", id="B-04 complained"),
    pytest.param(_address_gone, "no address", id="B-04 no address"),
]
Loses = Callable[[Walker], Awaitable[None]]


@pytest.mark.parametrize(("loses", "reason"), LOST)
async def test_a_message_that_waits_is_closed_when_it_may_not_go_any_more(way: Way, loses: Loses, reason: str) -> None:
    way.settings = way.settings.model_copy(update={"rules": HouseRules(quiet=quiet("09:00", "11:00"), caps=())})
    walker = await way.begin(ROAD)
    assert await walker.walk() == ["deferred"]
    await loses(walker)

    woken = Elapsed(at=way.now + hours(1))
    assert await walker.walk(hours(1), news=(woken,)) == ["deferred", "elapsed", "did", "did", "parked"]
    for attempt in range(2, 5):
        await walker.walk(attempt * hours(1), news=(woken,))

    message = await walker.message()
    assert (message.status, message.reason, message.attempts, way.post.taken) == ("suppressed", reason, 0, [])
    assert (await walker.lead()).profile["tags"] == ["went on"]


@pytest.mark.parametrize(("loses", "reason"), LOST[:2])
async def test_a_message_that_is_tried_again_is_closed_when_it_may_not_go_any_more(
    way: Way, loses: Loses, reason: str
) -> None:
    walker, way.post.troubles = await way.begin(ROAD), [DOWN]
    with pytest.raises(TryAgain):
        await walker.walk()
    await loses(walker)

    assert await walker.walk(AFTER_THE_LEASE) == ["did", "did", "parked"]
    message = await walker.message()
    assert (message.status, message.reason, way.post.taken) == ("suppressed", reason, [])


# --- outages, and who cannot be reached at all ---


@pytest.mark.parametrize(
    ("trouble", "times"),
    [
        pytest.param(DOWN, 1, id="P-14"),
        pytest.param(DOWN, 3, id="D-14"),
        pytest.param(ProviderUnavailable("no connection"), 7, id="D-14 for hours"),
    ],
)
async def test_an_outage_loses_nobody_and_doubles_nothing(way: Way, trouble: NurtureError, times: int) -> None:
    walkers = [await way.begin(ROAD) for _ in range(2)]
    way.post.troubles = [trouble] * (2 * times)
    for attempt in range(times):
        for walker in walkers:
            with pytest.raises(TryAgain):
                await walker.walk(attempt * hours(1))
            assert [(await walker.row()).status, (await walker.row()).ending] == ["active", None]

    for walker in walkers:
        assert await walker.walk(hours(8)) == ["did", "did", "parked"]
        assert await walker.times_taken == 1


async def test_each_lead_of_many_has_a_result_of_its_own(way: Way) -> None:  # D-28
    about: list[dict[str, Any]] = [{}, {"email": None}, {"consent": False}, {"consent": None}, {}]
    walkers = [await way.begin(ROAD, **one) for one in about]

    assert [await walker.walk() for walker in walkers] == [["did", "did", "parked"]] * 5
    results = [((await walker.message()).status, (await walker.message()).reason) for walker in walkers]
    assert results == [
        ("accepted", ""), ("suppressed", "no address"), ("suppressed", "unsubscribed from news"),
        ("suppressed", "no consent to news"), ("accepted", ""),
    ]  # fmt: skip


# --- other systems ---

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.mark.parametrize(
    ("answer", "tried_again"),
    [
        pytest.param(OK, False, id="D-29"),
        pytest.param(f"400 {SECRET}", False, id="D-29 refused"),
        pytest.param(f"503 {SECRET}", True, id="D-29 busy"),
    ],
)
async def test_no_secret_is_kept_of_a_webhook_or_of_its_failure(way: Way, answer: str, tried_again: bool) -> None:
    async with Server(answers=[answer]).open() as crm:
        way.settings = way.settings.model_copy(update={"hook_secrets": {"crm": SecretStr(SECRET)}})
        way.catalogue = Catalogue(hooks={"crm": Hook(key="crm", url=crm.url())})
        walker = await way.begin(Campaign("calls", [State("one", [call("crm", plan="pro")])], enters=[on("asked")]))
        try:
            told = str(await walker.walk())
        except TryAgain as error:
            told = str(error)

    async with way.store.read() as session:
        rows = [*(await session.exec(select(RequestRow))).all(), *(await session.exec(select(MoveRow))).all()]
    kept = f"{told}{[row.model_dump(mode='json') for row in rows]}"
    (taken,) = crm.took
    signature = taken.headers["webhook-signature"]
    assert (signature.startswith("v1,"), "answers 503" in told) == (True, tried_again)
    assert (rows != [], SECRET.removeprefix("whsec_") in kept, signature in kept) == (True, False, False)
