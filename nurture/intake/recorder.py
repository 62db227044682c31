"""Many items in one transaction: whom they belong to, what they change, and what the dispatcher is to be told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from nurture.addresses import channel_of
from nurture.catalogue import Catalogue
from nurture.facts import Happening
from nurture.fields import Patch
from nurture.identity import field_of, names_one_person
from nurture.intake.arriving import RETURNED, Arriving, Guestbook
from nurture.intake.capturing import Proofs
from nurture.intake.clicking import CLICKED, Asked, Came, judged
from nurture.intake.dealings import Dealings, by_event
from nurture.intake.identities import Member, Names, resolve, save_names, told
from nurture.intake.incoming import Consent, Internal, Prepared, Result, prepared
from nurture.intake.joining import joined
from nurture.intake.refolding import refold
from nurture.intake.scoring import Item, Scorebook, Scoring, Tallies
from nurture.intake.shadows import Shadows
from nurture.profile import address_hash, patched
from nurture.rulebook import NOTHING
from nurture.scores import Change
from nurture.settings import Settings
from nurture.store import held as rows
from nurture.store.among import among
from nurture.store.bulk import insert_rows, table
from nurture.store.consents import Answer, answers_of, holding
from nurture.store.held import HeldLead
from nurture.store.merging import Merge
from nurture.store.models import ConsentRow, EventRow, OutboxRow, new_id
from nurture.store.outbox import UNCLAIMED
from nurture.store.plain import Statement
from nurture.store.score_tables import ProfileChangeRow
from nurture.tally import Crossed
from nurture.topics import ALL, TRACKING

SMALLEST = timedelta(microseconds=1)
UNSUBSCRIBED, CHANNEL_STOPPED, SCORE_REACHED = "unsubscribed", "channel_stopped", "score_reached"
EVENTS = table(EventRow)
KNOWN = Statement(select(EVENTS.c.id, EVENTS.c.lead_id).where(among(EVENTS.c.id, "given")))


@dataclass(slots=True)
class Taken:
    """An item on its way: its event, the profile as it stood then, and what it changed."""

    item: Prepared
    lead: HeldLead
    received: datetime
    event: Happening | None
    profile: dict[str, Any]
    changed: frozenset[str]
    warnings: list[str]
    new_lead: bool
    reports: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  # events of our own that follow
    merged: bool = False
    consented: list[str] = field(default_factory=list)
    stays_no: bool = False


@dataclass(slots=True)
class Books:
    """The rows that one transaction writes."""

    events: list[dict[str, Any]] = field(default_factory=list)
    consents: list[dict[str, Any]] = field(default_factory=list)
    profiles: list[dict[str, Any]] = field(default_factory=list)
    outbox: list[dict[str, Any]] = field(default_factory=list)
    scores: Scorebook = field(default_factory=Scorebook)
    proofs: Proofs = field(default_factory=Proofs)

    @property
    def changed(self) -> dict[str, set[str]]:
        """By lead, the keys under which something is announced."""
        found: dict[str, set[str]] = {}
        for row in self.outbox:
            found.setdefault(row["lead_id"], set()).update(row["body"].get("keys", ()))
        return found

    def save(self, connection: Connection) -> None:
        """Write them."""
        insert_rows(connection, EventRow, self.events)
        self.scores.save(connection)
        self.proofs.save(connection)
        insert_rows(connection, ConsentRow, self.consents)
        insert_rows(connection, ProfileChangeRow, self.profiles)
        insert_rows(connection, OutboxRow, self.outbox)


class Recorder:
    """Records what comes in, by the catalogue's rules; the caller's transaction makes it true."""

    def __init__(self, catalogue: Catalogue, settings: Settings) -> None:
        self.scoring, self.arriving = Scoring(catalogue.scores), Arriving(settings)
        self.rewards = by_event(catalogue.rewards.values())
        self.shadows = Shadows(catalogue.definitions.values())

    def record(self, connection: Connection, items: Sequence[Prepared]) -> list[Result]:
        """Record the items in their order; a duplicate has no effect, and one whose lead is unknown comes back refused."""
        news, members, names = resolve(connection, items)
        known = _known(connection, items)
        news += _clicks(connection, members)
        results = self._recorded(connection, [*news, *members], names, known)
        return [results[at] for at in range(len(news), len(news) + len(items))]

    def _recorded(
        self, connection: Connection, members: Sequence[Member], names: Names, known: dict[str, str]
    ) -> dict[int, Result]:
        """What became of each member; `known` are the ids of those that were recorded before, with their leads."""
        coming = [(member.lead.id, member.item.given) for member in members if member.lead is not None]
        books, guests = Books(), self.arriving.guestbook(connection, coming)
        dealings = Dealings(connection, members, self.rewards)
        results: dict[int, Result] = {}
        taken: dict[int, Taken] = {}
        touched: dict[str, HeldLead] = {}
        for at, member in enumerate(members):
            item, lead = member.item, member.lead
            if lead is None:
                results[at] = Result(item.id, error=member.error)
                continue
            if item.given.id is not None and item.id in known:
                results[at] = Result(item.id, known[item.id], duplicate=True)
                continue
            if (error := dealings.refusal(item, lead)) is not None:
                results[at] = Result(item.id, error=error)
                continue
            if item.given.name is not None:
                known[item.id] = lead.id
            touched[lead.id] = lead
            taken[at] = _take(member, lead, dealings)
            _arrive(taken[at], guests, books.proofs)
        now = max(member.item.now for member in members)
        if recounted := [lead for lead in touched.values() if lead.recounted]:
            refold(connection, self.scoring.book, recounted, now)
        self._score(connection, list(taken.values()), books)
        rows.save(connection, touched.values(), now)
        save_names(connection, names, unborn={one for one in names.made if one not in touched})
        dealings.save(connection)
        books.save(connection)
        guests.save(connection)
        self.shadows.look(connection, touched, books.changed)
        return results | {at: _result(one) for at, one in taken.items()}

    def merge(self, connection: Connection, kept: HeldLead, gone: HeldLead, by: str, now: datetime) -> Merge:
        """Make the two held leads one, with all that follows from it: consents, scores, thresholds, what is announced."""
        merge = joined(connection, kept, gone, by, now)
        member = Member(told(merge, now), kept, brought=merge.changed)
        self._recorded(connection, [member], Names({}, {}), {})
        return merge

    def record_own(self, connection: Connection, internal: Internal, now: datetime) -> Result:
        """Record one thing that we ourselves report, in the caller's transaction; a fault in it is raised."""
        (result,) = self.record(connection, [prepared(internal, now)])
        if result.error is not None:
            raise result.error
        return result

    def _score(self, connection: Connection, taken: Sequence[Taken], books: Books) -> None:
        items = [self._item(one) for one in taken]
        leaving = [self._leaving(one, item) for one, item in zip(taken, items, strict=True)]
        tallies = self.scoring.tallies(connection, [*items, *leaving])
        consents = _consents(connection, taken)
        for one, item, leaves in zip(taken, items, leaving, strict=True):
            lead = one.lead
            latest, lead.profile = lead.profile, one.profile  # rules see the profile as it stood after this item
            scored = books.scores.take(item, tallies, one.item.id, one.received, _points(one))
            refused = _answer(one, consents.setdefault(lead.id, {}), books)
            _tell(one, [*sorted(one.changed), *scored.keys], books)
            for name, about in one.reports:
                _report(one, name, about, books)
            reached = [*scored.reached]
            for topic in refused:
                if (channel := channel_of(topic)) is not None:
                    _report(one, CHANNEL_STOPPED, {"channel": channel}, books)
                else:
                    reached += _leave(one, topic, leaves, tallies, books)
            lead.profile = latest
            for crossed in (one for one in reached if not self.scoring.book.scores[one.score].shadow):
                facts = {"score": crossed.score, "threshold": crossed.threshold.key, "points": crossed.points}
                _report(one, SCORE_REACHED, facts, books)
            if isinstance(one.item.given, Internal) and one.item.given.enrol is not None:
                body = {**one.item.given.enrol.model_dump(), "order": one.item.id}
                books.outbox.append(_order(one, "enrol", body))
            if one.changed:
                books.profiles.append(_became(one))

    def _item(self, one: Taken) -> Item:
        event, given = _human(one), _points(one)
        if one.merged:
            return Item(one.lead, event, self.scoring.book.ask_all())
        name = event.name if event is not None else None
        return Item(one.lead, event, self.scoring.book.ask(name, one.changed, new_lead=one.new_lead, given=given))

    def _leaving(self, one: Taken, item: Item) -> Item:
        """What it may move when the item says no to something, which makes an event of its own."""
        leaves = any(not said.granted for said in one.item.consents.values()) and not one.item.given.machine
        return item._replace(ask=self.scoring.book.ask(UNSUBSCRIBED) if leaves else NOTHING)


