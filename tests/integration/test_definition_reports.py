"""The report of definitions over a set of hand-offs made by hand, on each database in turn."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from nurture.definition_report import Outcome, Taken
from nurture.store import Store
from nurture.store.definition_reports import outcomes
from nurture.store.models import HandOffRow, JourneyRow, LeadRow, VersionRow

HOUR = 3600.0


@pytest.fixture
async def book(store: Store, now: datetime) -> "Book":
    return await Book(store, now).opened()


class Book:
    """Hand-offs written down one by one."""

    def __init__(self, store: Store, now: datetime) -> None:
        self.store, self.now, self.n = store, now, 0

    async def opened(self) -> "Book":
        async with self.store.write() as session:
            session.add(LeadRow(id="ann", created_at=self.now, updated_at=self.now))
            session.add(VersionRow(hash="v", campaign="c", number=1, body="{}", published_at=self.now))
            await session.flush()
            session.add(
                JourneyRow(
                    id="j",
                    lead_id="ann",
                    campaign="c",
                    version="v",
                    state="s",
                    position={},
                    entered=self.now,
                    updated_at=self.now,
                )
            )
        return self

    async def writes(self, status: str, *, ago: float = 1, wall: float | None = None, worked: float | None = None,
                     version: str = "one", definition: str = "director", **given: Any) -> None:  # fmt: skip
        self.n += 1
        made = self.now - timedelta(days=ago)
        row = HandOffRow(
            journey_id="j", occurrence=f"s/0/{self.n}", lead_id="ann", definition=definition, definition_version=version,
            dossier={}, clock={}, status=status, created_at=made, updated_at=made, answered_after=wall, worked=worked,
            **given,
        )  # fmt: skip
        async with self.store.write() as session:
            session.add(row)

    async def told(self, days: float = 30) -> list[Outcome]:
        async with self.store.read() as session:
            return await outcomes(session, self.now - timedelta(days=days), self.now)


async def test_an_empty_book_tells_of_nothing(book: Book) -> None:
    assert await book.told() == []


async def test_each_version_is_counted_by_what_became_of_its_leads(book: Book) -> None:
    for _ in range(3):
        await book.writes("accepted")
    await book.writes("rejected", reason="no budget")
    await book.writes("rejected", reason="no budget: next year")
    await book.writes("rejected", reason="wrong person")
    await book.writes("rejected")
    await book.writes("recycled")
    await book.writes("open", stage="assigned")
    await book.writes("open", stage="escalated")
    await book.writes("accepted", version="two")
    await book.writes("accepted", ago=31)
    await book.writes("accepted", ago=61)
    await book.writes("recycled", definition="anybody")

    anybody, one, two = await book.told()
    assert one == Outcome(
        "director", "one", handed_over=10, accepted=3, rejected=4, recycled=1, overdue=1, before=1,
        reasons=(("no budget", 2), ("no reason given", 1), ("wrong person", 1)),
    )  # fmt: skip
    assert (two.version, two.handed_over, two.precision) == ("two", 1, 1.0)
    assert (anybody.definition, anybody.recycled) == ("anybody", 1)


async def test_what_only_the_period_before_knows_is_told_as_nothing_now(book: Book) -> None:
    await book.writes("accepted", ago=40)

    assert await book.told() == [Outcome("director", "one", handed_over=0, before=1)]


@pytest.mark.parametrize(
    ("hours", "median", "p90"),
    [
        ([7], 7, 7),
        ([1, 3], 1, 3),
        ([5, 1, 3], 3, 5),
        (list(range(10, 0, -1)), 5, 9),
        (list(range(1, 12)), 6, 10),
        ([2, 2, 2, 50], 2, 50),
    ],
)
async def test_the_median_and_the_ninth_decile_are_times_that_were_taken(
    book: Book, hours: list[int], median: int, p90: int
) -> None:
    for one in hours:
        await book.writes("accepted", wall=one * HOUR, worked=one * HOUR / 2)
    await book.writes("open")

    [found] = await book.told()
    assert found.wall == Taken(median * HOUR, p90 * HOUR)
    assert found.worked == Taken(median * HOUR / 2, p90 * HOUR / 2)


async def test_times_of_one_version_are_not_those_of_another(book: Book) -> None:
    await book.writes("accepted", wall=HOUR)
    await book.writes("rejected", wall=9 * HOUR, version="two")

    assert [one.wall.median for one in await book.told()] == [HOUR, 9 * HOUR]
