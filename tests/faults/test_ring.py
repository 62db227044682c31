"""The short ring: every fault once, by one seed, and the checker's verdict; `./dev faults` runs them long and often."""

from pathlib import Path

import pytest

from tests.faults.__main__ import HALVES, half

pytestmark = [pytest.mark.slow, pytest.mark.temporal]


@pytest.mark.parametrize("name", [pytest.param("postgresql", marks=pytest.mark.postgres), "sqlite"])
async def test_nothing_is_lost_or_sent_twice_whatever_fails(name: str, tmp_path: Path) -> None:
    assert name in HALVES

    lines, rest = await half(name, tmp_path, seed=1, scale=1)

    assert [found for line in lines for found in line.findings] == []
    assert rest == []
