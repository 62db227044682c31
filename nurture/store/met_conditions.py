"""Entry conditions that leads meet already when a campaign begins to watch for them: it enters those that come to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlmodel import col

from nurture.conditions import Condition
from nurture.decisions import events_needed
from nurture.facts import Facts, by_name
from nurture.fading import points_now
from nurture.profile import facts_tree
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.facts import happenings
from nurture.store.models import LeadRow, MetConditionRow
from nurture.store.plain import execute
from nurture.store.upsert import insert

AT_ONCE = 1000
KNOWN = tuple(table(LeadRow).c[name] for name in ("id", "profile", "stage", "scores", "fading"))


async def watch(
    session: Session, campaign: str, conditions: Mapping[str, Condition], now: datetime, pace: float
) -> None:
    """Remember who meets the conditions, each by its digest, as they are from now on; what was known of them is forgotten."""
    if not conditions:
        return
    theirs = col(MetConditionRow.campaign) == campaign, col(MetConditionRow.condition).in_(conditions)
    await session.exec(delete(MetConditionRow).where(*theirs))
    query = select(*KNOWN).order_by(col(LeadRow.id)).limit(AT_ONCE)
    last = ""
    while page := (await execute(session, query.where(col(LeadRow.id) > last))).all():
        last = page[-1][0]
        names = events_needed(*conditions.values())
        did = await (await session.connection()).run_sync(happenings, [lead_id for lead_id, *_ in page], names)
        rows: list[dict[str, Any]] = []
        for lead_id, profile, stage, scores, fading in page:
            tree = facts_tree(profile, stage, points_now(scores, fading, now))
            facts = Facts(now, tree, by_name(did.get(lead_id, [])), pace)
            met = [name for name, condition in conditions.items() if condition.test(facts)]
            rows += [{"lead_id": lead_id, "campaign": campaign, "condition": name, "since": now} for name in met]
        await remember(session, rows)


async def remember(session: Session, met: Sequence[Mapping[str, Any]]) -> None:
    """Write that leads meet conditions; what is known already stays as it is."""
    if met:
        adding = insert(session, MetConditionRow).on_conflict_do_nothing()
        await (await session.connection()).execute(adding, list(met))
