"""One message through the send ledger: planned, claimed, committing, settled; see `nurture.ledger`."""

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any, Literal, NamedTuple

from activities.enclosures import enclosed
from activities.errands import Errand, Postponed, Settled, TryAgain
from activities.lead_letters import NOT_SET_UP
from activities.letters import Context, Letter
from activities.tracked import Tracked
from nurture.addresses import hash_of
from nurture.channels import Channel, Envelope
from nurture.errors import AddressRefused, Ambiguous, BadInput, MessageRefused, NotFound, ProviderUnavailable
from nurture.ledger import CERTAIN, LEASE, Found, Plan, Status, answered, may_become, recovered
from nurture.permission import Go, Later, Never
from nurture.returns.bounces import Fault, fault_of
from nurture.store import Session, plain
from nurture.store.approvals import unapproved
from nurture.store.bulk import insert_all
from nurture.store.leads import Addressee, get, held_addressee
from nurture.store.messages import BY_HAND, change, find, planned, tell_of, write
from nurture.store.models import LinkRow, MessageRow, new_id
from nurture.store.restores import in_doubt
from nurture.store.returns import CameBack, Kind, note
from nurture.templates import Rendered

PATIENCE = timedelta(seconds=11)  # a hand-over takes less than a lease, so that no lapsed claim is still at work
NO_ANSWER = "handed over, and no answer came"
CANNOT_TELL = "a backup was restored, and the provider cannot tell yet whether this was sent before"
SENT_AGAIN = "sent again, as no answer came the first time"
AT_ONCE = timedelta(seconds=1)
OUR_FAULT = timedelta(minutes=5)  # a template that breaks, or that nobody approved, is for people


class Result(NamedTuple):
    """How the hand-over went."""

    status: Status
    reason: str = ""
    provider_id: str | None = None
    fault: Fault | None = None


