"""One journey told: its moves in words, with what the ledger, the hand-offs and the reactions add; and where it stands."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from nurture.addresses import EMAIL
from nurture.conditions import Is, leaves
from nurture.facts import Facts
from nurture.fading import FINEST, Fade
from nurture.journey import STOP, AnyReply, Journey, OffTheRoad, Perform, begin, next_move
from nurture.ledger import Status
from nurture.steps import Message
from nurture.store.models import EventRow, HandOffRow, JourneyRow, MessageRow, MoveRow
from nurture.store.story.parts import JourneyStory, Standing
from nurture.store.story.rows import Rows
from nurture.telling import Kind, Seen, Stretch, Told, hears, tell_all, trigger_of, waits_for
from nurture.triggers import When
from nurture.values import in_text
from nurture.version import Version

REPLY: TypeAdapter[AnyReply] = TypeAdapter(AnyReply)
OF_OURSELVES = frozenset({"message", "campaign", "hand_off"})
KINDS: Mapping[str, Kind] = {Status.ACCEPTED: "sent", Status.UNKNOWN: "unclear", Status.COMMITTING: "unclear"}
RESTS = {"wait": "waits", "deferred": "was put off", "held": "is held: the campaign is paused"}


@dataclass(frozen=True)
class Walked:
    """A journey walked again by its recorded moves: `stretches` as far as they are of its version."""

    row: JourneyRow
    version: Version
    start: Journey
    stretches: tuple[Stretch, ...]
    told: tuple[Told, ...]


def walked(rows: Rows, row: JourneyRow) -> Walked:
    """The journey's moves, told."""
    version, start = rows.versions[row.version], begin(rows.versions[row.version], row.entered)
    moves = rows.moves.get(row.id, [])
    replies = [(REPLY.validate_python(move.reply), move.values) for move in moves]
    stretches: list[Stretch] = []
    with suppress(OffTheRoad):  # it came from another version: from there on its own words must do
        stretches.extend(tell_all(version, start, replies))
    told = [one.told for one in stretches] + [_plainly(move) for move in moves[len(stretches) :]]
    completed = (_completed(rows, version, row, move, one) for move, one in zip(moves, told, strict=True))
    return Walked(row, version, start, tuple(stretches), tuple(completed))


def _plainly(move: MoveRow) -> Told:
    return Told(move.at, move.state, "done", move.words, str(move.reply.get("note") or ""))


def journey_story(rows: Rows, one: Walked, facts: Facts) -> JourneyStory:
    """The journey's story; `facts` tell how the conditions that it listens for stand at present."""
    row, published = one.row, rows.published[one.row.version]
    return JourneyStory(
        id=row.id,
        campaign=row.campaign,
        title=one.version.campaign.title,
        number=published.number,
        hash=row.version,
        key=row.key,
        run=row.run,
        pace=row.pace,
        entered=row.entered,
        by=entered_by(row.entered_by, rows.event(row.entry_event)),
        lines=one.told,
        standing=_standing(rows, one, facts),
    )


def entered_by(by: str, event: EventRow | None) -> str:
    """What entered the lead, in words: `price list downloaded (plan pro)`, `by hand`, `a condition that came true`."""
    if event is not None:
        return happened(event)
    return {"condition": "a condition that came true", "date": "a date"}.get(by, by.removeprefix("event ")) or "by hand"


def happened(event: EventRow) -> str:
    """An event with its properties."""
    told = {name: value for name, value in event.properties.items() if name not in OF_OURSELVES}
    about = ", ".join(f"{name.replace('_', ' ')} {_short(in_text(value))}" for name, value in told.items())
    return event.name.replace("_", " ") + (f" ({about})" if about else "")


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _completed(rows: Rows, version: Version, row: JourneyRow, move: MoveRow, told: Told) -> Told:
    """The move as told, with what other tables know of it."""
    occurrence = f"{move.state}/{move.step}/{move.visit}"
    message = rows.messages.get((row.id, occurrence))
    if message is not None and told.kind in ("sent", "not sent"):
        return by_ledger(message, told, rows.reactions.get(message.id, ()))
    if told.kind == "heard":
        if move.reply["arm"] == STOP:
            return replace(told, how=row.stopped_because or "")
        event = rows.event(move.reply.get("event"))
        told = replace(told, seen=_scores_then(rows, version, move))
        return told if event is None else replace(told, notes=_heard_what(told, event))
    hand_off = rows.hand_offs.get((row.id, occurrence))
    if hand_off is not None and move.reply["kind"] == "did":
        return replace(told, notes=(*_dossier(hand_off), _with_whom(hand_off), _answer_of_sales(hand_off)))
    return told


def _scores_then(rows: Rows, version: Version, move: MoveRow) -> tuple[Seen, ...]:
    """The scores that a condition saw when it came true, added up from the points given until then."""
    trigger = trigger_of(version, move.reply["arm"])
    if not isinstance(trigger, When):
        return ()
    names = {one.path[1] for one in leaves(trigger.condition) if isinstance(one, Is) and one.path[0] == "score"}
    return tuple(Seen(f"{name} score", in_text(_score_then(rows, name, move.at))) for name in sorted(names))


