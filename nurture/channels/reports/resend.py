"""Resend's webhooks, signed as Svix does, which is the Standard Webhooks scheme under other names of headers."""

from collections.abc import Iterator
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from nurture.channels.reports import Posted, Reporter, at, moment
from nurture.returns.bounces import Fault
from nurture.returns.report import Kind, Report, name_of

KINDS = {
    "email.delivered": Kind.DELIVERED,
    "email.bounced": Kind.BOUNCED,
    "email.complained": Kind.COMPLAINED,
    "email.opened": Kind.OPENED,
}
FAULTS = {"Permanent": Fault.ADDRESS, "Transient": Fault.MAILBOX}


class ResendReports(Reporter):
    """One event a request, which brings the message's tags back."""

    def fits(self, secret: str, posted: Posted, given: Any) -> bool:  # noqa: ARG002  # the bytes are signed
        """As the scheme has it; five minutes of clock difference are allowed."""
        headers = {
            f"webhook-{name}": posted.headers.get(f"svix-{name}", "") for name in ("id", "timestamp", "signature")
        }
        try:
            Webhook(secret).verify(posted.body, headers, json_parse=False)
        except (WebhookVerificationError, ValueError):
            return False
        return True

    def reports(self, given: Any) -> Iterator[Report]:
        """That event, when it says something of a message of ours."""
        kind, when, data = KINDS.get(str(at(given, "type"))), moment(at(given, "created_at")), at(given, "data")
        message, name = name_of(at(data, "tags", "nurture")), at(data, "email_id")
        if not (kind and when and message and isinstance(name, str)):
            return
        to = at(data, "to")
        address = to[0] if isinstance(to, list) and to and isinstance(to[0], str) else None
        fault = FAULTS.get(str(at(data, "bounce", "type")), Fault.UNTOLD) if kind is Kind.BOUNCED else None
        yield Report(f"{name}/{kind}/{at(given, 'created_at')}", kind, message, when, address, fault)
