"""Links followed, as they come in: every click of a message is judged with the others, and what a verdict changes follows.

A click becomes an event when it has a verdict. One that turns out to be a person's after all comes in then, as late events
do; one that turns out to be a machine's stays as its event, and counts for nothing from then on.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, RowMapping, bindparam, delete, func, select, update

from nurture.store.among import among
from nurture.store.bulk import insert_rows, table, update_rows
from nurture.store.models import BulkRunRow, EventRow, JourneyRow, MessageRow
from nurture.store.tracking_tables import ClickRow
from nurture.tracking.clicks import TRAP, Click, Judgement, Sign, Verdict, judge

CLICKED = "message_clicked"
MOST_LOOKED_AT = 100
"""So many clicks of a message, those that wait and the newest, are judged together: no flood makes a look long."""

SUSPECT_FOR = timedelta(days=1)
MOST_AT_ONCE = 500
CLICKS, EVENTS, MESSAGES = table(ClickRow), table(EventRow), table(MessageRow)
JOURNEYS, RUNS = table(JourneyRow), table(BulkRunRow)
SENT_BY = MESSAGES.outerjoin(JOURNEYS, JOURNEYS.c.id == MESSAGES.c.journey_id).outerjoin(
    RUNS, RUNS.c.id == MESSAGES.c.run_id
)
HANDED_OVER = (
    select(
        MESSAGES.c.id, MESSAGES.c.template, MESSAGES.c.campaign, MESSAGES.c.committed_at,
        func.coalesce(JOURNEYS.c.pace, RUNS.c.pace, 1.0).label("pace"),
    )
    .select_from(SENT_BY)
    .where(among(MESSAGES.c.id, "messages"))
)  # fmt: skip
NEWEST = (
    select(CLICKS)
    .where(CLICKS.c.message_id == bindparam("message"))
    .order_by(CLICKS.c.until.is_(None), CLICKS.c.at.desc(), CLICKS.c.id)
    .limit(MOST_LOOKED_AT)
)
ONE = select(CLICKS).where(CLICKS.c.id == bindparam("click"), CLICKS.c.message_id == bindparam("message"))
SUSPECTS = (
    select(CLICKS.c.network)
    .where(
        among(CLICKS.c.network, "networks"),
        CLICKS.c.at > bindparam("since"),
        CLICKS.c.sign.in_([Sign.TRAP.value, Sign.BURST.value]),
    )
    .distinct()
)
TO_LOOK_AT = (
    select(CLICKS.c.lead_id, CLICKS.c.message_id)
    .where(CLICKS.c.until <= bindparam("now"))
    .distinct()
    .order_by(CLICKS.c.lead_id)
    .limit(MOST_AT_ONCE)
)
LOOKED_AT = ("id", "verdict", "sign", "until", "ruled", "ruled_by", "ruled_at")


class Followed(BaseModel):
    """Which link was followed, from where, and whether what called says itself that no person looks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    link: str
    url: str
    network: str
    agent: str
    program: bool


class Ruling(BaseModel):
    """What somebody decides about a click, whatever speaks for or against it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    click: str
    verdict: Verdict
    by: str


class Clicking(BaseModel):
    """A message whose clicks are looked at: because a link of it was followed, somebody ruled, or its time has come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message: str
    followed: Followed | None = None
    ruling: Ruling | None = None


class Asked(NamedTuple):
    """A look at the clicks of a message, by the item (`id`) and the lead that it belongs to."""

    id: str
    lead_id: str
    now: datetime
    clicking: Clicking


class Came(NamedTuple):
    """A click that is an event from now on."""

    id: str
    lead_id: str
    at: datetime
    machine: bool
    about: dict[str, str]


class Judged(NamedTuple):
    """What comes of the verdicts: the clicks that become events, and the leads of which one counts for nothing now."""

    came: Sequence[Came] = ()
    turned: frozenset[str] = frozenset()


def judged(connection: Connection, asked: Sequence[Asked]) -> Judged:
    """Look at the clicks of those messages, whose leads are held, and write down every verdict."""
    by_message: dict[str, list[Asked]] = defaultdict(list)
    for one in asked:
        by_message[one.clicking.message].append(one)
    if not by_message:
        return Judged()
    came: list[Came] = []
    turned: set[str] = set()
    for message in connection.execute(HANDED_OVER, {"messages": list(by_message)}).mappings().all():
        found = _of_message(connection, message, by_message[message["id"]])
        came += found.came
        turned |= found.turned
    return Judged(came, frozenset(turned))


