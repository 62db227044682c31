"""A channel that sends at a rate."""

import asyncio
from datetime import timedelta

from nurture.channels import Channel, Envelope, Receipt
from nurture.errors import ProviderUnavailable
from nurture.rate import Rate


class RatedChannel:
    """Sends at most `per_second` messages a second; one too many is put off until its turn has come."""

    def __init__(self, channel: Channel, per_second: float) -> None:
        self.name = channel.name
        self._channel = channel
        self._rate = Rate(per_second)

    async def send(self, envelope: Envelope) -> Receipt:
        """Hand the message to the provider, if it is its turn."""
        turn = self._rate.turn(asyncio.get_running_loop().time())
        if not turn.now:
            raise ProviderUnavailable(
                f"more than {self._rate.per_second:g} messages a second through {self.name}",
                retry_after=timedelta(seconds=turn.seconds), cause="ours",
            )  # fmt: skip
        return await self._channel.send(envelope)

    async def lookup(self, message_id: str) -> bool | None:
        """Whether the provider has accepted that message; None when it cannot tell."""
        return await self._channel.lookup(message_id)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._channel.close()
