"""One lead's personal data through the whole engine, with failures on the way: Temporal, logs and metrics hold none of it."""
# ruff: noqa: N802  # aiosmtpd names its hooks for the commands

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlmodel import col, select
from temporalio.client import Client

from nurture.laptop.ports import HOST
from nurture.laptop.stack import TEAMS, Stack
from nurture.store import Store
from nurture.store.models import HandOffRow, JourneyRow, MessageRow, RequestRow

pytestmark = [pytest.mark.slow, pytest.mark.temporal]

ADDRESS = "canary.anna@nest.example"
PERSONAL = {
    "email": ADDRESS,
    "first_name": "Canaryanna",
    "last_name": "Canarysson",
    "phone": "+49301234567",
    "city": "Canaryville",
    "job_title": "canary keeper",
    "company": {"name": "Canary & Daughters"},
    "custom": {"shoe": "canary shoe 42"},
    "tags": ["canary-tag"],
}
SAID = "a canary sings: call me at night"
COMMENT = "a canary comments"
CANARIES = ["canary", "Canary", "1234567", "CANARY"]

CAMPAIGN = """
from nurture import (
    Campaign, Definition, State, branch, clicked, days, escalate, lead, leave, on, send, survey, tag, wait, wait_for, when,
)

ready = Definition(key="ready", title="Ready", ready=lead.email.known())
mine = Campaign(
    "mine",
    enters=[on("asked")],
    goal=on("bought"),
    states=[
        State("one", [
            send("mine/hello"),
            wait_for(clicked("mine/hello"), up_to=days(900), then="two", otherwise=leave("silence")),
        ]),
        State("two", [
            escalate("ready"),
            branch(when(lead.city == "Canaryville", to="three"), otherwise=leave("elsewhere")),
        ]),
        State("three", [
            survey("nps", "mine/survey"),
            wait_for(on("survey_answered"), up_to=days(900), then="four", otherwise=leave("silence")),
        ]),
        State("four", [tag("sang"), wait(days(1)), leave("sung")]),
    ],
)
"""
LETTER = """{% extends "layouts/message.j2" %}
{% block subject %}Dear {{ lead.first_name }}{% endblock %}
{% block html %}<p>{{ lead.first_name }} of {{ lead.city }}: <a href="{{ LINK }}">here</a></p>{% endblock %}
"""
TEAM_LETTER = """{% extends "layouts/message.j2" %}
{% block subject %}{{ who.first_name }}{% endblock %}
{% block html %}<p>{{ who.email }}, {{ who.phone }}{% for line in did %}, {{ line.detail }}{% endfor %}</p>{% endblock %}
"""


class Relay:
    """Takes mail, after it refused each recipient once for a while, in words that quote the address."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.mails: list[bytes] = []

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if address not in self.refused:
            self.refused.add(address)
            return f"450 4.2.1 <{address}> is busy, Canaryanna"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:
        self.mails.append(bytes(envelope.original_content or b""))
        return "250 OK"


class Sales:
    """Takes webhooks, after it failed once with the body in its answer."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        assert length is not None
        body = await reader.readexactly(int(length[1]))
        self.bodies.append(body)
        status = b"500 Broken" if len(self.bodies) == 1 else b"200 OK"
        writer.write(b"HTTP/1.1 %s\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body))
        await writer.drain()
        writer.close()
        await writer.wait_closed()


class Nest(Stack):
    """A stack whose mail goes to the test's own relay."""

    relay_port = 0

    def _environment(self) -> dict[str, str]:
        ours = super()._environment()
        ours.pop("NURTURE_SMTP_LOOKUP_URL")
        return {**ours, "NURTURE_SMTP_PORT": str(self.relay_port)}


def written(folder: Path) -> None:
    """The campaign and its messages."""
    (folder / "campaigns").mkdir()
    (folder / "campaigns" / "mine.py").write_text(CAMPAIGN)
    layout = (Path(__file__).parents[1] / "templates/layouts/message.j2").read_text()
    letters = {
        "layouts/message.j2": layout,
        "mine/hello.en.j2": LETTER.replace("{{ LINK }}", '{{ link("https://nest.example/prices") }}'),
        "mine/survey.en.j2": LETTER.replace("{{ LINK }}", "{{ links.survey }}"),
        "team/hand_off.en.j2": TEAM_LETTER,
    }
    for name, text in letters.items():
        file = folder / "templates" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@asynccontextmanager
async def nest(folder: Path, relay: Relay, sales: Sales) -> AsyncIterator[Nest]:
    """All processes of the engine, and what they send to."""
    loop = asyncio.get_running_loop()
    mail = await loop.create_server(lambda: SMTP(relay, hostname="relay", loop=loop), HOST, 0)
    hook = await asyncio.start_server(sales.answer, HOST, 0)
    written(folder)
    environment = {
        "PATH": "/usr/bin:/bin",
        "NURTURE_TEAMS": json.dumps(TEAMS),
        "NURTURE_SALES_WEBHOOK": f"http://{HOST}:{hook.sockets[0].getsockname()[1]}/",
        "NURTURE_RULES": json.dumps({"quiet": None, "caps": []}),
        "NURTURE_POSTAL_ADDRESS": "1 Example Street",
    }
    stack = Nest(
        folder / "home", "1d=0.5s", environment=environment, home=folder, campaigns=folder / "campaigns",
        templates=folder / "templates",
    )  # fmt: skip
    stack.relay_port = mail.sockets[0].getsockname()[1]
    try:
        await stack.start()
        yield stack
    finally:
        await asyncio.to_thread(stack.stop)
        for server in (mail, hook):
            server.close()
            await server.wait_closed()


async def rows(store: Store, model: Any) -> list[Any]:
    async with store.read() as session:
        return list((await session.exec(select(model).order_by(col(model.id)))).all())


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.05)  # other processes work meanwhile