class MessageErrand(Errand):
    """Sends one letter, once."""

    def __init__(self, letter: Letter) -> None:
        self.letter = letter
        self.store = letter.equipment.store
        self.claim = new_id()
        self.row: MessageRow | None = None
        self.context: Context = {}
        self.tracked = Tracked(letter.equipment.links)
        self.result: Result | None = None
        self._first = False  # the first by its channel, which tells how one leaves it
        self._forgotten = False  # perhaps sent before a backup was restored
        self._began = 0.0
        self._committed_at: datetime | None = None

    async def prepare(self, session: Session, now: datetime) -> Settled | Postponed | None:
        """Plan the message or find it again, and claim it if it may go."""
        letter = self.letter
        found = await find(session, letter.journey_id, letter.occurrence, letter.run_id)
        self.row = row = found or self._planned(now)
        plan = recovered(Found(Status(row.status), row.claimed_until), now)
        if plan.act == "settled":
            return Settled(_note(row))
        if plan.act == "busy":
            raise TryAgain("another attempt holds the message", _until(plan, now))
        if plan.act == "claim":
            answer = await self._may_go(session, now, new=found is None)
        else:  # it was handed over by that channel, if it was
            answer, self.letter = None, await letter.by(session, row.channel)
        if answer is None:
            self.context = await self.letter.context(session, row)
            self.tracked = await self.letter.tracked(session, now)
            self._first = await self.letter.is_first(session, row)
        return answer

    async def _may_go(self, session: Session, now: datetime, *, new: bool) -> Settled | Postponed | None:
        """Claim the message if it may go; the ledger's row is written with what became of it."""
        row = self._row()
        if self._sent_again:  # and nowhere else: it may have arrived
            self.letter = await self.letter.by(session, row.channel)
            answer = await self.letter.permission(session, row.due_at, now)
        else:
            self.letter, answer = await self.letter.chosen(session, row.due_at, now)
        row.channel = by = self.letter.channel
        match await self._warmed(session, answer, now, last=False):
            case Later(until=until, reason=reason):
                reason = self._noted(reason)
                await self._becomes(session, Status.DEFERRED, now, new=new, channel=by, reason=reason, until=until)
                return Postponed(until, reason)
            case Never(reason=reason, status=status):
                await self._becomes(session, Status(status), now, new=new, channel=by, reason=self._noted(reason))
                return Settled(reason)
            case Go():
                self._forgotten = await in_doubt(session, self.letter.journey_id, self.letter.run_id, now)
                await self._claimed(session, now, new=new, channel=by)
        return None

    async def _warmed(
        self, session: Session, answer: Go | Later | Never, now: datetime, *, last: bool
    ) -> Go | Later | Never:
        """The answer, unless its sender is being warmed up; at the `last` look its place is taken."""
        if not isinstance(answer, Go) or self.letter.warming is None:
            return answer
        return await self.letter.warming.hold(session, self._row(), now, take=last) or answer

    def _planned(self, now: datetime) -> MessageRow:
        letter = self.letter
        return planned(
            now,
            journey_id=letter.journey_id,
            run_id=letter.run_id,
            occurrence=letter.occurrence,
            lead_id=letter.lead_id,
            campaign=letter.campaign,
            template=letter.template,
            channel=letter.channel,
            purpose=letter.purpose,
            topic=letter.topic,
            message_id=letter.message_id,
            due_at=letter.due or now,
        )

    async def _claimed(self, session: Session, now: datetime, *, new: bool = False, **values: Any) -> None:
        row = self._row()
        values |= {"claim": self.claim, "claimed_until": now + LEASE, "attempts": row.attempts + 1, "until": None}
        if not await self._becomes(session, Status.CLAIMED, now, new=new, **values):
            raise TryAgain("another attempt took the message")
        row.attempts += 1

    async def _becomes(self, session: Session, to: Status, now: datetime, *, new: bool, **values: Any) -> bool:
        """Change the ledger's row, or write a new one as it is after the change; False when another was there first."""
        row = self._row()
        if not new:
            return await change(session, row.id, to, now, **values)
        assert may_become(Status(row.status), to)  # as the statement would ask
        await write(session, row.model_copy(update={"status": to.value, **values}))
        return True

    def _row(self) -> MessageRow:
        assert self.row is not None  # prepare comes first
        return self.row

    @property
    def _channel(self) -> Channel:
        """The channel that the ledger names; the settings may have lost it since."""
        found = self.letter.equipment.channels.get(self._row().channel)
        if found is None:
            raise TryAgain(NOT_SET_UP, OUR_FAULT)
        return found

    async def run(self, now: datetime) -> Postponed | None:
        """Render it, commit to it and hand it over; or ask what became of it."""
        row = self._row()
        self._began = asyncio.get_running_loop().time()
        if Status(row.status) in (Status.COMMITTING, Status.UNKNOWN) and not await self._asked(now):
            return None
        if self._forgotten and await self._remembered(now):
            return None
        envelope = await self._envelope(now)
        match await self._refused(envelope, now):
            case Postponed() as postponed:
                return postponed
            case Never(reason=reason, status=status):
                self.result = Result(Status(status), reason)
            case None:
                await self._handed_over(envelope, now)
        return None

    async def _handed_over(self, envelope: Envelope, now: datetime) -> None:
        row = self._row()
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                receipt = await self._channel.send(envelope)
            self.result = Result(Status.ACCEPTED, provider_id=receipt.provider_id)
        except AddressRefused as error:
            refusal = f"the address was refused: {error.code or error.reply}"
            if self.letter.has_other_ways and not self._sent_again:
                await self._gives_way(refusal, now)
                raise TryAgain(refusal, AT_ONCE) from error
            self.result = Result(Status.REJECTED, refusal, fault=Fault.ADDRESS)
        except MessageRefused as error:
            self.result = Result(Status.REJECTED, str(error), fault=_not_the_address(error))
        except (Ambiguous, TimeoutError):
            await self._ambiguous(now)
        except ProviderUnavailable as error:
            attempts = row.attempts - (error.cause == "ours")  # it was held back here: nobody was asked
            full = error.cause == "message" and fault_of(error.code or "", error.reply) is Fault.MAILBOX
            await self._put_off(str(error), now, kind="put_off" if full else None, attempts=attempts)
            raise TryAgain(str(error), error.retry_after or _patience(attempts), lone=error.lone) from error

    async def _gives_way(self, refusal: str, now: datetime) -> None:
        """Nothing goes to that address any more, and the message is free for another channel."""
        row = self._row()
        assert self.letter.lead_id is not None  # only leads have several channels
        async with self.store.write() as session:
            lead_id = (await held_addressee(session, self.letter.lead_id)).lead_id
            if await change(session, row.id, Status.DEFERRED, now, held_by=self.claim, reason=refusal):
                await plain.run(session, note, [self._back("bounced", Fault.ADDRESS, lead_id, now)], now, refusal)

    async def _asked(self, now: datetime) -> bool:
        """Ask the provider about an ambiguous message; True when it is to be sent (again)."""
        row = self._row()
        accepted = await self._channel.lookup(row.message_id)
        status = answered(accepted, self._on_unknown())
        if status is Status.ACCEPTED:
            self.result = Result(status, "found at the provider after a crash")
            return False
        if status is Status.UNKNOWN:
            self.result = Result(status, self._noted(NO_ANSWER))
            return False
        again: dict[str, Any] = {} if accepted is False else {"reason": SENT_AGAIN}
        async with self.store.write() as session:
            # Of two attempts that asked, one sends: the other finds the claim it asked about gone.
            if not await change(session, row.id, Status.UNKNOWN, now, held_by=row.claim, reason=NO_ANSWER):
                raise TryAgain("another attempt took the message")
            await self._claimed(session, self._later(now), **again)
        row.reason = again.get("reason", "")
        return True

    async def _remembered(self, now: datetime) -> bool:
        """Ask the provider about a message that may have been sent before a backup was restored; True when it was."""
        row = self._row()
        sent = await self._channel.lookup(row.message_id)
        if sent is None:
            await self._put_off(CANNOT_TELL, now)
            raise TryAgain(CANNOT_TELL, _patience(row.attempts))
        if not sent:
            return False
        async with self.store.write() as session:
            if not await change(session, row.id, Status.COMMITTING, now, held_by=self.claim, committed_at=now):
                raise TryAgain("another attempt took the message")
        self.result = Result(Status.ACCEPTED, "found at the provider after a restore")
        return True

    def _on_unknown(self) -> Literal["hold", "resend"]:
        """What no answer means: of a message that was sent again once already, nothing more is risked."""
        return "hold" if self._sent_again else self.letter.on_unknown

    @property
    def _sent_again(self) -> bool:
        """Whether it may have gone out once already."""
        return self._row().reason.startswith(SENT_AGAIN)

    def _noted(self, reason: str) -> str:
        """The reason, which never hides that the message was sent again."""
        return "; ".join(filter(None, [SENT_AGAIN, reason])) if self._sent_again else reason

    def _later(self, now: datetime) -> datetime:
        """The moment it is, by a clock that began at `now`: a lease must outlast what is done under it."""
        return now + timedelta(seconds=asyncio.get_running_loop().time() - self._began)

    async def _envelope(self, now: datetime) -> Envelope:
        row, letter, equipment = self._row(), self.letter, self.letter.equipment
        sender = {"name": parseaddr(letter.sender)[0], "postal_address": equipment.settings.postal_address}
        context = self.context | {"link": self.tracked.link, "sender": sender}
        before = self._fingerprint()
        try:
            along = await enclosed(letter, now)
            if along.link:
                context |= {**along.context, "links": {**context["links"], "document": along.link}}
            rendered = equipment.templates.render(letter.template, letter.language or "", context)
        except (BadInput, NotFound) as error:
            await self._put_off(str(error), now)
            raise TryAgain(f"template {letter.template} cannot be rendered: {error}", OUR_FAULT) from error
        if letter.approval:
            await self._see_approval({before, self._fingerprint()}, now)
        return Envelope(
            key=letter.key,
            message_id=row.message_id,
            date=now,
            sender=letter.sender,
            recipient=letter.recipient or "",
            subject=rendered.subject,
            html=self.tracked.with_unseen(rendered.html, row.id),
            text=self._with_the_way_out(rendered),
            language=rendered.language,
            headers=letter.headers(context),
            attachments=along.files,
        )

    def _with_the_way_out(self, rendered: Rendered) -> str:
        """The text, and in the first message by SMS how to get no more of them."""
        if not self._first:
            return rendered.text
        words = self.letter.equipment.settings.sms_opt_out
        way_out = words.get(rendered.language[:2]) or words["en"]
        return f"{rendered.text}\n{way_out.replace('{unsubscribe}', self.context['links']['unsubscribe'])}"

    def _fingerprint(self) -> str:
        """What the template is made of, where that matters."""
        letter = self.letter
        return letter.equipment.templates.fingerprint(letter.template) if letter.approval else ""

    async def _see_approval(self, states: Collection[str], now: datetime) -> None:
        """Go on only if all that may have been rendered is approved: what it was before, and after."""
        async with self.store.read() as session:
            held = await unapproved(session, self.letter.template, states)
        if held:
            await self._put_off(held, now)
            raise TryAgain(held, OUR_FAULT)

    async def _refused(self, envelope: Envelope, now: datetime) -> Never | Postponed | None:
        """The last look before the hand-over: permission, pause and claim; None when it goes, and is committed to."""
        row = self._row()
        async with self.store.write() as session:
            # The lead is held, so that two of its journeys share its caps.
            lead_id = self.letter.lead_id
            addressee = None if lead_id is None else await held_addressee(session, lead_id)
            now = self._later(now)
            refusal = await self._refusal(session, addressee, now)
            if refusal is None:
                values: dict[str, Any] = {"language": envelope.language, "committed_at": now}
                values["claimed_until"] = now + LEASE
                if not await change(session, row.id, Status.COMMITTING, now, held_by=self.claim, **values):
                    raise TryAgain("another attempt took the message")
                self._committed_at = now
                tracked = [{"id": link, "message_id": row.id, "url": url} for link, url in self.tracked.made.items()]
                await insert_all(session, LinkRow, tracked)
                return None
            if isinstance(refusal, Never):
                return refusal
            put_off: dict[str, Any] = {"reason": self._noted(refusal.note), "until": refusal.until}
            ours = await change(session, row.id, Status.DEFERRED, now, held_by=self.claim, **put_off)
        if not ours or refusal.until <= now:
            raise TryAgain(refusal.note, AT_ONCE)
        return refusal

    async def _refusal(self, session: Session, addressee: Addressee | None, now: datetime) -> Never | Postponed | None:
        """Why it does not go after all: never, or not until then; what is not as it was a moment ago is looked at afresh."""
        if on_hold := await self.letter.on_hold(session):
            return Postponed(now, on_hold)
        if addressee is not None and (meanwhile := await self.letter.overtaken(session, addressee)):
            return Postponed(now, meanwhile)
        answer = await self.letter.permission(session, self._row().due_at, now)
        match await self._warmed(session, answer, now, last=True):
            case Never() as never:
                another = self.letter.has_other_ways and never.status != "expired"
                return Postponed(now, never.reason) if another and not self._sent_again else never
            case Later(until=until, reason=reason):
                return Postponed(until, reason)
            case Go():
                return None

    async def _ambiguous(self, now: datetime) -> None:
        """No answer came: the provider is asked, at once whether it has it, and later whether it never took it."""
        row = self._row()
        accepted = await self._channel.lookup(row.message_id)
        if accepted:
            self.result = Result(Status.ACCEPTED, "found at the provider, which had not answered")
        elif accepted is None and self._on_unknown() == "hold":
            self.result = Result(Status.UNKNOWN, self._noted(NO_ANSWER))
        else:
            async with self.store.write() as session:
                await change(session, row.id, Status.UNKNOWN, now, held_by=self.claim, reason=NO_ANSWER)
            least = timedelta(0) if accepted is None else CERTAIN
            raise TryAgain(NO_ANSWER, max(_patience(row.attempts), least))

    async def _put_off(self, reason: str, now: datetime, kind: Kind | None = None, **values: Any) -> None:
        async with self.store.write() as session:
            if kind is not None and (lead_id := self.letter.lead_id) is not None:
                lead_id = (await held_addressee(session, lead_id)).lead_id
                await plain.run(session, note, [self._back(kind, Fault.MAILBOX, lead_id, now)], now)
            changed = {"held_by": self.claim, "reason": self._noted(reason), **values}
            ours = await change(session, self._row().id, Status.DEFERRED, now, **changed)
            if ours and self._committed_at is not None and self.letter.warming is not None:
                await self.letter.warming.give_back(session, self._committed_at)

    def _back(self, kind: Kind, fault: Fault, lead_id: str, now: datetime) -> CameBack:
        """The message as one that came back."""
        row, letter = self._row(), self.letter
        address = hash_of(row.channel, letter.recipient) if letter.recipient else ""
        return CameBack(row.id, kind, lead_id, row.campaign, row.run_id, fault.value, address, now, now)

    async def record(self, session: Session, now: datetime) -> Settled:
        """Write down how it went, and what follows for the address."""
        row, letter = self._row(), self.letter
        assert self.result is not None  # run comes first
        status, reason = self.result.status, self.result.reason
        values: dict[str, Any] = {"reason": self._noted(reason), "provider_id": self.result.provider_id, "until": None}
        if status is Status.ACCEPTED:
            values["accepted_at"] = now
        if not await change(session, row.id, status, now, **values):
            raise TryAgain("the message was settled by another attempt")
        if letter.lead_id is None:
            return Settled(reason)
        lead = await get(session, letter.lead_id)  # held by the walk
        if status is Status.ACCEPTED:
            await tell_of(session, lead, "message_sent", row, now)
        if self.result.fault is not None:
            await session.flush()
            back = self._back("bounced", self.result.fault, lead.id, now)
            await plain.run(session, note, [back], now, reason)
        if self.result.fault is Fault.ADDRESS:
            await tell_of(session, lead, "message_bounced", row, now, fault=Fault.ADDRESS.value)
        return Settled("" if status is Status.ACCEPTED else reason)


def _not_the_address(error: MessageRefused) -> Fault:
    """Whose fault the refusal is: the address is not to blame, whatever the code."""
    fault = fault_of(error.code or "")
    return Fault.UNTOLD if fault is Fault.ADDRESS else fault


def _note(row: MessageRow) -> str:
    """What the journey is told of a settled message: never a person's own words."""
    if row.status == Status.ACCEPTED:
        return ""
    return "settled by hand" if row.reason.startswith(BY_HAND) else row.reason or row.status


def _until(plan: Plan, now: datetime) -> timedelta | None:
    return None if plan.wait_until is None else max(plan.wait_until - now, timedelta(seconds=1))


def _patience(attempts: int) -> timedelta:
    """Capped and growing: 1, 2, 4 … 300 seconds."""
    return timedelta(seconds=min(300, 2 ** min(attempts, 9)))
