import asyncio
from collections.abc import Mapping, Sequence

from structlog.testing import capture_logs

from nurture.errors import DatabaseAway, Unavailable
from nurture.outage import Outage, tried


def outage() -> Outage:
    return Outage("engine.away", "engine.back")


def actions(logs: Sequence[Mapping[str, object]]) -> list[object]:
    return [one["event"] for one in logs]


def test_an_outage_is_told_when_it_begins_and_when_it_is_over_however_often_it_is_met() -> None:
    engine = outage()
    with capture_logs() as logs:
        for _ in range(3):
            engine.met("refused")
        for _ in range(3):
            engine.over()

    assert actions(logs) == ["engine.away", "engine.back"]


def test_another_reason_is_told_too_and_once() -> None:
    engine = outage()
    with capture_logs() as logs:
        for reason in ("refused", "starting up", "refused", "starting up"):
            engine.met(reason)

    assert [one["reason"] for one in logs] == ["refused", "starting up"]


def test_the_next_outage_is_told_again() -> None:
    engine = outage()
    with capture_logs() as logs:
        for _ in range(2):
            engine.met("refused")
            engine.over()

    assert actions(logs) == ["engine.away", "engine.back"] * 2


async def test_what_is_out_of_reach_is_tried_until_it_answers() -> None:
    troubles = [Unavailable("refused"), DatabaseAway("told by the store"), Unavailable("refused")]

    async def work() -> str:
        if troubles:
            raise troubles.pop(0)
        return "here"

    with capture_logs() as logs:
        assert await tried(work, asyncio.Event(), outage(), again_after=0.01) == "here"
    assert actions(logs) == ["engine.away", "engine.back"]


async def test_who_is_told_to_stop_tries_no_more() -> None:
    stop = asyncio.Event()

    async def work() -> str:
        stop.set()
        raise Unavailable("refused")

    async with asyncio.timeout(5):
        assert await tried(work, stop, outage(), again_after=60) is None
