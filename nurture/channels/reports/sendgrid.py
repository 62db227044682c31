"""SendGrid's Event Webhook, signed by an elliptic key; the secret is the public key that its settings show."""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from nurture.channels.reports import Posted, Reporter, at, each, moment
from nurture.returns.bounces import Fault, fault_of
from nurture.returns.report import Kind, Report, name_of

SIGNATURE, TIMESTAMP = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"
KINDS = {
    "delivered": Kind.DELIVERED,
    "bounce": Kind.BOUNCED,
    "dropped": Kind.BOUNCED,
    "spamreport": Kind.COMPLAINED,
    "open": Kind.OPENED,
    "unsubscribe": Kind.UNSUBSCRIBED,
    "group_unsubscribe": Kind.UNSUBSCRIBED,
}
DROPPED = {"Bounced Address": Fault.ADDRESS, "Invalid": Fault.ADDRESS}


class SendGridReports(Reporter):
    """A list of events, each with the arguments that went along with its message."""

    def fits(self, secret: str, posted: Posted, given: Any) -> bool:  # noqa: ARG002  # the bytes are signed
        """The signature is of the timestamp and the body."""
        try:
            key = load_der_public_key(b64decode(secret, validate=True))
            signature = b64decode(posted.headers.get(SIGNATURE, ""), validate=True)
            if not isinstance(key, EllipticCurvePublicKey):
                return False
            key.verify(signature, posted.headers.get(TIMESTAMP, "").encode() + posted.body, ECDSA(SHA256()))
        except (ValueError, InvalidSignature):
            return False
        return True

    def reports(self, given: Any) -> Iterator[Report]:
        """Those of a kind that says something of a message of ours."""
        for one in each(given):
            kind, message, when = (
                KINDS.get(str(one.get("event"))),
                name_of(one.get("nurture")),
                moment(at(one, "timestamp")),
            )
            if kind and message and when and isinstance(one.get("sg_event_id"), str):
                fault = _fault(one) if kind is Kind.BOUNCED else None
                machine = one.get("sg_machine_open") is True
                yield Report(one["sg_event_id"], kind, message, when, one.get("email"), fault, machine)


def _fault(one: Mapping[str, Any]) -> Fault:
    if one.get("event") == "dropped":
        return DROPPED.get(str(one.get("reason")), Fault.UNTOLD)
    if one.get("type") == "blocked":
        return Fault.SENDER
    return fault_of(str(one.get("status", "")), permanent=True, otherwise=Fault.ADDRESS)
