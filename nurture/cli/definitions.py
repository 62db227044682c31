"""`nurture definitions`: sales-ready definitions, their sign-offs, and whom those in the shadow would have handed over."""

from typing import Annotated, NamedTuple

import typer
from rich.table import Table
from sqlalchemy import func
from sqlmodel import col, select

from nurture.cli.context import Here, catalogue, in_store, out
from nurture.definitions import SIDES, Definition
from nurture.errors import NotFound
from nurture.faults import did_you_mean
from nurture.settings import read_settings
from nurture.store import declarations
from nurture.store.models import HandOffRow
from nurture.store.score_tables import ShadowRow

definitions = typer.Typer(
    help="Sales-ready definitions: list, sign.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)


class Listed(NamedTuple):
    """A definition as written, and what the store knows of it."""

    definition: Definition
    signed: dict[str, str]
    published: bool
    handed_over: int
    noted: int


@definitions.command("list")
def list_() -> None:
    """List the definitions as written: who signed, whom they handed over, whom they would have in the shadow."""
    declared = catalogue(read_settings()).definitions

    async def work(here: Here) -> list[Listed]:
        async with here.store.read() as session:
            current = await declarations.in_force(session, Definition)
            found = []
            for key, one in sorted(declared.items()):
                over = select(func.count()).select_from(HandOffRow).where(HandOffRow.definition == key)
                such = ShadowRow.definition == key, ShadowRow.version == one.version
                noted = select(func.count(col(ShadowRow.lead_id))).where(*such)
                published = key in current and current[key].version == one.version
                signed = dict(await declarations.signed_by(session, one))
                counts = [(await session.exec(query)).one() for query in (over, noted)]
                found.append(Listed(one, signed, published, *counts))
            return found

    table = Table("definition", "version", "in force", *SIDES, "handed over", "shadow", box=None, header_style="bold",
                  pad_edge=False)  # fmt: skip
    rows = in_store(work)
    for one in rows:
        state = "shadow" if one.definition.shadow else "yes" if one.published else "no: publish it"
        signed = [one.signed.get(side, "not signed") for side in SIDES]
        version = one.definition.version[:12]
        table.add_row(one.definition.key, version, state, *signed, f"{one.handed_over:,}", f"{one.noted:,}")
    out.print(table if rows else "no definitions yet")


@definitions.command()
def sign(
    key: Annotated[str, typer.Argument(metavar="DEFINITION")],
    side: Annotated[str, typer.Option("--as", help=f"For whom: {' or '.join(SIDES)}.")],
    by: Annotated[str, typer.Option(help="The name that stands under it.")],
) -> None:
    """Sign the version of a definition that is published and as it is written."""
    declared = catalogue(read_settings()).definitions
    if key not in declared:
        raise NotFound(f"there is no definition {key!r}: {did_you_mean(key, declared)}")

    async def work(here: Here) -> None:
        async with here.store.write() as session:
            await declarations.sign(session, declared[key], side, by, here.now)

    in_store(work)
    out.print(f"{key} ({declared[key].version[:12]}) is signed for {side} by {by}")
