"""A channel behind its breaker: two workers over one store, on each database in turn."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from structlog.testing import capture_logs

from nurture.breaker import Breaker
from nurture.channels import Envelope, Receipt, guarded
from nurture.channels.guarded import GuardedChannel
from nurture.channels.rated import RatedChannel
from nurture.errors import AddressRefused, Ambiguous, MessageRefused, ProviderUnavailable, SendError
from nurture.store import Store, breakers

DOWN = ProviderUnavailable("no connection", cause="provider")
LOCKED = ProviderUnavailable("the provider refused our credentials (535)", code="535", cause="provider")
POLICY = MessageRefused("refused", code="5.7.1")
BUSY = ProviderUnavailable("put off", code="4.7.1")


@dataclass
class Provider:
    """A channel that answers as it is told, and remembers when it was asked."""

    clock: Callable[[], datetime]
    name: str = "email"
    trouble: Exception | None = None
    asked: list[datetime] = field(default_factory=list)
    closed: bool = False

    async def send(self, envelope: Envelope) -> Receipt:
        self.asked.append(self.clock())
        if self.trouble is not None:
            raise self.trouble
        return Receipt("taken")

    async def lookup(self, message_id: str) -> bool | None:
        return True

    async def close(self) -> None:
        self.closed = True


class Workers:
    """Several workers that send through one provider, on a clock moved by hand."""

    def __init__(self, store: Store, now: datetime) -> None:
        self.store, self.now = store, now
        self.provider = Provider(lambda: self.now)
        self.workers = [GuardedChannel(self.provider, store, clock=lambda: self.now) for _ in range(2)]
        self.sent = 0

    async def sends(self, times: int = 1, worker: int = 0) -> list[timedelta | None]:
        """Send so many messages through a worker; when it says to come back, where it says so."""
        told = [await self._send(self.workers[worker]) for _ in range(times)]
        await self.settled()
        return told

    async def _send(self, worker: GuardedChannel) -> timedelta | None:
        self.sent += 1
        try:
            await worker.send(envelope(str(self.sent)))
        except ProviderUnavailable as error:
            return error.retry_after
        except SendError:
            return None
        return None

    async def settled(self) -> None:
        """What was learnt stands in the store."""
        for worker in self.workers:
            if worker._noting:
                await asyncio.wait(worker._noting)

    async def breaker(self) -> Breaker:
        async with self.store.read() as session:
            return await breakers.read(session, "email")


def envelope(key: str) -> Envelope:
    about: dict[str, Any] = dict.fromkeys(("sender", "recipient", "subject", "html", "text", "language"), "")
    return Envelope(key=key, message_id=f"<{key}@x>", date=datetime(2026, 1, 1, tzinfo=UTC), **about)


@pytest.fixture
def workers(store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Workers:
    monkeypatch.setattr(guarded, "LOOK_EVERY", 0.0)  # each message sees what the others found out
    return Workers(store, now)


async def test_a_provider_that_is_down_is_left_alone_by_every_worker(workers: Workers) -> None:
    workers.provider.trouble = DOWN
    await workers.sends(5)
    [told] = await workers.sends(worker=1)

    assert len(workers.provider.asked) == 5
    assert told is not None
    assert timedelta(seconds=30) <= told <= timedelta(seconds=60)
    assert (await workers.breaker()).reason == "no connection"


async def test_of_all_workers_one_probes_in_half_a_minute(workers: Workers) -> None:
    workers.provider.trouble = DOWN
    await workers.sends(5)
    for _ in range(600):
        workers.now += timedelta(seconds=1)
        await workers.sends(worker=workers.sent % 2)
    probes = workers.provider.asked[5:]

    assert len(probes) == 20
    assert min(after - before for before, after in pairwise(probes)) >= timedelta(seconds=30)


async def test_workers_that_come_at_once_share_one_probe(workers: Workers) -> None:
    workers.provider.trouble = DOWN
    await workers.sends(5)
    workers.now += timedelta(seconds=30)
    await asyncio.gather(*(workers._send(worker) for worker in workers.workers * 5))

    assert len(workers.provider.asked) == 6


async def test_a_probe_that_fails_comes_back_as_all_others_do(workers: Workers) -> None:
    workers.provider.trouble = LOCKED
    await workers.sends()
    workers.now += timedelta(seconds=30)
    workers.provider.trouble = ProviderUnavailable("no connection", cause="provider")
    [probe, other] = await workers.sends(2)

    assert (len(workers.provider.asked), other is not None) == (2, True)
    assert probe is not None
    assert timedelta(seconds=30) <= probe <= timedelta(seconds=60)


async def test_a_probe_comes_back_when_the_provider_wants_it_if_it_says_so(workers: Workers) -> None:
    workers.provider.trouble = LOCKED
    await workers.sends()
    workers.now += timedelta(seconds=30)
    workers.provider.trouble = ProviderUnavailable("busy", cause="provider", retry_after=timedelta(minutes=7))

    assert await workers.sends() == [timedelta(minutes=7)]


async def test_a_probe_that_succeeds_lets_every_worker_send_again(workers: Workers) -> None:
    workers.provider.trouble = LOCKED
    with capture_logs() as lines:
        await workers.sends()
        workers.provider.trouble = None
        workers.now += timedelta(seconds=30)
        await workers.sends(3)
        await workers.sends(3, worker=1)

    assert len(workers.provider.asked) == 7
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("breaker.opened", "error"), ("breaker.closed", "warning"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("trouble", "times"), [(LOCKED, 1), (DOWN, 5), (Ambiguous("no answer"), 5), (POLICY, 10), (BUSY, 20)]
)
async def test_what_is_the_providers_own_trouble_opens_it(workers: Workers, trouble: SendError, times: int) -> None:
    workers.provider.trouble = trouble
    await workers.sends(times)
    assert (await workers.breaker()).open

    await workers.sends(5)
    assert len(workers.provider.asked) == times


@pytest.mark.parametrize(
    "trouble",
    [
        AddressRefused("no such user", code="5.1.1"),
        MessageRefused("too large", code="5.3.4"),
        ProviderUnavailable("all connections stayed busy", cause="ours"),
        ValueError("our own fault"),
    ],
)
async def test_what_is_wrong_with_an_address_a_message_or_us_never_does(workers: Workers, trouble: Exception) -> None:
    workers.provider.trouble = trouble
    for _ in range(50):
        with suppress(SendError, ValueError):
            await workers.workers[0].send(envelope("a"))
    await workers.settled()

    assert not (await workers.breaker()).open


async def test_a_store_out_of_reach_neither_stops_a_message_nor_hides_that_it_was_sent(now: datetime) -> None:
    away = Workers(Store("postgresql://nobody@127.0.0.1:1/none"), now)
    assert (await away.workers[0].send(envelope("a"))).reply == "taken"
    away.provider.trouble = LOCKED
    await away.sends(3)

    assert len(away.provider.asked) == 2


async def test_closing_writes_down_what_was_learnt_last(workers: Workers) -> None:
    workers.provider.trouble = LOCKED
    with suppress(SendError):
        await workers.workers[0].send(envelope("a"))
    await workers.workers[0].close()

    assert (await workers.breaker()).open
    assert workers.provider.closed


async def test_a_message_over_the_rate_is_put_off_until_its_turn(workers: Workers) -> None:
    rated = RatedChannel(workers.provider, per_second=2)
    for n in range(2):
        await rated.send(envelope(str(n)))
    told = []
    for n in range(2, 6):
        with pytest.raises(ProviderUnavailable, match="more than 2 messages a second through email") as refused:
            await rated.send(envelope(str(n)))
        told.append((refused.value.retry_after or timedelta()).total_seconds())

    assert len(workers.provider.asked) == 2
    assert told == pytest.approx([0.5, 1.0, 1.5, 2.0], abs=0.2)
