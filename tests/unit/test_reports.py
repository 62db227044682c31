"""What each provider reports, as it documents it: one thing said is one report, whoever says it."""

import hmac
import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import md5, sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr
from standardwebhooks import Webhook

from nurture.channels.reports import Posted
from nurture.channels.reports.names import REPORTERS
from nurture.returns.bounces import Fault
from nurture.returns.report import Kind, Report
from tests import amazon

NOW = datetime.now(UTC).replace(microsecond=0)
NAME = "0123456789abcdef0123456789abcdef"
SECONDS = int(NOW.timestamp())
ISO = NOW.isoformat()
EC_KEY = generate_private_key(SECP256R1())
EC_PUBLIC = b64encode(EC_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
SVIX = "whsec_" + b64encode(b"0123456789abcdef01234567").decode()


@dataclass
class Said:
    """How a provider proves that a body is its own: what the secret is, and what it sends along."""

    secret: str
    sign: Callable[[Any], Posted]


def _sendgrid(given: Any) -> Posted:
    body, stamp = json.dumps(given).encode(), str(SECONDS)
    signature = b64encode(EC_KEY.sign(stamp.encode() + body, ECDSA(SHA256()))).decode()
    names = "x-twilio-email-event-webhook-"
    return Posted({f"{names}signature": signature, f"{names}timestamp": stamp}, body)


def _mailgun(given: Any) -> Posted:
    signature = hmac.new(b"signing-key", f"{SECONDS}token".encode(), sha256).hexdigest()
    signed = {"timestamp": str(SECONDS), "token": "token", "signature": signature}
    return Posted({}, json.dumps({"signature": signed, **given}).encode())


def _postmark(given: Any) -> Posted:
    login = b64encode(b"hook:password").decode()
    return Posted({"authorization": f"Basic {login}"}, json.dumps(given).encode())


def _resend(given: Any) -> Posted:
    body = json.dumps(given)
    signature = Webhook(SVIX).sign("msg_1", NOW, body)
    headers = {"svix-id": "msg_1", "svix-timestamp": str(SECONDS), "svix-signature": signature}
    return Posted(headers, body.encode())


def _unisender(given: Any) -> Posted:
    keyed = json.dumps({"auth": "api-key", **given})
    auth = md5(keyed.encode(), usedforsecurity=False).hexdigest()
    return Posted({}, keyed.replace("api-key", auth, 1).encode())


def _amazon(given: Any) -> Posted:
    return Posted({}, json.dumps(given).encode(), looked_up=amazon.certificate())


SAID = {
    "amazon_ses": Said(amazon.TOPIC, _amazon),
    "mailgun": Said("signing-key", _mailgun),
    "postmark": Said("hook:password", _postmark),
    "resend": Said(SVIX, _resend),
    "sendgrid": Said(EC_PUBLIC, _sendgrid),
    "unisender_go": Said("api-key", _unisender),
}


def sendgrid(event: str, **more: Any) -> Any:
    return [{"event": event, "sg_event_id": "e1", "timestamp": SECONDS, "nurture": NAME, "email": "a@b.org", **more}]


def mailgun(event: str, **more: Any) -> Any:
    message = {"headers": {"message-id": f"{NAME}@example.org"}}
    return {"event-data": {"event": event, "id": "e1", "timestamp": SECONDS, "message": message,
                           "recipient": "a@b.org", **more}}  # fmt: skip


def postmark(record: str, time: str, **more: Any) -> Any:
    return {"RecordType": record, time: ISO, "MessageID": "m1", "Metadata": {"message": NAME}, "Recipient": "a@b.org",
            **more}  # fmt: skip


def resend(kind: str, **more: Any) -> Any:
    return {"type": kind, "created_at": ISO,
            "data": {"email_id": "m1", "to": ["a@b.org"], "tags": {"nurture": NAME}, **more}}  # fmt: skip


def unisender(status: str, **more: Any) -> Any:
    data = {"job_id": "j1", "metadata": {"nurture": NAME}, "email": "a@b.org", "status": status,
            "event_time": f"{NOW:%Y-%m-%d %H:%M:%S}", **more}  # fmt: skip
    return {"events_by_user": [{"user_id": 1, "events": [{"event_name": "x", "event_data": data}]}]}


DELIVERED, BOUNCED, COMPLAINED, OPENED, LEFT = (
    Kind.DELIVERED,
    Kind.BOUNCED,
    Kind.COMPLAINED,
    Kind.OPENED,
    Kind.UNSUBSCRIBED,
)


def bounce(detail: str) -> dict[str, Any]:
    return {"delivery_info": {"delivery_status": detail}}


def failed(severity: str, code: str, **more: Any) -> dict[str, Any]:
    return {"severity": severity, "delivery-status": {"enhanced-code": code}, **more}


@pytest.mark.parametrize(
    ("provider", "given", "kind", "fault"),
    [
        ("sendgrid", sendgrid("delivered"), DELIVERED, None),
        ("sendgrid", sendgrid("bounce", type="bounce", status="5.1.1"), BOUNCED, Fault.ADDRESS),
        ("sendgrid", sendgrid("bounce", type="bounce", status="5.2.2"), BOUNCED, Fault.MAILBOX),
        ("sendgrid", sendgrid("bounce", type="bounce", status="5.7.1"), BOUNCED, Fault.SENDER),
        ("sendgrid", sendgrid("bounce", type="blocked", status="5.1.1"), BOUNCED, Fault.SENDER),
        ("sendgrid", sendgrid("dropped", reason="Bounced Address"), BOUNCED, Fault.ADDRESS),
        ("sendgrid", sendgrid("dropped", reason="Spam Content"), BOUNCED, Fault.UNTOLD),
        ("sendgrid", sendgrid("spamreport"), COMPLAINED, None),
        ("sendgrid", sendgrid("group_unsubscribe"), LEFT, None),
        ("mailgun", mailgun("delivered"), DELIVERED, None),
        ("mailgun", mailgun("failed", **failed("permanent", "5.1.1")), BOUNCED, Fault.ADDRESS),
        ("mailgun", mailgun("failed", **failed("temporary", "5.1.1")), BOUNCED, Fault.MAILBOX),
        ("mailgun", mailgun("failed", **failed("permanent", "5.7.26")), BOUNCED, Fault.SENDER),
        ("mailgun", mailgun("failed", **failed("permanent", "", reason="suppress-bounce")), BOUNCED, Fault.ADDRESS),
        ("mailgun", mailgun("failed", **failed("permanent", "5.0.0")), BOUNCED, Fault.UNTOLD),
        ("mailgun", mailgun("complained"), COMPLAINED, None),
        ("mailgun", mailgun("unsubscribed"), LEFT, None),
        ("postmark", postmark("Delivery", "DeliveredAt"), DELIVERED, None),
        ("postmark", postmark("Bounce", "BouncedAt", Type="HardBounce", ID=7), BOUNCED, Fault.ADDRESS),
        ("postmark", postmark("Bounce", "BouncedAt", Type="Transient", ID=7), BOUNCED, Fault.MAILBOX),
        ("postmark", postmark("Bounce", "BouncedAt", Type="SpamNotification", ID=7), BOUNCED, Fault.SENDER),
        ("postmark", postmark("SpamComplaint", "BouncedAt", ID=7), COMPLAINED, None),
        ("postmark", postmark("Open", "ReceivedAt"), OPENED, None),
        ("postmark", postmark("SubscriptionChange", "ChangedAt", SuppressSending=True, Origin="Recipient"), LEFT, None),
        ("resend", resend("email.delivered"), DELIVERED, None),
        ("resend", resend("email.bounced", bounce={"type": "Permanent"}), BOUNCED, Fault.ADDRESS),
        ("resend", resend("email.bounced", bounce={"type": "Transient"}), BOUNCED, Fault.MAILBOX),
        ("resend", resend("email.complained"), COMPLAINED, None),
        ("unisender_go", unisender("delivered"), DELIVERED, None),
        ("unisender_go", unisender("hard_bounced", **bounce("err_user_unknown")), BOUNCED, Fault.ADDRESS),
        ("unisender_go", unisender("hard_bounced", **bounce("err_spam_rejected")), BOUNCED, Fault.SENDER),
        ("unisender_go", unisender("hard_bounced", **bounce("err_other")), BOUNCED, Fault.UNTOLD),
        ("unisender_go", unisender("soft_bounced", **bounce("err_user_unknown")), BOUNCED, Fault.MAILBOX),
        ("unisender_go", unisender("spam"), COMPLAINED, None),
        ("unisender_go", unisender("unsubscribed"), LEFT, None),
    ],
)
def test_what_is_reported_is_read(provider: str, given: Any, kind: Kind, fault: Fault | None) -> None:
    said, reporter = SAID[provider], REPORTERS[provider](SecretStr(SAID[provider].secret))
    posted = said.sign(given)
    body = json.loads(posted.body)

    assert reporter.proven(posted, body)
    (report,) = reporter.reports(body)
    assert (report.kind, report.fault, report.message, report.at) == (kind, fault, NAME, NOW)
    assert report.address == "a@b.org"


@pytest.mark.parametrize(
    ("provider", "given"),
    [
        ("sendgrid", sendgrid("processed")),
        ("sendgrid", sendgrid("delivered", nurture="somebody-elses")),
        ("sendgrid", sendgrid("delivered", timestamp="soon")),
        ("sendgrid", {"event": "delivered"}),
        ("sendgrid", [1, None, "x"]),
        ("mailgun", mailgun("accepted")),
        ("mailgun", mailgun("delivered", message={"headers": {"message-id": "x@y"}})),
        ("mailgun", {"event-data": []}),
        ("postmark", postmark("SubscriptionChange", "ChangedAt", SuppressSending=False, Origin="Recipient")),
        ("postmark", postmark("SubscriptionChange", "ChangedAt", SuppressSending=True, Origin="Admin")),
        ("postmark", postmark("Delivery", "DeliveredAt", Metadata=None)),
        ("resend", resend("email.sent")),
        ("resend", resend("email.delivered", tags=["nurture"])),
        ("unisender_go", unisender("sent")),
        ("unisender_go", {"events_by_user": {"events": 1}}),
    ],
)
def test_what_says_nothing_of_a_message_of_ours_is_left_out(provider: str, given: Any) -> None:
    reporter = REPORTERS[provider](SecretStr(SAID[provider].secret))

    assert list(reporter.reports(given)) == []


PLAIN = {
    "amazon_ses": amazon.signed(Message=amazon.event("Delivery")),
    "mailgun": mailgun("delivered"),
    "postmark": postmark("Delivery", "DeliveredAt"),
    "resend": resend("email.delivered"),
    "sendgrid": sendgrid("delivered"),
    "unisender_go": unisender("delivered"),
}


@pytest.mark.parametrize("provider", sorted(REPORTERS))
def test_another_secret_proves_nothing_and_one_of_several_does(provider: str) -> None:
    said = SAID[provider]
    posted = said.sign(PLAIN[provider])
    body = json.loads(posted.body)
    other = EC_PUBLIC[:-8] + "AAAAAAA=" if provider == "sendgrid" else SVIX[:-4] + "AAAA"

    assert not REPORTERS[provider](SecretStr(other)).proven(posted, body)
    assert not REPORTERS[provider](SecretStr("")).proven(posted, body)
    assert REPORTERS[provider](SecretStr(f"{other} {said.secret}")).proven(posted, body)


@pytest.mark.parametrize("provider", sorted(REPORTERS))
def test_without_its_proof_nothing_is_proven(provider: str) -> None:
    said = SAID[provider]
    bare = Posted({}, json.dumps(PLAIN[provider]).encode())

    assert not REPORTERS[provider](SecretStr(said.secret)).proven(bare, PLAIN[provider])


@pytest.mark.parametrize("provider", ["resend", "sendgrid", "unisender_go"])
def test_a_body_that_was_altered_is_not_proven(provider: str) -> None:
    said = SAID[provider]
    posted = said.sign(PLAIN[provider])
    altered = Posted(posted.headers, posted.body.replace(b"a@b.org", b"c@d.org"))

    assert not REPORTERS[provider](SecretStr(said.secret)).proven(altered, json.loads(altered.body))


def test_resends_webhook_is_good_for_five_minutes() -> None:
    late = NOW - timedelta(seconds=301)
    body = json.dumps(PLAIN["resend"])
    headers = {
        "svix-id": "msg_1",
        "svix-timestamp": str(int(late.timestamp())),
        "svix-signature": Webhook(SVIX).sign("msg_1", late, body),
    }

    assert not REPORTERS["resend"](SecretStr(SVIX)).proven(Posted(headers, body.encode()), PLAIN["resend"])


def test_a_report_names_nobody_in_its_repr() -> None:
    report = Report("e1", Kind.DELIVERED, NAME, NOW, "ann@example.org")

    assert "ann" not in repr(report)