def _known(connection: Connection, items: Sequence[Prepared]) -> dict[str, str]:
    """The items recorded before, by id, with their leads; asked after the leads are held, so that no other is at it."""
    ids = [item.id for item in items if item.given.id is not None]
    if not ids:
        return {}
    return {row[0]: row[1] for row in KNOWN.on(connection, given=ids)}


def _clicks(connection: Connection, members: Sequence[Member]) -> list[Member]:
    """What comes of the verdicts on the clicks that members have looked at: the events, and news of whom one is taken from."""
    looks = [(one, one.lead, one.item.given) for one in members if one.lead is not None]
    asked = {
        member.item.id: (Asked(member.item.id, lead.id, member.item.now, given.clicks), lead)
        for member, lead, given in looks
        if isinstance(given, Internal) and given.clicks is not None
    }
    found = judged(connection, [one for one, _ in asked.values()])
    leads = {lead.id: (lead, one.now) for one, lead in asked.values()}
    news = []
    for lead_id in sorted(found.turned):
        lead, now = leads[lead_id]
        lead.recounted = True
        news.append(Member(_news(lead, now), lead, brought=frozenset({f"event.{CLICKED}"})))
    return news + [Member(_click(one, leads[one.lead_id][1]), leads[one.lead_id][0]) for one in found.came]


