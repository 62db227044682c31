"""`nurture diagram`."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from nurture.cli.context import campaign as campaign_of
from nurture.cli.context import out, write
from nurture.diagram import dot, mermaid
from nurture.errors import Unavailable
from nurture.loader import load
from nurture.settings import read_settings


def diagram(
    campaign: Annotated[str, typer.Argument(help="The campaign's key.")],
    as_text: Annotated[
        bool, typer.Option("--mermaid", help="Show Mermaid text, as it is done unless --svg is said.")
    ] = False,
    svg_file: Annotated[Path | None, typer.Option("--svg", help="Write an SVG picture there.")] = None,
) -> None:
    """Draw a campaign: Mermaid text, or an SVG picture."""
    version = campaign_of(load(read_settings().campaigns).campaigns, campaign)
    if svg_file is not None:
        write(svg_file, svg(dot(version)))
        out.print(f"written to {svg_file}", soft_wrap=True)
    if as_text or svg_file is None:
        typer.echo(mermaid(version), nl=False)


def svg(source: str) -> str:
    """The picture that Graphviz makes of its own language."""
    drawing = shutil.which("graphviz-pure", path=str(Path(sys.executable).parent)) or shutil.which("dot")
    if drawing is None:
        raise Unavailable("nothing here can draw: install graphviz-pure, or Graphviz itself")
    drawn = subprocess.run([drawing, "-Kdot", "-Tsvg"], input=source.encode(), capture_output=True, check=False)  # noqa: S603
    if drawn.returncode:
        raise Unavailable(f"{Path(drawing).name} could not draw it: {drawn.stderr.decode(errors='replace').strip()}")
    return drawn.stdout.decode()
