"""What every command stands on: settings, the store opened and closed, the clock, and errors as one line."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, TypeVar

import typer
from rich.console import Console

from nurture.errors import NurtureError
from nurture.settings import Settings, read_settings
from nurture.store import Store
from nurture.store.migrate import require_current

Answer = TypeVar("Answer")
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def now() -> datetime:
    """The time of the command."""
    return datetime.now(UTC)


def fail(error: NurtureError | str) -> NoReturn:
    """One clear line (or a line a fault), and exit code 1."""
    err.print(str(error), style="red", markup=False, soft_wrap=True)
    raise typer.Exit(1)


def with_store(work: Callable[[Store, Settings], Awaitable[Answer]]) -> Answer:
    """Do the work with the store of the settings; its tables must be current."""

    async def run() -> Answer:
        settings = read_settings()
        store = Store(settings.database_url.get_secret_value())
        try:
            await require_current(store)
            return await work(store, settings)
        finally:
            await store.close()

    try:
        return asyncio.run(run())
    except NurtureError as error:
        fail(error)


def application_root() -> Path:
    """Where worker.py stands: beside the package, or in the current directory."""
    for root in (Path(__file__).parents[2], Path.cwd()):
        if (root / "worker.py").is_file():
            return root
    fail("worker.py is not here: run this in a checkout of nurture, or in its image")
