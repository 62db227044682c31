"""A journey forgotten on a real Temporal server: the workflow ended, and every run deleted with its history."""

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.service import RPCError, RPCStatusCode

from nurture import Campaign, State, days, leave, on, send, wait
from nurture.errors import ProviderUnavailable
from nurture.store.erasure import erase
from nurture.store.models import JourneyRow, LeadRow
from tests.temporal.town import Town, a_lead

PATIENT = Campaign(
    "forgotten",
    enters=[on("asked")],
    states=[State("first", [send("test/one", legal_basis="asked for"), wait(days(730)), leave("enough")])],
)


async def test_an_erased_lead_s_journey_is_gone_from_the_engine_with_its_history(sandboxed: Town) -> None:
    lead_id = await sandboxed.settle(a_lead())
    row, _ = await sandboxed.begin(PATIENT, lead_id)
    await sandboxed.comes_to(row, "first")

    await erased(sandboxed, lead_id)

    assert await known(sandboxed, row) == []


async def test_every_run_of_a_journey_that_went_on_afresh_is_gone(sandboxed: Town) -> None:
    lead_id = await sandboxed.settle(a_lead())
    row, handle = await sandboxed.begin(PATIENT, lead_id)
    await sandboxed.comes_to(row, "first")
    first = (await handle.describe()).run_id
    while (await handle.describe()).run_id == first:
        await sandboxed.hears(row, "long-gone/0/1:0", "noise")

    await erased(sandboxed, lead_id)

    assert await known(sandboxed, row, first) == []


async def test_a_journey_in_the_middle_of_a_send_is_ended_and_sends_nothing_more(sandboxed: Town) -> None:
    sandboxed.postbox.trouble = ProviderUnavailable("busy", retry_after=timedelta(milliseconds=50))
    lead_id = await sandboxed.settle(a_lead())
    row, _ = await sandboxed.begin(PATIENT, lead_id)
    await sandboxed.tries(row)

    await erased(sandboxed, lead_id)
    sandboxed.postbox.trouble = None

    assert (await known(sandboxed, row), sandboxed.mails(row)) == ([], [])


async def test_what_the_engine_never_knew_is_forgotten_at_once(sandboxed: Town) -> None:
    assert await sandboxed.journeys.forget("never-there")


async def erased(town: Town, lead_id: str) -> None:
    """Erase the lead, and dispatch until the engine has forgotten."""
    async with town.store.write() as session:
        await erase(session, lead_id, "test", datetime.now(UTC))
    await town.forgets(lead_id)
    async with town.store.read() as session:
        assert await session.get(LeadRow, lead_id) is None


async def known(town: Town, row: JourneyRow, *runs: str) -> list[str]:
    """What the engine still answers about the journey: of its latest run, of those named, and in its lists."""
    name = f"journey:{row.id}"
    found = [one.run_id async for one in town.client.list_workflows(f'WorkflowId = "{name}"')]
    for run in (None, *runs):
        with pytest.raises(RPCError) as asked:
            found += [run or "latest" for _ in [await town.client.get_workflow_handle(name, run_id=run).describe()]]
        assert asked.value.status is RPCStatusCode.NOT_FOUND
    return found
