"""What is told of our messages, written in group commits: the ledger, the leads' events, and what follows for addresses."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Connection, RowMapping, func, literal_column, select, update

from nurture.addresses import EMAIL, hash_of
from nurture.intake.group_commit import GroupCommit
from nurture.intake.incoming import Consent, Internal, Prepared, Result, prepared, stable_id
from nurture.intake.recorder import Recorder
from nurture.intake.room import check_room
from nurture.ledger import Status
from nurture.returns.report import Kind, Report
from nurture.store import Store, returns
from nurture.store import held as rows
from nurture.store.among import among
from nurture.store.bulk import table
from nurture.store.models import LeadRow, MessageRow
from nurture.store.returns import CameBack

MESSAGES, LEADS = table(MessageRow), table(LeadRow)
# Written out, since SQLite finds an index of an expression by its very words.
NAME = func.substr(MESSAGES.c.message_id, literal_column("2"), literal_column("32"))
OF_A_MESSAGE = (
    "id",
    "lead_id",
    "run_id",
    "campaign",
    "template",
    "topic",
    "channel",
    "status",
    "claim",
    "committed_at",
    "due_at",
)
NAMED = select(NAME.label("name"), *(MESSAGES.c[name] for name in OF_A_MESSAGE)).where(among(NAME, "names"))
ADDRESSES = select(LEADS.c.id, LEADS.c.email).where(among(LEADS.c.id, "leads"))
log = structlog.get_logger()


class Told(NamedTuple):
    """A report, who told it, and when it came in."""

    by: str
    report: Report
    now: datetime


class Reports(GroupCommit[Told, bool]):
    """Takes in reports, by the rules that all that comes in goes by; one for a process."""

    def __init__(self, store: Store, recorder: Recorder, outbox_limit: int) -> None:
        super().__init__()
        self._store, self._recorder, self._limit = store, recorder, outbox_limit
        self.tally: Counter[str] = Counter()

    async def take(self, by: str, reports: Sequence[Report], now: datetime) -> list[bool]:
        """Whether each had an effect: not when it is of no message of ours, of an erased lead, or was told before.

        Whatever it says, it shows that the provider has the message: one in doubt is in doubt no more. Raises
        `Unavailable` when the database or the outbox can take no more: then nothing of it was taken.
        """
        taken = await self.commit([Told(by, one, now) for one in reports]) if reports else []
        for one, effect in zip(reports, taken, strict=True):
            self.tally[one.kind.value if effect else "without effect"] += 1
        return taken

    async def transaction(self, items: Sequence[Told]) -> list[bool]:
        """Write them down, as long as the outbox has room."""
        return await self._store.at_once(partial(self._record, items))

    def refused(self, item: Told, error: Exception) -> bool:
        """It has no effect; the log tells."""
        log.error("reports.refused", by=item.by, kind=item.report.kind, error=type(error).__name__)
        return False

    def _record(self, told: Sequence[Told], connection: Connection) -> list[bool]:
        check_room(connection, self._limit)
        names = {one.report.message for one in told}
        messages = {row["name"]: row for row in connection.execute(NAMED, {"names": sorted(names)}).mappings()}
        sent = _settled(connection, told, messages)
        items = {
            at: _event(one, message)
            for at, one in enumerate(told)
            if (message := messages.get(one.report.message)) is not None and message["lead_id"] is not None
        }
        results = self._recorder.record(connection, [*sent, *items.values()])[len(sent) :] if items else []
        became = dict(zip(items, results, strict=True))
        effects = {at: _had_effect(told[at].report, result) for at, result in became.items()}
        taken = [at for at, effect in effects.items() if effect]
        _follow(connection, [(told[at], messages[told[at].report.message], became[at].lead_id or "") for at in taken])
        return [effects.get(at, one.report.message in messages) for at, one in enumerate(told)]


def _had_effect(report: Report, result: Result) -> bool:
    if report.kind is Kind.UNSUBSCRIBED:
        return bool(result.consented)
    return result.error is None and not result.duplicate


def _settled(connection: Connection, told: Sequence[Told], messages: Mapping[str, RowMapping]) -> list[Prepared]:
    """Accept the messages that were in doubt; news of each that it was sent."""
    if not any(message["status"] == Status.UNKNOWN for message in messages.values()):
        return []
    rows.held(connection, {message["lead_id"] for message in messages.values() if message["lead_id"]})
    sent = []
    for by, report, now in told:
        message = messages.get(report.message)
        if message is None or message["status"] != Status.UNKNOWN or not _accepted(connection, message, by, now):
            continue
        if message["lead_id"]:
            about = {"name": "message_sent", "id": f"sent/{message['id']}", "at": message["committed_at"]}
            sent.append(prepared(_internal(message, "nurture", **about), now))
    return sent


def _accepted(connection: Connection, message: RowMapping, by: str, now: datetime) -> bool:
    """Whether it was in doubt until now, by the claim that it was seen with."""
    same = MESSAGES.c.status == Status.UNKNOWN.value, MESSAGES.c.claim == message["claim"]
    new = {"status": Status.ACCEPTED.value, "reason": f"reported by {by}", "updated_at": now}
    new["accepted_at"] = message["committed_at"]
    return connection.execute(update(MESSAGES).where(MESSAGES.c.id == message["id"], *same).values(new)).rowcount == 1


def _event(told: Told, message: RowMapping) -> Prepared:
    """The report as an event of the lead."""
    by, report, now = told
    more: dict[str, Any] = {"id": stable_id("report", by, report.id), "name": report.kind.value}
    more |= {"at": min(report.at, now), "machine": report.machine}
    if report.kind is Kind.UNSUBSCRIBED:
        more["consents"] = {message["topic"]: Consent(granted=False)}
    about = {} if report.fault is None else {"fault": report.fault.value}
    return prepared(_internal(message, by, about, **more), now)


def _internal(message: RowMapping, source: str, about: Mapping[str, str] | None = None, **more: Any) -> Internal:
    properties = {"template": message["template"], "campaign": message["campaign"], "message": message["id"]}
    return Internal(lead={"id": message["lead_id"]}, source=source, properties={**properties, **(about or {})}, **more)


def _follow(connection: Connection, taken: Sequence[tuple[Told, RowMapping, str]]) -> None:
    """What it means for what is sent from now on, to the lead that the message's is by now: never more than was said, and
    never anything for our own fault."""
    meant = [(*one, kind) for one in taken if (kind := _kind(one[0].report)) is not None]
    if not meant:
        return
    by_mail = {lead_id for told, message, lead_id, _ in meant if message["channel"] == EMAIL}
    known = dict(connection.execute(ADDRESSES, {"leads": sorted(by_mail)}).all()) if by_mail else {}
    came = [
        CameBack(
            message_id=message["id"],
            kind=kind,
            lead_id=lead_id,
            campaign=message["campaign"],
            run_id=message["run_id"],
            fault=told.report.fault.value if told.report.fault else "",
            address_hash=hash_of(message["channel"], address)
            if (address := _address(told, message, known.get(lead_id)))
            else "",
            at=min(told.report.at, told.now),
            sent_at=message["committed_at"] or message["due_at"],
        )
        for told, message, lead_id, kind in meant
    ]
    returns.note(connection, came, taken[-1][0].now)


def _address(told: Told, message: RowMapping, email: str | None) -> str | None:
    """Where the message went, as far as is known: of mail that it is not told of, to the lead's address."""
    return told.report.address or (email if message["channel"] == EMAIL else None)


def _kind(report: Report) -> returns.Kind | None:
    match report.kind:
        case Kind.BOUNCED:
            return returns.kind_of(report.fault)
        case Kind.COMPLAINED:
            return "complained"
        case _:
            return None
