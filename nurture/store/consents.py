"""What leads said to each topic (`*` for all): every answer is kept, the newest one holds, and of two at once the no."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select

from nurture.store.among import among
from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.models import ConsentRow
from nurture.store.plain import Statement
from nurture.tracking.switches import TRACKING

CONSENTS = table(ConsentRow)
ANSWERS = select(*(CONSENTS.c[name] for name in ("lead_id", "topic", "granted", "at")))
SAID = ANSWERS.where(among(CONSENTS.c.lead_id, "leads"))
SAID_BY_ONE = Statement(ANSWERS.where(CONSENTS.c.lead_id == bindparam("lead")))


class Answer(NamedTuple):
    """A yes or no, and when it was said."""

    granted: bool
    at: datetime

    def outweighs(self, other: "Answer") -> bool:
        """Whether this one holds: it was said later, or at the same time and is the no."""
        return (self.at, not self.granted) > (other.at, not other.granted)


async def record_consent(
    session: Session, lead_id: str, topic: str, granted: bool, source: str, now: datetime, text: str = ""
) -> None:
    """Note an answer: who said it where (`source`), and the words it was given to (`text`)."""
    session.add(ConsentRow(lead_id=lead_id, topic=topic, granted=granted, source=source, text=text, at=now))


async def current_consents(session: Session, lead_id: str) -> dict[str, bool]:
    """The lead's answer to each topic, as it holds now."""
    answers = _newest(await SAID_BY_ONE.rows(session, lead=lead_id)).get(lead_id, {})
    return {topic: answer.granted for topic, answer in answers.items()}


async def objects(session: Session, lead_id: str) -> bool:
    """Whether the lead does not want to be followed through its messages."""
    return (await current_consents(session, lead_id)).get(TRACKING) is False


def answers_of(connection: Connection, lead_ids: Collection[str]) -> dict[str, dict[str, Answer]]:
    """The answers of several leads that hold now, by lead and topic."""
    return _newest(connection.execute(SAID, {"leads": list(lead_ids)}))


def _newest(said: Iterable[Sequence[Any]]) -> dict[str, dict[str, Answer]]:
    found: dict[str, dict[str, Answer]] = {}
    for lead_id, topic, granted, at in said:
        answers = found.setdefault(lead_id, {})
        answer = Answer(granted, at)
        if topic not in answers or answer.outweighs(answers[topic]):
            answers[topic] = answer
    return found
