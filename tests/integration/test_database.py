"""A database that cannot be used: which one, why, and what to do; never a password, and told once."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from nurture import Campaign, State, on, tag
from nurture.errors import DatabaseAway
from nurture.outage import Outage
from nurture.store import Store
from nurture.store.campaigns import publish
from nurture.store.migrate import upgrade
from nurture.version import Version, frozen
from worker import version_content

ROAD = frozen(Campaign("road", [State("one", [tag("seen")])], enters=[on("asked")]))
SQLITE_REMEDY = "see that its directory is there and may be written, or set NURTURE_DATABASE_URL"
REMEDY = "see that it runs and lets this user in, or set NURTURE_DATABASE_URL"


async def reason(url: str) -> str:
    """Why it cannot be used."""
    store = Store(url)
    try:
        async with store.read() as session:
            await session.connection()
    except DatabaseAway as error:
        return str(error)
    finally:
        await store.close()
    return "it can be used"


async def test_a_file_in_a_directory_that_is_not_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/nowhere/nurture.db"

    assert await reason(url) == f"the database {url} cannot be used: unable to open database file; {SQLITE_REMEDY}"


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("These are notes, and no database at all. " * 50)

    assert "file is not a database" in await reason(f"sqlite:///{tmp_path}/notes.txt")


async def test_a_server_that_is_not_there() -> None:
    said = await reason("postgresql://me:canary@127.0.0.1:1/shop?password=canary")

    assert said == f"the database postgresql://me:***@127.0.0.1:1/shop cannot be used: Connection refused; {REMEDY}"


async def test_a_host_that_is_unknown() -> None:
    assert "cannot be used: " in await reason("postgresql://me:canary@no.such.host.invalid/shop")


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"username": "nobody", "password": "canary"}, 'role "nobody" does not exist'),
        ({"database": "nowhere"}, 'database "nowhere" does not exist'),
    ],
)
async def test_a_server_that_does_not_let_us_in(postgres_server: str, other: dict[str, str], words: str) -> None:
    said = await reason(make_url(postgres_server).set(**other).render_as_string(hide_password=False))  # type: ignore[arg-type]

    assert f"cannot be used: {words}; {REMEDY}" in said
    assert "canary" not in said


@pytest.mark.postgres
async def test_a_line_that_the_server_cuts_is_told_once_and_so_is_its_return(postgres_url: str) -> None:
    store = Store(postgres_url, Outage("database.away", "database.back"))
    cut = text("SELECT pg_terminate_backend(pg_backend_pid())")
    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(DatabaseAway):
                async with store.read() as session:
                    await (await session.connection()).execute(cut)
        for _ in range(2):
            async with store.read() as session:
                await (await session.connection()).execute(text("SELECT 1"))
    await store.close()

    assert [one["event"] for one in logs] == ["database.away", "database.back"]


async def raised(store: Store, sqlstate: str) -> None:
    async with store.write() as session:
        await (await session.connection()).execute(text(f"DO $$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$"))


@pytest.mark.postgres
@pytest.mark.parametrize("sqlstate", ["08006", "40001", "40P01", "53300", "57P01", "57P03", "58030"])
async def test_trouble_of_the_server_passes_and_is_never_held_against_what_was_asked(
    postgres_url: str, sqlstate: str
) -> None:
    store = Store(postgres_url)
    with pytest.raises(DatabaseAway):
        await raised(store, sqlstate)
    await store.close()


@pytest.mark.postgres
async def test_what_can_never_be_stored_does_not_pass(postgres_url: str) -> None:
    store = Store(postgres_url)
    with pytest.raises(DBAPIError):
        await raised(store, "22003")
    await store.close()


async def test_a_version_asked_for_while_the_database_is_away_comes_when_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    store = Store(f"sqlite:///{folder}/nurture.db")
    asked = asyncio.create_task(version_content(store, ROAD.hash))
    await asyncio.sleep(0)
    folder.mkdir()
    await asyncio.to_thread(upgrade, store.url)
    async with store.write() as session:
        await publish(session, ROAD, by="test", now=datetime.now(UTC))

    assert Version.model_validate_json(await asked).hash == ROAD.hash
    await store.close()
