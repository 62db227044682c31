"""Mailgun's webhooks, signed by the HTTP webhook signing key."""

import hmac
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from nurture.channels.reports import Posted, Reporter, at, moment
from nurture.returns.bounces import Fault, fault_of
from nurture.returns.report import Kind, Report, name_of

KINDS = {
    "delivered": Kind.DELIVERED,
    "failed": Kind.BOUNCED,
    "complained": Kind.COMPLAINED,
    "opened": Kind.OPENED,
    "unsubscribed": Kind.UNSUBSCRIBED,
}


class MailgunReports(Reporter):
    """One event a request; the signature lies in the body, beside the event, and is of a token that comes once."""

    def fits(self, secret: str, posted: Posted, given: Any) -> bool:  # noqa: ARG002  # the token is signed
        """The signature is of timestamp and token."""
        among = at(given, "signature")
        among = given if isinstance(among, str) else among  # a route posts a form, whose fields lie side by side
        signed = [at(among, name) for name in ("timestamp", "token", "signature")]
        if not all(isinstance(one, str) and one for one in signed):
            return False
        timestamp, token, signature = signed
        expected = hmac.new(secret.encode(), f"{timestamp}{token}".encode(), sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), signature.encode())

    def reports(self, given: Any) -> Iterator[Report]:
        """That event, when it says something of a message of ours."""
        event = at(given, "event-data")
        kind, when = KINDS.get(str(at(event, "event"))), moment(at(event, "timestamp"))
        message, name = name_of(at(event, "message", "headers", "message-id")), at(event, "id")
        if not (kind and when and message and isinstance(name, str)):
            return
        permanent = at(event, "severity") == "permanent"
        code = str(at(event, "delivery-status", "enhanced-code") or "")
        gone = Fault.ADDRESS if at(event, "reason") == "suppress-bounce" else Fault.UNTOLD
        fault = fault_of(code, permanent=permanent, otherwise=gone) if kind is Kind.BOUNCED else None
        machine = bool(at(event, "client-info", "bot"))
        yield Report(name, kind, message, when, at(event, "recipient"), fault, machine)

    def mail(self, given: Any) -> bytes | None:
        """As a route forwards it to an address that ends in `mime`."""
        raw = at(given, "body-mime")
        return raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else None
