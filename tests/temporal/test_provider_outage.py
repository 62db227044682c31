"""A provider in trouble, seen from journeys on a real Temporal server: F11, F38."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlmodel import select

from nurture import Campaign, State, breaker, days, leave, on, send, wait
from nurture.channels import Envelope, Receipt, guarded
from nurture.channels.guarded import GuardedChannel
from nurture.errors import ProviderUnavailable
from nurture.store import breakers
from nurture.store.models import MessageRow
from tests.temporal.town import Postbox, Town, a_lead

LEADS = 20
HALF_A_MINUTE = 0.5  # in seconds
SOON = timedelta(seconds=1)  # so that the messages that were probes need not wait longer than the others
LOCKED = ProviderUnavailable("the provider refused us (535)", code="535", cause="provider", retry_after=SOON)
DOWN = ProviderUnavailable("no connection", cause="provider", retry_after=SOON)


@dataclass
class Counted(Postbox):
    """A postbox that remembers when it was tried."""

    tried: list[float] = field(default_factory=list)

    async def send(self, envelope: Envelope) -> Receipt:
        self.tried.append(asyncio.get_running_loop().time())
        return await super().send(envelope)


@pytest.fixture
def postbox(own_town: Town, monkeypatch: pytest.MonkeyPatch) -> Counted:
    """What the town sends through, behind a breaker whose half a minute lasts so long."""
    for module, name, value in (
        (breaker, "PROBE_EVERY", timedelta(seconds=HALF_A_MINUTE)),
        (guarded, "PROBE_EVERY", timedelta(seconds=HALF_A_MINUTE)),
        (breaker, "SHORTEST_SPREAD", timedelta(seconds=HALF_A_MINUTE)),
        (breaker, "LONGEST_SPREAD", timedelta(seconds=2 * HALF_A_MINUTE)),
        (guarded, "LOOK_EVERY", 0.0),
    ):
        monkeypatch.setattr(module, name, value)
    postbox = Counted()
    channel = GuardedChannel(postbox, own_town.store)
    monkeypatch.setitem(own_town.equipment.channels, "email", channel)
    return postbox


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(40):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.05)  # the worker works meanwhile


@pytest.mark.parametrize("trouble", [LOCKED, DOWN], ids=["locked", "down"])
async def test_nobody_leaves_while_a_provider_is_in_trouble_and_each_gets_one_mail_afterwards(
    own_town: Town, postbox: Counted, trouble: ProviderUnavailable
) -> None:
    postbox.trouble = trouble
    rooms = [State("one", [send("test/one", legal_basis="the lead asked for it"), wait(days(1)), leave("done")])]
    campaign = Campaign("hello", enters=[on("asked")], states=rooms)
    journeys = [(await own_town.begin(campaign, await own_town.settle(a_lead()), still=False))[0] for _ in range(LEADS)]

    async def all_were_put_off() -> bool:
        waiting = [one for one in await messages(own_town) if one.status == "deferred"]
        return len(waiting) == LEADS and await is_open(own_town)

    async def four_probes_more() -> bool:
        return len(postbox.tried) >= before + 4

    async def all_accepted() -> bool:
        return [one.status for one in await messages(own_town)] == ["accepted"] * LEADS

    await until(all_were_put_off)
    before = len(postbox.tried)
    await until(four_probes_more)
    postbox.trouble = None
    await until(all_accepted)

    assert postbox.tried[before + 3] - postbox.tried[before] >= 2 * HALF_A_MINUTE
    assert sorted(mail.key.partition("/")[0] for mail in postbox.mails) == sorted(row.id for row in journeys)
    assert not await is_open(own_town)


async def messages(town: Town) -> list[MessageRow]:
    async with town.store.read() as session:
        return list((await session.exec(select(MessageRow))).all())


async def is_open(town: Town) -> bool:
    async with town.store.read() as session:
        return (await breakers.read(session, "email")).open
