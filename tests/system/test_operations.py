"""Several web processes and workers on one PostgreSQL, watched, and ended in the middle of a burst: F32, F33."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from nurture.laptop.ports import HOST
from nurture.store.database import driver_url
from tests.system.crew import TWO, Crew
from tests.system.processes import until

pytestmark = [pytest.mark.slow, pytest.mark.temporal, pytest.mark.postgres]
BURST = 150


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def crew(postgres_server: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Crew]:
    """Two web processes and two workers, started all at once."""
    engine = create_async_engine(driver_url(postgres_server), isolation_level="AUTOCOMMIT")
    name = f"nurture_crew_{worker_id}"
    async with engine.connect() as connection:
        await connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        await connection.execute(text(f"CREATE DATABASE {name} STRATEGY file_copy"))
    await engine.dispose()
    url = engine.url.set(database=name).render_as_string(hide_password=False)
    crew = Crew(tmp_path_factory.mktemp("crew"), url)
    try:
        await crew.muster()
        yield crew
    finally:
        await crew.dismiss()


async def all_accepted(crew: Crew, number: int) -> None:
    async def so() -> bool:
        return (await crew.ledger()).get("accepted") == number

    await until(so)


async def accepted(crew: Crew) -> int:
    return (await crew.ledger()).get("accepted", 0)


async def written_to(crew: Crew, who: str) -> None:
    """A lead that has got its mail."""
    before = await accepted(crew)
    await crew.ask("one", [who])
    await all_accepted(crew, before + 1)


async def test_whichever_of_several_hears_of_a_lead_it_has_one_journey_and_one_mail(crew: Crew) -> None:
    leads = [f"lead-{n}@example.com" for n in range(BURST)]
    answers = await asyncio.gather(*(crew.ask(web, leads) for web in TWO * 2))
    await all_accepted(crew, BURST)

    assert answers == [207] * 4
    assert await crew.journeys() == BURST
    assert crew.mails(leads) == dict.fromkeys(leads, 1)


async def test_workers_told_to_end_in_the_middle_of_a_burst_leave_no_ambiguous_message(crew: Crew) -> None:
    before = await accepted(crew)
    leads = [f"late-{n}@example.com" for n in range(BURST)]
    await crew.ask("one", leads)

    async def begun() -> bool:
        return len(crew.mails(leads)) >= BURST // 10

    await until(begun)
    processes = [crew.children._processes[f"worker-{name}"] for name in TWO]
    for one in processes:
        os.kill(one.pid, signal.SIGTERM)
    codes = [await asyncio.to_thread(one.wait, 30) for one in processes]
    ended, sent = await crew.ledger(), len(crew.mails(leads))

    assert codes == [0, 0]
    assert sent < BURST  # else it would have been no burst
    assert ended["accepted"] - before == sent
    assert not {"unknown", "committing", "claimed"} & ended.keys()
    for name in TWO:
        crew.start_worker(name)
    await all_accepted(crew, before + BURST)
    assert crew.mails(leads) == dict.fromkeys(leads, 1)


async def test_whatever_is_asked_of_it_the_web_process_logs_actions_and_names_nobody(crew: Crew) -> None:
    await written_to(crew, "quiet-1@example.com")
    url = f"http://{HOST}:{crew.web_ports['one']}"
    asked = await crew.client.get(f"{url}/v1/leads/quiet-1@example.com")
    lost = await crew.client.get(f"{url}/c/quiet-1@example.com", params={"to": "quiet-1@example.com"})
    lines = [json.loads(line) for line in crew.children.log("web-one").read_text().splitlines()]

    assert (asked.status_code, lost.status_code) == (200, 404)
    assert lines
    assert all(line["action"] for line in lines)
    assert "quiet-1" not in str(lines)


async def test_each_worker_shows_what_it_does_and_the_doctor_finds_nothing(crew: Crew) -> None:
    await written_to(crew, "shown-1@example.com")
    for name in TWO:
        watched, temporal = crew.lookouts[name]
        await crew.ready(f"http://{HOST}:{watched}")
        shown = (await crew.client.get(f"http://{HOST}:{watched}/metrics")).text
        engine = (await crew.client.get(f"http://{HOST}:{temporal}/metrics")).text

        assert "nurture_dispatched_total" in shown
        assert 'nurture_messages{channel="email",status="accepted"}' in shown
        assert "@example.com" not in shown + engine
        assert "temporal_worker_task_slots_available" in engine
    command = [str(Path(sys.executable).parent / "nurture"), "doctor", "--json"]
    told = await asyncio.to_thread(
        subprocess.run, command, env=crew.children.env, capture_output=True, text=True, check=False
    )
    assert (told.returncode, json.loads(told.stdout)) == (0, {"well": True, "findings": []})
