"""What Amazon SES reports by way of SNS, whose certificate signs; the secret is the ARN of the topic that may report."""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from re import fullmatch
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import load_pem_x509_certificate

from nurture.channels.reports import Posted, Reporter, at, each, moment
from nurture.returns.bounces import Fault, fault_of
from nurture.returns.report import Kind, Report, name_of

OF_AMAZON = r"https://sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/"
CERTIFICATE, CONFIRMATION = OF_AMAZON + r"SimpleNotificationService-[0-9a-zA-Z]+\.pem", OF_AMAZON + r"\?[!-~]+"
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
HASHES = {"1": SHA1, "2": SHA256}
KINDS = {
    "Delivery": (Kind.DELIVERED, "delivery"),
    "Bounce": (Kind.BOUNCED, "bounce"),
    "Complaint": (Kind.COMPLAINED, "complaint"),
    "Open": (Kind.OPENED, "open"),
}
TRANSIENT = {"MessageTooLarge": Fault.SENDER, "ContentRejected": Fault.SENDER, "AttachmentRejected": Fault.SENDER}


class AmazonSesReports(Reporter):
    """One notification a request; the event lies in it as text."""

    def looks_up(self, given: Any) -> str | None:
        """The certificate, which Amazon alone may give out."""
        url = at(given, "SigningCertURL")
        return url if isinstance(url, str) and fullmatch(CERTIFICATE, url) else None

    def fits(self, secret: str, posted: Posted, given: Any) -> bool:
        """The topic is ours, and the signature is of what the kind of message has signed."""
        names, digest = SIGNED.get(str(at(given, "Type"))), HASHES.get(str(at(given, "SignatureVersion")))
        if names is None or digest is None or at(given, "TopicArn") != secret or self.looks_up(given) is None:
            return False
        signed = "".join(f"{name}\n{given[name]}\n" for name in names if isinstance(given.get(name), str))
        try:
            key = load_pem_x509_certificate(posted.looked_up).public_key()
            if not isinstance(key, RSAPublicKey):
                return False
            signature = b64decode(str(given.get("Signature")), validate=True)
            key.verify(signature, signed.encode("utf-8", "surrogatepass"), PKCS1v15(), digest())  # theirs
        except (ValueError, InvalidSignature):
            return False
        return True

    def confirms(self, given: Any) -> str | None:
        """Where a new subscription is confirmed; nowhere but at Amazon."""
        url = at(given, "SubscribeURL")
        asked = at(given, "Type") == "SubscriptionConfirmation"
        return url if asked and isinstance(url, str) and fullmatch(CONFIRMATION, url) else None

    def reports(self, given: Any) -> Iterator[Report]:
        """The event, once for each of its recipients, of whom we have one."""
        event = _event(given)
        kind, part = KINDS.get(str(at(event, "eventType") or at(event, "notificationType")), (None, ""))
        message, when = _message(at(event, "mail")), moment(at(event, part, "timestamp"))
        name = at(given, "MessageId")
        if not (kind and message and when and isinstance(name, str)):
            return
        told = at(event, part)
        fault = _fault(told) if kind is Kind.BOUNCED else None
        yield Report(name, kind, message, when, _recipient(told), fault)


def _event(given: Any) -> Any:
    text = at(given, "Message")
    try:
        return json.loads(text) if at(given, "Type") == "Notification" and isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def _message(mail: Any) -> str | None:
    """Our name for the message: its tag, or what it was called when we made it."""
    tags = at(mail, "tags", "nurture")
    tagged = name_of(tags[0]) if isinstance(tags, list) and tags else None
    headers = (one.get("value") for one in each(at(mail, "headers")) if str(one.get("name")).lower() == "message-id")
    return tagged or next((name for value in headers if (name := name_of(value))), None)


def _recipient(told: Any) -> str | None:
    for field in ("bouncedRecipients", "complainedRecipients"):
        for one in each(at(told, field)):
            address = one.get("emailAddress")
            return address if isinstance(address, str) else None
    return None


def _fault(told: Mapping[str, Any]) -> Fault:
    kind, finer = str(told.get("bounceType")), str(told.get("bounceSubType"))
    code = next((str(one.get("status") or "") for one in each(told.get("bouncedRecipients"))), "")
    match kind:
        case "Permanent":
            return fault_of(code, permanent=True, otherwise=Fault.ADDRESS)
        case "Transient":
            return TRANSIENT.get(finer, Fault.MAILBOX)
        case _:
            return Fault.UNTOLD
