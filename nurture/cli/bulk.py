"""`nurture mail`, `nurture bulk`, and `nurture enrol --audience`: audiences taken page by page by the workers."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table

from nurture.audiences import Audience
from nurture.bulk import USUAL_RATE
from nurture.bulk import rate as leads_a_second
from nurture.catalogue import Catalogue
from nurture.check import MailingCheck
from nurture.cli.context import Here, audience, catalogue, in_store, out, seconds, user
from nurture.errors import CampaignFaults, NotFound
from nurture.faults import did_you_mean
from nurture.mailing import Mailing
from nurture.settings import Settings, read_settings
from nurture.store import bulk_runs, campaigns, mailings
from nurture.store.bulk_runs import Kind
from nurture.store.models import BulkRunRow
from nurture.templates import Templates

bulk = typer.Typer(
    help="Audiences under way: list, pause, resume, cancel.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


def mail(
    what: Annotated[str, typer.Argument(metavar="MAILING", help="A mailing's key; or a template, with --audience.")],
    to: Annotated[str, typer.Option("--audience", help="With a template: whom to send it to.")] = "",
    topic: Annotated[str, typer.Option(help="With a template: what its leads have to have consented to.")] = "news",
    rate: Annotated[str, typer.Option(help="So many leads at the most, as 50/s or 5000/h.")] = USUAL_RATE,
    over: Annotated[str, typer.Option(help="Let the leads get it over that long, whatever its spread says: 2h.")] = "",
) -> None:
    """Send a message to an audience, once to each of its leads.

    Consent, suppression, quiet hours and caps hold as in a campaign; who has to wait gets it later, until it expires.
    """
    settings = read_settings()
    known = catalogue(settings)
    mailing = _from_template(settings, known, what, to, topic) if to else _declared(known, what)
    if over:
        mailing = _checked(
            mailing.model_copy(update={"spread": timedelta(seconds=seconds(over, "--over"))}), settings, known
        )
    _ordered("mailing", mailing.key, audience(known.audiences, mailing.audience), rate, mailing)


def _declared(known: Catalogue, key: str) -> Mailing:
    if key not in known.mailings:
        meant = did_you_mean(key, known.mailings)
        raise NotFound(f"there is no mailing {key!r}: {meant} A template is sent with --audience")
    return known.mailings[key]


def _from_template(settings: Settings, known: Catalogue, template: str, to: str, topic: str) -> Mailing:
    key = re.sub(r"[^a-z0-9_-]+", "-", template.lower()).strip("-_") or "mailing"
    return _checked(Mailing(key=key, template=template, audience=to, topic=topic), settings, known)


def _checked(mailing: Mailing, settings: Settings, known: Catalogue) -> Mailing:
    faults = MailingCheck(mailing, known, "--audience", Templates([settings.templates])).faults()
    if faults:
        raise CampaignFaults([fault.message for fault in faults])
    return mailing


def enrol_audience(campaign: str, to: str, rate: str) -> None:
    """Order the campaign for an audience."""
    _ordered("enrol", campaign, audience(catalogue(read_settings()).audiences, to), rate or USUAL_RATE)


def _ordered(kind: Kind, what: str, to: Audience, rate: str, mailing: Mailing | None = None) -> None:
    written = {"audience": to.model_dump(mode="json"), "mailing": mailing and mailing.model_dump(mode="json")}
    pace = leads_a_second(rate)

    async def work(here: Here) -> str:
        run = BulkRunRow(kind=kind, what=what, audience=to.key, written=written, rate=pace, ordered_by=user(),
                         pace=here.settings.pace_factor, ordered_at=here.now)  # fmt: skip
        async with here.store.write() as session:
            if kind == "enrol":
                await campaigns.current(session, what)
            await bulk_runs.order(session, run, here.now)
        return run.id

    done = "to be entered into" if kind == "enrol" else "to be sent"
    out.print(f"{to.key}: {done} {what}, {rate} at the most, as bulk run {in_store(work)}", soft_wrap=True)


@bulk.command("list")
def list_(limit: Annotated[int, typer.Option(min=1, help="So many, those ordered last.")] = 20) -> None:
    """List them, and how far each has come."""

    async def work(here: Here) -> list[tuple[BulkRunRow, Mapping[str, int]]]:
        async with here.store.read() as session:
            rows = await bulk_runs.newest(session, limit)
            return [
                (row, await mailings.counts(session, row.id) if row.kind == "mailing" else row.counts) for row in rows
            ]

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("run", no_wrap=True, min_width=32)
    for name in ("what", "audience", "status", "leads", "ordered", "by"):
        table.add_column(name, overflow="fold")
    runs = in_store(work)
    for row, counts in runs:
        leads = ", ".join(f"{number:,} {kind}" for kind, number in sorted(counts.items()))
        table.add_row(row.id, f"{row.kind} {row.what}", row.audience, row.status, leads or "none yet",
                      f"{row.ordered_at:%Y-%m-%d %H:%M}", row.ordered_by)  # fmt: skip
    out.print(table if runs else "none yet: nurture enrol CAMPAIGN --audience KEY, or nurture mail MAILING")


Run = Annotated[str, typer.Argument(metavar="RUN", help="Its id, as nurture bulk list shows it.")]


@bulk.command()
def pause(run: Run) -> None:
    """Let nobody else be taken until it is resumed; a page that is begun is finished."""

    async def work(here: Here) -> bool:
        async with here.store.write() as session:
            return await bulk_runs.pause(session, run)

    out.print(f"bulk run {run} {'is paused' if in_store(work) else 'was paused already'}", soft_wrap=True)


@bulk.command()
def resume(run: Run) -> None:
    """Let it go on from where it stands."""

    async def work(here: Here) -> bool:
        async with here.store.write() as session:
            return await bulk_runs.resume(session, run, here.now)

    out.print(
        f"bulk run {run} {'goes on' if in_store(work) else 'was not paused, and is given a push'}", soft_wrap=True
    )


@bulk.command()
def cancel(run: Run) -> None:
    """End it for good; who was taken stays taken."""

    async def work(here: Here) -> None:
        async with here.store.write() as session:
            await bulk_runs.cancel(session, run, here.now)

    in_store(work)
    out.print(f"bulk run {run} is cancelled", soft_wrap=True)
