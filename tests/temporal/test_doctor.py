"""The doctor at a real Temporal server: what an operator or a loss did behind our back is found and mended."""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import select
from temporalio import workflow
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from nurture import Audience, Campaign, State, days, lead, leave, on, send, wait
from nurture.checkup import examine
from nurture.doctor import Findings
from nurture.enrolment import Enrolled
from nurture.errors import Unavailable
from nurture.store import Store, outbox
from nurture.store.campaigns import publish
from nurture.store.enrolments import enrol
from nurture.store.journeys import start_order
from nurture.store.migrate import upgrade
from nurture.store.models import BulkRunRow, HandOffRow, JourneyRow, MarkRow, OutboxRow, new_id
from nurture.version import Version, frozen
from tests.integration.bulk import ordered, run_of
from tests.temporal.desk import ROAD, Handed, a_desk
from tests.temporal.server import a_server
from tests.temporal.town import Town, a_lead
from worker import working
from workflows.client import workflow_id
from workflows.journey import JourneyOrder

BASIS = "the lead asked for it"
LATER = timedelta(minutes=2)  # when what was done a moment ago is no longer on its way


def patient(key: str = "patient") -> Campaign:
    """A message, a wait of a year, a message."""
    rooms = [
        State("first", [send("test/one", legal_basis=BASIS), wait(days(365))]),
        State("last", [send("test/two", legal_basis=BASIS), leave("done with")]),
    ]
    return Campaign(key, enters=[on("asked")], exits=[on("objected")], states=rooms)


@pytest.fixture
def town(own_town: Town) -> Town:
    """The town over a server of the test's own."""
    return own_town


async def settled(town: Town, number: int) -> list[JourneyRow]:
    """Leads that were sent the first message, and now wait."""
    rows = [(await enrolled(town)) for _ in range(number)]
    for row in rows:
        await town.comes_to(row, "first")
    await town.dispatch(datetime.now(UTC) + LATER)
    return rows


async def enrolled(town: Town) -> JourneyRow:
    lead_id = await town.settle(a_lead())
    row, _ = await town.begin(patient(), lead_id, still=False)
    return row


async def visible(town: Town, number: int) -> None:
    """Wait until the server's list shows so many journeys that run."""
    async with asyncio.timeout(10):
        while True:
            if len([one async for one in town.journeys.running("", None)]) == number:
                return
            await asyncio.sleep(0.05)  # the server's list comes a moment after the fact


async def checked(town: Town, *, fix: bool = False) -> Findings:
    return await examine(town.store, town.journeys, datetime.now(UTC) + LATER, fix=fix)


def told(findings: Findings) -> dict[str, int]:
    return {one.word.value: one.count for one in findings.all}


async def test_where_all_journeys_run_all_is_well(town: Town) -> None:
    await settled(town, 3)
    await visible(town, 3)

    assert told(await checked(town)) == {}


async def test_workflows_that_an_operator_ended_are_found_and_run_again_without_a_second_message(town: Town) -> None:
    journeys = await settled(town, 5)
    for row in journeys[:3]:
        await town.environment.client.get_workflow_handle(workflow_id(row.id)).terminate()
    await visible(town, 2)

    found = await checked(town, fix=True)
    assert told(found) == {"missing": 3}
    assert found.all[0].examples == sorted(row.id for row in journeys[:3])
    await town.dispatch(datetime.now(UTC) + LATER)
    await visible(town, 5)
    assert told(await checked(town)) == {}
    assert [len(town.mails(row)) for row in journeys] == [1] * 5


async def test_a_journey_that_runs_again_goes_on_from_where_it_stood(town: Town) -> None:
    [row] = await settled(town, 1)
    await town.environment.client.get_workflow_handle(workflow_id(row.id)).terminate()
    await visible(town, 0)
    await checked(town, fix=True)
    await town.dispatch(datetime.now(UTC) + LATER)
    await town.hears(row, "exit:0", "objected")

    assert await town.environment.client.get_workflow_handle(workflow_id(row.id)).result() == "left: on objected"
    assert len(town.mails(row)) == 1


