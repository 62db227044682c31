"""Scripted people: they read the mails that really arrived, follow their links, buy, ignore, leave and come back."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Europe/Moscow", "UTC")
NAMES = {"en": ("Alex", "Sam", "Robin", "Kim", "Jo"), "ru": ("Саша", "Женя", "Валя", "Тоня", "Миша")}
TITLES = ("marketing director", "shop owner", "developer", "marketing manager", "analyst")
SHOP = {"User-Agent": "a person's browser"}


@dataclass
class People:
    """All of them; what each does is decided by the seed alone."""

    web_url: str
    inbox_url: str
    api_key: str
    seed: int = 1
    did: Counter[str] = field(default_factory=Counter)
    acknowledged: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311  # a script, no secret
        self._key = {"Authorization": f"Bearer {self.api_key}"}

    def profile(self, number: int) -> dict[str, Any]:
        """Who they are."""
        language = "ru" if number % 3 == 0 else "en"
        return {
            "email": f"person-{number}@example.com",
            "first_name": self._dice.choice(NAMES[language]),
            "language": language,
            "time_zone": self._dice.choice(ZONES),
            "job_title": self._dice.choice(TITLES),
            "company": {"turnover": self._dice.choice((50_000, 400_000, 2_000_000))},
        }

    async def arrive(self, client: httpx.AsyncClient, number: int) -> None:
        """One person leaves an address, and asks for the price list or a seat at the webinar."""
        lead = self.profile(number)
        known = {"lead": lead, "consents": {"news": True}, "source": "import"}
        (await client.post(f"{self.web_url}/v1/leads", json=known, headers=self._key)).raise_for_status()
        name = "webinar_registered" if number % 5 == 0 else "price_list_downloaded"
        await self._event(client, f"arrival-{number}", name, lead["email"])
        self.did[name.replace("_", " ")] += 1

    async def read(self, client: httpx.AsyncClient, stop: asyncio.Event) -> None:
        """Read mail after mail as it arrives, and do what people do."""
        last = 0
        while not stop.is_set():
            asked = {"after": str(last), "wait": "1", "limit": "50"}
            answer = (await client.get(f"{self.inbox_url}api/mails", params=asked, timeout=10)).json()
            for mail in answer["mails"]:
                await self._react(client, mail)
            last = answer["last"]

    async def _react(self, client: httpx.AsyncClient, mail: Mapping[str, Any]) -> None:
        to = str(mail["recipient"])
        links = [link["url"] for link in mail["links"] if link["url"].startswith(self.web_url)]
        if not to.startswith("person-"):
            self.did["notices to the team"] += 1
            return
        roll = self._dice.random()
        clicks, surveys, leaves = (self._of(links, part) for part in ("/c/", "/s/", "/u/"))
        if surveys:
            await self._post(client, surveys[0], {"score": str(self._dice.choice((10, 9, 9, 7, 3))), "comment": "fine"})
            self.did["answered the survey"] += 1
        elif leaves and roll < 0.04:
            one_click = {"List-Unsubscribe": "One-Click"}
            await self._post(client, leaves[0], one_click)
            self.did["unsubscribed"] += 1
        elif roll < 0.15:
            await self._event(client, f"order-{mail['id']}", "order_paid", to)
            self.did["bought"] += 1
        elif clicks and roll < 0.55:
            answer = await client.get(clicks[0], headers=SHOP, follow_redirects=False)
            if answer.status_code != httpx.codes.FOUND:
                raise RuntimeError(f"a link in a mail answers {answer.status_code}")
            self.did["clicked"] += 1
        elif clicks and roll < 0.62:
            await client.head(clicks[0])
            self.did["scanned by a machine"] += 1
        elif roll < 0.72:
            await self._event(client, f"visit-{mail['id']}", "visit", to)
            self.did["came back to the site"] += 1
        else:
            self.did["ignored it"] += 1

    @staticmethod
    def _of(links: list[str], part: str) -> list[str]:
        return [link for link in links if part in link]

    async def _post(self, client: httpx.AsyncClient, url: str, form: dict[str, str]) -> None:
        (await client.post(url, data=form, headers=SHOP)).raise_for_status()

    async def _event(self, client: httpx.AsyncClient, event_id: str, name: str, email: str) -> None:
        event = {"id": event_id, "name": name, "lead": {"email": email}}
        (await client.post(f"{self.web_url}/v1/events", json=event, headers=self._key)).raise_for_status()
        self.acknowledged.add(event_id)
