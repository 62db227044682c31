"""SMSC's webhooks: what becomes of an SMS, and what is answered to it; signed with a word agreed on."""

import hmac
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha1

from nurture.channels.heard import Answered, Form, Hearer, Said, act_of, form_in, legible
from nurture.channels.reports import Posted
from nurture.returns.bounces import Fault
from nurture.returns.report import Kind, Report, name_of

DELIVERED = {"1", "2"}  # delivered, read
FAULTS = {
    "3": Fault.MAILBOX,  # switched off for too long
    "20": Fault.UNTOLD,
    "22": Fault.ADDRESS,  # no such number
    "23": Fault.SENDER,
    "24": Fault.SENDER,
    "25": Fault.MAILBOX,
}
OF_A_STATUS, OF_A_TEXT = ("id", "phone", "status"), ("phone", "mes", "to")


class SmscHearer(Hearer):
    """A form a request; its `sha1` is of some of the fields and the word, with colons between."""

    def read(self, posted: Posted) -> Form:
        """The form."""
        return form_in(posted)

    def fits(self, secret: str, posted: Posted, given: Form) -> bool:  # noqa: ARG002  # fields are signed
        """The signature of a text, or of a status."""
        names = OF_A_TEXT if "mes" in given.fields else OF_A_STATUS
        signed = ":".join([*(given.fields.get(name, "") for name in names), secret])
        expected = sha1(signed.encode("utf-8", "surrogatepass")).hexdigest()  # noqa: S324  # theirs
        return hmac.compare_digest(expected.encode(), given.fields.get("sha1", "").lower().encode())

    def reports(self, given: Form) -> Iterator[Report]:
        """The status of one message, under the id that we gave it."""
        fields = given.fields
        status, message, phone = fields.get("status", ""), name_of(fields.get("id")), fields.get("phone", "")
        if message is None or "mes" in fields or (status not in DELIVERED and status not in FAULTS):
            return
        kind = Kind.DELIVERED if status in DELIVERED else Kind.BOUNCED
        address = f"+{phone.removeprefix('+')}" if phone else None
        yield Report(f"{message}/{status}", kind, message, datetime.now(UTC), address, FAULTS.get(status))

    def said(self, given: Form) -> Said | None:
        """An SMS to us."""
        fields = given.fields
        phone, name = fields.get("phone", ""), fields.get("id") or fields.get("smsid")
        if "mes" not in fields or not phone or not name:
            return None
        text = legible(fields["mes"])
        return Said(name, "sms", f"+{phone.removeprefix('+')}", act_of(text), text=text)

    def answer(self, given: Form, words: str) -> Answered:  # noqa: ARG002  # every word would cost an SMS
        """Taken."""
        return Answered("OK", "text/plain")
