"""A channel behind its provider's breaker."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from nurture.breaker import PROBE_EVERY, Breaker, Outcome, after, put_off
from nurture.channels import Channel, Envelope, Receipt
from nurture.channels.providers import REFUSED_KEY
from nurture.channels.replies import CREDENTIALS
from nurture.errors import AddressRefused, Ambiguous, MessageRefused, NurtureError, ProviderUnavailable, SendError
from nurture.returns.bounces import Fault, fault_of
from nurture.store import Session, Store, breakers

LOOK_EVERY = 2.0  # seconds after which a worker asks what the others found out
LOCKS = frozenset(map(str, CREDENTIALS | REFUSED_KEY))

log = structlog.get_logger()


class GuardedChannel:
    """Sends through the channel unless the breaker of its provider is open; then a message is put off.

    The breaker is kept in the store for all workers, and read from memory between two looks.
    """

    def __init__(
        self, channel: Channel, store: Store, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.name = channel.name
        self._channel, self._store, self._clock = channel, store, clock
        self._breaker = Breaker()
        self._looked: float | None = None
        self._noting: set[asyncio.Task[None]] = set()
        self._one_note = asyncio.Lock()

    async def send(self, envelope: Envelope) -> Receipt:
        """Hand the message to the provider, or put it off while nothing is sent through it."""
        probe = await self._admitted(envelope.key)
        try:
            receipt = await self._channel.send(envelope)
        except SendError as error:
            self._learn(_outcome(error), str(error), probe)
            if probe and isinstance(error, ProviderUnavailable) and error.cause == "provider":
                # Its trouble is that of all: it comes back as they do, not by how often it was tried.
                error.retry_after = error.retry_after or put_off(self._breaker, envelope.key, self._clock())
            raise
        self._learn(Outcome.WORKS, "", probe)
        return receipt

    async def lookup(self, message_id: str) -> bool | None:
        """Whether the provider has accepted that message; None when it cannot tell."""
        return await self._channel.lookup(message_id)

    async def close(self) -> None:
        """Write down what was learnt last, and let go of all connections."""
        if self._noting:
            await asyncio.wait(self._noting)
        await self._channel.close()

    async def _admitted(self, key: str) -> bool:
        """Whether the message goes as a probe; raises while none is due."""
        await self._look()
        now = self._clock()
        if not self._breaker.open or (self._breaker.due(now) and await self._probes(now)):
            return self._breaker.open
        raise ProviderUnavailable(
            f"nothing is sent through {self.name} at present: {self._breaker.reason}",
            retry_after=put_off(self._breaker, key, now), cause="ours",
        )  # fmt: skip

    async def _look(self) -> None:
        """See what other workers found out, now and then; a store out of reach has nothing to tell."""
        passed = asyncio.get_running_loop().time()
        if self._noting or (self._looked is not None and passed - self._looked < LOOK_EVERY):
            return
        self._looked = passed
        with suppress(NurtureError):
            async with self._store.read() as session:
                found = await breakers.read(session, self.name)
            if found.open or self._breaker.open:
                self._breaker = found

    async def _probes(self, now: datetime) -> bool:
        """Whether this is the one message that is tried; of several workers one gets the probe."""
        following = now + PROBE_EVERY
        self._breaker = replace(self._breaker, probe_at=following)
        try:
            async with self._store.write() as session:
                return await breakers.take_probe(session, self.name, following, now)
        except NurtureError:
            return False

    def _learn(self, outcome: Outcome | None, reason: str, probe: bool) -> None:
        """What the attempt says of the provider; it is written down while the message goes its own way."""
        if outcome is None:
            return
        before, self._breaker = self._breaker, after(self._breaker, outcome, reason, self._clock(), probe=probe)
        if self._breaker.open and not before.open:
            self._note(self._tripped(self._breaker))
        elif before.open and not self._breaker.open:
            self._note(self._closed())

    def _note(self, noting: Awaitable[None]) -> None:
        async def in_turn() -> None:
            async with self._one_note:
                with suppress(NurtureError):  # the others find out by themselves
                    await noting

        task = asyncio.create_task(in_turn())
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _tripped(self, breaker: Breaker) -> None:
        if await self._written(lambda session: breakers.trip(session, self.name, breaker)):
            log.error("breaker.opened", provider=self.name, reason=breaker.reason)

    async def _closed(self) -> None:
        if await self._written(lambda session: breakers.close(session, self.name)):
            log.warning("breaker.closed", provider=self.name)

    async def _written(self, change: Callable[[Session], Awaitable[bool]]) -> bool:
        async with self._store.write() as session:
            return await change(session)


def _outcome(error: SendError) -> Outcome | None:
    """What the error says of the provider; None when it says nothing."""
    match error:
        case AddressRefused():
            return Outcome.WORKS
        case MessageRefused(code=code):
            return Outcome.REFUSED if fault_of(code or "") is Fault.SENDER else Outcome.WORKS
        case ProviderUnavailable(cause="ours"):
            return None
        case ProviderUnavailable(cause="message"):
            return Outcome.PUT_OFF
        case ProviderUnavailable(code=code):
            return Outcome.LOCKED if code is not None and code in LOCKS else Outcome.DOWN
        case Ambiguous():
            return Outcome.DOWN
        case _:
            return None
