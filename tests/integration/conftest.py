import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from nurture.catalogue import Catalogue
from nurture.cli.context import out
from nurture.hooks import Source
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.api_keys import SCOPES, make_key
from nurture.store.migrate import upgrade
from tests.amazon import TOPIC
from tests.integration.commands import run
from tests.integration.scene import Scene
from tests.integration.walking import Perilous, Way
from web.app import compose

SHOP = Source(key="shop", events={"order.paid": "order_paid"}, lead={"email": "data.email"})
REPORTS_LOGIN = "hook:correct-horse"
TEXTS_WORD = "battery-staple"
HOOK_SECRETS = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def scene(store: Store, now: datetime) -> Scene:
    """The dispatcher's stage, on each database in turn."""
    return Scene(store, now)


@pytest.fixture
async def way(database_url: str, now: datetime) -> AsyncIterator[Way]:
    """A way to walk without Temporal, on each database in turn."""
    store = Perilous(database_url)
    yield Way(store, now)
    await store.close()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with our tables, as `nurture db upgrade` makes it."""
    file = tmp_path_factory.mktemp("migrated") / "nurture.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def repository(tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A team's new repository with a database, where every command is given."""
    monkeypatch.setattr(out, "width", 140)
    monkeypatch.delenv("NURTURE_DATABASE_URL", raising=False)
    run("init", str(tmp_path))
    shutil.copy(migrated, tmp_path / "nurture.db")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
async def client(database_url: str, store: Store) -> AsyncIterator[httpx.AsyncClient]:
    """The HTTP edge, on each database in turn, called with a key that may do everything."""
    here = Settings(
        database_url=SecretStr(database_url),
        hook_secrets={
            "shop": SecretStr(HOOK_SECRETS),
            "postmark": SecretStr(REPORTS_LOGIN),
            "amazon_ses": SecretStr(TOPIC),
            **dict.fromkeys(("twilio", "smsc", "telegram"), SecretStr(f"an-older-word {TEXTS_WORD}")),
        },
        base_url="http://nurture",
    )
    app = compose(here, Catalogue(sources={"shop": SHOP}))
    async with store.write() as session:
        key = await make_key(session, "test", SCOPES, datetime.now(UTC))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://nurture", headers=headers) as one,
    ):
        yield one
