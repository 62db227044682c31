"""`nurture import`: leads from a CSV file."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from pydantic import ValidationError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlmodel import col, select

from nurture.arrivals import Arrival
from nurture.cli.context import Here, counted, err, in_store, out, pairs
from nurture.cli.sheet import Row, Sheet, read_sheet
from nurture.errors import BadInput, NurtureError, Refused, Unavailable
from nurture.fields import GROUPS, IDENTITIES, LISTS, validated
from nurture.identity import SYSTEMS
from nurture.intake import Consent, Incoming, Intake, Internal, Result
from nurture.intake.incoming import bad_input
from nurture.loader import load
from nurture.profile import address_hash
from nurture.settings import read_settings
from nurture.store.models import LeadRow
from nurture.store.suppressions import suppressed_among

AT_ONCE = 500
LONGEST_SOURCE = 100
ALSO_KNOWN_AS = {"e_mail": "email", "mail": "email", "firstname": "first_name", "lastname": "last_name"}
ARRIVAL = "arrival"
YES, NO = ("true", "yes", "1"), ("false", "no", "0")


@dataclass
class Tally:
    """What became of the rows."""

    rows: int = 0
    new: int = 0
    changed: int = 0
    bad: int = 0
    erased: int = 0
    consents: int = 0

    def in_words(self) -> str:
        """One line for a person."""
        same = self.rows - self.new - self.changed - self.bad - self.erased
        if self.rows and same == self.rows and not self.consents:
            return f"{counted(self.rows, 'row')}: nothing changed, all of them were imported before"
        return f"{counted(self.rows, 'row')}: {self.new:,} new, {self.changed:,} changed, {same:,} as they were, {self.bad:,} bad"


@dataclass
class Import:
    """One import under way: where rows go, and where their errors are told."""

    here: Here
    intake: Intake
    file: str
    fields: Mapping[str, str]
    consents: Mapping[str, Consent]
    source: str
    errors: TextIO | None
    tally: Tally = field(default_factory=Tally)
    refused: set[str] = field(default_factory=set)
    """Leads that said no before, and were left so."""
    suppressed: set[str] = field(default_factory=set)
    """Leads whose address takes no mail, whatever the file says."""

    def begin(self, rows: list[Row]) -> "Batch":
        """Begin to import some rows; those that cannot be used are told, with line and remedy."""
        self.tally.rows += len(rows)
        items: list[tuple[Row, Incoming]] = []
        for row in rows:
            try:
                items.append((row, self._incoming(row)))
            except BadInput as error:
                self._tell(row, error)
        accepting = self.intake.accept([item for _, item in items], self.here.now)
        return Batch(rows[0].line, [row for row, _ in items], asyncio.create_task(accepting))

    async def finish(self, batch: "Batch") -> None:
        """See the rows through, and count what became of them."""
        try:
            results = await batch.results
        except Unavailable as error:
            raise Unavailable(f"stopped before line {batch.line}: {error}; run it again, what is in stays") from error
        silent = await self._suppressed([result.lead_id for result in results if result.lead_id is not None])
        for row, result in zip(batch.rows, results, strict=True):
            if result.lead_id in silent:
                self.suppressed.add(result.lead_id)
                self._say(f"{self.file}:{row.line}: notice: the address takes no mail: {silent[result.lead_id]}")
            if isinstance(result.error, Refused):
                self.tally.erased += 1
            elif result.error is not None:
                self._tell(row, result.error)
            else:
                self._count(row, result)

    async def _suppressed(self, lead_ids: Sequence[str]) -> dict[str, str]:
        """The leads whose address takes no mail, or no marketing, with the reason."""
        async with self.here.store.read() as session:
            known = select(LeadRow.id, LeadRow.email).where(col(LeadRow.id).in_(lead_ids))
            hashes = {address_hash(email): id_ for id_, email in (await session.exec(known)).all() if email}
            return {hashes[one]: why for one, why in (await suppressed_among(session, hashes)).items()}

    def _incoming(self, row: Row) -> Incoming:
        if row.fault:
            raise BadInput(row.fault)
        lead = lead_of(row.cells, self.fields)
        arrival = lead.pop(ARRIVAL, None)
        told: dict[str, Any] = {} if arrival is None else {"context": {"arrival": {"channel": "import", **arrival}}}
        # Who has answered a topic keeps that answer, above all a no: the file speaks for the others.
        told |= {"consents": dict(self.consents), "source": self.source, "unsaid_only": True}
        try:
            return Internal.model_validate({"lead": lead, **told})
        except ValidationError as error:
            raise bad_input(error) from None

    def _count(self, row: Row, result: Result) -> None:
        self.tally.new += result.new_lead
        self.tally.consents += bool(result.consented)
        if result.stays_no and result.lead_id is not None:
            self.refused.add(result.lead_id)
            self._say(f"{self.file}:{row.line}: notice: said no before, and was left so")
        self.tally.changed += bool(result.changed) and not result.new_lead
        for warning in result.warnings:
            self._say(f"{self.file}:{row.line}: warning: {warning}")

    def _tell(self, row: Row, error: NurtureError) -> None:
        self.tally.bad += 1
        self._say(f"{self.file}:{row.line}: {error}")

    def _say(self, line: str) -> None:
        if self.errors is not None:
            self.errors.write(f"{line}\n")
        else:
            err.print(line, style="red", soft_wrap=True)


@dataclass
class Batch:
    """Rows on their way into the store: the line they begin on, and what will have become of them."""

    line: int
    rows: list[Row]
    results: asyncio.Task[list[Result]]


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="With the columns' names in its first line.")],
    column: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD", help="Where names differ; an empty field leaves the column out."),
    ] = None,
    consent: Annotated[list[str] | None, typer.Option(metavar="TOPIC", help="What all of them consented to.")] = None,
    consent_source: Annotated[
        str, typer.Option(metavar="TEXT", help="Where they did, or the words they consented to.")
    ] = "",
    consent_expires: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From that day on it is no consent any more.")
    ] = None,
    errors: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write bad rows there instead of showing them.")
    ] = None,
    encoding: Annotated[str, typer.Option(help="Of the file; found out unless given.")] = "",
) -> None:
    """Import leads from a CSV file; a second run changes nothing.

    Columns are named as the fields of a lead: email, phone, external_id, first_name, company.name, custom.plan, tags …
    Where a lead came from is arrival.channel, arrival.placement, arrival.creative and arrival.offer.
    A cell that is empty leaves what is known as it is, and tags are added to those that are there. A row that cannot be
    used is told with its line, and the others are imported all the same.
    """
    settings = read_settings()
    sheet = read_sheet(file, encoding)
    fields = fields_of(sheet.columns, pairs(column, "--map"), str(file))
    declared = load(settings.campaigns)
    expires = consent_expires.replace(tzinfo=UTC) if consent_expires is not None else None
    topics = {topic: Consent(granted=True, text=consent_source, expires=expires) for topic in consent or []}
    source = (consent_source or f"import {file.name}")[:LONGEST_SOURCE]
    if sheet.encoding == "cp1251" and not encoding:
        err.print(f"{file.name} is not UTF-8 and was read as Windows-1251; if names look wrong, say --encoding")

    async def work(here: Here) -> Import:
        with ExitStack() as stack:
            written = stack.enter_context(_opened(errors)) if errors is not None else None
            intake = Intake(here.store, declared, here.settings)
            bringing = Import(here, intake, file.name, fields, topics, source, written)
            await _all_of(sheet, bringing)
            return bringing

    done = in_store(work)
    tally = done.tally
    out.print(tally.in_words(), style="bold")
    if done.refused:
        were = "was" if len(done.refused) == 1 else "were"
        out.print(f"{counted(len(done.refused), 'lead')} said no before and {were} left so")
    if done.suppressed:
        out.print(
            f"{counted(len(done.suppressed), 'lead')} left without mail: their addresses take none, whatever the file says"
        )
    if tally.erased:
        out.print(f"{counted(tally.erased, 'row')} left out: who they name was erased")
    if tally.bad:
        raise typer.Exit(1)


async def _all_of(sheet: Sheet, bringing: Import) -> None:
    rows = sheet.rows()
    bar = (TextColumn("importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*bar, console=err, transient=True) as progress:
        task = progress.add_task("", total=sheet.count())
        under_way: Batch | None = None
        while some := list(islice(rows, AT_ONCE)):
            after = bringing.begin(some)  # read while the rows before are being written
            if under_way is not None:
                try:
                    await bringing.finish(under_way)
                except Unavailable:
                    after.results.cancel()
                    raise
            under_way = after
            progress.advance(task, len(some))
        if under_way is not None:
            await bringing.finish(under_way)


def _opened(file: Path) -> TextIO:
    try:
        return file.open("w", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{file} cannot be written ({error.strerror}): name another file") from error


def fields_of(columns: tuple[str, ...], mapped: Mapping[str, str], file: str) -> dict[str, str]:
    """The field of each column; every column that is no field is named, all at once."""
    if unknown := set(mapped) - set(columns):
        raise BadInput(f"{file}: there is no column {min(unknown)!r}: there are {', '.join(columns)}")
    fields = {name: mapped[name].strip() if name in mapped else _as_field(name) for name in columns if name}
    faults = [fault for name, path in fields.items() if path and (fault := _fault(name, path))]
    taken = [path for path in fields.values() if path]
    faults += [
        f"two columns are {path}: leave one out with --map" for path in sorted(set(taken)) if taken.count(path) > 1
    ]
    if faults:
        raise BadInput("\n".join(f"{file}:1: {fault}" for fault in faults))
    if not {"email", "phone", "external_id", "cookie", "id", *SYSTEMS} & {path.partition(".")[0] for path in taken}:
        raise BadInput(
            f"{file}:1: nobody is named: one column must be email, phone or external_id; say --map COLUMN=email"
        )
    return {name: path for name, path in fields.items() if path}


def _as_field(column: str) -> str:
    name = re.sub(r"[\s-]+", "_", column.strip().lower())
    return ALSO_KNOWN_AS.get(name, name)


def _fault(column: str, path: str) -> str:
    group, _, name = path.partition(".")
    if group in SYSTEMS:
        return "" if name else f"column {column!r} needs a system: say --map {column}={path}.…"
    if path in IDENTITIES or (group == ARRIVAL and name in Arrival.model_fields):
        return ""
    try:
        validated({group: {name: None}} if name else {group: None})
    except BadInput as error:
        reason = str(error).partition(": ")[2]
        return f'column {column!r} {reason}; say --map "{column}=custom.…", or leave it out with --map "{column}="'
    return f"column {column!r} needs a field of {path}: say --map {column}={path}.…" if path in GROUPS else ""


def lead_of(cells: Mapping[str, str], fields: Mapping[str, str]) -> dict[str, Any]:
    """A row as news of a lead; whatever a cell holds, a formula too, is data."""
    lead: dict[str, Any] = {}
    for column, path in fields.items():
        value = cells.get(column, "").strip()
        if not value:
            continue
        group, _, name = path.partition(".")
        if name:
            lead.setdefault(group, {})[name] = value
        elif path in LISTS:
            lead[path] = {"add": [one.strip() for one in re.split("[,;]", value) if one.strip()]}
        else:
            lead[path] = _flag(value) if path == "test" else value
    return lead


def _flag(text: str) -> str | bool:
    lower = text.lower()
    return True if lower in YES else False if lower in NO else text
