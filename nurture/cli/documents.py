"""`nurture documents`: proposals and invoices that were issued."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from nurture.cli.context import Here, catalogue, in_store, out, seconds, user
from nurture.errors import BadInput, NotFound
from nurture.faults import did_you_mean
from nurture.issuing import Issuer, file_name, pdf_of
from nurture.links import Links
from nurture.settings import read_settings
from nurture.store import documents as stored
from nurture.store.document_tables import DocumentRow
from nurture.store.leads import look_up
from nurture.store.models import new_id
from nurture.templates import Templates

documents = typer.Typer(
    help="Proposals and invoices: list, issue, show, link.", no_args_is_help=True, rich_markup_mode=None
)
Name = Annotated[str, typer.Argument(metavar="DOCUMENT", help="By number or id, as the list shows it.")]


@documents.command("list")
def list_(
    kind: Annotated[str | None, typer.Option(help="Only those of that kind: invoice.")] = None,
    lead: Annotated[str, typer.Option(help="Only those of that lead: id, address, external id or phone.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="List so many, the newest first.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List the documents that were issued."""

    async def work(here: Here) -> Sequence[DocumentRow]:
        async with here.store.read() as session:
            lead_id = (await look_up(session, lead)).id if lead else None
            return await stored.listed(session, kind, lead_id, limit)

    found = in_store(work)
    if as_json:
        from pydantic_core import to_json

        typer.echo(to_json([one.model_dump(mode="json", exclude={"html"}) for one in found], indent=2).decode())
    elif not found:
        out.print("no documents")
    else:
        out.print(_table(found))


def _table(found: Sequence[DocumentRow]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("number", "kind", "title"):
        table.add_column(name, overflow="fold")
    table.add_column("total", justify="right", no_wrap=True)
    table.add_column("issued", no_wrap=True)
    table.add_column("lead", overflow="fold")
    table.add_column("id", overflow="fold")
    for one in found:
        total, issued = f"{one.total} {one.currency}", f"{one.at:%Y-%m-%d %H:%M}"
        table.add_row(one.number, one.kind, one.title, total, issued, one.lead_id, one.id)
    return table


@documents.command()
def issue(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="The key of the document: invoice.")],
    lead: Annotated[str, typer.Option(help="For whom: id, address, external id or phone.")],
    file: Annotated[Path | None, typer.Option("--out", help="Write it there: .pdf or .html.")] = None,
) -> None:
    """Issue a document for a lead, with the next number."""
    settings = read_settings()
    known = catalogue(settings).documents
    if kind not in known:
        raise NotFound(f"there is no document {kind!r}: {did_you_mean(kind, known)}")
    issuer = Issuer(settings, Templates([settings.templates], settings.language))

    async def work(here: Here) -> DocumentRow:
        async with here.store.write() as session:
            to = await look_up(session, lead)
            return await issuer.issued(session, known[kind], to, f"by hand/{user()}/{new_id()}", here.now)

    row = in_store(work)
    out.print(f"issued: {row.title}, {row.total} {row.currency} (id {row.id})", soft_wrap=True)
    if file is not None:
        _write(row, file)


@documents.command()
def show(
    name: Name, file: Annotated[Path | None, typer.Option("--out", help="Write it there: .pdf or .html.")] = None
) -> None:
    """Write a document as it was issued to a file, its own name unless another is given."""
    row = _found(name)
    _write(row, file or Path(file_name(row)))


@documents.command()
def link(
    name: Name, good_for: Annotated[str, typer.Option("--for", help="How long the link is good: 30d, 12h.")] = "30d"
) -> None:
    """Make a link to a document, which expires."""
    settings = read_settings()
    row, length = _found(name), timedelta(seconds=seconds(good_for, "--for"))

    async def work(here: Here) -> str:
        return Links(settings.base_url, settings.secrets).document(row.id, here.now + length)

    typer.echo(in_store(work))


def _found(name: str) -> DocumentRow:
    async def work(here: Here) -> DocumentRow:
        async with here.store.read() as session:
            return await stored.look_up(session, name)

    return in_store(work)


def _write(row: DocumentRow, file: Path) -> None:
    if file.suffix not in (".pdf", ".html"):
        raise BadInput(f"--out {str(file)!r} cannot be written: name a file that ends with .pdf or .html")
    try:
        file.write_bytes(row.html.encode() if file.suffix == ".html" else pdf_of(row.html))
    except OSError as error:
        raise BadInput(f"{file} cannot be written ({error.strerror}): name another file") from error
    out.print(f"{row.number} is in {file}", soft_wrap=True)
