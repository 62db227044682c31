"""Webhooks that we send, signed by the Standard Webhooks scheme; the receiver knows a repeat by its id."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import quote

import httpcore
import httpx
from pydantic import SecretStr
from standardwebhooks import Webhook

from activities.errands import Errand, Postponed, Settled, TryAgain
from nurture.channels.heard.names import HEARERS
from nurture.channels.reports.names import REPORTERS
from nurture.errors import BadSettings
from nurture.network import Network, PrivateAddress, reach
from nurture.settings import Settings
from nurture.store import Session, Store
from nurture.store.models import RequestRow
from nurture.store.requests import find_request

PATIENCE = timedelta(seconds=8)
PASSING = {408, 425, 429}
OUT_OF_REACH = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, TimeoutError)
NO_ADDRESS = (httpx.InvalidURL, httpcore.UnsupportedProtocol)


def webhooks(settings: Settings) -> "Webhooks":
    """What signs and sends webhooks, to where these settings allow.

    Those who report and write to us have secrets of their own kinds, and are not called.
    """
    of_others = REPORTERS.keys() | HEARERS.keys()
    called = {hook: secret for hook, secret in settings.hook_secrets.items() if hook not in of_others}
    return Webhooks(called, Network(reach(settings)))


class Called(NamedTuple):
    """What a webhook was answered with; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]


class Webhooks:
    """Sends signed webhooks; `secrets` are by the hook's key, several separated by spaces: the first signs.

    It goes straight to the hook's host, follows no redirect, and reads no more of an answer than its head.
    """

    def __init__(self, secrets: Mapping[str, SecretStr], network: Network, patience: timedelta = PATIENCE) -> None:
        self._seals = {hook: _seal(hook, secret) for hook, secret in secrets.items()}
        self._network, self._patience = network, patience

    @cached_property
    def _pool(self) -> httpcore.AsyncConnectionPool:
        """Made when it is needed: it reads all certificates, and many an installation sends no webhook."""
        return httpcore.AsyncConnectionPool(network_backend=self._network, keepalive_expiry=5)

    async def post(self, hook: str, url: str, webhook_id: str, body: Mapping[str, Any], now: datetime) -> str:
        """Send it once; answers "" when it was taken, else why it never will be; raises `TryAgain` otherwise."""
        try:
            status = (await self.call(hook, url, webhook_id, body, now)).status
        except PrivateAddress as error:
            return f"the webhook {hook} is not called: {error}"
        except NO_ADDRESS:
            return f"the webhook {hook} is not called: its address is no http:// or https:// one"
        except OUT_OF_REACH as error:
            raise TryAgain(f"the webhook {hook} cannot be reached: {type(error).__name__}") from error
        if status < 300:
            return ""
        if status >= 500 or status in PASSING:
            raise TryAgain(f"the webhook {hook} answers {status}")
        return f"the webhook {hook} refuses with {status}"

    async def call(self, hook: str, url: str, webhook_id: str, body: Mapping[str, Any], now: datetime) -> Called:
        """Send it once, and what was answered; raises `PrivateAddress`, `NO_ADDRESS` or `OUT_OF_REACH`."""
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        headers = {"content-type": "application/json", "webhook-id": webhook_id}
        headers |= self._signature(hook, webhook_id, content, now)
        lines = [(name.encode(), value.encode()) for name, value in headers.items()]
        async with (
            asyncio.timeout(self._patience.total_seconds()),
            self._pool.stream("POST", _place(url), headers=lines, content=content.encode()) as response,
        ):
            return Called(
                response.status, {name.decode().lower(): value.decode("latin-1") for name, value in response.headers}
            )

    def _signature(self, hook: str, webhook_id: str, content: str, now: datetime) -> dict[str, str]:
        seal = self._seals.get(hook)
        if seal is None:
            return {}
        return {
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": seal.sign(webhook_id, now, content),
        }

    async def close(self) -> None:
        """Give the connections back."""
        if "_pool" in self.__dict__:
            await self._pool.aclose()


def _seal(hook: str, secret: SecretStr) -> Webhook:
    try:
        return Webhook(secret.get_secret_value().split()[0])
    except Exception as error:  # the library raises several kinds
        raise BadSettings(
            f"NURTURE_HOOK_SECRETS__{hook.upper()}: no secret of webhooks: write whsec_… (base64)"
        ) from error


def _place(url: str) -> httpcore.URL:
    parsed = httpx.URL(url)
    if not parsed.host:
        raise httpx.InvalidURL("no host")
    return httpcore.URL(scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path)


class WebhookErrand(Errand):
    """One webhook of a journey's step; `request` keeps its body and how it went."""

    def __init__(self, store: Store, webhooks: Webhooks, hook: str, url: str, request: RequestRow) -> None:
        self._store, self._webhooks, self._hook, self._url, self._request = store, webhooks, hook, url, request
        self._note = ""

    async def prepare(self, session: Session, now: datetime) -> Settled | None:
        """Note the request, once."""
        found = await find_request(session, self._request.journey_id, self._request.occurrence)
        if found is None:
            session.add(self._request)
            return None
        self._request = found
        return Settled(str(found.body.get("note", ""))) if found.status != "open" else None

    async def run(self, now: datetime) -> Postponed | None:
        """Send it, if it is still asked for: its lead may have been erased."""
        async with self._store.read() as session:
            if await find_request(session, self._request.journey_id, self._request.occurrence) is None:
                raise TryAgain("the request is no longer in the store")
        identity = quote(f"{self._request.journey_id}/{self._request.occurrence}", safe="/:")
        self._note = await self._webhooks.post(self._hook, self._url, identity, self._request.body, now)
        return None

    async def record(self, session: Session, now: datetime) -> Settled:
        """Note that it was taken, or refused."""
        row = await session.merge(self._request)
        row.status = "refused" if self._note else "done"
        row.body = {**row.body, "note": self._note}
        return Settled(self._note)