async def test_a_bulk_run_that_an_operator_ended_goes_on_where_it_stood(town: Town) -> None:
    for _ in range(21):
        await town.settle(a_lead(city="here"))
    async with town.store.write() as session:
        await publish(session, frozen(patient()), by="test", now=datetime.now(UTC))
    people = Audience(key="here", who=lead.city == "here")
    run_id = await ordered(town.store, datetime.now(UTC), "enrol", "patient", audience=people, rate=0.001)
    await town.dispatch(datetime.now(UTC))
    await in_bulk(town, [run_id])
    await taken(town, run_id, 20)
    assert told(await checked(town)).get("stranded") is None
    await town.environment.client.get_workflow_handle(f"bulk:{run_id}").terminate()
    await in_bulk(town, [])

    assert told(await checked(town, fix=True))["stranded"] == 1
    async with town.store.write() as session:  # the time of its next page has come
        await session.exec(update(BulkRunRow).values(next_page=None))
    await town.dispatch(datetime.now(UTC) + LATER)
    assert await town.environment.client.get_workflow_handle(f"bulk:{run_id}").result() == "done"
    assert (await run_of(town.store, run_id)).counts == {"entered": 21}


async def in_bulk(town: Town, run_ids: list[str]) -> None:
    """Wait until the server's list shows those bulk runs."""
    async with asyncio.timeout(10):
        while True:
            if [one async for one in town.journeys.bulk_runs()] == run_ids:
                return
            await asyncio.sleep(0.05)  # the server's list comes a moment after the fact


async def taken(town: Town, run_id: str, number: int) -> None:
    """Wait until the run has entered so many leads."""
    async with asyncio.timeout(40):
        while True:
            if (await run_of(town.store, run_id)).counts == {"entered": number}:
                return
            await asyncio.sleep(0.05)  # the worker works meanwhile


async def test_a_server_that_lost_everything_is_filled_from_the_store_and_nothing_is_sent_again(
    own_server: WorkflowEnvironment, store: Store
) -> None:
    town = Town(own_server, store, "nurture")
    async with working(own_server.client, town.equipment, town.journeys):
        journeys = await settled(town, 20)
        unstarted = await _entered(town)
    async with await a_server() as empty:
        again = Town(empty, store, "nurture")
        again.postbox = town.postbox
        again.equipment.channels["email"] = town.postbox  # type: ignore[index]  # a dict here
        async with working(empty.client, again.equipment, again.journeys):
            assert told(await checked(again, fix=True)) == {"missing": 20, "unstarted": 1}
            await dispatched(again)
            await visible(again, 21)
            await again.comes_to(unstarted, "first")
            assert told(await checked(again)) == {}
            await again.hears(journeys[0], "exit:0", "objected")
            ended = empty.client.get_workflow_handle(workflow_id(journeys[0].id))
            assert await ended.result() == "left: on objected"

    assert [len(town.mails(row)) for row in [*journeys, unstarted]] == [1] * 21


