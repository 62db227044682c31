"""Who sends: leads in cohorts, and a client that asks again until it has a 2xx, and keeps a log of each that it got."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks import Webhook

from tests.faults.records import Record

AT_ONCE = 24
AGAIN_AFTER = 0.2
TRIES = 600
HOOK_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


@dataclass(frozen=True)
class Cohort:
    """Leads of one scenario who walk one campaign together."""

    name: str
    size: int = 4
    campaign: str = "steady"

    @property
    def emails(self) -> list[str]:
        """Who they are."""
        return [f"{self.name}-{n}@example.com" for n in range(self.size)]

    @property
    def pattern(self) -> str:
        """What matches their addresses, as a regular expression."""
        return rf"{self.name}-\d+@example\.com"

    @property
    def like(self) -> str:
        """The same in SQL."""
        return f"{self.name}-%@example.com"

    def entries(self) -> Iterator[dict[str, Any]]:
        """The events by which they enter."""
        for email in self.emails:
            yield {
                "id": f"{self.campaign}_asked/{email}",
                "name": f"{self.campaign}_asked",
                "lead": {"email": email},
                "consents": {"news": True},
            }

    def events(self, name: str, **properties: Any) -> Iterator[dict[str, Any]]:
        """An event of each of them."""
        for email in self.emails:
            yield {"id": f"{name}/{email}", "name": name, "lead": {"email": email}, "properties": properties}


def webhook(event: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The body and headers by which a shop reports that visit, signed by the Standard Webhooks scheme."""
    now = datetime.now(UTC)
    body = json.dumps({"type": "page.viewed", "data": {"email": event["lead"]["email"]}})
    stamp = {"webhook-id": event["id"], "webhook-timestamp": str(int(now.timestamp()))}
    return body, {**stamp, "webhook-signature": Webhook(HOOK_SECRET).sign(event["id"], now, body)}


@dataclass
class Sender:
    """A system that sends events over one way; what it was told is safe goes into the log."""

    url: str
    key: str
    log: Record
    patience: float = 5.0
    statuses: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        limits = httpx.Limits(max_connections=AT_ONCE)
        self._client = httpx.AsyncClient(trust_env=False, timeout=self.patience, limits=limits)

    async def send(self, events: Iterable[dict[str, Any]]) -> None:
        """Send each until it is acknowledged."""
        await _together(self.one(event) for event in events)

    async def one(self, event: dict[str, Any]) -> httpx.Response:
        """Send it until there is a 2xx; a plain refusal is a failure."""
        for _ in range(TRIES):
            answer = await self.once(event)
            if answer is not None and answer.is_success:
                return answer
            refused = answer is not None and 400 <= answer.status_code < 429
            assert not refused, f"{event['id']} was refused: {answer and answer.text}"
            await asyncio.sleep(AGAIN_AFTER)
        raise AssertionError(f"no good answer for {event['id']} in {TRIES} tries")

    async def once(self, event: dict[str, Any]) -> httpx.Response | None:
        """Send it; None when nobody answers."""
        sent = datetime.now(UTC)
        answer = await self._post("v1/events", json=event)
        if answer is not None and answer.is_success:
            self._note(event, sent)
        return answer

    async def batch(self, events: Sequence[Any]) -> list[int]:
        """Send them at once, until they are answered one by one; the status of each."""
        sent, answer = datetime.now(UTC), None
        while answer is None or answer.status_code != httpx.codes.MULTI_STATUS:
            answer = await self._post("v1/events", content=as_bytes(events))
        statuses = [one["status"] for one in answer.json()["results"]]
        for event, status in zip(events, statuses, strict=True):
            if status == httpx.codes.ACCEPTED:
                self._note(event, sent)
        return statuses

    async def hook(self, event: dict[str, Any]) -> None:
        """Have a shop report it, as a signed webhook."""
        sent, (body, headers) = datetime.now(UTC), webhook(event)
        answer = await self._post("hooks/in/shop", content=body, headers=headers)
        if answer is not None and answer.is_success:
            self._note({**event, "id": answer.json()["id"]}, sent)

    async def post(self, path: str, **how: Any) -> int | None:
        """The status of whatever is sent; None when nobody answers."""
        answer = await self._post(path, **how)
        return None if answer is None else answer.status_code

    async def _post(self, path: str, **how: Any) -> httpx.Response | None:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **how.pop("headers", {})}
        try:
            answer = await self._client.post(f"{self.url}/{path}", headers=headers, **how)
        except httpx.TransportError:
            return None
        self.statuses[answer.status_code] += 1
        return answer

    def _note(self, event: Mapping[str, Any], sent: datetime) -> None:
        self.log.add(
            id=event["id"], name=event["name"], email=event["lead"].get("email"), consents=event.get("consents"),
            sent=sent.isoformat(),
        )  # fmt: skip

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()


async def _together(work: Iterable[Awaitable[Any]]) -> None:
    places = asyncio.Semaphore(AT_ONCE)

    async def placed(one: Awaitable[Any]) -> None:
        async with places:
            await one

    await asyncio.gather(*(placed(one) for one in work))


def as_bytes(events: Sequence[Any]) -> bytes:
    """A list of events as a client would write it; what is text already stands there as it is, whatever it says."""
    return ("[" + ",".join(one if isinstance(one, str) else json.dumps(one) for one in events) + "]").encode()
