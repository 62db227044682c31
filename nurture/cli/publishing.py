"""`nurture publish`."""

import subprocess
from pathlib import Path
from typing import Annotated, Any

import typer

from nurture.cli.context import Here, campaign, catalogue, in_store, out, user
from nurture.definitions import Definition
from nurture.scores import Score
from nurture.settings import read_settings
from nurture.store import campaigns, declarations


def publish(
    keys: Annotated[list[str] | None, typer.Argument(metavar="[CAMPAIGN]...", help="All unless named.")] = None,
    by: Annotated[str, typer.Option(help="Who publishes; the user of this machine unless given.")] = "",
) -> None:
    """Make campaigns as written what new journeys take; put scores and definitions in force.

    Everything is checked first. Journeys on their way finish the version that they entered. Scores and definitions are
    published unless campaigns are named.
    """
    settings = read_settings()
    declared = catalogue(settings)
    known = declared.campaigns
    chosen = [campaign(known, key) for key in keys or known]
    watching: dict[str, Any] = {"audiences": declared.audiences, "pace": settings.pace_factor}
    commit, who = commit_of(settings.campaigns), by or user()

    values: list[Score | Definition] = [] if keys else [*declared.scores.values(), *declared.definitions.values()]

    async def work(here: Here) -> dict[str, campaigns.Published | declarations.Published]:
        note: dict[str, Any] = {"by": who, "commit": commit, "now": here.now}
        async with here.store.write() as session:
            made: dict[str, campaigns.Published | declarations.Published] = {}
            for value in values:
                name = f"{declarations.kind_of(value)} {value.key}"
                made[name] = await declarations.publish(session, value, **note)
            for one in chosen:
                made[one.campaign.key] = await campaigns.publish(session, one, **note, **watching)
            return made

    for name, made in in_store(work).items():
        out.print(f"{name} version {made.number} ({made.hash[:12]}): {'published' if made.new else 'unchanged'}")


def commit_of(folder: Path) -> str:
    """The commit of the files (`…-dirty` with changes since), empty where there is no git."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return ""
    return asked.stdout.strip()
