"""The commands, family by family."""

import typer

from nurture.cli import authoring, leads, operating, processes
from nurture.laptop import commands as laptop

app = typer.Typer(
    help="Campaigns written as code, walked by every lead on its own.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for family in (authoring.commands, leads.commands, operating.commands, processes.commands, laptop.commands):
    for command in family:
        app.command()(command) if not isinstance(command, tuple) else app.command(command[0])(command[1])


def main() -> None:
    """The script `nurture`."""
    app()
