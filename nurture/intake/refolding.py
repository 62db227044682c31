"""Scores counted anew from the events of leads, page by page: what rules give by now, whatever they gave before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select

from nurture.facts import Facts, Happening, by_name
from nurture.fading import FINEST, Fade, points_now
from nurture.profile import facts_tree
from nurture.rulebook import Rulebook
from nurture.scores import Change, Score, changes_by_profile, gifts
from nurture.store import fading
from nurture.store.among import among
from nurture.store.bulk import insert_rows, table, update_rows
from nurture.store.facts import happenings
from nurture.store.held import HeldLead
from nurture.store.models import ScoreChangeRow
from nurture.store.plain import Statement

CHANGES = table(ScoreChangeRow)
COLUMNS = ("id", "lead_id", "score", "rule", "points", "cause", "dated", "version")
GIVEN = Statement(
    select(*(CHANGES.c[name] for name in COLUMNS)).where(
        among(CHANGES.c.lead_id, "leads"), among(CHANGES.c.score, "scores")
    )
)
GONE = delete(CHANGES).where(CHANGES.c.id.in_(bindparam("ids", expanding=True)))
MOST_AT_ONCE = 500


class Given(NamedTuple):
    """A change as it is stored."""

    id: int
    lead_id: str
    score: str
    rule: str
    points: float
    cause: str
    dated: datetime
    version: str


class Difference(NamedTuple):
    """What became of a score of a lead: the rows that go, come and give otherwise, and the points before and after."""

    lead_id: str
    score: Score
    gone: Sequence[Given]
    come: Sequence[Change]
    otherwise: Mapping[int, Change]
    before: float
    after: float


def refold(
    connection: Connection, book: Rulebook, leads: Sequence[HeldLead], now: datetime, *, dry: bool = False
) -> list[Difference]:
    """Count the scores of the book for those leads anew; the rows of changes are written, the leads' own are left to save.

    Points that campaigns gave outright stay. With `dry` nothing is written.
    """
    scores = sorted(book.scores.values(), key=lambda score: book.places[score.key])
    by_lead = _given(connection, leads, scores)
    names = {name for score in scores for name in book.events(score)}
    did = happenings(connection, [lead.id for lead in leads], names)
    found = [one for lead in leads for one in _refolded(lead, scores, did.get(lead.id, []), by_lead[lead.id], now)]
    if not dry:
        _write(connection, found, now)
        fading.note(connection, fading.fades_of((lead.id, lead.fading) for lead in leads))
    return found


def _given(connection: Connection, leads: Sequence[HeldLead], scores: Iterable[Score]) -> dict[str, list[Given]]:
    found: dict[str, list[Given]] = defaultdict(list)
    ids, keys = [lead.id for lead in leads], [score.key for score in scores]
    for row in GIVEN.on(connection, leads=ids, scores=keys):
        found[row[1]].append(Given(*row))
    return found


def _refolded(
    lead: HeldLead, scores: Sequence[Score], happened: Sequence[Happening], given: Sequence[Given], now: datetime
) -> list[Difference]:
    before = points_now(lead.scores, lead.fading, now)
    named = by_name(happened)
    theirs: dict[str, list[Given]] = defaultdict(list)
    for one in given:
        theirs[one.score].append(one)
    found = []
    for score in scores:
        tree = facts_tree(lead.profile, lead.stage, points_now(lead.scores, lead.fading, now))
        facts = changes_by_profile(score, Facts(now, tree, named), {})
        difference = _difference(lead, score, gifts(score, happened), facts, theirs[score.key], now)
        if difference.come or theirs[score.key] or score.key in lead.scores:
            found.append(difference._replace(before=before.get(score.key, 0)))
    return found


def _difference(
    lead: HeldLead, score: Score, by_event: Sequence[Change], facts: Sequence[Change], given: Sequence[Given],
    now: datetime,
) -> Difference:  # fmt: skip
    outright = [one for one in given if not one.version]
    by_rule = {(one.rule, one.cause): one for one in given if one.version}
    gone: list[Given] = []
    come: list[Change] = []
    otherwise: dict[int, Change] = {}
    for change in by_event:
        there = by_rule.pop((change.rule, str(change.cause)), None)
        if there is None:
            come.append(change)
        elif (there.points, there.dated) != (change.points, change.dated):
            otherwise[there.id] = change
    standing: dict[str, list[Given]] = defaultdict(list)
    for one in by_rule.values():
        standing[one.rule].append(one)
    for fact in facts:
        if round(sum(one.points for one in standing.get(fact.rule, ())), 6) == fact.points:
            del standing[fact.rule]
        else:
            come.append(fact._replace(dated=now, cause=f"refolded/{now.isoformat()}"))
    gone += [one for rows in standing.values() if round(sum(one.points for one in rows), 6) for one in rows]
    dated = [(change.points, change.dated or now) for change in by_event]
    _stand(lead, score, [*dated, *((one.points, one.dated) for one in outright)], sum(one.points for one in facts), now)
    after = points_now(lead.scores, lead.fading, now).get(score.key, 0)
    return Difference(lead.id, score, gone, come, otherwise, 0, after)


def _stand(
    lead: HeldLead, score: Score, dated: Iterable[tuple[float, datetime]], lasting: float, now: datetime
) -> None:
    """The lead's score as all that counts makes it."""
    points = list(dated)
    lead.fading.pop(score.key, None)
    if score.half_life is None:
        total = round(sum(one for one, _ in points) + lasting, 6)
        if points or lasting or score.key in lead.scores:
            lead.scores[score.key] = total
        return
    if not points and score.key not in lead.scores:
        return
    total = sum(score.faded(one, at, now) for one, at in points)
    lead.fading[score.key] = list(Fade(total, now.timestamp(), score.half_life.total_seconds()))
    lead.scores[score.key] = round(total, FINEST)


def _write(connection: Connection, differences: Iterable[Difference], now: datetime) -> None:
    gone = [one.id for difference in differences for one in difference.gone]
    for start in range(0, len(gone), MOST_AT_ONCE):
        connection.execute(GONE, {"ids": gone[start : start + MOST_AT_ONCE]})
    otherwise = [
        {"id": id_, "points": change.points, "dated": change.dated, "version": difference.score.version}
        for difference in differences
        for id_, change in difference.otherwise.items()
    ]
    update_rows(connection, ScoreChangeRow, otherwise)
    come: list[dict[str, Any]] = [
        {
            "lead_id": difference.lead_id,
            "score": change.score,
            "rule": change.rule,
            "points": change.points,
            "cause": change.cause,
            "at": now,
            "dated": change.dated,
            "version": difference.score.version,
        }
        for difference in differences
        for change in difference.come
    ]
    insert_rows(connection, ScoreChangeRow, come)
