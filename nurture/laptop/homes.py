"""Where a stack lives: the demo's own world, the same on every machine, and the team's for development."""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nurture.errors import Unavailable
from nurture.laptop.ports import Ports
from nurture.laptop.stack import ROOT, TEAMS, Stack
from nurture.settings import read_settings

OUR_ADDRESS = "1 Example Street, Exampleton"


def of_demo(folder: Path, speed: str, secrets: Mapping[str, str]) -> Stack:
    """A stack with the example campaigns, on free ports; no setting of this machine reaches it."""
    environment = _without("NURTURE_", "TEMPORAL_")
    environment["NURTURE_HOOK_SECRETS"] = json.dumps(dict(secrets))
    return Stack(folder, speed, environment=environment | _letters({}, ""), home=folder)


def of_development(folder: Path, speed: str, ports: Ports) -> Stack:
    """A stack with the team's campaigns and settings; where there are no campaigns, with the examples.

    Its Temporal is its own: no namespace, key or certificate of another one reaches it.
    """
    settings = read_settings()
    ours = settings.campaigns.is_dir()
    return Stack(
        folder,
        speed or settings.speed,
        ports,
        environment=_without("TEMPORAL_") | _letters(settings.teams, settings.postal_address),
        home=Path.cwd(),
        campaigns=settings.campaigns.absolute() if ours else ROOT / "campaigns",
        templates=settings.templates.absolute() if ours else ROOT / "templates",
    )


def _without(*alien: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(alien)}


def _letters(teams: Mapping[str, str], postal_address: str) -> dict[str, str]:
    """Where notices go, and what stands below a mail, where nothing was said of that."""
    return {
        "NURTURE_TEAMS": json.dumps(dict(teams) or TEAMS),
        "NURTURE_POSTAL_ADDRESS": postal_address or OUR_ADDRESS,
    }


@contextmanager
def folder_of_demo(keep: Path | None) -> Iterator[Path]:
    """A directory for one run: an empty one to keep, or one that is gone afterwards."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="nurture-demo-", ignore_cleanup_errors=True) as made:
            yield Path(made)
        return
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise Unavailable(f"{keep} holds something already: name a new or empty directory with --keep")
    yield keep.absolute()


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder for this process: two stacks in one would share a database and not know it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Unavailable(f"another nurture dev works in {folder}: end that one first") from error
        yield
