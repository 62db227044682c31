"""The scripted people at large: they come, read the mails that really arrived, follow the links in them, and sales answers."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx
from standardwebhooks import Webhook

from nurture.errors import Unavailable
from nurture.laptop.people import Deed, Offer, Person, answer_of_sales, points_of, reaction

BROWSER = {"User-Agent": "Mozilla/5.0 (a person at a screen)"}
SCANNER = {"User-Agent": "LinkScanner/1.0 (bot)"}
OFFERS: dict[str, Offer] = {"/c/": "click", "/s/": "survey", "/r/": "share", "/u/": "unsubscribe"}
EVENTS = {"visit": "visit", "attend": "webinar_attended", "ask": "question_asked", "request": "request_sent"}
WORDS = {
    "visit": "came back to the site",
    "attend": "attended the webinar",
    "ask": "asked a question",
    "request": "sent a request",
}
ADDRESS = re.compile(r"[\w.+-]+@example\.(?:com|org)")
AT_ONCE = 12
TRIES = 40
TRY_AGAIN_AFTER = 0.5
"""A caller asks again, for twenty seconds, when nobody answers or the answer is 429 or 5xx; the event's id stays."""


class Crowd:
    """All of the people; `day` is how many seconds one of theirs lasts."""

    def __init__(
        self,
        people: Sequence[Person],
        day: float,
        web_url: str,
        inbox_url: str,
        api_key: str,
        secrets: Mapping[str, str],
    ) -> None:
        self._people = {who.email: who for who in people}
        self._day, self._web_url, self._inbox_url = day, web_url, inbox_url
        self._key = {"Authorization": f"Bearer {api_key}"}
        self._seals = {source: Webhook(secret) for source, secret in secrets.items()}
        self._mails: Counter[str] = Counter()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._busy: set[asyncio.Task[None]] = set()
        self._with_sales: set[str] = set()
        self._client: httpx.AsyncClient
        self.did: Counter[str] = Counter()
        self.acknowledged: set[str] = set()
        """The ids of the events that were answered with 2xx."""
        self.mails_read = 0
        self.idle = False
        """Whether everybody has come, and has done what they meant to."""

    async def live(self, stop: asyncio.Event) -> None:
        """Come one by one, then read and do, until told to stop: what is begun then is left."""
        limits = httpx.Limits(max_connections=AT_ONCE + 4)
        async with (
            httpx.AsyncClient(timeout=15, limits=limits, headers=BROWSER, trust_env=False) as self._client,
            asyncio.TaskGroup() as self._group,
        ):
            for who in self._people.values():
                self._spawn(self._arrive(who))
            reading = self._group.create_task(self._read())
            await stop.wait()
            for task in (reading, *self._busy):
                task.cancel()

    async def enlist(self) -> None:
        """Import everybody as a lead, as a list bought nowhere: each has left an address."""
        async with httpx.AsyncClient(timeout=15, trust_env=False) as self._client:
            await asyncio.gather(*(self._import(who) for who in self._people.values()))

    def _spawn(self, deed: Coroutine[Any, Any, None]) -> None:
        task = self._group.create_task(deed)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    # --- coming ---

    async def _import(self, who: Person) -> None:
        consents = {"news": True} if who.consents else {}
        known = {"lead": who.profile, "consents": consents, "source": "import"}
        await self._ask("POST", f"{self._web_url}/v1/leads", json=known, headers=self._key)

    async def _arrive(self, who: Person) -> None:
        await asyncio.sleep(who.arrives * self._day)
        match who.role:
            case "attendee" | "absentee":
                await self._event(who, "arrival", "webinar_registered")
                self.did["registered for the webinar"] += 1
            case "customer":  # nobody remembers their orders: a marketer enters them by hand
                order = {"campaign": "win-back", "lead": {"email": who.email}}
                await self._ask("POST", f"{self._web_url}/v1/journeys", json=order, headers=self._key)
                self.did["long-time customers entered into the win-back"] += 1
            case _:
                await self._event(who, "arrival", "price_list_downloaded")
                self.did["downloaded the price list"] += 1

    # --- reading ---

    async def _read(self) -> None:
        """Follow the catcher's log through its API, as a mailbox is polled."""
        after = 0
        while True:
            asked = {"after": after, "wait": 1, "limit": 50}
            found = (await self._ask("GET", f"{self._inbox_url}/api/mails", params=asked)).json()
            for mail in found["mails"]:
                self._open(mail)
            after = found["last"]
            self.mails_read = after
            self.idle = not found["mails"] and not self._busy

    def _open(self, mail: Mapping[str, Any]) -> None:
        to = str(mail["recipient"])
        if any(str(one["url"]).startswith(f"{self._web_url}/h/") for one in mail["links"]):
            self._spawn(self._answer_of_sales(mail))
            return
        who = self._people.get(to)
        if who is None:
            self.did["notices to a team"] += 1
            return
        self._mails[to] += 1
        links = self._links(mail)
        deeds = reaction(who, self._mails[to], links)
        if not deeds:
            self.did["ignored a mail"] += 1
        for n, deed in enumerate(deeds):
            self._spawn(self._do(who, deed, links, mail, f"{mail['id']}-{n}"))

    def _links(self, mail: Mapping[str, Any]) -> dict[Offer, str]:
        """The first link of each kind that leads to us; no other is ever followed."""
        found: dict[Offer, str] = {}
        for link in mail["links"]:
            path = str(link["url"]).removeprefix(self._web_url)
            if path != link["url"] and path[:3] in OFFERS:
                found.setdefault(OFFERS[path[:3]], link["url"])
        return found

    # --- doing ---

    async def _do(self, who: Person, deed: Deed, links: Mapping[Offer, str], mail: Mapping[str, Any], tag: str) -> None:
        await asyncio.sleep(deed.after * self._day)
        match deed.does:
            case "scan":
                await self._ask("HEAD", links["click"], headers=SCANNER)
                await self._ask("GET", links["click"], headers=SCANNER)
                self.did["links fetched by a scanner"] += 1
            case "click":
                answer = await self._ask("GET", links["click"])
                if not answer.is_redirect:  # where it leads to is nobody's business here: the world outside
                    raise Unavailable(f"a link in a mail answers {answer.status_code} and leads nowhere")
                self.did["clicked a link"] += 1
            case "share":
                await self._ask("GET", links["share"])
                self.did["friends who looked at a share link"] += 1
            case "answer":
                await self._fill_in(links["survey"], {"score": str(points_of(who)), "comment": "…"})
                self.did["answered the survey"] += 1
            case "leave by the page":
                await self._fill_in(links["unsubscribe"], {})
                self.did["unsubscribed on the page"] += 1
            case "leave by one click":
                url = str(mail["headers"].get("List-Unsubscribe", "")).strip("<> ") or links["unsubscribe"]
                await self._ask("POST", url, data={"List-Unsubscribe": "One-Click"})
                self.did["unsubscribed by one click"] += 1
            case "buy":
                await self._buy(who, tag)
                self.did["bought"] += 1
            case _:
                await self._event(who, f"{deed.does}-{tag}", EVENTS[deed.does])
                self.did[WORDS[deed.does]] += 1

    async def _buy(self, who: Person, tag: str) -> None:
        """The shop tells of the order: some shops call the API, some send a signed webhook."""
        number = f"{who.number}-{tag}"
        if who.number % 2:
            paid = {"status": "paid", "amount": "120.00", "currency": "EUR", "lead": {"email": who.email}}
            await self._ask("POST", f"{self._web_url}/v1/orders", json={"number": number, **paid}, headers=self._key)
        else:
            order = {"customer": {"email": who.email}, "order": {"number": number, "total": 120, "currency": "EUR"}}
            await self._webhook("shop", f"order-{number}", "order.paid", order)

    async def _answer_of_sales(self, mail: Mapping[str, Any]) -> None:
        """Sales reads the notice, finds the lead in it and answers from the CRM, if at all."""
        named = [one for one in ADDRESS.findall(str(mail["text"])) if one in self._people]
        if not named:
            self.did["notices to a team"] += 1
            return
        who = self._people[named[0]]
        if who.email in self._with_sales:
            self.did["reminders and the like that sales was sent"] += 1
            return
        self._with_sales.add(who.email)
        answer, after = answer_of_sales(who.seed, who.email)
        await asyncio.sleep(after * self._day)
        if answer is None:
            self.did["leads that sales was silent on"] += 1
            return
        if who.number % 2 and await self._on_the_page(mail, answer):
            self.did[f"leads {answer} by sales on the page"] += 1
            return
        await self._webhook("crm", f"sales-{mail['id']}", f"lead.{answer}", {"email": who.email})
        self.did[f"leads {answer} by sales"] += 1

    async def _on_the_page(self, mail: Mapping[str, Any], answer: str) -> bool:
        """Answer by the link of the mail; False when it is good for nothing any more."""
        [url] = {str(one["url"]) for one in mail["links"] if str(one["url"]).startswith(f"{self._web_url}/h/")}
        page = await self._ask("GET", url, refusals=True)
        form = _Form(page.text)
        if not form.hidden:
            return False
        given = {"answer": answer} | ({"reason": "no budget"} if answer == "rejected" else {})
        said = await self._ask("POST", url, refusals=True, data={**form.hidden, **given})
        return said.is_success

    async def _event(self, who: Person, tag: str, name: str, properties: Mapping[str, Any] | None = None) -> None:
        event_id = f"{tag}-of-{who.number}"
        event = {"id": event_id, "name": name, "lead": {"email": who.email}, "properties": properties or {}}
        if tag == "arrival":
            event["context"] = {"page": {"url": f"https://www.example.com/?{who.link}"}}
        await self._ask("POST", f"{self._web_url}/v1/events", json=event, headers=self._key)
        self.acknowledged.add(event_id)

    async def _webhook(self, source: str, webhook_id: str, kind: str, data: Mapping[str, Any]) -> None:
        """A webhook signed by the Standard Webhooks scheme."""
        now = datetime.now(UTC)
        body = json.dumps({"type": kind, "timestamp": now.isoformat(), "data": data})
        headers = {
            "content-type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._seals[source].sign(webhook_id, now, body),
        }
        answer = await self._ask("POST", f"{self._web_url}/hooks/in/{source}", content=body, headers=headers)
        self.acknowledged.add(str(answer.json()["id"]))

    async def _fill_in(self, url: str, given: Mapping[str, str]) -> None:
        """Open a page, and send its first form with what it holds and what is given."""
        form = _Form((await self._ask("GET", url)).text)
        await self._ask("POST", urljoin(url, form.action), data={**form.hidden, **given})

    async def _ask(self, method: str, url: str, *, refusals: bool = False, **how: Any) -> httpx.Response:
        """The answer, when it is no error, or a refusal that is reckoned with; nothing but loopback is asked."""
        where = httpx.URL(url)
        if f"{where.scheme}://{where.netloc.decode()}" not in (self._web_url, self._inbox_url):
            raise Unavailable("a mail or page leads to another host, where nobody goes")
        for _ in range(TRIES):
            try:
                async with self._places:
                    answer = await self._client.request(method, url, follow_redirects=False, **how)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code < httpx.codes.BAD_REQUEST:
                return answer
            if (
                answer is not None
                and answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR
                and answer.status_code != 429
            ):
                if refusals:
                    return answer
                raise Unavailable(f"{method} {where.path[:12]} answers {answer.status_code}: {answer.text[:300]}")
            await asyncio.sleep(TRY_AGAIN_AFTER)
        raise Unavailable(f"{method} {where.path[:12]} got no good answer in {TRIES * TRY_AGAIN_AFTER:.0f} s")


class _Form(HTMLParser):
    """The first form of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action, self.hidden = "", dict[str, str]()
        self._forms = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._forms += tag == "form"
        if self._forms != 1:
            return
        if tag == "form":
            self.action = given.get("action") or ""
        elif tag == "input" and given.get("type") == "hidden" and given.get("name"):
            self.hidden[str(given["name"])] = given.get("value") or ""
