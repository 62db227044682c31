"""`nurture init`: a team's own repository."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from nurture.errors import BadInput, Refused

STARTER = Path(__file__).parent / "starter"
PRESETS = Path(__file__).parent / "presets"
PRESET = {"long": ("deals", "long"), "retail": ("deals", "retail")}
"""What a preset adds to the starter: for a long buying cycle with a complex product, and to keep in touch in retail."""

HIDDEN = {"env.example": ".env.example", "gitignore": ".gitignore"}  # packages do not carry hidden files reliably


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new directory, or one without these files.")],
    preset: Annotated[
        str, typer.Option(help="Campaigns to begin with: long (a long buying cycle) or retail (keep in touch).")
    ] = "",
) -> None:
    """Make a team's own repository: campaigns, templates and a test.

    Nothing that is there is overwritten.
    """
    if preset and preset not in PRESET:
        raise BadInput(f"--preset {preset!r} is none: there are {' and '.join(PRESET)}")
    files = {folder / place: source for place, source in starter_files(preset)}
    if there := [file for file in files if file.exists()]:
        raise Refused(f"{there[0]} is there already: name a new directory")
    try:
        for file, source in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(source.read_bytes())
    except OSError as error:
        raise BadInput(f"{folder} cannot be written ({error.strerror}): name another directory") from error
    typer.echo(f"{len(files)} files in {folder}; next: cd {folder}, nurture check, nurture dev")


def starter_files(preset: str = "") -> Iterator[tuple[Path, Path]]:
    """Each file of a new repository, with those of a preset: where it goes, and where it comes from."""
    for root in (STARTER, *(PRESETS / part for part in PRESET.get(preset, ()))):
        for source in sorted(root.rglob("*")):
            place = source.relative_to(root)
            if source.is_file() and "__pycache__" not in place.parts:
                yield place.with_name(HIDDEN.get(place.name, place.name)), source
