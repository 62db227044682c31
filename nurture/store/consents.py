"""What leads said to each topic (`*` for all): every answer is kept, the newest one holds, and of two at once the no."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from nurture.store.bulk import table
from nurture.store.database import Session
from nurture.store.models import ConsentRow
from nurture.store.plain import run

CONSENTS = table(ConsentRow)
SAID = select(*(CONSENTS.c[name] for name in ("lead_id", "topic", "granted", "at"))).where(
    CONSENTS.c.lead_id.in_(bindparam("leads", expanding=True))
)


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
    answers = (await run(session, answers_of, [lead_id])).get(lead_id, {})
    return {topic: answer.granted for topic, answer in answers.items()}


def answers_of(connection: Connection, lead_ids: Collection[str]) -> dict[str, dict[str, Answer]]:
    """The answers of several leads that hold now, by lead and topic."""
    found: dict[str, dict[str, Answer]] = {}
    for lead_id, topic, granted, at in connection.execute(SAID, {"leads": list(lead_ids)}):
        said = found.setdefault(lead_id, {})
        answer = Answer(granted, at)
        if topic not in said or answer.outweighs(said[topic]):
            said[topic] = answer
    return found
