"""Resend's Email API: for a day, what is posted again by the same key is not sent again."""

from typing import Any

from nurture.channels import Envelope, Receipt
from nurture.channels.mail import Mail, bare, own_name
from nurture.channels.providers import Answer, Provider, Request, address_refused, in_base64, later, refusal, words

LONGEST_KEY = 256


class Resend(Provider):
    """200 and an id, or an error by its name."""

    url = "https://api.resend.com"

    def request(self, envelope: Envelope, mail: Mail) -> Request:
        """The message's key is its idempotency key."""
        message: dict[str, Any] = {
            "from": envelope.sender,
            "to": [mail.recipient],
            "subject": envelope.subject,
            "html": envelope.html,
            "text": envelope.text,
            "headers": {
                "Message-ID": f"<{bare(envelope.message_id)}>",
                "X-Nurture-Key": envelope.key,
                "Content-Language": envelope.language,
                **envelope.headers,
            },
            "tags": [{"name": "nurture", "value": own_name(envelope.message_id)}],
        }
        if envelope.reply_to is not None:
            message["reply_to"] = envelope.reply_to
        if envelope.attachments:
            message["attachments"] = [
                {"filename": file.name, "content_type": file.kind, "content": content}
                for file, content in in_base64(envelope)
            ]
        headers = {
            "Authorization": f"Bearer {self.key.get_secret_value()}",
            "Idempotency-Key": envelope.key[:LONGEST_KEY],
        }
        return Request("/emails", headers, json=message)

    def receipt(self, answer: Answer, mail: Mail) -> Receipt:
        """A key that was used for other words was used for this message: it is out already."""
        name, said = answer.body.get("name"), words(answer.body.get("message"))
        if answer.status == 200 and isinstance(answer.body.get("id"), str):
            return Receipt("200 OK", answer.body["id"])
        if name == "invalid_idempotent_request":
            return Receipt("409 taken before")
        if name == "concurrent_idempotent_requests":
            raise later(answer, said)
        if answer.status == 422 and "`to`" in said:
            raise address_refused(answer, mail, said)
        raise refusal(answer, mail, said=said, same_again=True)
