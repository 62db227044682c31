"""What Amazon SES reports by way of SNS: proven by Amazon's certificate and by our topic, and read."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from nurture.channels.reports import Posted
from nurture.channels.reports.amazon_ses import AmazonSesReports
from nurture.returns.bounces import Fault
from nurture.returns.report import Kind, Report
from tests.amazon import CERTIFICATE, NAME, SUBSCRIBE, TOPIC, asking, certificate, event, signed

REPORTER = AmazonSesReports(SecretStr(TOPIC))


def proven(given: Any, found: bytes | None = None) -> bool:
    return REPORTER.proven(Posted({}, b"", looked_up=certificate() if found is None else found), given)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("more", [{}, {"Subject": "Amazon SES Email Event Notification"}])
def test_what_amazon_signed_is_proven_in_either_version(version: str, more: dict[str, str]) -> None:
    assert proven(signed(version, **more))


def test_the_question_whether_a_topic_may_call_is_proven_too() -> None:
    assert proven(asking())


@pytest.mark.parametrize(
    "change",
    [
        {"Message": "another"},
        {"MessageId": "another"},
        {"SignatureVersion": "2"},
        {"SignatureVersion": "3"},
        {"Signature": "AAAA"},
        {"Signature": None},
        {"TopicArn": "arn:aws:sns:eu-central-1:999999999999:theirs"},
        {"Type": "UnsubscribeConfirmation"},
    ],
    ids=str,
)
def test_what_was_altered_is_not_amazons(change: dict[str, Any]) -> None:
    assert not proven({**signed(), **change})


def test_a_topic_of_somebody_else_proves_nothing_however_well_it_is_signed() -> None:
    assert not proven(signed(TopicArn="arn:aws:sns:eu-central-1:999999999999:theirs"))


@pytest.mark.parametrize("found", [b"", b"no certificate"])
def test_without_a_certificate_nothing_is_proven(found: bytes) -> None:
    assert not proven(signed(), found)


@pytest.mark.parametrize(
    ("url", "is_amazons"),
    [
        (CERTIFICATE, True),
        ("https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0a.pem", True),
        ("http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem", False),
        ("https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-0a.pem", False),
        ("https://evil.example/sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem", False),
        ("https://me@evil.example#sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem", False),
        ("https://sns.eu-central-1.amazonaws.com/../bucket/SimpleNotificationService-0a.pem", False),
        ("https://s3.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem", False),
        ("https://sns.eu-central-1.amazonaws.com:8443/SimpleNotificationService-0a.pem", False),
        (f"{CERTIFICATE}\n", False),
        (17, False),
    ],
)
def test_a_certificate_is_fetched_from_amazon_or_not_at_all(url: Any, is_amazons: bool) -> None:
    given = {**signed(), "SigningCertURL": url}

    assert REPORTER.looks_up(given) == (url if is_amazons else None)
    assert proven(given) is is_amazons


@pytest.mark.parametrize(
    ("url", "confirmed"),
    [
        (SUBSCRIBE, True),
        (SUBSCRIBE.replace("https", "http"), False),
        ("https://evil.example/?Action=ConfirmSubscription", False),
        ("https://sns.eu-central-1.amazonaws.com@evil.example/?Action=ConfirmSubscription", False),
        ("http://169.254.169.254/latest/meta-data", False),
    ],
)
def test_a_subscription_is_confirmed_at_amazon_or_not_at_all(url: str, confirmed: bool) -> None:
    assert REPORTER.confirms({**asking(), "SubscribeURL": url}) == (url if confirmed else None)


def test_a_notification_confirms_nothing() -> None:
    assert REPORTER.confirms(signed(SubscribeURL=SUBSCRIBE)) is None


def bounce(kind: str, finer: str, status: str = "") -> str:
    who = [{"emailAddress": "ann@example.com", **({"status": status} if status else {})}]
    return event("Bounce", bounceType=kind, bounceSubType=finer, bouncedRecipients=who)


@pytest.mark.parametrize(
    ("message", "kind", "fault", "address"),
    [
        (event("Delivery"), Kind.DELIVERED, None, None),
        (event("Open"), Kind.OPENED, None, None),
        (event("Complaint", complainedRecipients=[{"emailAddress": "ann@example.com"}]), Kind.COMPLAINED, None,
         "ann@example.com"),
        (bounce("Permanent", "General", "5.1.1"), Kind.BOUNCED, Fault.ADDRESS, "ann@example.com"),
        (bounce("Permanent", "OnAccountSuppressionList"), Kind.BOUNCED, Fault.ADDRESS, "ann@example.com"),
        (bounce("Permanent", "General", "5.7.1"), Kind.BOUNCED, Fault.SENDER, "ann@example.com"),
        (bounce("Transient", "MailboxFull", "5.2.2"), Kind.BOUNCED, Fault.MAILBOX, "ann@example.com"),
        (bounce("Transient", "ContentRejected"), Kind.BOUNCED, Fault.SENDER, "ann@example.com"),
        (bounce("Undetermined", "Undetermined"), Kind.BOUNCED, Fault.UNTOLD, "ann@example.com"),
    ],
)  # fmt: skip
def test_an_event_says_what_became_of_the_message(
    message: str, kind: Kind, fault: Fault | None, address: str | None
) -> None:
    (report,) = REPORTER.reports(signed(Message=message))

    assert (report.id, report.kind, report.message, report.fault, report.address) == (
        "sns-1", kind, NAME, fault, address,
    )  # fmt: skip
    assert report.at.isoformat() == "2026-11-20T12:00:05+00:00"


def test_a_mail_without_tags_is_known_by_the_name_that_it_was_made_with() -> None:
    told = json.loads(event("Delivery"))
    told["mail"] = {"headers": [{"name": "Message-ID", "value": f"<{NAME}@example.org>"}]}

    assert [one.message for one in REPORTER.reports(signed(Message=json.dumps(told)))] == [NAME]


@pytest.mark.parametrize(
    "message",
    ["", "no json", "[]", event("Send"), event("Delivery").replace(NAME, "theirs"), '{"eventType": "Bounce"}'],
)
def test_what_says_nothing_of_a_message_of_ours_is_left_out(message: str) -> None:
    found: list[Report] = list(REPORTER.reports(signed(Message=message)))

    assert found == []
