"""Receivers, each at its own pace: two workers over one store, on each database in turn."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import Any

import pytest

from nurture.channels import Envelope, Receipt, by_receiver
from nurture.channels.by_receiver import ByReceiver
from nurture.errors import ProviderUnavailable
from nurture.store import Store, receivers

BUSY = ProviderUnavailable("put off (421 4.7.0)", code="4.7.0")
FULL_MAILBOX = ProviderUnavailable("put off (452 4.2.2)", code="4.2.2")


@dataclass
class Provider:
    """A channel that puts off mail to some domains, never answers for others, and remembers the rest."""

    name: str = "email"
    trouble: dict[str, ProviderUnavailable] = field(default_factory=dict)
    mute: set[str] = field(default_factory=set)
    took: list[str] = field(default_factory=list)
    asked: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def send(self, envelope: Envelope) -> Receipt:
        domain = envelope.recipient.rpartition("@")[2]
        self.asked.release()
        if domain in self.mute:
            await asyncio.Event().wait()
        if domain in self.trouble:
            raise self.trouble[domain]
        self.took.append(envelope.recipient)
        return Receipt("taken")

    async def lookup(self, message_id: str) -> bool | None:
        return None

    async def close(self) -> None:
        """Nothing to let go of."""


class Workers:
    """Two workers that send through one provider, on a clock moved by hand."""

    def __init__(self, store: Store, now: datetime, **rates: float) -> None:
        self.store, self.now, self.provider = store, now, Provider()
        self.workers = [
            ByReceiver(self.provider, store, rates=rates, places=2, clock=lambda: self.now) for _ in range(2)
        ]

    async def send(self, recipient: str, worker: int = 0) -> timedelta | None:
        """Send it through that worker; when to come back, where it says so."""
        try:
            await self.workers[worker].send(envelope(recipient))
        except ProviderUnavailable as error:
            return error.retry_after or timedelta(seconds=30)
        finally:
            await self.workers[worker].settled()
        return None

    async def send_all(self, recipients: list[str]) -> Counter[datetime]:
        """Send them by turns through both, each again when it is told to; how many went when."""
        waiting = [(self.now, n) for n in range(len(recipients))]
        heapify(waiting)
        went = Counter[datetime]()
        while waiting:
            self.now, n = heappop(waiting)
            later = await self.send(recipients[n], n % 2)
            if later is None:
                went[self.now] += 1
            else:
                heappush(waiting, (self.now + later, n))
        return went


def envelope(recipient: str) -> Envelope:
    about: dict[str, Any] = dict.fromkeys(("sender", "subject", "html", "text", "language"), "")
    return Envelope(
        key=recipient, message_id="<x@x>", date=datetime(2026, 1, 1, tzinfo=UTC), recipient=recipient, **about
    )


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_receiver, "LOOK_EVERY", 0.0)  # each message sees what the other found out
    monkeypatch.setattr(by_receiver, "WAIT", 60.0)  # a busy machine takes its time


@pytest.fixture
def workers(store: Store, now: datetime) -> Workers:
    return Workers(store, now)


async def test_a_receiver_that_asks_for_less_is_slowed_for_all_workers_and_no_other_is(workers: Workers) -> None:
    workers.provider.trouble["gmail.com"] = BUSY
    await workers.send("ann@gmail.com")
    workers.provider.trouble.clear()
    went = await workers.send_all([f"lead-{n}@googlemail.com" for n in range(60)])

    assert (max(went) - min(went)) / timedelta(seconds=1) == pytest.approx(60 / 5, abs=3)
    assert await workers.send_all([f"lead-{n}@shop.example" for n in range(50)]) == {workers.now: 50}


async def test_it_is_slowed_further_while_it_complains_and_comes_back_when_it_does_not(workers: Workers) -> None:
    workers.provider.trouble["shop.example"] = BUSY
    for n in range(6):
        await workers.send(f"{n}@shop.example", n % 2)
        workers.now += timedelta(seconds=20)
    async with workers.store.read() as session:
        flow = (await receivers.all_slowed(session))["shop.example"]
    assert flow.rate == pytest.approx(10 / 2**6)
    assert flow.reason == "put off (421 4.7.0)"

    workers.provider.trouble.clear()
    workers.now += timedelta(minutes=20)
    assert await workers.send_all([f"lead-{n}@shop.example" for n in range(50)]) == {workers.now: 50}
    async with workers.store.read() as session:
        assert await receivers.all_slowed(session) == {}


async def test_a_full_mailbox_slows_nobody(workers: Workers) -> None:
    workers.provider.trouble["shop.example"] = FULL_MAILBOX
    await workers.send("ann@shop.example")

    async with workers.store.read() as session:
        assert await receivers.all_slowed(session) == {}


async def test_a_rate_of_its_own_is_shared_by_all_workers(store: Store, now: datetime) -> None:
    workers = Workers(store, now, gmail=4)
    went = await workers.send_all([f"lead-{n}@gmail.com" for n in range(60)])

    assert (max(went) - min(went)) / timedelta(seconds=1) == pytest.approx(60 / 4, abs=2)
    busiest = max(sum(n for at, n in went.items() if start <= at < start + timedelta(seconds=1)) for start in went)
    assert busiest <= 2 * 4


async def test_a_receiver_that_does_not_answer_leaves_places_for_the_others(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers.provider.mute.add("slow.example")
    stuck = [asyncio.create_task(workers.send(f"{n}@slow.example")) for n in range(2)]
    for _ in stuck:
        await workers.provider.asked.acquire()
    with monkeypatch.context() as hurried:
        hurried.setattr(by_receiver, "WAIT", 0.05)
        told = [await workers.send(f"{n}@slow.example") for n in range(2, 4)]

    assert all(later is not None and later < timedelta(seconds=3) for later in told)
    assert await workers.send("ann@shop.example") is None
    for one in stuck:
        one.cancel()
    await asyncio.gather(*stuck, return_exceptions=True)
    workers.provider.mute.clear()
    assert await workers.send("ann@slow.example") is None
