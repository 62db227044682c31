"""The commands by name; what one needs is loaded when it is asked for, so that `nurture --help` is quick."""

import sys
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command

from nurture.errors import NurtureError


class Listed(NamedTuple):
    """A command in the list: where it is written, and its first line of help (the docstring's)."""

    module: str
    name: str
    help: str


COMMANDS = {
    "init": Listed("nurture.cli.repository", "init", "Make a team's own repository: campaigns, templates and a test."),
    "check": Listed("nurture.cli.checking", "check", "Report every fault and warning, each with its place."),
    "diagram": Listed("nurture.cli.drawing", "diagram", "Draw a campaign: Mermaid text, or an SVG picture."),
    "simulate": Listed("nurture.cli.simulating", "simulate", "Tell the story of a lead on a virtual clock."),
    "preview": Listed("nurture.cli.previewing", "preview", "Show a message as a lead would read it."),
    "lint": Listed("nurture.cli.linting", "lint", "Tell what is wrong with messages that would go out all the same."),
    "approve": Listed("nurture.cli.approving", "approve", "Agree to messages as they are, in every language."),
    "approvals": Listed("nurture.cli.approving", "approvals", "List the messages that need approval or have it."),
    "backtest": Listed("nurture.cli.backtesting", "backtest", "Tell whom a definition or a score would have handed over."),
    "score": Listed("nurture.cli.scoring", "score", "Scores: explain, rebuild."),
    "definitions": Listed("nurture.cli.definitions", "definitions", "Sales-ready definitions: list, sign."),
    "publish": Listed("nurture.cli.publishing", "publish", "Make campaigns as written what new journeys take."),
    "import": Listed("nurture.cli.importing", "import_", "Import leads from a CSV file; a second run changes nothing."),
    "enrol": Listed("nurture.cli.journeys", "enrol", "Enter leads into a campaign by hand."),
    "mail": Listed("nurture.cli.bulk", "mail", "Send a message to an audience, once to each of its leads."),
    "bulk": Listed("nurture.cli.bulk", "bulk", "Audiences under way: list, pause, resume, cancel."),
    "journeys": Listed("nurture.cli.journeys", "journeys", "Count and list journeys."),
    "why": Listed("nurture.cli.why", "why", "Tell why a lead got what it got, and why not."),
    "hand-offs": Listed("nurture.cli.hand_offs", "hand_offs", "Leads with sales: list, show, answer, reassign."),
    "timeline": Listed("nurture.cli.timeline", "timeline", "Show all that happened to a lead, the newest first."),
    "pause": Listed("nurture.cli.journeys", "pause", "Hold a campaign's journeys where they are; nobody is dropped."),
    "resume": Listed("nurture.cli.journeys", "resume", "Let a paused campaign go on."),
    "stop": Listed("nurture.cli.journeys", "stop", "Take a lead out of a journey, for a reason that is kept."),
    "remove": Listed("nurture.cli.journeys", "remove", "Take a lead out of all its journeys."),
    "duplicates": Listed("nurture.cli.duplicates", "duplicates", "Suggest leads that may be one person, with the reason."),
    "merge": Listed("nurture.cli.merging", "merge", "Make two leads one; the history of both is kept."),
    "report": Listed("nurture.cli.report", "report", "What became of things, counted."),
    "retarget": Listed("nurture.cli.retarget", "retarget", "Lists for advertising networks: list, export."),
    "experiments": Listed("nurture.cli.experiments", "experiments", "Experiments: decide."),
    "costs": Listed("nurture.cli.costs", "costs", "What sources cost: import."),
    "consent": Listed("nurture.cli.consent", "consent", "Show every answer a lead gave, with its proof, and which answers hold."),
    "export": Listed("nurture.cli.personal", "export", "Give out all that is known of a lead, as JSON."),
    "erase": Listed("nurture.cli.personal", "erase", "Erase a lead for good: all its rows, its journeys and their histories."),
    "tasks": Listed("nurture.cli.tasks", "tasks", "Tasks that journeys gave to people: list, done."),
    "rewards": Listed("nurture.cli.rewards", "rewards", "Rewards of those who recommend: list, pay."),
    "documents": Listed("nurture.cli.documents", "documents", "Proposals and invoices: list, issue, show, link."),
    "keys": Listed("nurture.cli.keys", "keys", "API keys: make, list, revoke."),
    "dead-letters": Listed("nurture.cli.dead_letters", "dead_letters", "What could not be done: list, retry, drop."),
    "clicks": Listed("nurture.cli.clicks", "clicks", "Links followed in messages, by people or machines: list, rule."),
    "unknown": Listed("nurture.cli.unknown", "unknown", "Messages handed over without an answer: list, settle."),
    "doctor": Listed("nurture.cli.processes", "doctor", "Find what is stuck, lost or left over; mend it with --fix."),
    "db": Listed("nurture.cli.processes", "db", "The database: upgrade."),
    "worker": Listed("nurture.cli.processes", "worker", "Run a worker: journeys, sending, dispatching, sweeps."),
    "web": Listed("nurture.cli.processes", "web", "Run the web process: intake, webhooks, links and pages."),
    "dev": Listed("nurture.laptop.commands", "dev", "Run everything on this machine."),
    "demo": Listed("nurture.laptop.commands", "demo", "Let scripted people walk the example campaigns."),
}  # fmt: skip


def command(name: str) -> Any:
    """The command of that name, loaded now."""
    listed = COMMANDS[name]
    found = getattr(import_module(listed.module), listed.name)
    family = found if isinstance(found, typer.Typer) else typer.Typer(add_completion=False, rich_markup_mode=None)
    if family is not found:
        family.command(name)(found)
    return get_command(family)


class Commands(TyperGroup):
    """The list of commands; an error of ours in any of them is one clear line, or a line a fault."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = dict.fromkeys(COMMANDS, self)  # by which a mistyped name is put right

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, None when there is none."""
        return command(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list in the help, for which nothing is loaded."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, listed.help) for name, listed in COMMANDS.items()])

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except NurtureError as error:
            typer.secho(f"nurture: {error}" if "\n" not in str(error) else str(error), fg="red", err=True)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def nurture() -> None:
    """Campaigns written as code, walked by every lead on its own."""


def main() -> None:
    """The script `nurture`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without arrows shows a question mark, and no traceback
    app()
