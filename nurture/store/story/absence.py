"""Why a lead did not get a message: where the message stands, and what kept the lead from each of those places."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from nurture.detours import Detour, detour, places_of
from nurture.errors import NotFound
from nurture.faults import did_you_mean
from nurture.journey import Journey
from nurture.roads import Place
from nurture.steps import Message
from nurture.store import campaigns
from nurture.store.database import Session
from nurture.store.models import MessageRow
from nurture.store.story.journeys import Walked, walked
from nurture.store.story.mailings import mailing_templates, missed
from nurture.store.story.parts import Story
from nurture.store.story.rows import Rows, rows_of
from nurture.telling import Told
from nurture.version import Version


@dataclass(frozen=True)
class Spot:
    """One place of the message: which step of which campaign, and what kept the lead from it; `by` is the move that did.

    A mailing has no state: its message is its only step.
    """

    campaign: str
    number: int | None
    journey: str | None
    state: str
    step: int
    sent: datetime | None
    answer: str
    by: Told | None = None


@dataclass(frozen=True)
class Absence:
    """What became of one message for a lead, place by place."""

    template: str
    spots: tuple[Spot, ...]

    @property
    def sent(self) -> bool:
        """Whether it was sent after all, somewhere."""
        return any(spot.sent for spot in self.spots)


async def why_not(session: Session, story: Story, template: str, campaign: str | None = None) -> Absence:
    """What kept the lead from the message, for the lead of that story."""
    rows = await rows_of(session, story.lead_id, campaign)
    current = await campaigns.all_current(session)
    current = {key: version for key, version in current.items() if campaign in (None, key)}
    found = [place for row in rows.journeys for place in _in_journey(rows, walked(rows, row), template)]
    been_in = {row.campaign for row in rows.journeys}
    for key, version in current.items():
        if key not in been_in:
            found += [_not_in(story, key, place) for place in places_of(version, template)]
    found += [_by_mailing(message) for message in rows.mailed if message.template == template]
    if campaign is None:
        missing = await missed(session, rows, template)
        found += [Spot(one.run.what, None, None, "", 1, None, one.why) for one in missing]
    if not found:
        _none(template, [*rows.versions.values(), *current.values()], await mailing_templates(session))
    return Absence(template, tuple(found))


def _none(template: str, versions: list[Version], mailed: Sequence[str]) -> None:
    known = {*mailed} | {
        step.template
        for version in versions
        for state in version.campaign.states
        for step in state.steps
        if isinstance(step, Message)
    }
    raise NotFound(f"no campaign and no mailing sends the message {template[:100]!r}: {did_you_mean(template, known)}")


def _in_journey(rows: Rows, one: Walked, template: str) -> Iterator[Spot]:
    for state, step in places_of(one.version, template):
        messages = [
            message
            for (journey_id, occurrence), message in rows.messages.items()
            if journey_id == one.row.id and occurrence.rsplit("/", 1)[0] == f"{state}/{step}"
        ]
        answers = [_by_ledger(one, message) for message in messages] or [_by_road(one, (state, step))]
        for sent, answer, by in answers:
            number = rows.published[one.row.version].number
            yield Spot(one.row.campaign, number, one.row.id, state, step + 1, sent, answer, by)


def _by_ledger(one: Walked, message: MessageRow) -> tuple[datetime | None, str, Told | None]:
    told = [line for line, stretch in zip(one.told, one.stretches, strict=False) if _is_of(stretch.before, message)]
    sent, answer = _ledger_says(message)
    return sent, answer, told[-1] if told and sent is None else None


def _by_mailing(message: MessageRow) -> Spot:
    return Spot(message.campaign, None, None, "", 1, *_ledger_says(message))


def _ledger_says(message: MessageRow) -> tuple[datetime | None, str]:
    if message.accepted_at is not None:
        return message.accepted_at, "it was sent"
    reason = f": {message.reason}" if message.reason else ""
    words = {"unknown": "nobody knows whether it arrived", "committing": "it is being handed over"}
    open_ones = ("planned", "claimed", "deferred")
    answer = words.get(message.status) or ("it is to be sent yet" if message.status in open_ones else "it was withheld")
    return None, f"{answer}{reason}"


def _is_of(position: Journey, message: MessageRow) -> bool:
    return position.occurrence == message.occurrence


def _by_road(one: Walked, place: Place) -> tuple[datetime | None, str, Told | None]:
    if one.row.status == "holdout":
        return None, f"the lead is {one.row.ending or 'held out of this campaign'}", None
    found = detour(one.version, one.start, one.stretches, place)
    return None, _in_words(found), found.by


def _in_words(found: Detour) -> str:
    match found.why:
        case "ahead":
            return (
                f"not yet: the way there is {' → '.join(found.way)}" if len(found.way) > 1 else "not yet: it comes next"
            )
        case "turned off":
            return "its road turned off before"
        case "not opened":
            return f"the way there opens only by {' or by '.join(found.way)}, which has not been heard"
        case "no road":
            return "no road leads there"


def _not_in(story: Story, campaign: str, place: Place) -> Spot:
    state, step = place
    refusals = [one.reason for one in story.kept_out if one.campaign == campaign]
    doors = [door for one in story.outside if one.campaign == campaign for door in one.doors]
    reason = f"kept out: {refusals[-1]}" if refusals else "; ".join(f"{door.words}: {door.answer}" for door in doors)
    return Spot(campaign, None, None, state, step + 1, None, f"it is not in this campaign ({reason})")
