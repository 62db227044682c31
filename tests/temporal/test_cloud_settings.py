"""Temporal behind TLS, as Temporal Cloud is, reached by Temporal's own settings in the environment alone."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from nurture.errors import BadSettings, Unavailable
from nurture.store import Store
from nurture.store.migrate import upgrade
from tests.temporal.door import HOST, Door
from tests.temporal.keys import Authority, Pair
from tests.temporal.test_doctor import patient
from tests.temporal.town import Town, a_lead
from worker import version_content, working
from workflows.connection import connect

NOBODY = f"{HOST}:1"


class Ring:
    """Who vouches for whom."""

    def __init__(self, folder: Path) -> None:
        self.ours, self.theirs = Authority(folder, "ours"), Authority(folder, "theirs")
        self.server, self.ann, self.bob = (
            self.ours.vouches_for(HOST), self.ours.vouches_for("ann"), self.theirs.vouches_for("bob"),
        )  # fmt: skip

    @property
    def trusting(self) -> dict[str, str]:
        return {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(self.ours.certificate)}

    def showing(self, pair: Pair) -> dict[str, str]:
        """The settings of a client that shows its certificate."""
        return {"TEMPORAL_TLS_CLIENT_CERT_PATH": str(pair.certificate), "TEMPORAL_TLS_CLIENT_KEY_PATH": str(pair.key)}


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    return Ring(tmp_path)


def a_door(ring: Ring, kind: str, behind: str = NOBODY) -> tuple[Door, dict[str, str]]:
    """A door of that kind, and the settings with which it lets in."""
    match kind:
        case "clients' certificates":
            return Door(behind, ring.server, clients=ring.ours.certificate), ring.trusting | ring.showing(ring.ann)
        case "a key":
            return Door(behind, ring.server, key="sesame"), ring.trusting | {"TEMPORAL_API_KEY": "sesame"}
        case _:
            return Door(behind, ring.server), ring.trusting


def given(monkeypatch: pytest.MonkeyPatch, address: str, settings: Mapping[str, str]) -> None:
    for name in [one for one in os.environ if one.startswith("TEMPORAL_")]:
        monkeypatch.delenv(name)
    for name, value in {"TEMPORAL_ADDRESS": address, **settings}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("kind", ["TLS", "clients' certificates", "a key"])
async def test_a_worker_and_the_doctor_work_through_it(
    own_server: WorkflowEnvironment, ring: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    database = f"sqlite:///{tmp_path / 'nurture.db'}"
    upgrade(database)
    door, settings = a_door(ring, kind, own_server.client.service_client.config.target_host)
    store = Store(database)
    async with door.open():
        given(monkeypatch, door.address, settings)
        client = await connect(partial(version_content, store))
        town = Town(own_server, store, "nurture", client)
        async with working(client, town.equipment, town.journeys):
            row, handle = await town.begin(patient(), await town.settle(a_lead()), still=False)
            await town.comes_to(row, "first")
            await town.hears(row, "exit:0", "objected")
            assert await handle.result() == "left: on objected"
        assert (len(town.mails(row)), await doctor(database)) == (1, {"well": True, "findings": []})
        assert door.passed >= 2
        assert door.turned_away == 0
    await store.close()


async def doctor(database: str) -> Any:
    """What the command says, told where Temporal is by its environment alone."""
    command = [str(Path(sys.executable).parent / "nurture"), "doctor", "--json"]
    env = {**os.environ, "NURTURE_DATABASE_URL": database}
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, env=env, check=False)
    return json.loads(done.stdout)


async def unreachable(address: str) -> str:
    """Why the server at the address cannot be reached."""
    with pytest.raises((Unavailable, BadSettings)) as caught:
        await connect(_none)
    words = str(caught.value)
    assert words.startswith(f"Temporal at {address} cannot be reached: ")
    return words.removeprefix(f"Temporal at {address} cannot be reached: ")


async def _none(key: str) -> str:
    raise KeyError(key)


STRANGER = "nobody known here vouches for its certificate; set TEMPORAL_TLS_SERVER_CA_CERT_PATH"
OTHER_NAME = "its certificate is for another name; set TEMPORAL_TLS_SERVER_NAME"
NO_CERTIFICATE = "set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH if it asks for a certificate"
NO_KEY = "it asks for a key, and takes none or another than is given; set TEMPORAL_API_KEY"


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("TLS", {}, "it hangs up at a call without TLS; set TEMPORAL_TLS=true"),
        ("TLS", {"TEMPORAL_TLS": "true"}, STRANGER),
        ("TLS", {"trusts": "theirs"}, STRANGER),
        ("TLS", {"trusts": "ours", "TEMPORAL_TLS_SERVER_NAME": "elsewhere.example"}, OTHER_NAME),
        ("clients' certificates", {"trusts": "ours"}, NO_CERTIFICATE),
        ("clients' certificates", {"trusts": "ours", "shows": "bob"}, NO_CERTIFICATE),
        ("a key", {"trusts": "ours"}, NO_KEY),
        ("a key", {"trusts": "ours", "TEMPORAL_API_KEY": "canary"}, NO_KEY),
    ],
)
async def test_whoever_is_not_let_in_is_told_which_setting_to_look_at(
    ring: Ring, monkeypatch: pytest.MonkeyPatch, kind: str, changes: dict[str, str], words: str
) -> None:
    settings = {name: value for name, value in changes.items() if name.startswith("TEMPORAL_")}
    if trusts := changes.get("trusts"):
        settings["TEMPORAL_TLS_SERVER_CA_CERT_PATH"] = str(getattr(ring, trusts).certificate)
    if shows := changes.get("shows"):
        settings |= ring.showing(getattr(ring, shows))
    door, _ = a_door(ring, kind)
    async with door.open():
        given(monkeypatch, door.address, settings)
        told = await unreachable(door.address)

    assert words in told
    assert "canary" not in told
    assert door.passed == 0


async def test_a_server_without_tls_is_told_as_such(
    own_server: WorkflowEnvironment, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = own_server.client.service_client.config.target_host
    given(monkeypatch, address, ring.trusting)

    assert await unreachable(address) == "it speaks no TLS; set TEMPORAL_TLS=false, or another TEMPORAL_ADDRESS"


async def test_a_namespace_that_is_not_there_is_told_as_such(
    own_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = own_server.client.service_client.config.target_host
    given(monkeypatch, address, {"TEMPORAL_NAMESPACE": "nowhere"})

    assert (await unreachable(address)).endswith("set TEMPORAL_NAMESPACE to one that it has")


async def test_a_key_that_is_not_the_certificates_is_told_as_such(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = ring.showing(Pair(ring.ann.certificate, ring.bob.key))
    given(monkeypatch, NOBODY, ring.trusting | pair)

    with pytest.raises(BadSettings, match=r"the client's key is not that of its certificate; set TEMPORAL_TLS_CLIENT"):
        await connect(_none)
