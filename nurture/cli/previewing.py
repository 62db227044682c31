"""`nurture preview`."""

from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any

import typer

from nurture.calendar import resolve_zone
from nurture.cli.context import Here, in_store, out, pairs, tree, write
from nurture.errors import NotFound
from nurture.faults import did_you_mean
from nurture.fields import BANT
from nurture.message_variables import lead_variables
from nurture.settings import Settings, read_settings
from nurture.store.leads import look_up
from nurture.templates import Templates

SAMPLE = {"first_name": "Ann", "last_name": "Lee", "email": "ann@example.com"}
NOTICE: dict[str, Any] = {
    "lead_id": "(the lead's id)",
    "journey_id": "(the journey's id)",
    "team": "sales",
    "text": "A notice",
    "title": "A title",
    "due": None,
    "hand_off": "(the hand-off's id)",
    "why": {"campaign": "preview", "version": "", "definition": "preview", "title": "Preview", "facts": []},
    "scores": [{"name": "interest", "points": 70}],
    "points": [{"score": "interest", "rule": "visit", "points": 10}],
    "did": [],
    "received": [{"template": "price-list/greet", "at": "2026-11-23 10:00 UTC", "clicked": 1}],
    "company": {"name": "Example Trading", "turnover": 2_000_000},
    "bant": dict.fromkeys(BANT),
    "pages": [{"page": "/prices", "times": 3, "seconds": 240, "last": "2026-11-23 10:00 UTC"}],
    "asked": [],
    "deed": "assigned",
    "person": "Anna",
    "to_lead": False,
    "answer_by": None,
}


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
    profile, stage = _reader(lead) if lead else (dict[str, Any](SAMPLE), "need")
    profile |= tree(pairs(given, "--set"))
    context = _context(settings, profile, stage)
    if template.startswith("team/"):
        context["links"] = {"unsubscribe": None, "answer": f"{settings.base_url}/h/preview"}
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


def _context(settings: Settings, profile: dict[str, Any], stage: str) -> dict[str, Any]:
    """What a message is given, with links that lead nowhere."""
    base = settings.base_url
    variables = lead_variables(profile, stage)
    company = variables["company"]["name"]
    return {
        "lead": variables,
        "campaign": {"key": "preview", "title": "Preview"},
        "links": {"unsubscribe": f"{base}/u/preview", "share": f"{base}/r/preview", "survey": f"{base}/s/preview"},
        "referral": {"code": "preview"},
        "sender": {"name": parseaddr(settings.sender)[0], "postal_address": settings.postal_address},
        "zone": resolve_zone(variables["time_zone"], settings.time_zone)[0].key,
        "link": lambda url, _label="": url,
        **NOTICE,
        "who": {**variables, "company_name": company},
    }
