"""`nurture preview`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nurture.cli.context import Here, in_store, out, pairs, tree, write
from nurture.errors import NotFound
from nurture.faults import did_you_mean
from nurture.settings import Settings, read_settings
from nurture.store.leads import look_up
from nurture.templates import Templates
from nurture.templates.samples import READERS, sample_context

HERE_ONLY = "127.0.0.1"
SAMPLE: dict[str, Any] = {name: READERS["known"][name] for name in ("first_name", "last_name", "email")}


def preview(
    template: Annotated[
        str, typer.Argument(help="The message: price-list/greet. Without one, all of them in a browser.")
    ] = "",
    language: Annotated[
        str, typer.Option(help="The reader's language; the lead's own, or the house's, unless given.")
    ] = "",
    lead: Annotated[str, typer.Option(help="A lead of the store to write to: id, address, external id or phone.")] = "",
    given: Annotated[
        list[str] | None, typer.Option("--set", help="What is known of the reader: first_name=Bo.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the HTML part there.")] = None,
    port: Annotated[int, typer.Option(help="Where the browser's pages are, on this machine.")] = 8026,
) -> None:
    """Show a message as a lead would read it.

    Without a message, a page on this machine shows all of them: on a desk, on a phone, as text, with headers and size, in
    any language and in the skin of any lead. Files are read again with every page.
    """
    settings = read_settings()
    if not template:
        _serve(settings, port)
        return
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


def _serve(settings: Settings, port: int) -> None:
    import uvicorn

    from nurture.cli.processes import require_free
    from nurture.gallery import gallery
    from nurture.loader import read
    from nurture.store import Store

    require_free(HERE_ONLY, port)
    app = gallery(
        settings,
        read(settings.campaigns, settings.templates).catalogue,
        Store(settings.database_url.get_secret_value()),
    )
    out.print(f"http://{HERE_ONLY}:{port} shows every message; Ctrl+C ends it", soft_wrap=True)
    uvicorn.run(app, host=HERE_ONLY, port=port, log_config=None, lifespan="off")


def _reader(name: str) -> tuple[dict[str, Any], str]:
    async def work(here: Here) -> tuple[dict[str, Any], str]:
        async with here.store.read() as session:
            row = await look_up(session, name)
            return dict(row.profile), row.stage

    return in_store(work)
