"""Unisender Go's Web API."""

from hashlib import sha256
from typing import Any

from nurture.channels import Envelope, Receipt
from nurture.channels.mail import Mail, bare, mailbox, own_name
from nurture.channels.providers import Answer, Provider, Request, address_refused, in_base64, later, refusal, words

FOR_NOW = "temporary_unavailable"


class UnisenderGo(Provider):
    """`status` tells success from error, and `failed_emails` to whom it was not sent and why."""

    url = "https://go1.unisender.ru"

    def request(self, envelope: Envelope, mail: Mail) -> Request:
        """Its own tracking is off: links are ours."""
        sender = mailbox("From", envelope.sender)
        message: dict[str, Any] = {
            "recipients": [{"email": mail.recipient, "metadata": {"nurture": own_name(envelope.message_id)}}],
            "subject": envelope.subject,
            "from_email": sender.addr_spec,
            "from_name": sender.display_name,
            "body": {"html": envelope.html, "plaintext": envelope.text},
            "headers": {"X-Nurture-Key": envelope.key, **envelope.headers},
            "track_links": 0,
            "track_read": 0,
            "idempotence_key": sha256(bare(envelope.message_id).encode()).hexdigest(),
        }
        if envelope.reply_to is not None:
            message["reply_to"] = mailbox("Reply-To", envelope.reply_to).addr_spec
        if envelope.attachments:
            message["attachments"] = [
                {"type": file.kind, "name": file.name, "content": content} for file, content in in_base64(envelope)
            ]
        return Request(
            "/ru/transactional/api/v1/email/send.json",
            {"X-API-KEY": self.key.get_secret_value()},
            json={"message": message},
        )

    def receipt(self, answer: Answer, mail: Mail) -> Receipt:
        """Of the one recipient, why it was not sent to."""
        body = answer.body
        failed = body.get("failed_emails")
        why = words(*failed.values()) if isinstance(failed, dict) else ""
        if why == FOR_NOW:
            raise later(answer, why)
        if why:
            raise address_refused(answer, mail, why)
        if answer.status == 200 and body.get("status") == "success":
            return Receipt("200 success", words(body.get("job_id")) or None)
        raise refusal(answer, mail, said=words(body.get("message")))
