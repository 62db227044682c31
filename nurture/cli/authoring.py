"""Writing campaigns: check, diagram, simulate, preview, publish."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from nurture.cli.context import fail, now, out, with_store
from nurture.conditions import Happened, clicked, event, opened, replied
from nurture.diagram import dot, mermaid
from nurture.errors import NurtureError
from nurture.loader import Loaded, load, read
from nurture.message_variables import lead_variables
from nurture.pace import UNITS
from nurture.settings import Settings, read_settings
from nurture.simulate import Planned, simulate
from nurture.store import Store, campaigns
from nurture.templates import Templates
from nurture.version import Version

REACTIONS = {"clicked": clicked, "opened": opened, "replied": replied}


def check(
    path: Annotated[Path | None, typer.Argument(help="The directory; NURTURE_CAMPAIGNS unless given.")] = None,
) -> None:
    """Report every fault of campaigns, scores, definitions and messages, each with its place."""
    settings = read_settings()
    loaded: Loaded = read(path or settings.campaigns, settings.templates)
    for fault in loaded.faults:
        out.print(
            f"{fault.level}: {fault}", style="red" if fault.level == "error" else "yellow", soft_wrap=True, markup=False
        )
    if loaded.errors:
        fail(f"{len(loaded.errors)} faults")
    messages = len(Templates([settings.templates]).keys())
    out.print(f"{len(loaded.catalogue.campaigns)} campaigns, {messages} messages: no faults")


def _version(key: str) -> Version:
    settings = read_settings()
    try:
        known = load(settings.campaigns, settings.templates).campaigns
    except NurtureError as error:
        fail(error)
    if key not in known:
        fail(f"there is no campaign {key!r}: there are {', '.join(known) or 'none'}")
    return known[key]


def diagram(
    campaign: str, svg_file: Annotated[Path | None, typer.Option("--svg", help="Write an SVG picture there.")] = None
) -> None:
    """Draw the campaign: Mermaid text, or an SVG picture."""
    version = _version(campaign)
    if svg_file is None:
        typer.echo(mermaid(version))
        return
    drawing = shutil.which("graphviz-pure", path=str(Path(sys.executable).parent)) or shutil.which("dot")
    if drawing is None:
        fail("nothing here can draw: install graphviz-pure")
    subprocess.run([drawing, "-Kdot", "-Tsvg", f"-o{svg_file}"], input=dot(version).encode(), check=True)  # noqa: S603
    out.print(f"written to {svg_file}")


def simulate_(
    campaign: str,
    at: Annotated[
        list[str] | None, typer.Option(help='What happens: "3d=order_paid", "1d=clicked:price-list/greet".')
    ] = None,
    lead: Annotated[list[str] | None, typer.Option(help="What is known of the lead: country=DE, nps=10.")] = None,
) -> None:
    """Tell the whole story of one lead, on a virtual clock."""
    version = _version(campaign)
    settings = read_settings()
    scores = load(settings.campaigns).scores.values()
    profile = {name: _plain(value) for name, _, value in (one.partition("=") for one in lead or [])}
    story = simulate(
        version, lead=profile, events=[_planned(one) for one in at or []], scores=scores, rules=settings.rules
    )
    table = Table("day", "time", "state", "what", "how", "values", box=None, header_style="bold")
    for line in story.lines:
        day = (line.at - story.lines[0].at).days
        how = getattr(line.reply, "note", "") or line.reply.kind
        values = ", ".join(f"{name} = {value}" for name, value in line.values.items())
        table.add_row(str(day), f"{line.at:%a %H:%M}", line.occurrence.split("/")[0], line.words, how, values)
    out.print(table)
    out.print(f"sent: {', '.join(story.sent) or 'nothing'}\nend: {story.ending or 'still on its way'}")


def _planned(text: str) -> Planned:
    when, _, what = text.partition("=")
    name, _, template = what.partition(":")
    try:
        after = timedelta(seconds=float(when[:-1]) * UNITS[when[-1]])
    except (KeyError, ValueError, IndexError):
        fail(f"--at {text!r} cannot be read: write 3d=order_paid")
    pattern: Happened = REACTIONS[name](template or None) if name in REACTIONS else event(name)
    return Planned(after, pattern.event, {one.path[0]: one.value for one in pattern.filters}, {})


def _plain(text: str) -> Any:
    for read_as in (int, float):
        try:
            return read_as(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text, text)


def preview(
    template: str,
    language: str = "en",
    lead: Annotated[list[str] | None, typer.Option(help="first_name=Ann")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the HTML part there.")] = None,
) -> None:
    """Show a message as a lead would read it."""
    settings = read_settings()
    profile = dict(one.split("=", 1) for one in lead or ["first_name=Ann"])
    base = settings.base_url
    context = {
        "lead": lead_variables(profile, "need"),
        "campaign": {"key": "preview", "title": "Preview"},
        "links": {"unsubscribe": f"{base}/u/…", "share": f"{base}/r/…", "survey": f"{base}/s/…"},
        "referral": {"code": "abcd2345"},
        "sender": {"name": settings.sender, "postal_address": settings.postal_address},
        "link": lambda url, _label="": url,
    }
    try:
        rendered = Templates([settings.templates], settings.language).render(template, language, context)
    except NurtureError as error:
        fail(error)
    if html is not None:
        html.write_text(rendered.html, encoding="utf-8")
    out.print(f"Subject: {rendered.subject}\n\n{rendered.text}", markup=False)


def publish(
    campaign: Annotated[list[str] | None, typer.Argument(help="All of them unless named.")] = None, by: str = ""
) -> None:
    """Check, and make the campaigns as written what new journeys take; those on their way finish theirs."""

    async def work(store: Store, settings: Settings) -> None:
        known = load(settings.campaigns, settings.templates).campaigns
        if unknown := set(campaign or []) - set(known):
            fail(f"there is no campaign {min(unknown)!r}: there are {', '.join(known) or 'none'}")
        for key in campaign or known:
            async with store.write() as session:
                made = await campaigns.publish(session, known[key], by=by, commit=_commit(), now=now())
            out.print(f"{key} version {made.number} ({made.hash[:12]}): {'published' if made.new else 'unchanged'}")

    with_store(work)


def _commit() -> str:
    asked = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S607
    return asked.stdout.strip()


commands: list[Callable[..., None] | tuple[str, Callable[..., None]]] = [
    check, diagram, ("simulate", simulate_), preview, publish,
]  # fmt: skip
