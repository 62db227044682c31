from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from nurture.permission import HouseRules
from nurture.store import Store
from tests.integration.life import Life


@pytest.fixture
async def life(store: Store, now: datetime) -> AsyncIterator[Life]:
    """A life without quiet hours and caps, on each database in turn."""
    async with Life(store, now, rules=HouseRules(quiet=None, caps=())) as life:
        yield life
