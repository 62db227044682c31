"""Journeys whose payloads are encrypted, on a real Temporal server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle

from nurture import Campaign, State, days, leave, on, send, wait
from nurture.errors import ProviderUnavailable
from nurture.simulate import at
from nurture.store.models import new_id
from tests.temporal.town import Town, a_lead
from worker import version_content, working
from workflows.cipher import key_id
from workflows.payloads import data_converter

OLD, NEW = b"o" * 32, b"n" * 32
GUARDED = Campaign(
    "guarded",
    enters=[on("asked")],
    exits=[on("objected")],
    states=[State("inner-room", [send("test/one", legal_basis="asked for"), wait(days(730)), leave("enough")])],
)


@asynccontextmanager
async def encrypting(town: Town, queue: str, *keys: bytes) -> AsyncIterator[Town]:
    """The same town, reached by a client and a worker with those keys that know its versions from the store only."""

    async def load(version_hash: str) -> str:
        return await version_content(town.store, version_hash)

    host = town.client.service_client.config.target_host
    client = await Client.connect(host, data_converter=data_converter(load, keys))
    guarded = Town(town.environment, town.store, queue, client)
    async with working(client, guarded.equipment, guarded.journeys):
        yield guarded


async def test_a_history_shows_neither_positions_nor_failures(sandboxed: Town) -> None:
    async with encrypting(sandboxed, new_id(), NEW) as town:
        town.postbox.trouble = ProviderUnavailable("the relay is busy", retry_after=timedelta(seconds=1))
        lead_id = await town.settle(a_lead())
        row, handle = await town.begin(GUARDED, lead_id)
        await town.tries(row)
        town.postbox.trouble = None
        await town.comes_to(row, "inner-room")
        await town.happens(lead_id, at(event="objected"), datetime.now(UTC))

        assert await handle.result() == "left: on objected"
        content = await raw(town, handle)
        assert b"Encoded failure" in content
        assert [word for word in (b"inner-room", b"relay is busy", b"objected") if word in content] == []
        assert key_id(NEW).encode() in content


async def test_a_journey_outlives_a_change_of_keys(sandboxed: Town) -> None:
    queue = new_id()
    async with encrypting(sandboxed, queue, OLD) as town:
        lead_id = await town.settle(a_lead())
        row, _ = await town.begin(GUARDED, lead_id)
        await town.comes_to(row, "inner-room")
    async with encrypting(sandboxed, queue, NEW, OLD) as town:
        await town.happens(lead_id, at(event="objected"), datetime.now(UTC))
        handle = town.client.get_workflow_handle(f"journey:{row.id}")

        assert await handle.result() == "left: on objected"
        content = await raw(town, handle)
        assert (key_id(OLD).encode() in content, key_id(NEW).encode() in content) == (True, True)
        await town.replayer.replay_workflow(await handle.fetch_history())


async def test_a_journey_begun_without_a_key_goes_on_with_one(sandboxed: Town) -> None:
    lead_id = await sandboxed.settle(a_lead())
    queue = new_id()
    async with encrypting(sandboxed, queue) as town:
        row, _ = await town.begin(GUARDED, lead_id)
        await town.comes_to(row, "inner-room")
    async with encrypting(sandboxed, queue, NEW) as town:
        await town.happens(lead_id, at(event="objected"), datetime.now(UTC))

        assert await town.client.get_workflow_handle(f"journey:{row.id}").result() == "left: on objected"


async def raw(town: Town, handle: WorkflowHandle[Any, Any]) -> bytes:
    """The history as the server keeps it."""
    return b"".join(event.SerializeToString() for event in (await handle.fetch_history()).events)


async def test_a_journey_whose_key_was_taken_away_waits_and_goes_on_when_it_is_back(
    sandboxed: Town, caplog: pytest.LogCaptureFixture
) -> None:
    queue = new_id()
    async with encrypting(sandboxed, queue, OLD) as town:
        lead_id = await town.settle(a_lead())
        row, _ = await town.begin(GUARDED, lead_id)
        await town.comes_to(row, "inner-room")
    async with encrypting(sandboxed, queue, NEW) as town:
        await town.happens(lead_id, at(event="objected"), datetime.now(UTC))
        await fails(town.client.get_workflow_handle(f"journey:{row.id}"))
        assert f"encrypted with key {key_id(OLD)}: add that key to NURTURE_PAYLOAD_KEYS" in caplog.text
    async with encrypting(sandboxed, queue, NEW, OLD) as town:
        assert await town.client.get_workflow_handle(f"journey:{row.id}").result() == "left: on objected"


async def fails(handle: WorkflowHandle[Any, Any]) -> None:
    """Wait until a task of the workflow has failed."""
    async with asyncio.timeout(30):  # a task for a worker that is gone is given to another after ten seconds
        while True:
            events = {event.event_type for event in (await handle.fetch_history()).events}
            if EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED in events:
                return
            await asyncio.sleep(0.01)  # the worker works meanwhile