def _news(lead: HeldLead, now: datetime) -> Prepared:
    return prepared(Internal(lead={"id": lead.id}, source="link"), now)


def _click(came: Came, now: datetime) -> Prepared:
    about = {"properties": came.about, "source": "link", "machine": came.machine, "at": came.at}
    return prepared(
        Internal.model_validate({"id": came.id, "name": CLICKED, "lead": {"id": came.lead_id}, **about}), now
    )


def _consents(connection: Connection, taken: Sequence[Taken]) -> dict[str, dict[str, Answer]]:
    leads = {one.lead.id for one in taken if one.item.consents}
    return answers_of(connection, leads, max(one.item.now for one in taken)) if leads else {}


def _take(member: Member, lead: HeldLead, dealings: Dealings) -> Taken:
    item, given = member.item, member.item.given
    new_lead = lead.is_new and lead.last_received is None
    received = _receive(lead, item.now)
    warnings = [*item.patch.warnings]
    patch = item.patch
    if "email" in member.not_theirs:
        patch = Patch(tuple(said for said in patch.says if said[0] != "email"))
    warnings += [
        f"lead.{field_of(kind)}: belongs to another lead and was left there; merge the two"
        for kind in sorted(member.not_theirs)
        if names_one_person(kind)
    ]
    changed = member.brought or frozenset()
    if patch.says:
        spoken = received if given.at is None else min(given.at, received)
        after = patched(lead.profile, patch, lead.written, spoken.timestamp())
        changed = after.changed
        warnings += [f"lead.{path}: there is no room for more" for path in after.no_room]
        lead.profile_changed |= after.written != lead.written or bool(after.changed)
        lead.profile, lead.written = after.profile, after.written
    if item.test is not None and item.test != lead.test:
        lead.test, lead.profile_changed = item.test, True
    dealt = dealings.take(item, lead, received, new_lead=new_lead)
    event = None
    if given.name is not None and given.name != UNSUBSCRIBED:  # that one follows from the consents
        properties = {**given.properties, **dealt.properties}
        event = Happening(given.name, given.at or received, properties, item.id, received)
    return Taken(
        item, lead, received, event, lead.profile, changed | dealt.changed, warnings, new_lead, dealt.reports,
        merged=member.brought is not None,
    )  # fmt: skip


def _arrive(one: Taken, guests: Guestbook, proofs: Proofs) -> None:
    """Note how the lead came, and what a form made of it."""
    given, lead = one.item.given, one.lead
    at = one.received if given.at is None else given.at
    news = guests.take(lead, given, one.event.id if one.event is not None else None, at)
    one.changed |= news.changed
    if news.returned is not None:
        one.reports.append((RETURNED, news.returned))
    captured = given.captured if isinstance(given, Internal) else None
    if captured is not None:
        proofs.take(lead, captured, one.received)
    one.profile = lead.profile


def _receive(lead: HeldLead, now: datetime) -> datetime:
    """The time of receipt of the lead's next event, later than any before."""
    last = lead.last_received
    lead.last_received = now if last is None or now > last else last + SMALLEST
    return lead.last_received


def _points(one: Taken) -> tuple[Change, ...]:
    return one.item.given.points if isinstance(one.item.given, Internal) else ()


