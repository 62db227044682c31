"""`nurture report`: what became of things, counted; each in a module of its own."""

import typer

from nurture.cli.report.definitions import definitions
from nurture.cli.report.life_cycle import rfm, stages
from nurture.cli.report.mailings import mailings
from nurture.cli.report.sources import of_captures, of_sources

report = typer.Typer(
    help="What became of things, counted.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)
report.command("sources")(of_sources)
report.command("capture")(of_captures)
report.command("definitions")(definitions)
report.command("mailings")(mailings)
report.command("stages")(stages)
report.command("rfm")(rfm)
