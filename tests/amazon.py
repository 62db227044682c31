"""Amazon's side of its notifications: a certificate of ours, and messages signed with it as SNS signs them."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding

TOPIC = "arn:aws:sns:eu-central-1:123456789012:mail"
CERTIFICATE = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123abcd.pem"
SUBSCRIBE = f"https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=abc"
NAME = "0123456789abcdef0123456789abcdef"


@lru_cache
def key() -> RSAPrivateKey:
    """The key that signs."""
    return generate_private_key(65537, 2048)


@lru_cache
def certificate() -> bytes:
    """The certificate of that key."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key().public_key())
    made = made.serial_number(1).not_valid_before(begun).not_valid_after(begun + timedelta(days=3650))
    return made.sign(key(), SHA256()).public_bytes(Encoding.PEM)


def signed(version: str = "1", **given: Any) -> dict[str, Any]:
    """The notification with its signature, of the fields in the order of their names."""
    message = {"Type": "Notification", "MessageId": "sns-1", "TopicArn": TOPIC, "Message": "",
               "Timestamp": "2026-11-20T12:00:06.000Z", **given}  # fmt: skip
    asks = message["Type"] != "Notification"
    names = ["Message", "MessageId", "SubscribeURL" if asks else "Subject", "Timestamp", *(["Token"] if asks else []),
             "TopicArn", "Type"]  # fmt: skip
    text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    signature = key().sign(text.encode(), PKCS1v15(), SHA1() if version == "1" else SHA256())
    return {**message, "SignatureVersion": version, "SigningCertURL": CERTIFICATE,
            "Signature": b64encode(signature).decode()}  # fmt: skip


def event(kind: str, **told: Any) -> str:
    """An event of SES about a message of ours, as text."""
    mail = {"messageId": "ses-1", "tags": {"nurture": [NAME], "ses:operation": ["SendEmail"]}, "headers": []}
    return json.dumps(
        {"eventType": kind, "mail": mail, kind.lower(): {"timestamp": "2026-11-20T12:00:05.000Z", **told}}
    )


def asking() -> dict[str, Any]:
    """The question whether the topic may call."""
    return signed(Type="SubscriptionConfirmation", Token="abc", SubscribeURL=SUBSCRIBE, Message="You have chosen …")