async def sings(stack: Nest, relay: Relay, store: Store) -> str:
    """The whole life of the lead, as the world outside lives it; its id."""
    assert stack.api_key is not None
    headers = {"Authorization": f"Bearer {stack.api_key.get_secret_value()}", "User-Agent": "a browser"}
    async with httpx.AsyncClient(base_url=stack.web_url, headers=headers, trust_env=False) as client:
        asked = {"name": "asked", "lead": PERSONAL, "properties": {"note": SAID}, "consents": {"news": True}}
        lead_id = str((await client.post("/v1/events", json=asked)).json()["lead_id"])
        for broken in ({"name": SAID, "lead": PERSONAL}, {"name": "asked", "lead": {"email": "canary@@nest"}}):
            assert (await client.post("/v1/events", json=broken)).status_code == 422
        await client.get("/v1/leads/" + ADDRESS)
        await client.get("/v1/leads/nobody." + ADDRESS)
        click = await link_of(relay, b"/c/")
        assert (await client.get(click)).status_code == 302
        answer = await link_of(relay, b"/s/")
        assert (await client.post(answer, data={"score": "9", "comment": COMMENT})).status_code == 200

        async def ended() -> bool:
            called = [row.status for row in await rows(store, RequestRow) if row.kind == "hand_off"]
            endings = [row.ending for row in await rows(store, JourneyRow)]
            sent = {row.status for row in await rows(store, MessageRow)}
            return (called, endings, sent) == (["done"], ["left: sung"], {"accepted"})

        await until(ended)
        unsubscribe = await link_of(relay, b"/u/")
        assert (await client.post(unsubscribe, data={"List-Unsubscribe": "One-Click"})).status_code == 200
        assert held(await metrics(client)) == []
    return lead_id


async def link_of(relay: Relay, kind: bytes) -> str:
    """The link of that kind in the first mail that holds one, once there is one."""
    found: list[str] = []

    async def came() -> bool:
        mails = b"".join(relay.mails).replace(b"=\r\n", b"").replace(b"=3D", b"=").replace(b"\r\n ", b"")
        found.extend(one.decode() for one in re.findall(rb"http://[\w.:]+" + kind + rb"[\w.\-]+", mails))
        return bool(found)

    await until(came)
    return found[0]


async def metrics(client: httpx.AsyncClient) -> bytes:
    """What the web process tells a monitor, or that it tells nothing."""
    return (await client.get("/metrics")).content


def held(content: bytes) -> list[str]:
    """The canaries in it."""
    return [one for one in CANARIES if one.encode() in content]


async def test_temporal_logs_and_metrics_hold_ids_only(tmp_path: Path) -> None:
    relay, sales = Relay(), Sales()
    async with nest(tmp_path, relay, sales) as stack:
        store = Store(stack.database_url)
        lead_id = await sings(stack, relay, store)
        client = await Client.connect(f"{HOST}:{stack.ports.temporal}")
        assert (await client.count_workflows(f'NurtureLead = "{lead_id}"')).count == 1
        messages, requests = await rows(store, MessageRow), await rows(store, RequestRow)
        [hand_off] = await rows(store, HandOffRow)
        await store.close()

    kept = b"".join(file.read_bytes() for file in (tmp_path / "home").glob("temporal.db*"))
    logs = {file.name: file.read_bytes() for file in (tmp_path / "home").glob("*.log")}
    # It was all there: sent, refused at first, handed over, in the store, and seen by Temporal under its id.
    assert {row.status for row in messages} == {"accepted"}
    assert (max(row.attempts for row in messages), len(sales.bodies)) == (2, 2)
    assert [ADDRESS in text for text in (str(hand_off.dossier), str(requests), sales.bodies[1].decode())] == [True] * 3
    assert ADDRESS.encode() in (tmp_path / "home/nurture.db").read_bytes()
    assert lead_id.encode() in kept
    assert b"activity.put_off" in logs["worker.log"]
    assert {"worker.log", "web.log", "temporal.log"} <= logs.keys()

    assert held(kept) == []
    assert {name: held(text) for name, text in logs.items() if held(text)} == {}
