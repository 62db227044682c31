"""Retargeting lists on the command line, in a repository with a database of its own."""

import asyncio
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nurture.store import Store
from nurture.store.bulk import insert_all
from nurture.store.retarget_tables import RetargetDeliveryRow, RetargetEntryRow
from tests.integration.commands import run
from tests.integration.life import Life

DECLARED = """
from nurture import Audience, Hook, Retarget, lead

ads = Hook(key="ads", url="https://ads.example.com/lists")
lookers = Audience(key="lookers", who=lead.tags.has("looked"))
for_google = Retarget(key="lookers", audience="lookers", networks=("google", "vk"), hook="ads")
by_hand = Retarget(key="by-hand", audience="lookers", networks=("yandex",), buyers="stay")
"""

pytestmark = pytest.mark.usefixtures("repository")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def a_life() -> None:
    store = Store("sqlite:///nurture.db")
    async with Life(store, datetime.now(UTC)) as life:
        await life.lead("ann@example.com", {"ads": True}, tags=["looked"], phone="+49301234567")
        await life.lead("bob@example.com", {"ads": True}, tags=["looked"])
        await life.orders("paid", to="bob@example.com")
        await life.lead("eve@example.com", {"news": True}, tags=["looked"])
        waiting = RetargetDeliveryRow(
            id="1", retarget="lookers", network="google", made_at=life.now, due_at=life.now, trouble="the hook is away"
        )
        entry = {"retarget": "lookers", "network": "google", "kind": "email", "lead_id": None, "delivery": "1"}
        async with store.write() as session:
            await insert_all(session, RetargetDeliveryRow, [waiting.model_dump()])
            await insert_all(session, RetargetEntryRow, [{**entry, "hash": "1", "state": "removing"}])
    await store.close()


@pytest.fixture
def life(repository: None) -> None:
    """Three leads looked: one agreed, one agreed and bought, one never agreed."""
    Path("campaigns/ads.py").write_text(DECLARED, "utf-8")
    asyncio.run(a_life())


@pytest.mark.usefixtures("life")
def test_the_file_for_google_holds_who_agreed_and_did_not_buy() -> None:
    told = run("retarget", "export", "lookers", "--for", "google")

    assert told.stdout == f"Email,Phone\n{sha256('ann@example.com')},{sha256('+49301234567')}\n"
    assert "1 line" in told.stderr
    assert "google asks for at least 100" in told.stderr
    assert "left out: 1 (no consent to ads)" in told.stderr
    assert "left out: 1 (it bought)" in told.stderr


@pytest.mark.usefixtures("life")
def test_the_file_for_vk_is_of_one_kind() -> None:
    refused = run("retarget", "export", "lookers", "--for", "vk")
    assert "say email or phone, one file for each" in refused.output

    run("retarget", "export", "lookers", "--for", "vk", "--only", "phone", "--to", "vk.txt")

    assert Path("vk.txt").read_text() == hashlib.md5(b"49301234567", usedforsecurity=False).hexdigest() + "\n"


@pytest.mark.usefixtures("life")
def test_buyers_are_in_the_file_of_a_list_that_is_for_them() -> None:
    assert run("retarget", "export", "by-hand", "--for", "yandex").stdout.count("\n") == 3


@pytest.mark.usefixtures("life")
def test_the_lists_are_told_with_what_is_in_the_way() -> None:
    told = json.loads(run("retarget", "list", "--json").output)

    assert [(one["retarget"], one["network"], one["removing"], one["trouble"]) for one in told] == [
        ("by-hand", "yandex", 0, "no hook: files only"),
        ("lookers", "google", 1, "the hook is away"),
        ("lookers", "vk", 0, ""),
    ]
    assert "the hook is away" in run("retarget", "list").output


@pytest.mark.usefixtures("life")
def test_what_is_not_declared_and_no_network_are_refused_with_what_there_is() -> None:
    assert "did you mean" in run("retarget", "export", "loooker", "--for", "google").output
    assert "there are google, meta, vk, yandex" in run("retarget", "export", "lookers", "--for", "bing").output


@pytest.mark.usefixtures("life")
def test_the_check_warns_of_a_hook_that_lists_are_sent_to_unsigned() -> None:
    assert "NURTURE_HOOK_SECRETS__ADS: ads is called unsigned" in run("check").output
