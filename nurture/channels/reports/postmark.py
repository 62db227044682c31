"""Postmark's webhooks; it signs nothing, so that the secret is the `user:password` of its address."""

import hmac
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from nurture.channels.reports import Posted, Reporter, at, moment
from nurture.returns.bounces import Fault
from nurture.returns.report import Kind, Report, name_of

KINDS = {
    "Delivery": (Kind.DELIVERED, "DeliveredAt"),
    "Bounce": (Kind.BOUNCED, "BouncedAt"),
    "SpamComplaint": (Kind.COMPLAINED, "BouncedAt"),
    "Open": (Kind.OPENED, "ReceivedAt"),
    "SubscriptionChange": (Kind.UNSUBSCRIBED, "ChangedAt"),
}
FAULTS = {
    "HardBounce": Fault.ADDRESS,
    "BadEmailAddress": Fault.ADDRESS,
    "SoftBounce": Fault.MAILBOX,
    "Transient": Fault.MAILBOX,
    "DnsError": Fault.MAILBOX,
    "Blocked": Fault.SENDER,
    "SpamNotification": Fault.SENDER,
    "DMARCPolicy": Fault.SENDER,
}


class PostmarkReports(Reporter):
    """One record a request, which brings the message's metadata back."""

    def fits(self, secret: str, posted: Posted, given: Any) -> bool:  # noqa: ARG002  # nothing in it is signed
        """The login of the address that it was told to call."""
        expected = b"Basic " + b64encode(secret.encode())
        return hmac.compare_digest(expected, posted.headers.get("authorization", "").encode())

    def reports(self, given: Any) -> Iterator[Report]:
        """That record, when it says something of a message of ours."""
        record = str(at(given, "RecordType"))
        kind, time = KINDS.get(record, (None, ""))
        when, message = moment(at(given, time)), name_of(at(given, "Metadata", "message"))
        if not (kind and when and message) or (
            kind is Kind.UNSUBSCRIBED
            and (given.get("SuppressSending") is not True or given.get("Origin") != "Recipient")
        ):
            return
        name = f"{record}/{given.get('ID') or given.get('MessageID')}/{given.get(time)}"
        fault = FAULTS.get(str(given.get("Type")), Fault.UNTOLD) if kind is Kind.BOUNCED else None
        yield Report(name, kind, message, when, given.get("Recipient") or given.get("Email"), fault)

    def mail(self, given: Any) -> bytes | None:
        """As its inbound webhook has it, where that is told to include the raw content."""
        raw = at(given, "RawEmail")
        return raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else None
