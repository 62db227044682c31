"""A bulk run on the laptop stack, whose worker dies on the way."""

from pathlib import Path

import pytest

from tests.bench.bulk import killed_on_the_way

pytestmark = [pytest.mark.slow, pytest.mark.temporal]


async def test_an_audience_whose_worker_is_killed_on_the_way_enters_exactly_once(tmp_path: Path) -> None:
    outcome = await killed_on_the_way(tmp_path, leads=400, rate="300/s", kills=1)

    assert outcome.exactly_once, str(outcome)
    assert (outcome.status, outcome.counts) == ("done", {"entered": 400})
