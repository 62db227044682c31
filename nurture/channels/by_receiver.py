"""A channel that gives each receiver its own pace and its own places, so that none holds up the others."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from math import ceil
from weakref import WeakValueDictionary

import structlog

from nurture.channels import Channel, Envelope, Receipt
from nurture.deliverability.flow import A_SECOND, FULL, Flow, Turns
from nurture.deliverability.receivers import in_public, receiver
from nurture.errors import NurtureError, ProviderUnavailable
from nurture.store import Store, receivers

LOOK_EVERY = 2.0  # seconds after which a worker asks what the others found out
A_SHARE = 0.25  # seconds' worth of turns that a worker takes at once, so that it need not ask for each
WAIT = 1.0  # seconds, for a turn and a place
ASKS_FOR_LESS = frozenset({"421", "450", "451"})  # beside 4.7.x: said without saying why

log = structlog.get_logger()


class ByReceiver:
    """Sends to each receiver over at most `places` connections, at its rate in `rates` or at that to which it slowed us.

    A message whose turn has not come is put off until then. The pace is kept in the store, for all workers together.
    """

    def __init__(
        self,
        channel: Channel,
        store: Store,
        *,
        rates: Mapping[str, float],
        places: int,
        receiver_of: Callable[[str], str] = receiver,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name = channel.name
        self._channel, self._store, self._rates, self._clock = channel, store, rates, clock
        self._receiver_of = receiver_of
        self._at_once, self._places = places, WeakValueDictionary[str, asyncio.Semaphore]()
        self._flows: dict[str, Flow] = {}
        self._shares: dict[str, _Share] = {}
        self._looked: float | None = None
        self._noting: set[asyncio.Task[None]] = set()

    async def send(self, envelope: Envelope) -> Receipt:
        """Hand the message over when it is its receiver's turn, or put it off."""
        to = self._receiver_of(envelope.recipient)
        async with self._admitted(to, envelope.key):
            try:
                return await self._channel.send(envelope)
            except ProviderUnavailable as error:
                if asks_for_less(error):
                    error.lone = True
                    self._note(self._slow(to, str(error)))
                raise

    async def lookup(self, message_id: str) -> bool | None:
        """Whether the provider has accepted that message; None when it cannot tell."""
        return await self._channel.lookup(message_id)

    async def close(self) -> None:
        """Write down what was learnt last, and let go of all connections."""
        await self.settled()
        await self._channel.close()

    async def settled(self) -> None:
        """What was learnt stands in the store."""
        if self._noting:
            await asyncio.wait(self._noting)

    @asynccontextmanager
    async def _admitted(self, to: str, key: str) -> AsyncIterator[None]:
        """A turn, and one of the receiver's places for as long as it is needed.

        Whatever is waited for, be it the store, ends soon: the hand-over has its own time.
        """
        places = self._places.setdefault(to, asyncio.Semaphore(self._at_once))
        try:
            async with asyncio.timeout(WAIT):
                await self._look()
                if (rate := self._rate(to)) is not None:
                    await self._take_turn(to, rate)
                await places.acquire()
        except TimeoutError as error:
            raise ProviderUnavailable(
                f"all {self._at_once} places for mail to {to} stayed taken",
                retry_after=_soon(key), cause="ours", lone=True,
            ) from error  # fmt: skip
        try:
            yield
        finally:
            places.release()

    def _full(self, to: str) -> float:
        return self._rates.get(to, FULL)

    def _rate(self, to: str) -> float | None:
        """Messages a second that may go to it now; None for as many as come."""
        flow = self._flows.get(to)
        slowed = flow.now(self._full(to), self._clock()) if flow else None
        return slowed if slowed is not None else self._rates.get(to)

    async def _look(self) -> None:
        """See what other workers found out, now and then; a store out of reach has nothing to tell."""
        passed = asyncio.get_running_loop().time()
        if self._looked is not None and passed - self._looked < LOOK_EVERY:
            return
        self._looked = passed
        with suppress(NurtureError):
            async with self._store.read() as session:
                self._flows = await receivers.all_slowed(session)
            now = self._clock()
            free = {to: flow for to, flow in self._flows.items() if flow.now(self._full(to), now) is None}
            if free:
                async with self._store.write() as session:
                    await receivers.forget(session, free, max(flow.slowed_at or now for flow in free.values()))
                for to in free:
                    del self._flows[to]
                    log.info("receiver.free", receiver=in_public(to))

    async def _take_turn(self, to: str, rate: float) -> None:
        """Take a turn out of this worker's share, or out of a new one; raises when there is none."""
        share, now = self._shares.setdefault(to, _Share()), self._clock()
        async with share.one_asks:
            if share.ends <= now or (share.left < 1 and share.free_at <= now):
                try:
                    async with self._store.write() as session:
                        share.renew(await receivers.take(session, to, rate, ceil(rate * A_SHARE), now), now)
                except NurtureError:
                    return  # a store out of reach stops no message
        if share.left < 1:
            raise ProviderUnavailable(
                f"mail to {to} goes at {rate:.3g} a second{self._because(to)}",
                retry_after=share.promise(rate, now), cause="ours", lone=True,
            )  # fmt: skip
        share.left -= 1

    def _because(self, to: str) -> str:
        flow = self._flows.get(to)
        return f": {flow.reason}" if flow else ""

    def _note(self, noting: Coroutine[None, None, None]) -> None:
        """Have it written down while the message goes its own way."""
        task = asyncio.create_task(noting)
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _slow(self, to: str, reason: str) -> None:
        """Send less to it from now on."""
        with suppress(NurtureError):
            async with self._store.write() as session:
                flow = await receivers.slow(session, to, self._full(to), reason, self._clock())
            if flow is not None:
                self._flows[to] = flow
                self._shares.pop(to, None)
                log.warning(
                    "receiver.slowed", receiver=in_public(to), per_second=round(flow.rate or 0, 3), reason=reason
                )


class _Share:
    """What a worker has of a receiver's turns for a second, and until when those are promised that it has not."""

    def __init__(self) -> None:
        self.left, self.one_asks = 0, asyncio.Lock()
        self.ends = self.free_at = self.promised = datetime.min.replace(tzinfo=UTC)

    def renew(self, taken: Turns, now: datetime) -> None:
        """Have those turns from now on; when there are none, none is asked for before one is free."""
        self.left, self.ends, self.free_at = taken.granted, now + max(A_SECOND, taken.wait), now + taken.wait

    def promise(self, rate: float, now: datetime) -> timedelta:
        """When to come back, after all those that were told so before."""
        self.promised = max(self.promised, self.free_at, now) + timedelta(seconds=1 / rate)
        return self.promised - now


def asks_for_less(error: ProviderUnavailable) -> bool:
    """Whether a receiver wants mail to come slower (421, 450, 451, 4.7.x); a full mailbox does not."""
    return error.cause == "message" and error.code is not None and (
        error.code.startswith("4.7.") or error.code in ASKS_FOR_LESS
    )  # fmt: skip


def _soon(key: str) -> timedelta:
    """In a second or two, not with all the others."""
    return timedelta(seconds=1 + hashlib.sha256(key.encode()).digest()[0] / 256)