def _of_message(connection: Connection, message: RowMapping, asked: Sequence[Asked]) -> Judged:
    now = max(one.now for one in asked)
    stored = _stored(connection, asked)
    before = {id_: dict(row) for id_, row in stored.items()}
    new = {one.id: _row(one, one.clicking.followed) for one in asked if one.clicking.followed is not None}
    rows = {**stored, **new}
    for one in asked:
        ruling = one.clicking.ruling
        if ruling is not None and ruling.click in rows:
            rows[ruling.click] |= {"ruled": ruling.verdict.value, "ruled_by": ruling.by, "ruled_at": one.now}
    verdicts = judge(
        map(_click, rows.values()), now, message["committed_at"], _suspects(connection, rows, now), message["pace"]
    )
    for id_, row in rows.items():
        row.update(_written(row["verdict"], verdicts[id_]))
    insert_rows(connection, ClickRow, [rows[id_] for id_ in new])
    changed = [row for id_, row in rows.items() if id_ in stored and row != before[id_]]
    update_rows(connection, ClickRow, [{name: row[name] for name in LOOKED_AT} for row in changed])
    about = {"template": message["template"], "campaign": message["campaign"], "message": message["id"]}
    was = {id_: row["verdict"] for id_, row in before.items()}
    return _followed_up(connection, asked[0].lead_id, rows, was, about)


def _stored(connection: Connection, asked: Sequence[Asked]) -> dict[str, dict[str, Any]]:
    message = asked[0].clicking.message
    rows = [dict(row) for row in connection.execute(NEWEST, {"message": message}).mappings()]
    found = {row["id"]: row for row in rows}
    for one in asked:
        ruling = one.clicking.ruling
        if ruling is not None and ruling.click not in found:  # one of long ago
            older = connection.execute(ONE, {"message": message, "click": ruling.click}).mappings()
            found |= {row["id"]: dict(row) for row in older}
    return found


def _row(one: Asked, followed: Followed) -> dict[str, Any]:
    return {
        "id": one.id,
        "lead_id": one.lead_id,
        "message_id": one.clicking.message,
        **followed.model_dump(),
        "at": one.now,
        "verdict": Verdict.WAITING.value,
        "sign": Sign.NONE.value,
        "until": None,
        "ruled": None,
        "ruled_by": "",
        "ruled_at": None,
    }


def _click(row: Mapping[str, Any]) -> Click:
    ruled = None if row["ruled"] is None else Verdict(row["ruled"])
    return Click(row["id"], row["link"], row["at"], row["network"], bool(row["program"]), ruled)


def _suspects(connection: Connection, rows: Mapping[str, Mapping[str, Any]], now: datetime) -> set[str]:
    networks = {row["network"] for row in rows.values()} - {""}
    given = {"networks": sorted(networks), "since": now - SUSPECT_FOR}
    return set(connection.execute(SUSPECTS, given).scalars()) if networks else set()


def _written(before: str, judgement: Judgement) -> dict[str, Any]:
    """The verdict as it is kept: what was decided once stands while it is only doubted."""
    doubted = judgement.verdict is Verdict.WAITING and before != Verdict.WAITING
    verdict = before if doubted else judgement.verdict.value
    return {"verdict": verdict, "sign": judgement.sign.value, "until": judgement.until}


def _followed_up(
    connection: Connection,
    lead_id: str,
    rows: Mapping[str, Mapping[str, Any]],
    before: Mapping[str, str],
    about: Mapping[str, str],
) -> Judged:
    """The events that the verdicts make, and what they make of events that there are."""
    came: list[Came] = []
    now_a_machine, now_a_person = [], []
    for id_, row in sorted(rows.items(), key=lambda one: (one[1]["at"], one[0])):
        was, verdict = before.get(id_, Verdict.WAITING), row["verdict"]
        if row["link"] == TRAP or verdict in (was, Verdict.WAITING):
            continue
        if was == Verdict.PERSON:
            now_a_machine.append(id_)
            continue
        if was == Verdict.MACHINE:
            now_a_person.append(id_)
        machine = verdict == Verdict.MACHINE
        came.append(Came(id_, lead_id, row["at"], machine, {**about, "url": row["url"]}))
    if now_a_machine:
        connection.execute(update(EVENTS).where(EVENTS.c.id.in_(now_a_machine)).values(machine=True))
    if now_a_person:  # it comes in anew, as what is found out late does
        connection.execute(delete(EVENTS).where(EVENTS.c.id.in_(now_a_person)))
    return Judged(came, frozenset({lead_id} if now_a_machine else ()))


def to_look_at(connection: Connection, now: datetime) -> Iterable[tuple[str, str]]:
    """The messages, with their leads, of which a click has waited long enough."""
    return [(row[0], row[1]) for row in connection.execute(TO_LOOK_AT, {"now": now})]
