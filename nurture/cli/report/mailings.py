"""`nurture report mailings`: what became of the messages of each campaign, template and mailing."""

import json
from dataclasses import asdict
from typing import Any

from rich.table import Table

from nurture.cli.context import Here, in_store, out
from nurture.cli.report.sources import AsJson, Since, Until, period
from nurture.store.outcomes import NAMES, Mailed, Outcomes, outcomes

SHARES = frozenset({"opened", "clicked", "replied", "bounced", "complained", "unsubscribed"})


def mailings(since: Since = "", until: Until = "", as_json: AsJson = False) -> None:
    """Tell what became of the messages of each campaign, template and mailing that were handed over in that time.

    A message counts once however often it is opened or clicked; what machines do does not count.
    """

    async def work(here: Here) -> dict[Mailed, Outcomes]:
        async with here.store.read() as session:
            return await outcomes(session, *period(here, since, until))

    found = in_store(work)
    if as_json:
        document = [_as_json(mailed, numbers) for mailed, numbers in found.items()]
        out.print(json.dumps(document, ensure_ascii=False, indent=2), soft_wrap=True)
        return
    out.print(_as_table(found) if found else "nothing was handed over in that time")


def _as_json(mailed: Mailed, numbers: Outcomes) -> dict[str, Any]:
    ordered = mailed.ordered_at.isoformat() if mailed.ordered_at else None
    return {"campaign": mailed.campaign, "template": mailed.template, "run": mailed.run_id, "ordered": ordered,
            **asdict(numbers)}  # fmt: skip


def _as_table(found: dict[Mailed, Outcomes]) -> Table:
    table = Table("campaign", "template", box=None, pad_edge=False, header_style="bold")
    for name in NAMES:
        table.add_column(name.replace("_", " "), justify="right")
    for mailed, numbers in found.items():
        campaign = f"{mailed.campaign}, {mailed.ordered_at:%d %b}" if mailed.ordered_at else mailed.campaign
        cells = (_cell(name, number, numbers.sent) for name, number in asdict(numbers).items())
        table.add_row(campaign, mailed.template, *cells)
    return table


def _cell(name: str, number: int, sent: int) -> str:
    return f"{number:,} ({number / sent:.1%})" if number and sent and name in SHARES else f"{number:,}"
