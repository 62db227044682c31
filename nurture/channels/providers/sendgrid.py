"""SendGrid's Mail Send API, version 3."""

from typing import Any

from nurture.channels import Envelope, Receipt
from nurture.channels.mail import Mail, bare, mailbox, own_name
from nurture.channels.providers import Answer, Provider, Request, address_refused, in_base64, refusal, words


class SendGrid(Provider):
    """202 and a name for the message in a header, or a list of errors that name the field."""

    url = "https://api.sendgrid.com"

    def request(self, envelope: Envelope, mail: Mail) -> Request:
        """Its own tracking is off: links are ours."""
        sender, off = mailbox("From", envelope.sender), {"enable": False}
        message: dict[str, Any] = {
            "personalizations": [
                {"to": [{"email": mail.recipient}], "custom_args": {"nurture": own_name(envelope.message_id)}}
            ],
            "from": {"email": sender.addr_spec, "name": sender.display_name},
            "subject": envelope.subject,
            "content": [
                {"type": "text/plain", "value": envelope.text},
                {"type": "text/html", "value": envelope.html},
            ],
            "headers": {
                "Message-ID": f"<{bare(envelope.message_id)}>",
                "X-Nurture-Key": envelope.key,
                "Content-Language": envelope.language,
                **envelope.headers,
            },
            "tracking_settings": {"click_tracking": off, "open_tracking": off, "subscription_tracking": off},
        }
        if envelope.reply_to is not None:
            message["reply_to"] = {"email": mailbox("Reply-To", envelope.reply_to).addr_spec}
        if envelope.attachments:
            message["attachments"] = [
                {"filename": file.name, "type": file.kind, "content": content, "disposition": "attachment"}
                for file, content in in_base64(envelope)
            ]
        return Request("/v3/mail/send", {"Authorization": f"Bearer {self.key.get_secret_value()}"}, json=message)

    def receipt(self, answer: Answer, mail: Mail) -> Receipt:
        """Its name for the message is `X-Message-Id`."""
        if answer.status == 202:
            return Receipt("202 accepted", answer.headers.get("x-message-id"))
        errors = answer.body.get("errors")
        faults = [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
        said = words(*(one.get("message") for one in faults))
        fields = [str(one.get("field")) for one in faults]
        if answer.status == 400 and any(one.startswith("personalizations") and ".to" in one for one in fields):
            raise address_refused(answer, mail, said)
        raise refusal(answer, mail, said=said)
