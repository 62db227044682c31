"""Twilio's webhooks: what becomes of an SMS, and what is answered to it; signed by the auth token."""

import hmac
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime

from nurture.channels.heard import Act, Answered, Form, Hearer, Said, act_of, form_in, legible
from nurture.channels.reports import Posted
from nurture.returns.bounces import Fault
from nurture.returns.report import Kind, Report, name_of

KINDS = {"delivered": Kind.DELIVERED, "undelivered": Kind.BOUNCED, "failed": Kind.BOUNCED}
FAULTS = {
    "21211": Fault.ADDRESS,
    "21610": Fault.ADDRESS,
    "21614": Fault.ADDRESS,
    "30005": Fault.ADDRESS,  # no such number
    "30006": Fault.ADDRESS,  # a land line
    "30003": Fault.MAILBOX,  # switched off
    "30007": Fault.SENDER,  # filtered
}
OPTED = {"STOP": Act.STOPS, "START": Act.STARTS}


class TwilioHearer(Hearer):
    """A form a request; the signature is of the address and all fields in order."""

    def read(self, posted: Posted) -> Form:
        """The form."""
        return form_in(posted)

    def fits(self, secret: str, posted: Posted, given: Form) -> bool:
        """HMAC-SHA1, as Twilio has it: no other is offered."""
        signed = posted.url + "".join(f"{name}{value}" for name, value in sorted(given.fields.items()))
        expected = b64encode(hmac.new(secret.encode(), signed.encode("utf-8", "surrogatepass"), "sha1").digest())
        return hmac.compare_digest(expected, posted.headers.get("x-twilio-signature", "").encode())

    def reports(self, given: Form) -> Iterator[Report]:
        """The status of one message, which tells no time: it is that of its coming."""
        fields = given.fields
        status, message = fields.get("MessageStatus", ""), name_of(given.query.get("message"))
        kind, sid = KINDS.get(status), fields.get("MessageSid")
        if not (kind and message and sid):
            return
        fault = FAULTS.get(fields.get("ErrorCode", ""), Fault.UNTOLD) if kind is Kind.BOUNCED else None
        yield Report(f"{sid}/{status}", kind, message, datetime.now(UTC), fields.get("To"), fault)

    def said(self, given: Form) -> Said | None:
        """An SMS to us; where Twilio keeps the list of who left itself, it says so."""
        fields = given.fields
        if "Body" not in fields or not fields.get("From") or not fields.get("MessageSid"):
            return None
        act = OPTED.get(fields.get("OptOutType", "")) or act_of(fields["Body"])
        return Said(fields["MessageSid"], "sms", fields["From"], act, text=legible(fields["Body"]))

    def answer(self, given: Form, words: str) -> Answered:  # noqa: ARG002  # every word would cost an SMS
        """Nothing more is to be done."""
        return Answered("<Response/>", "text/xml")