def _score_then(rows: Rows, name: str, now: datetime) -> float:
    """What was left at that moment of the points given until then."""
    given = [one for one in rows.points if one.score == name and one.at <= now]
    if name not in rows.lead.fading:
        return round(sum(one.points for one in given), 6)
    half_life = rows.lead.fading[name][2]
    return round(sum(Fade(one.points, one.dated.timestamp(), half_life).left(now.timestamp()) for one in given), FINEST)


def _heard_what(told: Told, event: EventRow) -> tuple[str, ...]:
    """The event that was heard, unless the trigger says it all."""
    what = happened(event)
    return () if what == told.what or event.name.startswith("message_") else (what,)


def by_ledger(message: MessageRow, told: Told, reactions: Sequence[EventRow]) -> Told:
    """A message's end as the ledger has it, and what came of it."""
    kind = KINDS.get(message.status, "not sent")
    how = told.how or message.reason
    if kind == "sent":
        by = "" if message.channel == EMAIL else f"by {message.channel}"
        how = " ".join(filter(None, [by, f"in {message.language}" if message.language else ""]))
    if kind == "unclear":
        how = f"{message.reason or told.how}: perhaps it arrived, so it is not sent again unless a person says so"
    return replace(told, kind=kind, how=how, notes=tuple(_reactions(reactions)))


def _reactions(reactions: Sequence[EventRow]) -> list[str]:
    """What people did with a message, each kind once; and what machines did, which counts for nothing."""
    notes = []
    for name in dict.fromkeys(one.name for one in reactions if not one.machine):
        times = [one.at for one in reactions if one.name == name and not one.machine]
        often = f", {len(times)} times in all" if len(times) > 1 else ""
        notes.append(f"{name.removeprefix('message_')} {minute(times[0])}{often}")
    machines = [one for one in reactions if one.machine]
    if machines:
        verbs = " and ".join(dict.fromkeys(one.name.removeprefix("message_") for one in machines))
        notes.append(f"{verbs} by a machine {len(machines)} {'time' if len(machines) == 1 else 'times'}: not counted")
    return notes


def _dossier(hand_off: HandOffRow) -> list[str]:
    facts: list[dict[str, Any]] = hand_off.dossier.get("why", {}).get("facts", [])
    return [f"{'✓' if one['holds'] else '✗'} {one['words']} ({one['value']})" for one in facts]


def _with_whom(hand_off: HandOffRow) -> str:
    has = f"{hand_off.assigned_to or 'the lead'} of {hand_off.team} has it"
    return has if hand_off.stage == "assigned" else f"{has}, {hand_off.stage}"


def _answer_of_sales(hand_off: HandOffRow) -> str:
    if hand_off.answered_at is None:
        return "no answer from sales yet"
    because = f": {hand_off.reason}" if hand_off.reason else ""
    return f"sales {hand_off.status} it {minute(hand_off.answered_at)}{because}"


def minute(at: datetime) -> str:
    """A moment inside a sentence."""
    return f"{at:%Y-%m-%d %H:%M}"


# --- where it stands ---


def _standing(rows: Rows, one: Walked, facts: Facts) -> Standing:
    row, position = one.row, Journey.model_validate(one.row.position)
    facts = replace(facts, pace=row.pace)
    if row.status == "ended":
        return Standing(
            row.status, row.state, position.since, ending=row.ending, ended=row.ended_at, goal=row.goal_at
        )  # fmt: skip
    if row.status == "holdout":
        of_what = f"is {row.ending}" if row.ending else "is held out, to compare with"
        return Standing(row.status, row.state, position.since, why=f"{of_what}: it is sent nothing")
    rest = position.rest
    at_work, because = _at_work(rows, one, position)
    return Standing(
        status=row.status,
        state=row.state,
        since=position.since,
        why=RESTS[rest.why] if rest else "",
        until=rest.until if rest else None,
        waits_for=waits_for(one.version, position, facts),
        hears=hears(one.version, position, facts),
        at_work=at_work,
        because=because,
        goal=row.goal_at,
    )


def _at_work(rows: Rows, one: Walked, position: Journey) -> tuple[str, str]:
    """What the journey is at when it rests nowhere, and what stands in its way."""
    row, move = one.row, next_move(one.version, position)
    if row.status == "starting":
        return "is about to start", "no worker has taken it up yet"
    if position.rest is not None or not isinstance(move, Perform):
        return ("", "") if position.rest is not None else ("is on its way", "")
    message = rows.messages.get((row.id, position.occurrence)) if isinstance(move.step, Message) else None
    if message is None:
        return f"is about to {move.step.words()}", ""
    attempts = f"{message.attempts} attempts so far" if message.attempts > 1 else ""
    reason = message.reason.rpartition("; ")[2]
    return f"is about to {move.step.words()}", ", ".join(filter(None, [reason, attempts]))
