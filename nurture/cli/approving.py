"""`nurture approve` and `nurture approvals`: who agreed to which messages."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, NamedTuple

import typer
from rich.table import Table

from nurture.cli.context import Here, catalogue, counted, in_store, out, user
from nurture.errors import NotFound, Refused
from nurture.faults import did_you_mean
from nurture.linting import letters_of
from nurture.message_variables import usual
from nurture.settings import read_settings
from nurture.store import approvals as stored
from nurture.store.approval_tables import ApprovalRow
from nurture.templates import Templates


def approve(
    templates: Annotated[list[str], typer.Argument(metavar="TEMPLATE...", help="price-list/greet.")],
    by: Annotated[str, typer.Option(help="Who agrees; the user of this machine unless given.")] = "",
) -> None:
    """Agree to messages as they are, in every language.

    A campaign or mailing with approval=True sends what was agreed to and nothing else: when anything in a message
    changes, a layout or part included, it waits until it is approved again.
    """
    settings = read_settings()
    known = Templates([settings.templates], settings.language)
    for key in templates:
        if not known.exists(key):
            raise NotFound(f"there is no message {key!r} in {settings.templates}: {did_you_mean(key, known.keys())}")
        if faults := known.faults(key, usual(key)):
            raise Refused(f"{faults[0]}: mend it first, nurture lint {key} tells what else")
    prints = {key: known.fingerprint(key) for key in templates}

    async def work(here: Here) -> dict[str, bool]:
        async with here.store.write() as session:
            return {
                key: await stored.approve(session, key, hash_, by or user(), here.now) for key, hash_ in prints.items()
            }

    for key, new in in_store(work).items():
        languages = ", ".join(known.languages(key))
        out.print(f"{key} ({prints[key][:12]}, in {languages}) is {'' if new else 'already '}approved", soft_wrap=True)


class Standing(NamedTuple):
    """A message and whether it is approved as it is."""

    template: str
    campaigns: tuple[str, ...]
    state: str
    by: str
    at: str
    waiting: int


def approvals(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """List the messages that need approval or have it: as they are, by whom, and how many wait for it."""
    settings = read_settings()
    known = Templates([settings.templates], settings.language)
    asking = {
        template: tuple(sorted(letter.approval_for))
        for template, letter in letters_of(catalogue(settings)).items()
        if letter.approval_for
    }

    async def work(here: Here) -> tuple[Mapping[str, Mapping[str, ApprovalRow]], Counter[str]]:
        async with here.store.read() as session:
            return await stored.latest(session), await stored.waiting(session)

    found = list(_standings(asking, known, *in_store(work)))
    if as_json:
        from pydantic_core import to_json

        typer.echo(to_json([one._asdict() for one in found], indent=2).decode())
        return
    if not found:
        out.print("no campaign asks for approval, and nothing was approved")
        return
    table = Table("template", "asked for by", "approved", "by", "at", "waiting", box=None, header_style="bold",
                  pad_edge=False)  # fmt: skip
    for one in found:
        waits = counted(one.waiting, "message") if one.waiting else ""
        table.add_row(one.template, ", ".join(one.campaigns), one.state, one.by, one.at, waits)
    out.print(table)


def _standings(
    asking: Mapping[str, tuple[str, ...]],
    known: Templates,
    given: Mapping[str, Mapping[str, ApprovalRow]],
    waiting: Counter[str],
) -> Iterator[Standing]:
    for template in sorted({*asking, *given}):
        theirs = given.get(template, {})
        row = theirs.get(known.fingerprint(template))
        state = "yes" if row is not None else "no: changed since" if theirs else "no: never"
        row = row or next(reversed([*theirs.values()]), None)
        by, at = (row.by, f"{row.at:%Y-%m-%d %H:%M}") if row is not None else ("", "")
        yield Standing(template, asking.get(template, ()), state, by, at, waiting[template])
