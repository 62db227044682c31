"""Callers share transactions; each is answered for itself, whatever happens, and too many are refused in words."""

import asyncio
from collections.abc import Sequence

import pytest

from nurture.errors import Unavailable
from nurture.intake.group_commit import MOST_TOGETHER, MOST_WAITING, GroupCommit


class Book(GroupCommit[int, str]):
    """Writes numbers down; can be slow, out of reach, and averse to a number."""

    def __init__(self, *, averse_to: int | None = None) -> None:
        super().__init__()
        self.written: list[list[int]] = []
        self.averse_to, self.away = averse_to, False
        self.may_write = asyncio.Event()

    async def transaction(self, items: Sequence[int]) -> list[str]:
        await self.may_write.wait()
        if self.away:
            raise Unavailable("the database is out of reach")
        if self.averse_to in items:
            raise RuntimeError("not this one")
        self.written.append(list(items))
        return [f"wrote {item}" for item in items]

    def refused(self, item: int, error: Exception) -> str:
        return f"refused {item}"


async def started(*calls: "asyncio.Task[list[str]]") -> None:
    """Let each of the calls come as far as it gets."""
    await asyncio.sleep(0)
    assert not any(one.done() for one in calls)


async def test_who_comes_while_others_are_written_shares_the_next_transaction() -> None:
    book = Book()
    calls = [asyncio.create_task(book.commit([n])) for n in range(50)]
    await started(*calls)

    book.may_write.set()

    assert await asyncio.gather(*calls) == [[f"wrote {n}"] for n in range(50)]
    assert sum(map(len, book.written)) == 50
    assert len(book.written) <= 2


async def test_no_transaction_is_larger_than_it_may_be_unless_one_caller_brings_more() -> None:
    book = Book()
    calls = [asyncio.create_task(book.commit(range(400))) for _ in range(5)]
    await started(*calls)

    book.may_write.set()
    await asyncio.gather(*calls)

    assert max(map(len, book.written)) <= MOST_TOGETHER


async def test_one_that_cannot_be_written_harms_no_other() -> None:
    book = Book(averse_to=1)
    book.may_write.set()

    answers = await asyncio.gather(book.commit([0, 1]), book.commit([2]))

    assert [*answers] == [["wrote 0", "refused 1"], ["wrote 2"]]


async def test_ten_times_more_than_may_wait_is_refused_and_what_was_let_in_is_written() -> None:
    book = Book()
    flood = [asyncio.create_task(book.commit(range(100))) for _ in range(10 * MOST_WAITING // 100)]
    await asyncio.sleep(0)
    refused = [one for one in flood if one.done()]
    let_in = [one for one in flood if not one.done()]
    book.may_write.set()

    for one in refused:
        with pytest.raises(Unavailable, match="try again"):
            one.result()
    answers = await asyncio.gather(*let_in)
    assert len(refused) == 10 * MOST_WAITING // 100 - MOST_WAITING // 100
    assert sum(map(len, answers)) == sum(map(len, book.written)) == MOST_WAITING
    assert await book.commit([7]) == ["wrote 7"], "and there is room again"


async def test_when_the_database_is_away_every_caller_is_told() -> None:
    book = Book()
    book.away = True
    book.may_write.set()

    answers = await asyncio.gather(*(book.commit([n]) for n in range(5)), return_exceptions=True)

    assert [type(one) for one in answers] == [Unavailable] * 5


async def test_a_caller_that_gave_up_keeps_no_other_waiting() -> None:
    book = Book()
    patient, hasty = asyncio.create_task(book.commit([1])), asyncio.create_task(book.commit([2]))
    await started(patient, hasty)

    hasty.cancel()
    book.may_write.set()

    assert await patient == ["wrote 1"]