def _human(one: Taken) -> Happening | None:
    return None if one.item.given.machine else one.event


def _leave(one: Taken, topic: str, leaves: Item, tallies: Tallies, books: Books) -> Sequence[Crossed]:
    """The lead leaves a topic: the event, the points that it takes, and the thresholds that it makes the score reach."""
    given = one.item.given.properties if one.item.given.name == UNSUBSCRIBED else {}
    event = _report(one, UNSUBSCRIBED, {**given, "topic": topic}, books)
    scored = books.scores.take(leaves._replace(event=event), tallies, event.id, event.heard_at)
    books.outbox[-1]["body"]["keys"] += scored.keys
    return scored.reached


def _became(one: Taken) -> dict[str, Any]:
    """What the parts of the profile became that the item changed."""
    groups = sorted(key.removeprefix("lead.") for key in one.changed if key.startswith("lead."))
    became = {group: one.profile.get(group) for group in groups}
    return {"lead_id": one.lead.id, "received": one.received, "became": became}


def _answer(one: Taken, held: dict[str, Answer], books: Books) -> list[str]:
    """Note the item's consents; the topics that are newly refused by them."""
    at = one.received if one.item.given.at is None else min(one.item.given.at, one.received)
    email = one.lead.profile.get("email")
    refused = []
    for topic, said in one.item.consents.items():
        before, now = held.get(topic), Answer(said.granted, at, said.expires if said.granted else None)
        if _is_not_theirs(one, topic, said, held.get(topic, held.get(ALL))):
            continue
        ends = topic == ALL and not said.granted and any(answer.granted for answer in held.values())
        if before is not None and before.says_as_much(now) and not ends and not one.merged:  # by a merge it is news
            continue
        row = {"lead_id": one.lead.id, "topic": topic, "granted": said.granted, "text": said.text, "at": at}
        of_whom = {"address_hash": address_hash(email) if email else "", "expires_at": now.expires_at}
        books.consents.append({**row, **of_whom, "source": one.item.given.source})
        one.consented.append(topic)
        if before is None or one.merged or now.outweighs(before):
            held[topic] = now
            held.update(holding(held))
            if not said.granted and topic != TRACKING:
                refused.append(topic)
    return refused


def _is_not_theirs(one: Taken, topic: str, said: Consent, before: Answer | None) -> bool:
    """Whether the answer is left out, since somebody else speaks for a lead that has spoken: above all over its no."""
    if before is None or one.merged or not (one.item.unsaid_only or (said.granted and not said.text)):
        return False
    if not before.granted:
        one.stays_no = True
        if not one.item.unsaid_only:
            one.warnings.append(
                f"consents.{topic}: was refused before: give the words that the lead said yes to (text)"
            )
    return one.item.unsaid_only or not before.granted


def _tell(one: Taken, keys: list[str], books: Books) -> None:
    """Write the item's event, and tell the dispatcher what changed."""
    event = one.event
    if event is not None:
        books.events.append(_event_row(one, event))
        if not one.item.given.machine:
            keys = [f"event.{event.name}", *keys]
    if keys:
        about = {"event": event.id, "name": event.name} if event is not None else {"event": None, "name": None}
        books.outbox.append(_order(one, "event", {**about, "keys": keys}))


def _report(one: Taken, name: str, properties: dict[str, Any], books: Books) -> Happening:
    """An event of our own that follows from the item."""
    received = _receive(one.lead, one.item.now)
    event = Happening(name, received, properties, new_id(), received)
    books.events.append({**_event_row(one, event), "source": "nurture", "machine": False})
    books.outbox.append(_order(one, "event", {"event": event.id, "name": name, "keys": [f"event.{name}"]}))
    return event


def _event_row(one: Taken, event: Happening) -> dict[str, Any]:
    return {
        "id": event.id,
        "lead_id": one.lead.id,
        "name": event.name,
        "properties": event.properties,
        "at": event.at,
        "received": event.received,
        "source": one.item.given.source,
        "machine": one.item.given.machine,
    }


def _order(one: Taken, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "lead_id": one.lead.id,
        "kind": kind,
        "body": body,
        "due_at": one.item.now,
        "created_at": one.item.now,
        **UNCLAIMED,
    }


def _result(one: Taken) -> Result:
    return Result(
        one.item.id,
        one.lead.id,
        new_lead=one.new_lead,
        changed=tuple(sorted(one.changed)),
        warnings=tuple(one.warnings),
        consented=tuple(one.consented),
        stays_no=one.stays_no,
    )
