"""What leads said to each topic (`*` for all): every answer is kept with its proof, and of each topic one holds."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select
from sqlmodel import col
from sqlmodel import select as select_rows

from nurture.profile import address_hash
from nurture.store.among import among
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.models import ConsentRow
from nurture.store.plain import Statement
from nurture.topics import ALL, TRACKING

CONSENTS = table(ConsentRow)
ANSWERS = select(*(CONSENTS.c[name] for name in ("lead_id", "topic", "granted", "at", "expires_at")))
SAID = Statement(ANSWERS.where(among(CONSENTS.c.lead_id, "leads")))
SAID_BY_ONE = Statement(ANSWERS.where(CONSENTS.c.lead_id == bindparam("lead")))


class Answer(NamedTuple):
    """A yes or no, when it was said, and from when on a yes is none any more."""

    granted: bool
    at: datetime
    expires_at: datetime | None = None

    def outweighs(self, other: "Answer") -> bool:
        """Whether this one holds: it was said later, or at the same time and is the no."""
        return (self.at, not self.granted) > (other.at, not other.granted)

    def says_as_much(self, other: "Answer") -> bool:
        """Whether the other one adds nothing to it: the same answer, and as a yes no longer."""
        if self.granted is not other.granted or not self.granted or self.expires_at is None:
            return self.granted is other.granted
        return other.expires_at is not None and other.expires_at <= self.expires_at


async def record_consent(
    session: Session,
    lead_id: str,
    topic: str,
    granted: bool,
    source: str,
    now: datetime,
    text: str = "",
    *,
    address: str | None = None,
) -> None:
    """Note an answer: who said it where (`source`), of which `address`, and the words it was given to (`text`)."""
    hashed = address_hash(address) if address else ""
    session.add(
        ConsentRow(lead_id=lead_id, topic=topic, granted=granted, source=source, text=text, at=now, address_hash=hashed)
    )


async def current_consents(session: Session, lead_id: str, now: datetime) -> dict[str, bool]:
    """The lead's answer to each topic, as it holds now."""
    answers = _by_lead(await SAID_BY_ONE.rows(session, lead=lead_id), now).get(lead_id, {})
    return {topic: answer.granted for topic, answer in answers.items()}


async def objects(session: Session, lead_id: str, now: datetime) -> bool:
    """Whether the lead does not want to be followed through its messages."""
    return (await current_consents(session, lead_id, now)).get(TRACKING) is False


async def held_by(session: Session, lead_id: str, now: datetime) -> list[ConsentRow]:
    """The rows of the answers that hold now, by topic; one that an answer to all has ended is none of them."""
    answers = _by_lead(await SAID_BY_ONE.rows(session, lead=lead_id), now).get(lead_id, {})
    rows = {(row.topic, row.granted, row.at): row for row in await proofs(session, lead_id)}
    found = (rows.get((topic, one.granted, one.at)) for topic, one in sorted(answers.items()))
    return [row for row in found if row is not None]


async def proofs(session: Session, lead_id: str) -> list[ConsentRow]:
    """All that the lead ever answered, the newest first."""
    query = select_rows(ConsentRow).where(ConsentRow.lead_id == lead_id)
    return list((await session.exec(query.order_by(col(ConsentRow.at).desc(), col(ConsentRow.id).desc()))).all())


def answers_of(connection: Connection, lead_ids: Collection[str], now: datetime) -> dict[str, dict[str, Answer]]:
    """The answers of several leads that hold now, by lead and topic."""
    return _by_lead(SAID.on(connection, leads=lead_ids), now)


def _by_lead(said: Iterable[Sequence[Any]], now: datetime) -> dict[str, dict[str, Answer]]:
    found: dict[str, dict[str, Answer]] = {}
    for lead_id, topic, *given in said:
        answers, answer = found.setdefault(lead_id, {}), Answer(*given)
        if answer.expires_at is not None and answer.expires_at <= now:
            continue
        if topic not in answers or answer.outweighs(answers[topic]):
            answers[topic] = answer
    return {lead_id: holding(answers) for lead_id, answers in found.items()}


def holding(answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """The newest answer to each topic as it holds beside that to all: a no to all ends every yes that came before."""
    to_all = answers.get(ALL)
    if to_all is None or to_all.granted:
        return dict(answers)
    ended = Answer(granted=False, at=to_all.at)
    return {
        topic: ended if topic != TRACKING and one.granted and not one.at > to_all.at else one
        for topic, one in answers.items()
    }
