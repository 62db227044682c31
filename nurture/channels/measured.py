"""A channel whose hand-overs are measured."""

import time

from nurture.channels import Channel, Envelope, Receipt
from nurture.errors import AddressRefused, Ambiguous, MessageRefused, ProviderUnavailable, SendError
from nurture.metrics import Metrics

OUTCOMES: dict[type[SendError], str] = {
    AddressRefused: "address_refused",
    MessageRefused: "message_refused",
    ProviderUnavailable: "put_off",
    Ambiguous: "unknown",
}


class MeasuredChannel:
    """Sends through the channel; how long that took and how it went is counted."""

    def __init__(self, channel: Channel, metrics: Metrics) -> None:
        self.name = channel.name
        self._channel, self._metrics = channel, metrics

    async def send(self, envelope: Envelope) -> Receipt:
        """Hand the message to the provider."""
        begun, outcome = time.perf_counter(), "broke"
        try:
            receipt = await self._channel.send(envelope)
            outcome = "accepted"
        except SendError as error:
            outcome = OUTCOMES.get(type(error), outcome)
            raise
        finally:
            self._metrics.sends.labels(self.name, outcome).inc()
            self._metrics.send_seconds.labels(self.name).observe(time.perf_counter() - begun)
        return receipt

    async def lookup(self, message_id: str) -> bool | None:
        """Whether the provider has accepted that message; None when it cannot tell."""
        return await self._channel.lookup(message_id)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._channel.close()
