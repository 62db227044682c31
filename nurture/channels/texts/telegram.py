"""Telegram's Bot API: a message to a chat that its owner has opened."""

from datetime import timedelta

from nurture.channels import Envelope, Receipt
from nurture.channels.mail import Mail
from nurture.channels.providers import Answer, Request, address_refused, key_refused, refusal, words
from nurture.channels.texts import TextProvider
from nurture.errors import ProviderUnavailable

NO_SUCH_TOKEN = {401, 404}
NO_SUCH_CHAT = ("chat not found", "user not found", "peer_id_invalid", "chat_id is empty", "group chat was upgraded")


class Telegram(TextProvider):
    """`ok`, or a description in words; the token is part of the address, and so never told."""

    url = "https://api.telegram.org"

    def request(self, envelope: Envelope, mail: Mail) -> Request:
        """Plain text: what a lead's own words look like is up to nobody but them."""
        message = {"chat_id": mail.recipient, "text": envelope.text, "link_preview_options": {"is_disabled": True}}
        return Request(f"/bot{self.key.get_secret_value()}/sendMessage", json=message)

    def receipt(self, answer: Answer, mail: Mail) -> Receipt:
        """403 is the chat's owner saying no, not a matter of our key."""
        body = answer.body
        said, result, asked = words(body.get("description")), body.get("result"), body.get("parameters")
        if answer.status == 200 and body.get("ok") is True and isinstance(result, dict):
            return Receipt("200 ok", str(result.get("message_id")))
        if answer.status == 403 or (answer.status == 400 and any(one in said.lower() for one in NO_SUCH_CHAT)):
            raise address_refused(answer, mail, said)
        if answer.status in NO_SUCH_TOKEN:
            raise key_refused("401", "set NURTURE_TELEGRAM_TOKEN anew")
        wait = asked.get("retry_after") if isinstance(asked, dict) else None
        if answer.status == 429 and isinstance(wait, int):
            raise ProviderUnavailable(
                "the provider put the message off (429); it is tried again",
                code="429", retry_after=timedelta(seconds=min(max(wait, 0), 86_400)),
            )  # fmt: skip
        raise refusal(answer, mail, said=said)
