"""A provider's HTTP API: one request a message, one verdict, and never a second try."""

from collections.abc import Callable
from datetime import UTC, datetime

import httpx

from nurture.channels import Envelope, Receipt
from nurture.channels.providers import Answer, Provider, Request
from nurture.errors import Ambiguous, ProviderUnavailable

LONGEST_ANSWER = 100_000  # characters of it that are looked at


class ApiChannel:
    """Messages through one provider, over at most `connections` kept connections; `send` ends within `timeout` seconds.

    What is unfit for a mail is refused as it is for SMTP: no header can be smuggled in through JSON either.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        name: str = "email",
        url: str | None = None,
        connections: int = 8,
        timeout: float = 10.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name, self._provider, self._clock = name, provider, clock
        self._url = (url or provider.url).rstrip("/")
        self._http = httpx.AsyncClient(
            base_url=self._url,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            timeout=httpx.Timeout(timeout / 2, read=timeout / 2),
            follow_redirects=False,
            trust_env=False,
        )

    async def send(self, envelope: Envelope) -> Receipt:
        """Post the message, once; without an answer the outcome is Ambiguous."""
        mail = self._provider.written(envelope)
        try:
            answer = await self._ask(self._provider.request(envelope, mail))
        except httpx.PoolTimeout as error:
            raise ProviderUnavailable("all connections to the provider stayed busy", cause="ours") from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ProviderUnavailable(
                f"no connection to the provider: {type(error).__name__}; nothing was handed over", cause="provider"
            ) from error
        except httpx.TransportError as error:
            raise Ambiguous("handed over to the provider, and no answer came: perhaps sent, perhaps not") from error
        return self._provider.receipt(answer, mail)

    async def lookup(self, message_id: str) -> bool | None:
        """Whether the provider has the message; its records lag behind, so that it never says a certain no."""
        asked = self._provider.search(message_id)
        if asked is None:
            return None
        try:
            return self._provider.found(await self._ask(asked)) or None
        except httpx.TransportError:
            return None

    async def close(self) -> None:
        """Let go of all connections."""
        await self._http.aclose()

    async def _ask(self, request: Request) -> Answer:
        request = self._provider.signed(request, self._url, self._clock())
        response = await self._http.request(
            "POST" if request.query is None else "GET",
            request.path,
            params=request.query,
            headers=request.headers,
            json=request.json,
            data=request.form,
            files=request.files,
            content=request.content,
        )
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, response.text[:LONGEST_ANSWER], self._clock())
