"""`nurture preview`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nurture.cli.context import Here, in_store, out, pairs, tree, write
from nurture.errors import NotFound
from nurture.faults import did_you_mean
from nurture.settings import read_settings
from nurture.store.leads import look_up
from nurture.templates import Templates
from nurture.templates.samples import READERS, sample_context

SAMPLE: dict[str, Any] = {name: READERS["known"][name] for name in ("first_name", "last_name", "email")}


def preview(
    template: Annotated[str, typer.Argument(help="The message: price-list/greet.")],
    language: Annotated[
        str, typer.Option(help="The reader's language; the lead's own, or the house's, unless given.")
    ] = "",
    lead: Annotated[str, typer.Option(help="A lead of the store to write to: id, address, external id or phone.")] = "",
    given: Annotated[
        list[str] | None, typer.Option("--set", help="What is known of the reader: first_name=Bo.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the HTML part there.")] = None,
) -> None:
    """Show a message as a lead would read it."""
    settings = read_settings()
    templates = Templates([settings.templates], settings.language)
    if not templates.exists(template):
        raise NotFound(
            f"there is no message {template!r} in {settings.templates}: {did_you_mean(template, templates.keys())}"
        )
    profile, stage = _reader(lead) if lead else (SAMPLE, "need")
    profile = profile | tree(pairs(given, "--set"))
    context = sample_context(template, profile, stage, settings)
    rendered = templates.render(template, language or profile.get("language"), context)
    if html is not None:
        write(html, rendered.html)
    out.print(f"Subject: {rendered.subject}", style="bold", soft_wrap=True)
    out.print(f"\n{rendered.text}", soft_wrap=True)


def _reader(name: str) -> tuple[dict[str, Any], str]:
    async def work(here: Here) -> tuple[dict[str, Any], str]:
        async with here.store.read() as session:
            row = await look_up(session, name)
            return dict(row.profile), row.stage

    return in_store(work)
