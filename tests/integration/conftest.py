from datetime import datetime

import pytest

from nurture.store import Store
from tests.integration.scene import Scene


@pytest.fixture
def scene(store: Store, now: datetime) -> Scene:
    """The dispatcher's stage, on each database in turn."""
    return Scene(store, now)
