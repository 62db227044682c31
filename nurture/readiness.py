"""Whether a process can do its work: what it needs, and for each why not."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

from nurture.errors import BadSettings, NurtureError, Unavailable
from nurture.store import Store, outbox
from nurture.store.migrate import require_current

PATIENCE = 2.0
LOOKS_OFTEN = timedelta(seconds=30)
FINE = "ok"

Check: TypeAlias = Callable[[], Awaitable[None]]


class NotReady(NurtureError):
    """Why the process cannot do its work now; seen by anybody who may ask, so it names no host and no person."""

    permanent = False


class Checklist:
    """What a process needs, by name; asked anew each time."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)

    def now_by(self, name: str, check: Check) -> None:
        """From now on that is found out so."""
        self._checks[name] = check

    async def asked(self) -> dict[str, str]:
        """`ok`, or why not, by name; what does not answer in time is not well."""
        answers = await asyncio.gather(*map(_asked, self._checks.values()))
        return dict(zip(self._checks, answers, strict=True))


def fit(answers: Mapping[str, str]) -> bool:
    """Whether the process can do its work."""
    return all(answer == FINE for answer in answers.values())


async def _asked(check: Check) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            await check()
    except NotReady as error:
        return str(error)
    except TimeoutError:
        return f"did not answer within {PATIENCE:g} s"
    except Exception as error:  # noqa: BLE001  # whatever is wrong, it is not ready; the text may hold a secret
        return f"cannot be told: {type(error).__name__}"
    return FINE


# --- what is checked ---


def database(store: Store) -> Check:
    """The database answers."""

    async def check() -> None:
        try:
            async with store.read() as session:
                await session.connection()
        except Unavailable as error:
            raise NotReady("cannot be reached: see the log, and NURTURE_DATABASE_URL") from error

    return check


def tables(store: Store) -> Check:
    """Its tables are as this nurture needs them."""

    async def check() -> None:
        try:
            await require_current(store)
        except BadSettings as error:
            raise NotReady(str(error)) from error
        except Unavailable as error:
            raise NotReady("cannot be told without the database") from error

    return check


def room(store: Store, limit: int) -> Check:
    """The outbox can take more."""

    async def check() -> None:
        try:
            async with store.read() as session:
                depth = await outbox.depth(session)
        except Unavailable as error:
            raise NotReady("cannot be told without the database") from error
        if depth >= limit:
            raise NotReady(f"full with {depth} rows: see that a worker runs and reaches Temporal")

    return check


def rounds(last: Callable[[], datetime | None], clock: Callable[[], datetime]) -> Check:
    """The dispatcher looked into the outbox a moment ago."""

    async def check() -> None:
        at = last()
        if at is None:
            raise NotReady("has not begun yet")
        if clock() - at > LOOKS_OFTEN:
            raise NotReady(f"did its last round at {at:%Y-%m-%d %H:%M:%S} UTC: see the log for what it waits for")

    return check


def going(stop: asyncio.Event) -> Check:
    """Nobody has told the process to stop."""

    async def check() -> None:
        if stop.is_set():
            raise NotReady("is stopping")

    return check


def saying(why_not: str) -> Check:
    """Not yet, for that reason."""

    async def check() -> None:
        raise NotReady(why_not)

    return check
