"""The campaigns that a lead has never been in: by what it would have entered them, and how that stands."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import col, select

from nurture.campaign import AudienceEntry, DateEntry, Entry
from nurture.conditions import field_words
from nurture.decisions import events_needed
from nurture.facts import Facts
from nurture.store.database import Session
from nurture.store.models import VersionRow
from nurture.store.story.journeys import minute
from nurture.store.story.parts import Door, Outside
from nurture.telling import Seen, standing
from nurture.triggers import On, When
from nurture.values import in_text, reader
from nurture.version import Version


def events_at_doors(versions: Mapping[str, Version]) -> frozenset[str]:
    """The names of the events that the entries depend on."""
    entries = [entry for version in versions.values() for entry in version.campaign.enters]
    return events_needed(*(entry for entry in entries if isinstance(entry, On | When)))


async def outside(session: Session, version: Version, facts: Facts) -> Outside:
    """The doors of a campaign, as they stand for the lead."""
    campaign = version.campaign
    first = select(VersionRow.published_at).where(VersionRow.campaign == campaign.key).order_by(col(VersionRow.number))
    published = (await session.exec(first.limit(1))).one()
    doors = [_door(entry, facts, published) for entry in campaign.enters]
    if not doors:
        doors = [Door("by hand, by the API or by another campaign", "nobody has done so")]
    return Outside(campaign.key, campaign.title, tuple(doors))


def _door(entry: Entry, facts: Facts, published: datetime) -> Door:
    match entry:
        case On():
            return Door(entry.words(), _came(entry, facts, published))
        case When(condition=condition):
            so = "that is so, and is about to be noticed, or was so before the campaign was published"
            answer = so if condition.test(facts) else "that is not so"
            return Door(entry.words(), answer, standing(entry, facts))
        case DateEntry(field=path):
            value = reader(path)(dict(facts.lead))
            return Door(
                entry.words(), "the date is unknown" if value is None else "it has not come", _date(path, value)
            )
        case AudienceEntry(audience=name):
            member = name in (facts.lead.get("audiences") or ())
            return Door(entry.words(), "it is on the list" if member else "it has not joined")


def _date(path: tuple[str, ...], value: object) -> tuple[Seen, ...]:
    return () if value is None else (Seen(field_words(path), in_text(value)),)


def _came(entry: On, facts: Facts, published: datetime) -> str:
    """Whether its event came; one that came before the campaign was there entered nobody."""
    came = [one for one in facts.events(entry.event.event, None) if entry.event.matches()(one)]
    others = len(facts.events(entry.event.event, None)) - len(came)
    if not came:
        return f"it happened {others} times, but otherwise" if others else "it has not happened"
    last = came[-1].heard_at
    if last < published:
        return f"it happened {minute(last)}, before the campaign was published"
    return f"it happened {minute(last)} and is about to be told"
