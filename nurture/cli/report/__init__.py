"""`nurture report`: what became of things, counted; each in a module of its own."""

import typer

from nurture.cli.report.campaigns import campaign
from nurture.cli.report.content import content
from nurture.cli.report.definitions import definitions
from nurture.cli.report.experiments import experiments
from nurture.cli.report.life_cycle import rfm, stages
from nurture.cli.report.lift import lift
from nurture.cli.report.mailings import mailings
from nurture.cli.report.sources import of_captures, of_sources
from nurture.cli.report.versions import versions

report = typer.Typer(
    help="What became of things, counted.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)
report.command("campaign")(campaign)
report.command("sources")(of_sources)
report.command("capture")(of_captures)
report.command("definitions")(definitions)
report.command("experiments")(experiments)
report.command("lift")(lift)
report.command("versions")(versions)
report.command("mailings")(mailings)
report.command("stages")(stages)
report.command("rfm")(rfm)
report.command("content")(content)
