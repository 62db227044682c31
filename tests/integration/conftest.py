from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from nurture.store import Store
from tests.integration.scene import Scene
from tests.integration.walking import Perilous, Way


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
