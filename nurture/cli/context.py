"""What every command stands on: the settings, the store opened and closed, the clock, and where output goes."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from nurture.audiences import Audience
from nurture.catalogue import Catalogue
from nurture.errors import BadInput, NotFound
from nurture.faults import did_you_mean
from nurture.loader import load
from nurture.pace import UNITS
from nurture.settings import Settings, read_settings
from nurture.store import Store
from nurture.store.migrate import require_current
from nurture.version import Version

Answer = TypeVar("Answer")
out = Console(highlight=False, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, markup=False, emoji=False)


@dataclass(frozen=True)
class Here:
    """The settings, the store, and the time at which the command was given."""

    settings: Settings
    store: Store
    now: datetime


def in_store(work: Callable[[Here], Awaitable[Answer]]) -> Answer:
    """Do the work with the store of the settings; its tables must be current."""

    async def run() -> Answer:
        settings = read_settings()
        store = Store(settings.database_url.get_secret_value())
        try:
            await require_current(store)
            return await work(Here(settings, store, datetime.now(UTC)))
        finally:
            await store.close()

    return asyncio.run(run())


def catalogue(settings: Settings) -> Catalogue:
    """All that the team has written, checked."""
    return load(settings.campaigns, settings.templates)


def campaign(known: Mapping[str, Version], key: str) -> Version:
    """The campaign of that key."""
    if key not in known:
        raise NotFound(f"there is no campaign {key!r}: {did_you_mean(key, known)}")
    return known[key]


def audience(known: Mapping[str, Audience], key: str) -> Audience:
    """The audience of that key."""
    if key not in known:
        raise NotFound(f"there is no audience {key!r}: {did_you_mean(key, known)}")
    return known[key]


def pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """Options written as name=value."""
    found: dict[str, str] = {}
    for one in given or []:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise BadInput(f"{option} {one!r} cannot be read: write {option} name=value")
        found[name.strip()] = value
    return found


def tree(given: Mapping[str, str]) -> dict[str, Any]:
    """Values by dotted names as a tree of plain values: `company.turnover=1000000`, `tags=vip,shop`."""
    found: dict[str, Any] = {}
    for name, text in given.items():
        *groups, last = name.removeprefix("lead.").split(".")
        below = found
        for group in groups:
            below = below.setdefault(group, {})
        below[last] = text.split(",") if last in ("tags", "audiences") else plain(text)
    return found


def plain(text: str) -> str | int | float | bool:
    """A value as it was meant: a number, yes or no, or a text."""
    if text.lower() in ("true", "yes", "false", "no"):
        return text.lower() in ("true", "yes")
    for read_as in (int, float):
        try:
            return read_as(text)
        except ValueError:
            continue
    return text


def seconds(text: str, option: str) -> float:
    """A length of time such as `10m` or `3d`, in seconds."""
    try:
        return float(text[:-1]) * UNITS[text[-1]]
    except (ValueError, KeyError, IndexError) as error:
        raise BadInput(f"{option} {text!r} cannot be read: write a number and a unit, such as 90s, 10m, 3d") from error


def moment(text: str, option: str, now: datetime) -> datetime:
    """A day (2026-01-31) as its beginning, or so long ago (30d)."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return now - timedelta(seconds=seconds(text, option))


def write(file: Path, text: str) -> None:
    """Write a file of output."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{file} cannot be written ({error.strerror}): name another file") from error


def user() -> str:
    """Who gives the command: the user of this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a name for its user
        return "unknown"


def counted(number: int, name: str) -> str:
    """A number of things: `1 journey`, `3 journeys`."""
    return f"{number:,} {name}" if number == 1 else f"{number:,} {name}s"
