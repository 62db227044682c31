"""Retargeting lists kept in step with a real server behind the hook, on each database in turn."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import select

from activities.equipment import Equipment
from activities.retargeting import keep_in_step
from nurture import Audience, Hook, Retarget, lead, minutes
from nurture.catalogue import Catalogue
from nurture.intake.merging import merge
from nurture.profile import address_hash
from nurture.store import Store
from nurture.store.bulk import insert_all
from nurture.store.erasure import erase
from nurture.store.models import ConsentRow, LeadRow
from nurture.store.retarget_tables import RetargetDeliveryRow, RetargetEntryRow
from nurture.store.suppressions import suppress
from tests.integration import hook as answers
from tests.integration.hook import Hook as Other
from tests.integration.hook import Post
from tests.integration.life import Life
from tests.integration.test_webhooks import NEW, verified
from tests.integration.walking import Killed, Perilous, kill
from worker import equip

ANN, BOB = "ann@example.com", "bob@example.com"
LOOKERS = Audience(key="lookers", who=lead.tags.has("looked"))
LIST = Retarget(key="lookers", audience="lookers", networks=("google",), hook="ads")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Networks:
    """What the networks have by what the hook took, and the one who keeps them in step."""

    life: Life
    other: Other
    equipment: Equipment
    perils: Perilous
    retargets: dict[str, Retarget]
    lists: dict[str, set[str]] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    read: int = 0

    async def in_step(self, retarget: Retarget = LIST) -> list[dict[str, Any]]:
        """Keep them in step once; what was sent."""
        self.retargets[retarget.key] = retarget
        await keep_in_step(self.equipment, lambda: self.life.now)
        sent, self.read = self.other.took[self.read :], len(self.other.took)
        for post in sent:
            self._take(post)
        return [json.loads(post.body) for post in sent]

    def _take(self, post: Post) -> None:
        """As a receiver does that knows a repeat by its id."""
        if post.headers["webhook-id"] in self.ids:
            return
        self.ids.add(post.headers["webhook-id"])
        body = verified(post, NEW)
        on_it = self.lists.setdefault(body["network"], set())
        on_it.update(value for one in body["add"] for value in one.values())
        on_it.difference_update(value for one in body["remove"] for value in one.values())

    async def rows(self) -> list[RetargetEntryRow]:
        async with self.life.store.read() as session:
            return list((await session.exec(select(RetargetEntryRow))).all())

    async def waiting(self) -> list[RetargetDeliveryRow]:
        async with self.life.store.read() as session:
            return list((await session.exec(select(RetargetDeliveryRow))).all())


@pytest.fixture
async def networks(store: Store, database_url: str, now: datetime) -> AsyncIterator[Networks]:
    async with Other().open() as other, Life(store, now) as life:
        retargets: dict[str, Retarget] = {}
        hook = Hook(key="ads", url=other.url("/ads"))
        catalogue = Catalogue(audiences={"lookers": LOOKERS}, hooks={"ads": hook}, retargets=retargets)
        settings = life.settings.model_copy(update={"hook_secrets": {"ads": SecretStr(NEW)}})
        perils = Perilous(database_url)
        equipment = equip(settings, perils, catalogue, {})
        yield Networks(life, other, equipment, perils, retargets)
        await equipment.webhooks.close()
        await perils.close()


async def looks(networks: Networks, email: str = ANN, *, agrees: bool = True, **known: Any) -> str:
    consents = {"news": True, "ads": True} if agrees else {"news": True}
    return await networks.life.lead(email, consents, tags=["looked"], **known)


async def test_who_agreed_is_told_to_every_network_in_its_own_hashes_and_once(networks: Networks) -> None:
    await looks(networks, phone="+49301234567")
    await looks(networks, BOB, agrees=False)
    both = LIST.model_copy(update={"networks": ("google", "vk")})

    sent = await networks.in_step(both)

    assert {body["network"]: body["hashed_by"] for body in sent} == {"google": "sha256", "vk": "md5"}
    assert networks.lists["google"] == {sha256(ANN), sha256("+49301234567")}
    assert networks.lists["vk"] == {
        hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() for text in (ANN, "49301234567")
    }
    assert await networks.in_step(both) == []


@pytest.mark.parametrize(
    "how", ["buys", "objects", "unsubscribes", "leaves everything", "is suppressed", "no longer looks"]
)
async def test_who_buys_objects_or_leaves_is_taken_off(networks: Networks, how: str) -> None:
    await looks(networks)
    await networks.in_step()
    await networks.life.passes(days=1)

    match how:
        case "buys":
            await networks.life.orders("paid")
        case "objects":
            await networks.life.happens("objected")
        case "unsubscribes":
            await networks.life.lead(ANN, {"ads": False})
        case "leaves everything":
            await networks.life.lead(ANN, {"*": False})
        case "is suppressed":
            async with networks.life.store.write() as session:
                await suppress(session, address_hash(ANN), "marketing", "complained", networks.life.now)
        case _:
            await networks.life.lead(ANN, {"ads": True}, tags=[])

    [body] = await networks.in_step()
    assert (body["add"], body["remove"]) == ([], [{"email": sha256(ANN)}])
    assert networks.lists["google"] == set()
    assert await networks.rows() == []


async def test_buyers_stay_on_a_list_that_is_for_them(networks: Networks) -> None:
    await looks(networks)
    await networks.life.orders("paid")

    await networks.in_step(LIST.model_copy(update={"buyers": "stay"}))

    assert networks.lists["google"] == {sha256(ANN)}


async def test_who_comes_back_is_on_the_list_again(networks: Networks) -> None:
    await looks(networks)
    await networks.in_step()
    await networks.life.passes(days=1)
    await networks.life.lead(ANN, {"ads": False})
    await networks.in_step()
    await networks.life.passes(days=1)
    await networks.life.lead(ANN, {"ads": True})

    await networks.in_step()

    assert networks.lists["google"] == {sha256(ANN)}


async def test_another_address_takes_the_place_of_the_old_one(networks: Networks) -> None:
    lead_id = await looks(networks)
    await networks.in_step()
    async with networks.life.store.write() as session:
        row = await session.get_one(LeadRow, lead_id)
        row.email = "anna@example.com"
        session.add(row)

    await networks.in_step()

    assert networks.lists["google"] == {sha256("anna@example.com")}


async def test_an_erased_lead_is_taken_off_and_its_hash_forgotten_with_that(networks: Networks) -> None:
    lead_id = await looks(networks)
    await networks.in_step()
    async with networks.life.store.write() as session:
        await erase(session, lead_id, "ops", networks.life.now)

    [row] = await networks.rows()
    assert (row.lead_id, row.state, row.hash) == (None, "removing", sha256(ANN))
    networks.other.answers = [answers.BROKEN]
    await networks.in_step()
    assert len(await networks.rows()) == 1

    await networks.life.passes(minutes=2)
    await networks.in_step()

    assert networks.lists["google"] == set()
    assert await networks.rows() == []


async def test_of_a_lead_erased_before_anything_was_sent_nothing_is_kept(networks: Networks) -> None:
    lead_id = await looks(networks)
    networks.other.answers = [answers.BROKEN]
    await looks(networks, BOB)
    await networks.in_step()  # both are in a delivery that may have been taken
    async with networks.life.store.write() as session:
        await erase(session, lead_id, "ops", networks.life.now)

    await networks.life.passes(minutes=2)
    first, second = await networks.in_step()

    assert (first["add"], first["remove"]) == ([{"email": sha256(BOB)}], [])
    assert (second["add"], second["remove"]) == ([], [{"email": sha256(ANN)}])
    assert {row.hash for row in await networks.rows()} == {sha256(BOB)}


@pytest.mark.parametrize("answer", [answers.BROKEN, answers.REFUSED])
async def test_what_is_not_taken_is_sent_again_by_the_same_id_and_later_each_time(
    networks: Networks, answer: str
) -> None:
    await looks(networks)
    networks.other.answers = [answer, answer]

    await networks.in_step()
    await networks.in_step()  # not yet
    assert len(networks.other.took) == 1
    [waiting] = await networks.waiting()
    assert (waiting.attempts, waiting.due_at) == (1, networks.life.now + minutes(1))

    await networks.life.passes(minutes=1)
    await networks.in_step()
    [waiting] = await networks.waiting()
    assert (waiting.attempts, waiting.due_at) == (2, networks.life.now + minutes(2))
    assert "the webhook ads" in waiting.trouble

    await networks.life.passes(minutes=2)
    await networks.in_step()
    assert len({post.headers["webhook-id"] for post in networks.other.took}) == 1
    assert await networks.waiting() == []
    assert networks.lists["google"] == {sha256(ANN)}


async def test_an_answer_that_is_lost_leaves_everybody_on_the_list_once(networks: Networks) -> None:
    await looks(networks)
    networks.other.answers = [answers.BROKEN]  # after it took it
    await networks.in_step()
    await looks(networks, BOB)
    await networks.life.passes(minutes=2)

    again, new = await networks.in_step()

    assert [body["add"] for body in (again, new)] == [[{"email": sha256(ANN)}], [{"email": sha256(BOB)}]]
    assert networks.lists["google"] == {sha256(ANN), sha256(BOB)}


async def test_leads_made_one_are_kept_or_taken_off_together(networks: Networks) -> None:
    kept, gone = await looks(networks), await looks(networks, BOB)
    await networks.in_step()

    await merge(networks.life.store, networks.life.intake.recorder, kept, gone, by="ops", now=networks.life.now)
    await networks.in_step()

    async with networks.life.store.read() as session:
        one = (await session.exec(select(LeadRow))).one()
    assert {row.lead_id for row in await networks.rows()} == {kept}
    assert networks.lists["google"] == {sha256(str(one.email))}


async def test_a_network_that_is_no_longer_named_is_told_to_let_everybody_go(networks: Networks) -> None:
    await looks(networks)
    await networks.in_step(LIST.model_copy(update={"networks": ("google", "meta")}))

    await networks.in_step()

    assert networks.lists == {"google": {sha256(ANN)}, "meta": set()}


async def test_a_list_longer_than_a_page_is_told_whole(networks: Networks) -> None:
    await looks(networks)
    emails = [f"lead-{n}@example.com" for n in range(1200)]
    await agreed(networks, emails)

    sent = await networks.in_step()

    assert len(sent) == 2
    assert networks.lists["google"] == {sha256(email) for email in (ANN, *emails)}

    await agreed(networks, emails[:700], granted=False, later=timedelta(days=1))
    await networks.in_step()

    assert networks.lists["google"] == {sha256(email) for email in (ANN, *emails[700:])}


async def agreed(
    networks: Networks, emails: list[str], *, granted: bool = True, later: timedelta = timedelta(0)
) -> None:
    """Many leads at once, with what they say to advertising."""
    now = networks.life.now + later
    rows = [
        LeadRow(id=email, email=email, profile={"email": email, "tags": ["looked"]}, created_at=now, updated_at=now)
        for email in emails
    ]
    said = [
        {
            "lead_id": email,
            "topic": "ads",
            "granted": granted,
            "source": "test",
            "text": "",
            "at": now,
            "address_hash": "",
            "expires_at": None,
        }
        for email in emails
    ]
    async with networks.life.store.write() as session:
        if granted:
            await insert_all(session, LeadRow, [row.model_dump() for row in rows])
        await insert_all(session, ConsentRow, said)


async def test_two_workers_at_once_tell_everything_once(networks: Networks) -> None:
    for n in range(3):
        await looks(networks, f"lead-{n}@example.com")
    networks.retargets[LIST.key] = LIST

    await asyncio.gather(*(keep_in_step(networks.equipment, lambda: networks.life.now) for _ in range(2)))

    [post] = networks.other.took
    assert len(json.loads(post.body)["add"]) == 3


async def test_a_worker_that_dies_before_it_notes_that_a_delivery_was_taken_tells_it_again_by_its_id(
    networks: Networks,
) -> None:
    await looks(networks)
    networks.perils.commits, networks.perils.deeds = 0, {"before commit 3": kill}

    with pytest.raises(Killed):
        await networks.in_step()
    await networks.in_step()

    first, second = networks.other.took
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert [row.state for row in await networks.rows()] == ["in"]
