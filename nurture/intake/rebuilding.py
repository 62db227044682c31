"""Scores of all leads counted anew, page by page: one that was broken off goes on where it was."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from nurture.intake.refolding import Difference, refold
from nurture.intake.scoring import FIRED
from nurture.rulebook import Rulebook
from nurture.scores import Score, crossings
from nurture.store import Store
from nurture.store import held as rows
from nurture.store.bulk import insert_rows, table
from nurture.store.events import received_after
from nurture.store.held import HeldLead
from nurture.store.models import CrossingRow, EventRow, LeadRow, OutboxRow, new_id
from nurture.store.score_tables import RebuildRow
from nurture.tally import Fired, RuleKey

AT_ONCE = 1000
LEADS, CROSSINGS, REBUILDS = table(LeadRow), table(CrossingRow), table(RebuildRow)
NEXT = select(LEADS.c.id).where(LEADS.c.id > bindparam("after")).order_by(LEADS.c.id).limit(bindparam("most"))


class Rebuilt(NamedTuple):
    """How many leads were counted, whose points changed, and how many thresholds were newly reached."""

    leads: int = 0
    changed: int = 0
    reached: int = 0


class Order(NamedTuple):
    """What to rebuild, and how."""

    book: Rulebook
    now: datetime
    dry: bool
    fire: bool
    page: int

    @property
    def name(self) -> str:
        """The scores that it is about."""
        return ",".join(sorted(self.book.scores))

    @property
    def rules(self) -> str:
        """What it goes by; a rebuild by other rules begins anew."""
        versions = [self.book.scores[key].version for key in sorted(self.book.scores)]
        return hashlib.sha256("/".join(versions).encode()).hexdigest()


async def rebuild_all(
    store: Store,
    scores: Mapping[str, Score],
    keys: Collection[str],
    now: datetime,
    *,
    dry: bool = False,
    fire: bool = False,
    page: int = AT_ONCE,
) -> Rebuilt:
    """Count those scores, and the ones that build on them, of every lead anew.

    A threshold that has fired does not fire again. One that is newly reached fires with `fire`; without it, it is as if it
    had, and nobody is told of anything.
    """
    order = Order(Rulebook(_with_builders(scores, keys)), now, dry, fire, page)
    done, cursor = Rebuilt(), "" if dry else await store.at_once(partial(_begin, order))
    while True:
        counted, last = await store.at_once(partial(_page, order, cursor))
        if last is None:
            return done
        cursor = last
        done = Rebuilt(*(one + more for one, more in zip(done, counted, strict=True)))


def _with_builders(scores: Mapping[str, Score], keys: Collection[str]) -> dict[str, Score]:
    found = set(keys)
    while more := {key for key, score in scores.items() if score.builds_on & found} - found:
        found |= more
    return {key: scores[key] for key in found}


def _begin(order: Order, connection: Connection) -> str:
    """Where to begin: after the last lead of the rebuild by the same rules that was broken off."""
    known = connection.execute(select(REBUILDS).where(REBUILDS.c.scores == order.name)).one_or_none()
    if known is not None and known.rules == order.rules:
        return str(known.cursor)
    connection.execute(delete(REBUILDS).where(REBUILDS.c.scores == order.name))
    row = {"scores": order.name, "rules": order.rules, "cursor": "", "begun_at": order.now}
    connection.execute(insert(REBUILDS), row)
    return ""


def _page(order: Order, cursor: str, connection: Connection) -> tuple[Rebuilt, str | None]:
    ids = list(connection.execute(NEXT, {"after": cursor, "most": order.page}).scalars())
    if not ids:
        if not order.dry:
            connection.execute(delete(REBUILDS).where(REBUILDS.c.scores == order.name))
        return Rebuilt(), None
    leads = rows.held(connection, ids)
    found = refold(connection, order.book, list(leads.values()), order.now, dry=order.dry)
    changed = {one.lead_id for one in found if one.before != one.after}
    reached = _thresholds(connection, order, leads, [one for one in found if one.score.thresholds])
    if not order.dry:
        rows.save(connection, [lead for lead in leads.values() if lead.id in changed or lead.fading], order.now)
        if order.fire:
            _tell(connection, leads, [one for one in found if one.before != one.after], reached, order.now)
        connection.execute(update(REBUILDS).where(REBUILDS.c.scores == order.name).values(cursor=ids[-1]))
    return Rebuilt(len(ids), len(changed), len(reached)), ids[-1]


class Reached(NamedTuple):
    """A threshold that the lead's score is newly at."""

    lead_id: str
    score: Score
    threshold: str
    points: float


