"""The channel of a `Messenger`: a message as a signed webhook, whose id is the message's own, so that a repeat is known."""

from collections.abc import Callable
from datetime import UTC, datetime

from activities.webhooks import NO_ADDRESS, OUT_OF_REACH, Called, Webhooks
from nurture.channels import Envelope, Receipt
from nurture.channels.mail import own_name
from nurture.channels.providers import LATER, REFUSED_KEY, Answer
from nurture.channels.texts import spoken
from nurture.errors import AddressRefused, MessageRefused, ProviderUnavailable, SendError
from nurture.messengers import Messenger
from nurture.network import PrivateAddress

GONE = 410


class MessengerChannel:
    """Sends the text part by one webhook: what the service answers with its status is the verdict.

    A call without an answer is made again: the service takes each id once.
    """

    def __init__(
        self, messenger: Messenger, webhooks: Webhooks, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.name = messenger.key
        self._messenger, self._webhooks, self._clock = messenger, webhooks, clock

    async def send(self, envelope: Envelope) -> Receipt:
        """2xx takes it, 410 says that the address takes nothing any more, 429 and 5xx that it is to come again."""
        name = own_name(envelope.message_id)
        text = spoken(envelope)
        said = {"channel": self.name, "to": envelope.recipient, "text": text, "language": envelope.language}
        body = {"type": "message.send", "data": {"message": name, **said}}
        now = self._clock()
        try:
            called = await self._webhooks.call(self.name, self._messenger.url, name, body, now)
        except PrivateAddress as error:
            raise ProviderUnavailable(f"{self.name} is not called: {error}", cause="provider") from error
        except NO_ADDRESS as error:
            raise ProviderUnavailable(
                f"{self.name} is not called: its address is no http:// or https:// one", cause="provider"
            ) from error
        except OUT_OF_REACH as error:
            raise ProviderUnavailable(
                f"{self.name} cannot be reached: {type(error).__name__}", cause="provider"
            ) from error
        if called.status >= 300:
            raise self._refusal(called, now)
        return Receipt(str(called.status), name)

    def _refusal(self, called: Called, now: datetime) -> SendError:
        code = str(called.status)
        wait = Answer(called.status, called.headers, "", now).retry_after
        if called.status in REFUSED_KEY:
            return ProviderUnavailable(
                f"{self.name} does not take our signature ({code}); set NURTURE_HOOK_SECRETS__{self.name.upper()} anew",
                code=code, cause="provider",
            )  # fmt: skip
        if called.status in LATER:
            return ProviderUnavailable(f"{self.name} put the message off ({code})", code=code, retry_after=wait)
        if called.status >= 500:
            return ProviderUnavailable(
                f"{self.name} takes no messages now ({code})", code=code, retry_after=wait, cause="provider"
            )
        if called.status == GONE:
            return AddressRefused(f"{self.name} sends nothing to the address ({code})", code=code)
        return MessageRefused(f"{self.name} refused the message ({code}); the address is not to blame", code=code)

    async def lookup(self, message_id: str) -> bool | None:  # the port asks
        """Nobody can tell; nothing is ever in doubt here."""
        return None

    async def close(self) -> None:
        """Let go of all connections."""
        await self._webhooks.close()
