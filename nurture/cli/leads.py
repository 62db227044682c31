"""Leads and their journeys: import, enrol, journeys, why."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import track
from rich.table import Table

from nurture.cli.context import err, fail, now, out, with_store
from nurture.errors import BadInput
from nurture.intake import Consent, Enrolment, Incoming, Intake, Internal, read_incoming
from nurture.loader import read
from nurture.pace import speed as factor
from nurture.settings import Settings
from nurture.store import Store, campaigns, journeys
from nurture.store.leads import look_up
from nurture.store.story import Story, story_of

AT_ONCE = 500
GROUPS = ("company", "bant", "custom")


def import_(
    file: Path,
    column: Annotated[list[str] | None, typer.Option("--map", help="column=field, where the names differ")] = None,
    consent: Annotated[list[str] | None, typer.Option(help="A topic that all of them consented to.")] = None,
    consent_text: Annotated[str, typer.Option(help="The words they consented to.")] = "",
) -> None:
    """Import leads from a CSV file; a row that cannot be used is told with its line, a second run changes nothing."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read ({type(error).__name__}): give a CSV file in UTF-8")
    rows = list(csv.DictReader(text.splitlines(), delimiter=";" if text.partition("\n")[0].count(";") else ","))
    renamed = dict(one.split("=", 1) for one in column or [])
    consents = {topic: Consent(granted=True, text=consent_text) for topic in consent or []}

    async def work(store: Store, settings: Settings) -> None:
        intake = Intake(store, read(settings.campaigns).catalogue, settings)
        made = changed = bad = 0
        for start in track(range(0, len(rows), AT_ONCE), description="importing", console=err):
            good: dict[int, Incoming] = {}
            for line, row in enumerate(rows[start : start + AT_ONCE], start + 2):
                try:
                    raw = {"lead": _lead(row, renamed), "source": f"import {file.name}"[:100]}
                    good[line] = read_incoming(raw).model_copy(update={"consents": consents})
                except BadInput as error:
                    bad += 1
                    err.print(f"line {line}: {error}", style="red", markup=False)
            for line, result in zip(good, await intake.accept(list(good.values()), now()), strict=True):
                made += result.new_lead
                changed += bool(result.changed) and not result.new_lead
                if result.error is not None:
                    bad += 1
                    err.print(f"line {line}: {result.error}", style="red", markup=False)
        out.print(
            f"{len(rows)} rows: {made} new, {changed} changed, {len(rows) - made - changed - bad} as they were, {bad} bad"
        )

    with_store(work)


def _lead(row: dict[str, str], renamed: dict[str, str]) -> dict[str, Any]:
    lead: dict[str, Any] = {}
    for column, value in row.items():
        if not value.strip():
            continue
        group, _, name = renamed.get(column, column).strip().partition(".")
        if name and group in GROUPS:
            lead.setdefault(group, {})[name] = value
        else:
            lead[group] = value.split(",") if group == "tags" else value
    return lead


def enrol(campaign: str, lead: list[str], key: str = "", speed: str = "") -> None:
    """Enter leads (by id, address or external id) into a campaign; its rules of re-entry hold."""

    async def work(store: Store, settings: Settings) -> None:
        async with store.read() as session:
            await campaigns.current(session, campaign)
            rows = [await look_up(session, one) for one in lead]
        if speed and factor(speed) and settings.environment == "production" and not all(row.test for row in rows):
            fail("--speed is only for development and for test leads")
        order = Enrolment(campaign=campaign, key=key, by="by hand", manual=True, speed=speed or None)
        intake = Intake(store, read(settings.campaigns).catalogue, settings)
        await intake.accept([Internal(lead={"id": row.id}, enrol=order) for row in rows], now())
        out.print(f"{len(rows)} to be entered into {campaign}; nurture why LEAD tells what became of it")

    with_store(work)


def journeys_(campaign: str | None = None) -> None:
    """Count the journeys by campaign, status and state."""

    async def work(store: Store, _: Settings) -> None:
        async with store.read() as session:
            counts = await journeys.counts(session, campaign)
        table = Table("campaign", "status", "state", "journeys", box=None, header_style="bold")
        for one in counts:
            table.add_row(one.campaign, one.status, one.state, str(one.journeys))
        out.print(table if counts else "no journeys yet")

    with_store(work)


def why(lead: str, campaign: str | None = None) -> None:
    """Tell why a lead got what it got, and why not: every entry, step, decision, message and wait."""

    async def work(store: Store, _: Settings) -> Story:
        async with store.read() as session:
            return await story_of(session, (await look_up(session, lead)).id, campaign)

    story = with_store(work)
    out.print(f"lead {story.lead_id}: stage {story.stage}" + (f", scores {story.scores}" if story.scores else ""))
    for journey in story.journeys:
        out.print(f"\n{journey.title}", style="bold", markup=False)
        table = Table("when", "state", "what", "how", box=None, show_header=False, padding=(0, 2, 0, 0))
        for line in journey.lines:
            table.add_row(f"{line.at:%Y-%m-%d %H:%M}", line.state, line.what, line.how)
        out.print(table)
        out.print(journey.standing, markup=False)
    for refusal in story.refusals:
        out.print(f"{refusal.at:%Y-%m-%d %H:%M}  not entered into {refusal.state}: {refusal.how}", markup=False)
    if not story.journeys and not story.refusals:
        out.print("it has been in no campaign: nothing that it did enters one")


commands: list[Callable[..., None] | tuple[str, Callable[..., None]]] = [
    ("import", import_), enrol, ("journeys", journeys_), why,
]  # fmt: skip
