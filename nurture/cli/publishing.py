"""`nurture publish`."""

import subprocess
from pathlib import Path
from typing import Annotated, Any

import typer

from nurture.cli.context import Here, campaign, catalogue, in_store, out, user
from nurture.settings import read_settings
from nurture.store import campaigns
from nurture.store.campaigns import Published


def publish(
    keys: Annotated[list[str] | None, typer.Argument(metavar="[CAMPAIGN]...", help="All unless named.")] = None,
    by: Annotated[str, typer.Option(help="Who publishes; the user of this machine unless given.")] = "",
) -> None:
    """Make campaigns as written what new journeys take.

    Everything is checked first. Journeys on their way finish the version that they entered.
    """
    settings = read_settings()
    declared = catalogue(settings)
    known = declared.campaigns
    chosen = [campaign(known, key) for key in keys or known]
    watching: dict[str, Any] = {"audiences": declared.audiences, "pace": settings.pace_factor}
    commit, who = commit_of(settings.campaigns), by or user()

    async def work(here: Here) -> dict[str, Published]:
        async with here.store.write() as session:
            return {
                one.campaign.key: await campaigns.publish(session, one, by=who, commit=commit, now=here.now, **watching)
                for one in chosen
            }

    for key, made in in_store(work).items():
        out.print(f"{key} version {made.number} ({made.hash[:12]}): {'published' if made.new else 'unchanged'}")


def commit_of(folder: Path) -> str:
    """The commit of the files (`…-dirty` with changes since), empty where there is no git."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return ""
    return asked.stdout.strip()
