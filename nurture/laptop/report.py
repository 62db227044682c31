"""What the demo says at its end: journeys, messages, people, and the audit."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nurture.laptop.audit import Audit
from nurture.ledger import Status
from nurture.store.models import JourneyRow, MessageRow

MOST_CULPRITS = 5
TEXTS = ("where they stand",)


def journeys_table(rows: Sequence[JourneyRow]) -> Table:
    """Journeys by campaign and where they stand: how they ended, or the state that they are in."""
    table = _table("Journeys", "campaign", "where they stand", "journeys")
    counts: Counter[tuple[str, bool, str]] = Counter(
        (row.campaign, row.status not in ("ended", "holdout"), row.ending or f"under way in {row.state}")
        for row in rows
    )
    last = ""
    for (campaign, _, standing), count in sorted(counts.items()):
        table.add_row(campaign if campaign != last else "", standing, str(count))
        last = campaign
    return table


def messages_table(rows: Sequence[MessageRow]) -> Table:
    """Messages by template and status."""
    counts = Counter((row.template, row.status) for row in rows)
    statuses = [status for status in Status if any(row.status == status for row in rows)]
    table = _table("Messages", "message", *statuses)
    for template in sorted({row.template for row in rows}):
        table.add_row(template, *(str(counts[template, status] or "") for status in statuses))
    return table


def reasons_table(rows: Sequence[MessageRow]) -> Table:
    """Why messages were not sent."""
    table = _table("Not sent", "why", "messages")
    counts = Counter((row.status, row.reason) for row in rows if row.status != Status.ACCEPTED)
    for (status, reason), count in counts.most_common():
        table.add_row(f"{status}: {reason}" if reason else status, str(count))
    return table


def people_table(did: Counter[str]) -> Table:
    """What people did, most of it first."""
    table = _table("People", "what they did", "times")
    for what, times in did.most_common():
        table.add_row(what, str(times))
    return table


def print_audit(out: Console, found: Audit) -> None:
    """The checks one by one, the culprits, and the verdict."""
    out.print(Text("\nAudit: the mail catcher's log against the send ledger", style="bold"))
    out.print(f"  {found.accepted} messages accepted in the ledger, {found.arrived} mails in the catcher's log")
    for check in found.checks:
        bad = bool(check.found) and check.fails
        mark = Text("  ✗ " if bad else "  ✓ " if check.fails else "  · ", style="red" if bad else "green")
        out.print(mark + Text(f"{check.name} {len(check.found)}".ljust(16) + check.meaning, style="red" if bad else ""))
        for culprit in check.found[:MOST_CULPRITS]:
            out.print(Text(f"      {culprit}", style="dim"))
        if len(check.found) > MOST_CULPRITS:
            out.print(Text(f"      and {len(check.found) - MOST_CULPRITS} more", style="dim"))
    out.print(Text(found.verdict(), style="bold green" if found.holds else "bold red"))


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(
        title=f"\n{title}", title_justify="left", title_style="bold", box=None, header_style="dim", pad_edge=False
    )
    table.add_column(first)
    for name in columns:
        table.add_column(name, justify="left" if name in TEXTS else "right")
    return table
