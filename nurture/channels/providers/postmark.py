"""Postmark's Email API."""

from typing import Any

from nurture.channels import Envelope, Receipt
from nurture.channels.mail import Mail, bare, own_name
from nurture.channels.providers import Answer, Provider, Request, address_refused, in_base64, later, refusal, words

TAKEN, NOT_THE_ADDRESS, NO_CREDIT, INACTIVE, TOO_MANY = 0, 300, 405, 406, 429


class Postmark(Provider):
    """An `ErrorCode`, 0 for a message that was taken: beside it the status tells little."""

    url = "https://api.postmarkapp.com"

    def request(self, envelope: Envelope, mail: Mail) -> Request:
        """What can be unsubscribed from goes by the stream for broadcasts, as Postmark asks; links are ours."""
        headers = {
            "Message-ID": f"<{bare(envelope.message_id)}>",
            "X-PM-KeepID": "true",
            "X-Nurture-Key": envelope.key,
            "Content-Language": envelope.language,
            **envelope.headers,
        }
        message: dict[str, Any] = {
            "From": envelope.sender,
            "To": mail.recipient,
            "Subject": envelope.subject,
            "HtmlBody": envelope.html,
            "TextBody": envelope.text,
            "Headers": [{"Name": name, "Value": value} for name, value in headers.items()],
            "Metadata": {"message": own_name(envelope.message_id)},
            "MessageStream": "broadcast" if "List-Unsubscribe" in envelope.headers else "outbound",
            "TrackOpens": False,
            "TrackLinks": "None",
        }
        if envelope.reply_to is not None:
            message["ReplyTo"] = envelope.reply_to
        if envelope.attachments:
            message["Attachments"] = [
                {"Name": file.name, "ContentType": file.kind, "Content": content}
                for file, content in in_base64(envelope)
            ]
        return Request("/email", self._token(), json=message)

    def receipt(self, answer: Answer, mail: Mail) -> Receipt:
        """A refusal may come with any status, 200 among them."""
        code, said = answer.body.get("ErrorCode"), words(answer.body.get("Message"))
        if answer.status == 200 and code == TAKEN:
            return Receipt("200 OK", words(answer.body.get("MessageID")) or None)
        if code == INACTIVE or (code == NOT_THE_ADDRESS and "'To'" in said):
            raise address_refused(answer, mail, said)
        if code in {TOO_MANY, NO_CREDIT}:
            raise later(answer, said)
        raise refusal(answer, mail, said=said)

    def search(self, message_id: str) -> Request:
        """Its record of what went out, by our name for the message."""
        query = {"count": "1", "offset": "0", "metadata_message": own_name(message_id)}
        return Request("/messages/outbound", self._token(), query=query)

    def found(self, answer: Answer) -> bool:
        """Whether its record has it."""
        return answer.status == 200 and bool(answer.body.get("TotalCount"))

    def _token(self) -> dict[str, str]:
        return {"X-Postmark-Server-Token": self.key.get_secret_value(), "Accept": "application/json"}
