"""What is not there, or goes away, or stands beside: real processes that wait, tell of it once, and go on; D-14, F7, F32."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from nurture.laptop.ports import Ports, settled
from nurture.store.database import driver_url
from tests.system.house import House
from tests.system.processes import until

pytestmark = [pytest.mark.slow, pytest.mark.temporal, pytest.mark.postgres]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(postgres_server: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A house whose web process and worker were started before there was anything else."""
    ports, (gate, lookup) = settled(Ports()), (settled(Ports()).web, settled(Ports()).web)
    url = await _new_database(postgres_server, f"nurture_system_{worker_id}")
    house = House(tmp_path_factory.mktemp("house"), url, ports, gate, lookup)
    await house.furnish()
    house.children.start_web()
    house.children.start_worker()
    await house.says("worker", "database.away")
    await house.gate.open()
    await house.says("worker", "temporal.away")
    house.children.start_temporal()
    await house.relay.open()
    await house.says("worker", "worker.ready")
    yield house
    await house.close()


async def _new_database(server: str, name: str) -> str:
    engine = create_async_engine(driver_url(server), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        await connection.execute(text(f"CREATE DATABASE {name} STRATEGY file_copy"))
    await engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


async def test_a_worker_started_before_all_else_tells_of_each_absence_once_and_works(house: House) -> None:
    assert (await house.asks("ann@example.com")).status_code == 202

    await house.rests("ann@example.com")
    absences = ("database.away", "database.back", "temporal.away", "temporal.back")
    assert [house.count("worker", one) for one in absences] == [1, 1, 1, 1]


async def test_without_the_database_web_says_when_to_come_again_and_then_takes_it(house: House) -> None:
    house.gate.shut()
    away = await house.asks("bob@example.com")
    health = [(await house.web.get(path)).status_code for path in ("/live", "/ready")]
    await house.gate.open()

    assert (away.status_code, away.headers["Retry-After"]) == (503, "2")
    assert away.json()["detail"] == "the database is out of reach: nothing was taken, try again in a moment"
    assert health == [200, 503]
    assert (await house.asks("bob@example.com")).status_code == 202
    assert (await house.web.get("/ready")).status_code == 200
    await house.rests("bob@example.com")
    assert house.count("web", "database.away") == house.count("web", "database.back") == 1


async def test_without_the_mail_relay_nobody_leaves_and_the_mail_goes_later(house: House) -> None:
    house.relay.shut()
    put_off = house.count("worker", "activity.put_off")
    await house.asks("cleo@example.com")
    await house.says("worker", "activity.put_off", put_off + 1)
    held = await house.messages("cleo@example.com")
    await house.relay.open()

    await house.rests("cleo@example.com")
    assert held == [("active", "deferred")]
    assert house.relay.to("cleo@example.com") == 1


async def test_a_worker_told_to_end_finishes_what_it_is_handing_over(house: House) -> None:
    house.relay.open_hand.clear()
    handed = house.relay.handed
    await house.asks("eve@example.com")
    await until(lambda: house.relay.handed > handed)
    os.kill(house.children.pid("worker"), signal.SIGTERM)
    await house.says("worker", "worker.stopping")
    house.relay.open_hand.set()

    assert await house.ended("worker") == 0
    assert await house.messages("eve@example.com") == [("active", "accepted")]
    assert house.relay.to("eve@example.com") == 1
    await house.takes_in("worker")


async def test_without_temporal_events_are_taken_and_journeys_begin_once_it_is_back(house: House) -> None:
    house.children.kill("temporal")
    meanwhile = await house.asks("dan@example.com")
    await house.says("worker", "dispatcher.waits")
    house.children.start_temporal()

    await house.rests("dan@example.com")
    assert meanwhile.status_code == 202
    assert house.count("worker", "dispatcher.waits") == house.count("worker", "dispatcher.goes_on") == 1


async def test_though_one_of_several_workers_is_killed_each_lead_has_one_journey_and_one_mail(house: House) -> None:
    await asyncio.gather(house.takes_in("second"), house.takes_in("third"))
    leads = [f"lead-{n}@example.com" for n in range(60)]
    await house.asks(*leads)
    await until(lambda: any(house.relay.to(one) for one in leads))
    house.children.kill("second")

    await house.rests(*leads)
    assert [one for one in leads if house.relay.to(one) != 1] == []
    await house.end("third")
