"""Webhooks that we send, signed by the Standard Webhooks scheme; the receiver knows a repeat by its id."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import httpx
from pydantic import SecretStr
from standardwebhooks import Webhook

from activities.errands import Errand, Settled, TryAgain
from nurture.store import Session
from nurture.store.models import RequestRow
from nurture.store.requests import find_request

PATIENCE = timedelta(seconds=8)
PASSING = {408, 425, 429}


class Webhooks:
    """Sends signed webhooks; `secrets` are by the hook's key, several separated by spaces: the first signs."""

    def __init__(self, secrets: Mapping[str, SecretStr], client: httpx.AsyncClient | None = None) -> None:
        self._secrets = secrets
        if client is not None:
            self._client = client

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        """Made when it is needed: it reads all certificates, and many an installation sends no webhook."""
        return httpx.AsyncClient(timeout=PATIENCE.total_seconds(), follow_redirects=False)

    async def post(self, hook: str, url: str, webhook_id: str, body: Mapping[str, Any], now: datetime) -> str:
        """Send it once; answers "" when it was taken, else why it never will be; raises `TryAgain` otherwise."""
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        headers = {"content-type": "application/json", "webhook-id": webhook_id}
        headers |= self._signature(hook, webhook_id, content, now)
        try:
            response = await self._client.post(url, content=content.encode(), headers=headers)
        except httpx.HTTPError as error:
            raise TryAgain(f"the webhook {hook} cannot be reached: {type(error).__name__}") from error
        if response.is_success:
            return ""
        if response.is_server_error or response.status_code in PASSING:
            raise TryAgain(f"the webhook {hook} answers {response.status_code}")
        return f"the webhook {hook} refuses with {response.status_code}"

    def _signature(self, hook: str, webhook_id: str, content: str, now: datetime) -> dict[str, str]:
        secret = self._secrets.get(hook)
        if secret is None:
            return {}
        signing = Webhook(secret.get_secret_value().split()[0])
        stamp = str(int(now.timestamp()))
        return {"webhook-timestamp": stamp, "webhook-signature": signing.sign(webhook_id, now, content)}

    async def close(self) -> None:
        """Give the connections back."""
        if "_client" in self.__dict__:
            await self._client.aclose()


class WebhookErrand(Errand):
    """One webhook of a journey's step; `request` keeps its body and how it went."""

    def __init__(self, webhooks: Webhooks, hook: str, url: str, request: RequestRow) -> None:
        self._webhooks, self._hook, self._url, self._request = webhooks, hook, url, request
        self._note = ""

    async def prepare(self, session: Session, now: datetime) -> Settled | None:
        """Note the request, once."""
        found = await find_request(session, self._request.journey_id, self._request.occurrence)
        if found is None:
            session.add(self._request)
            return None
        self._request = found
        return Settled(str(found.body.get("note", ""))) if found.status != "open" else None

    async def run(self, now: datetime) -> None:
        """Send it."""
        identity = f"{self._request.journey_id}/{self._request.occurrence}"
        self._note = await self._webhooks.post(self._hook, self._url, identity, self._request.body, now)

    async def record(self, session: Session, now: datetime) -> Settled:
        """Note that it was taken, or refused."""
        row = await session.merge(self._request)
        row.status = "refused" if self._note else "done"
        row.body = {**row.body, "note": self._note}
        return Settled(self._note)
