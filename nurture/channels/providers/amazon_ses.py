"""Amazon SES (API v2): the mail goes as we made it; the key is `id:secret`, the region that of the address."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from re import fullmatch
from urllib.parse import urlsplit

from pydantic import SecretStr

from nurture.channels import Envelope, Receipt
from nurture.channels.aws import Signer, stamp
from nurture.channels.mail import Mail, own_name
from nurture.channels.providers import Answer, Provider, Request, address_refused, later, refusal, words
from nurture.errors import BadSettings, ProviderUnavailable

HOST = r"email(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)"
USUAL_REGION = "us-east-1"
ALL_PAUSED = {"AccountSuspendedException", "SendingPausedException", "MailFromDomainNotVerifiedException"}
TOO_MANY = {"TooManyRequestsException", "LimitExceededException"}
NO_ADDRESS = ("final '@domain'", "illegal address", "local address", "domain starts", "domain contains")


class AmazonSes(Provider):
    """200 and a `MessageId`, or an error by its type."""

    url = f"https://email.{USUAL_REGION}.amazonaws.com"

    def __init__(self, key: SecretStr, domain: str | None = None) -> None:
        self._id, _, self._secret = key.get_secret_value().partition(":")
        if not self._id or not self._secret:
            raise BadSettings("NURTURE_EMAIL_API_KEY: Amazon SES asks for both halves of a key: write id:secret")
        super().__init__(key, domain)

    def request(self, envelope: Envelope, mail: Mail) -> Request:
        """Our name goes along as a tag: SES gives each mail a Message-ID of its own."""
        message = {
            "FromEmailAddress": mail.sender,
            "Destination": {"ToAddresses": [mail.recipient]},
            "Content": {"Raw": {"Data": b64encode(mail.content).decode()}},
            "EmailTags": [{"Name": "nurture", "Value": own_name(envelope.message_id)}],
        }
        headers = {"Content-Type": "application/json"}
        return Request("/v2/email/outbound-emails", headers, content=json.dumps(message).encode())

    def signed(self, request: Request, url: str, now: datetime) -> Request:
        """The signature is of the bytes, the host and the time."""
        place, now = urlsplit(url), now.astimezone(UTC)
        found = fullmatch(HOST, place.hostname or "")
        signer = Signer(self._id, self._secret, found[1] if found else USUAL_REGION, "ses")
        headers = {**request.headers, "Host": place.netloc, "X-Amz-Date": stamp(now)}
        authorization = signer.authorization("POST", place.path + request.path, headers, request.content or b"", now)
        return replace(request, headers={**headers, "Authorization": authorization})

    def receipt(self, answer: Answer, mail: Mail) -> Receipt:
        """The type stands in a header, or in the body."""
        body = answer.body
        said = words(body.get("message"), body.get("Message"))
        kind = (
            (answer.headers.get("x-amzn-errortype") or words(body.get("__type"))).partition(":")[0].rpartition("#")[2]
        )
        if answer.status == 200 and isinstance(body.get("MessageId"), str):
            return Receipt("200 OK", body["MessageId"])
        if kind in TOO_MANY:
            raise later(answer)
        if kind in ALL_PAUSED:
            raise ProviderUnavailable(
                f"the provider takes no messages now: {kind}; see the account at Amazon SES",
                code=kind,
                cause="provider",
            )
        if answer.status == 400 and any(one in said.lower() for one in NO_ADDRESS):
            raise address_refused(answer, mail, said)
        raise refusal(answer, mail, said=said)
