"""Who is who: which lead each item of a transaction belongs to, made when nobody answers to its keys.

The strongest known key decides: our own id, then an external id, an e-mail address, a messenger's id, a phone number, a
cookie. The last two are shared by people (an office, a browser), so they alone never join two people of different
addresses. A cookie follows the person who used it last; what an anonymous visitor did goes to the person it turns out to
be. Any other key that belongs to somebody else stays there, with a warning: merging is for people to decide. By one that
belonged to an erased lead nobody comes in, but with a consent of their own.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from nurture.errors import NotFound, NurtureError, Refused, Unavailable
from nurture.identity import Key, field_of, names_one_person
from nurture.intake.incoming import Consent, Internal, Prepared, prepared
from nurture.intake.joining import joined
from nurture.store import erasure, merges
from nurture.store import held as rows
from nurture.store.held import HeldLead
from nurture.store.merging import Merge
from nurture.store.models import new_id

TURNED_OUT = "a visitor turned out to be this lead"


class Raced(Unavailable):
    """Somebody else changed who is who while this transaction looked; looking again helps."""


@dataclass(slots=True)
class Member:
    """An item and the lead it belongs to, or the error."""

    item: Prepared
    lead: HeldLead | None = None
    error: NurtureError | None = None
    not_theirs: set[str] = field(default_factory=set)
    brought: frozenset[str] | None = None
    """What a merge changed, by the keys under which it is announced, where the item tells of one."""


class Names:
    """The keys in play in one transaction: whose they are, and what changes about them."""

    def __init__(self, known: dict[Key, str], kinds: dict[str, set[str]]) -> None:
        self.known = known
        self.kinds = kinds
        self.made: set[str] = set()
        self.added: dict[Key, str] = {}
        self.moved: dict[Key, str] = {}
        self.turned_out: dict[str, str] = {}

    def lead_of(self, item: Prepared) -> str:
        """The lead the item belongs to; its new keys are noted."""
        found = item.lead_id or self._by_strong(item) or self._by_weak(item)
        if found is None:
            found = new_id()
            self.made.add(found)
            self.kinds[found] = set()
        for key in item.keys:
            self._note(key, found)
        return found

    def final(self, lead_id: str) -> str:
        """The lead that it turned out to be."""
        while lead_id in self.turned_out:
            lead_id = self.turned_out[lead_id]
        return lead_id

    def _owner(self, key: Key) -> str | None:
        owner = self.known.get(key)
        return None if owner is None else self.final(owner)

    def _by_strong(self, item: Prepared) -> str | None:
        return next((owner for key in item.keys if names_one_person(key[0]) and (owner := self._owner(key))), None)

    def _by_weak(self, item: Prepared) -> str | None:
        strong = [kind for kind, _ in item.keys if names_one_person(kind)]
        for key in item.keys:
            owner = None if names_one_person(key[0]) else self._owner(key)
            if owner is not None and not any(kind in self.kinds[owner] for kind in strong):
                return owner
        return None

    def _note(self, key: Key, lead_id: str) -> None:
        owner = self._owner(key)
        if owner == lead_id:
            return
        if owner is None:
            self.added[key] = self.known[key] = lead_id
            self.kinds.setdefault(lead_id, set()).add(key[0])
        elif key[0] == "cookie":
            if self.kinds.get(owner) == {"cookie"}:
                self.turned_out[owner] = lead_id
            if key in self.added:
                self.added[key] = lead_id
            else:
                self.moved[key] = lead_id
            self.known[key] = lead_id


class Resolved(NamedTuple):
    """The members in the order of the items, their leads held, and before them news of what they were merged with."""

    news: list[Member]
    members: list[Member]
    names: Names


def resolve(connection: Connection, items: Sequence[Prepared]) -> Resolved:
    """Whom the items belong to; keys are written by `save_names`, after the leads."""
    known = rows.by_keys(connection, {key for item in items for key in item.keys})
    there = _existing(connection, items)
    weak = any(not names_one_person(kind) for item in items for kind, _ in item.keys)
    barred = _barred(connection, items, known)
    names = Names(known, rows.kinds_of(connection, there | set(known.values())) if weak else {})
    ids = [
        None if (item.lead_id and item.lead_id not in there) or at in barred else names.lead_of(item)
        for at, item in enumerate(items)
    ]
    wanted = {one for one in (*ids, *names.turned_out) if one is not None and one not in names.made}
    held = rows.held(connection, wanted | {names.final(one) for one in wanted} - names.made)
    if wanted - held.keys():
        raise Raced("a lead was merged into another at this very moment: try again")
    for made in names.made:
        held[made] = HeldLead(made, is_new=True)
    news = _absorb(connection, names, held, items[0].now)
    members = [
        Member(item, error=barred[at]) if at in barred else _member(item, ids[at], names, held)
        for at, item in enumerate(items)
    ]
    return Resolved(news, members, names)


def _existing(connection: Connection, items: Sequence[Prepared]) -> set[str]:
    """The ids of leads that items give and that there are; an item that names a lead by an old id is given the new one."""
    given = {item.lead_id for item in items if item.lead_id is not None}
    there = rows.existing(connection, given)
    now_are = merges.stand_for(connection, given - there)
    for item in items if now_are else ():
        item.lead_id = now_are.get(item.lead_id or "", item.lead_id)
    return there | set(now_are.values())


def _barred(connection: Connection, items: Sequence[Prepared], known: Mapping[Key, str]) -> dict[int, Refused]:
    """The items that name an erased lead, by their place; who says yes to something themselves is welcome back."""
    erased = erasure.erased(connection, {key for item in items for key in item.keys if key not in known})
    barred: dict[int, Refused] = {}
    back: set[Key] = set()
    for at, item in enumerate(items) if erased else ():
        theirs = erased.intersection(item.keys) - back
        says_yes = not item.unsaid_only and any(said.granted and said.text for said in item.consents.values())
        if theirs and not says_yes:
            kind = next(kind for kind, _ in reversed(item.keys) if any(kind == one for one, _ in theirs))
            barred[at] = Refused(
                f"lead.{field_of(kind)}: was erased: it comes in again only with its owner's own yes, and the words of that"
            )
        else:
            back |= theirs
    erasure.welcome_back(connection, back)
    return barred


def _member(item: Prepared, lead_id: str | None, names: Names, held: dict[str, HeldLead]) -> Member:
    if lead_id is None:
        return Member(item, error=NotFound(f"lead.id: there is no lead {(item.lead_id or '')[:64]!r}"))
    lead = held[names.final(lead_id)]
    return Member(item, lead, not_theirs={key[0] for key in item.keys if names.final(names.known[key]) != lead.id})


def _absorb(connection: Connection, names: Names, held: dict[str, HeldLead], now: datetime) -> list[Member]:
    """Give what anonymous visitors did to the leads that they turned out to be."""
    news = []
    for anonymous in names.turned_out:
        lead = held[names.final(anonymous)]
        if anonymous not in names.made:  # nothing of it is written yet
            rows.settle(connection, lead, now)
            merge = joined(connection, lead, held[anonymous], by=TURNED_OUT, now=now)
            news.append(Member(told(merge, now), lead, brought=merge.changed))
    return news


def told(merge: Merge, now: datetime) -> Prepared:
    """A merge as news of the lead that was kept: it refuses what the other refused."""
    consents = {topic: Consent(granted=False) for topic in merge.refused}
    item = Internal(id=f"merge/{merge.gone}", lead={"id": merge.kept}, consents=dict(consents), source="merge")
    return prepared(item, now)


def save_names(connection: Connection, names: Names, unborn: Collection[str]) -> None:
    """Write the keys that are new or stand for another lead now; `unborn` leads were not made after all."""
    added = [(key, names.final(lead_id)) for key, lead_id in names.added.items()]
    moved = [(key, names.final(lead_id)) for key, lead_id in names.moved.items()]
    rows.name_them(connection, [one for one in added if one[1] not in unborn])
    rows.rename(connection, [one for one in moved if one[1] not in unborn])