async def dispatched(town: Town) -> None:
    """Dispatch again and again, as the dispatcher does: a new server has to be told first by what journeys are found."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await town.dispatch(datetime.now(UTC) + LATER)
            except Unavailable:
                await asyncio.sleep(0.1)  # the dispatcher's own pause


async def _entered(town: Town) -> JourneyRow:
    """A journey that the store knows and the engine was never told of."""
    lead_id = await town.settle(a_lead())
    async with town.store.write() as session:
        await publish(session, version := frozen(patient()), by="test", now=datetime.now(UTC))
        entered = await enrol(session, version, lead_id, by="test", now=datetime.now(UTC))
        assert isinstance(entered, Enrolled)
        return await session.get_one(JourneyRow, entered.journey_id)


async def test_a_workflow_whose_journey_has_ended_is_ended(town: Town) -> None:
    [row] = await settled(town, 1)
    async with town.store.write() as session:
        journey = await session.get_one(JourneyRow, row.id)
        journey.status, journey.ending = "ended", "left: by hand"
        session.add(journey)
    await visible(town, 1)

    assert told(await checked(town, fix=True)) == {"leftover": 1}
    await visible(town, 0)
    assert told(await checked(town)) == {}


async def test_a_workflow_of_another_database_is_shown_and_left_alone(town: Town) -> None:
    [row] = await settled(town, 1)
    async with town.store.read() as session:
        order = await start_order(session, row.id)
    assert order is not None
    await town.journeys.start(replace(order, journey_id=(stranger := new_id())))
    await visible(town, 2)

    found = await checked(town, fix=True)
    assert (told(found), found.all[0].examples) == ({"stranger": 1}, [stranger])
    await visible(town, 2)


@workflow.defn(name="journey")
class BrokenWorkflow:
    """What a bad release would run."""

    @workflow.run
    async def run(self, order: JourneyOrder, version: Version) -> str:
        raise RuntimeError("this code is broken")


@pytest.mark.slow
async def test_journeys_that_a_bad_release_cannot_carry_on_are_shown_and_go_on_once_it_is_rolled_back(
    own_server: WorkflowEnvironment, store: Store
) -> None:
    town, client = Town(own_server, store, "nurture"), own_server.client
    row = await _entered(town)
    async with Worker(
        client, task_queue="nurture", workflows=[BrokenWorkflow], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        async with store.read() as session:
            order = await start_order(session, row.id)
        assert order is not None
        await town.journeys.start(order)
        async with asyncio.timeout(20):
            while True:
                if told(await checked(town)) == {"failing": 1}:
                    break
                await asyncio.sleep(0.1)  # the server's list comes a moment after the fact
    async with working(client, town.equipment, town.journeys), asyncio.timeout(40):
        while True:
            if town.mails(row):
                break
            await asyncio.sleep(0.1)  # Temporal tries again less and less often

    assert len(town.mails(row)) == 1


async def test_what_is_on_its_way_is_no_finding(town: Town) -> None:
    [row] = await settled(town, 1)
    await town.environment.client.get_workflow_handle(workflow_id(row.id)).terminate()
    await visible(town, 0)
    body = {"journey": row.id}
    async with town.store.write() as session:
        session.add(OutboxRow(lead_id=row.lead_id, kind="start", body=body, due_at=row.entered, created_at=row.entered))

    assert told(await checked(town)) == {}


async def test_a_clock_that_an_operator_ended_is_found_and_wound_again_without_a_second_mail(
    own_server: WorkflowEnvironment, store: Store
) -> None:
    async with a_desk(own_server, store) as desk:
        journey, _ = await desk.begin(ROAD, await desk.settle(a_lead()), still=False)
        await desk.comes_to(journey, "sales")
        await desk.dispatch(datetime.now(UTC))
        async with store.read() as session:
            handed = Handed(desk, journey, (await session.exec(select(HandOffRow.id))).one())
        await handed.told()
        await handed.clock.terminate()
        await visible(desk, 1)
        async with asyncio.timeout(10):
            while True:
                if told(await checked(desk, fix=True)) == {"unwatched": 1}:
                    break
                await asyncio.sleep(0.05)  # the server's list comes a moment after the fact
        await desk.dispatch(datetime.now(UTC) + LATER)

        assert (await handed.clock.describe()).status == WorkflowExecutionStatus.RUNNING
        assert (await handed.mails(), await handed.deeds()) == (["ann@example.com"], [("assigned", "ann")])


# --- the command ---


async def doctor(database: Path, address: str, *options: str, **settings: str) -> tuple[int, dict[str, int]]:
    """What `nurture doctor` exits with and finds."""
    env = {**os.environ, **settings, "NURTURE_DATABASE_URL": f"sqlite:///{database}", "TEMPORAL_ADDRESS": address}
    command = [str(Path(sys.executable).parent / "nurture"), "doctor", "--json", *options]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, env=env, check=False)
    assert done.stderr == ""
    return done.returncode, {one["finding"]: one["count"] for one in json.loads(done.stdout)["findings"]}


async def test_the_command_tells_what_is_out_of_reach_and_mends_what_it_can(
    own_server: WorkflowEnvironment, tmp_path: Path
) -> None:
    file, here = tmp_path / "nurture.db", own_server.client.service_client.config.target_host
    assert await doctor(file, here) == (1, {"tables": 1})
    upgrade(f"sqlite:///{file}")
    assert await doctor(file, here) == (0, {})
    assert await doctor(file, "127.0.0.1:1") == (1, {"temporal": 1})

    assert await doctor(file, here, "--after-restore", NURTURE_SMTP_LOOKUP_URL="http://127.0.0.1:1") == (0, {})
    store = Store(f"sqlite:///{file}")
    async with store.read() as session:
        assert await session.get(MarkRow, "restored") is not None
    await _entered(Town(own_server, store, "nurture"))
    async with store.write() as session:
        for row in (await session.exec(select(JourneyRow))).all():
            row.updated_at -= LATER
            session.add(row)
    assert await doctor(file, here, "--fix") == (1, {"unstarted": 1})
    async with store.read() as session:
        assert await outbox.depth(session) == 1
    await store.close()