def _thresholds(
    connection: Connection, order: Order, leads: Mapping[str, HeldLead], found: Sequence[Difference]
) -> list[Reached]:
    if not found:
        return []
    fired: dict[str, dict[RuleKey, Fired]] = {lead_id: {} for lead_id in leads}
    keys = sorted({one.score.key for one in found})
    for lead_id, score, threshold, n, rearmed_at in FIRED.on(connection, lead_ids=leads, scores=keys):
        fired[lead_id][score, threshold] = Fired(n, armed=rearmed_at is not None)
    reached: list[Reached] = []
    new: list[dict[str, Any]] = []
    for one in found:
        theirs = fired[one.lead_id]
        on = frozenset(name for (key, name), it in theirs.items() if key == one.score.key and not it.armed)
        for threshold, kind in crossings(one.score, one.after, on):
            before = theirs.get((one.score.key, threshold.key))
            if kind == "rearmed":
                _arm(connection, order, one, threshold.key, on_again=False)
                continue
            reached.append(Reached(one.lead_id, one.score, threshold.key, one.after))
            if before is not None and not order.fire:
                _arm(connection, order, one, threshold.key, on_again=True)
                continue
            row = {"lead_id": one.lead_id, "score": one.score.key, "threshold": threshold.key, "points": one.after}
            n = (before.n if before else 0) + order.fire
            new.append({**row, "n": n, "fired_at": order.now, "rearmed_at": None})
    if not order.dry:
        insert_rows(connection, CrossingRow, new)
    return reached


def _arm(connection: Connection, order: Order, one: Difference, threshold: str, *, on_again: bool) -> None:
    """The last crossing may be followed by another; or, `on_again`, it may not yet."""
    if order.dry:
        return
    which = (CROSSINGS.c.lead_id == one.lead_id) & (CROSSINGS.c.score == one.score.key)
    which &= CROSSINGS.c.threshold == threshold
    of_them = which if not on_again else which & CROSSINGS.c.rearmed_at.is_not(None)
    newest = select(CROSSINGS.c.n).where(which).order_by(CROSSINGS.c.n.desc()).limit(1).scalar_subquery()
    value = None if on_again else order.now
    connection.execute(update(CROSSINGS).where(of_them, CROSSINGS.c.n == newest).values(rearmed_at=value))


def _tell(
    connection: Connection, leads: Mapping[str, HeldLead], changed: Sequence[Difference], reached: Sequence[Reached],
    now: datetime,
) -> None:  # fmt: skip
    """Tell whoever listens what the scores have become, and which thresholds they have reached."""
    keys: dict[str, list[str]] = {}
    for one in changed:
        keys.setdefault(one.lead_id, []).append(f"score.{one.score.key}")
    outbox = [_order(lead_id, None, None, theirs, now) for lead_id, theirs in keys.items()]
    events: list[dict[str, Any]] = []
    for at in reached:
        if at.score.shadow:
            continue
        lead = leads[at.lead_id]
        lead.last_received = received_after(lead.last_received, now)
        about = {"score": at.score.key, "threshold": at.threshold, "points": at.points}
        event = {"id": new_id(), "lead_id": lead.id, "name": "score_reached", "properties": about}
        events.append({**event, "at": now, "received": lead.last_received, "source": "nurture", "machine": False})
        outbox.append(_order(lead.id, event["id"], "score_reached", ["event.score_reached"], now))
    insert_rows(connection, EventRow, events)
    insert_rows(connection, OutboxRow, outbox)
    rows.save(connection, [leads[at.lead_id] for at in reached], now)


def _order(lead_id: str, event: Any, name: str | None, keys: Sequence[str], now: datetime) -> dict[str, Any]:
    return {
        "lead_id": lead_id,
        "kind": "event",
        "body": {"event": event, "name": name, "keys": list(keys)},
        "due_at": now,
        "created_at": now,
        "attempts": 0,
        "claimed_by": None,
        "claimed_until": None,
    }
