"""Mailgun's Messages API: the mail goes as we made it."""

from base64 import b64encode

from pydantic import SecretStr

from nurture.channels import Envelope, Receipt
from nurture.channels.mail import Mail, bare
from nurture.channels.providers import Answer, Provider, Request, address_refused, refusal, words
from nurture.errors import BadSettings


class Mailgun(Provider):
    """200 and an id, or a message in words."""

    url = "https://api.mailgun.net"

    def __init__(self, key: SecretStr, domain: str | None = None) -> None:
        if not domain:
            raise BadSettings("NURTURE_EMAIL_DOMAIN: Mailgun asks for the domain it sends from: name it")
        super().__init__(key, domain)

    def request(self, envelope: Envelope, mail: Mail) -> Request:  # noqa: ARG002  # all of it is in the mail
        """Its own tracking is off: links are ours."""
        return Request(
            f"/v3/{self.domain}/messages.mime",
            self._login(),
            form={"to": mail.recipient, "o:tracking": "no"},
            files={"message": ("message.mime", mail.content, "message/rfc822")},
        )

    def receipt(self, answer: Answer, mail: Mail) -> Receipt:
        """Its name for the message is a Message-ID."""
        said = words(answer.body.get("message"))
        if answer.status == 200 and isinstance(answer.body.get("id"), str):
            return Receipt("200 queued", bare(answer.body["id"]))
        if answer.status == 400 and said.startswith(("'to' ", "to parameter")):
            raise address_refused(answer, mail, said)
        raise refusal(answer, mail, said=said)

    def search(self, message_id: str) -> Request:
        """Its events, by Message-ID."""
        return Request(f"/v3/{self.domain}/events", self._login(), query={"message-id": bare(message_id), "limit": "1"})

    def found(self, answer: Answer) -> bool:
        """An event of any kind shows that it was taken."""
        return answer.status == 200 and bool(answer.body.get("items"))

    def _login(self) -> dict[str, str]:
        login = b64encode(f"api:{self.key.get_secret_value()}".encode()).decode()
        return {"Authorization": f"Basic {login}"}
