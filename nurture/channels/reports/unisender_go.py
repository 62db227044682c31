"""Unisender Go's webhooks: `auth` is the MD5 of the body with the API key in its place. The secret is the API key."""

import hmac
from collections.abc import Iterator
from hashlib import md5
from typing import Any

from nurture.channels.reports import Posted, Reporter, at, each, moment
from nurture.returns.bounces import Fault
from nurture.returns.report import Kind, Report, name_of

KINDS = {
    "delivered": Kind.DELIVERED,
    "hard_bounced": Kind.BOUNCED,
    "soft_bounced": Kind.BOUNCED,
    "spam": Kind.COMPLAINED,
    "opened": Kind.OPENED,
    "unsubscribed": Kind.UNSUBSCRIBED,
}
OF_THE_ADDRESS = frozenset({"err_user_unknown", "err_user_inactive", "err_domain_inactive", "err_mailbox_discarded"})
OF_THE_SENDER = frozenset({"err_spam_rejected", "err_blacklisted", "err_spam_folder", "err_spam_skipped"})


class UnisenderGoReports(Reporter):
    """Events by user, each with the metadata that went along with its message."""

    def fits(self, secret: str, posted: Posted, given: Any) -> bool:
        """The sum is theirs to choose: nothing else is signed with it, and the key makes it a secret."""
        auth = at(given, "auth")
        if not isinstance(auth, str) or len(auth) != 32 or not auth.isascii():
            return False
        whole = posted.body.replace(auth.encode(), secret.encode(), 1)
        return hmac.compare_digest(md5(whole, usedforsecurity=False).hexdigest(), auth)

    def reports(self, given: Any) -> Iterator[Report]:
        """Those of a kind that says something of a message of ours."""
        for user in each(at(given, "events_by_user")):
            for one in each(user.get("events")):
                data = one.get("event_data")
                status, message = str(at(data, "status")), name_of(at(data, "metadata", "nurture"))
                kind, when = KINDS.get(status), moment(at(data, "event_time"))
                if kind and message and when:
                    name = f"{at(data, 'job_id')}/{status}/{at(data, 'event_time')}"
                    fault = _fault(status, str(at(data, "delivery_info", "delivery_status")))
                    yield Report(name, kind, message, when, at(data, "email"), fault if kind is Kind.BOUNCED else None)


def _fault(status: str, detail: str) -> Fault:
    if status == "soft_bounced":
        return Fault.MAILBOX
    if detail in OF_THE_SENDER:
        return Fault.SENDER
    return Fault.ADDRESS if detail in OF_THE_ADDRESS else Fault.UNTOLD
