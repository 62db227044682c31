"""Telegram's webhook: what people write to our bot, in private chats; proven by the secret that we gave for its header."""

import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from re import fullmatch
from typing import Any

from nurture.channels.heard import Act, Answered, Hearer, Said, act_of, legible
from nurture.channels.reports import Posted, at, moment
from nurture.returns.report import Report

NAMES = {"first_name": "first_name", "last_name": "last_name", "language_code": "language"}
A_LANGUAGE = r"[A-Za-z]{2,3}(-[A-Za-z]{2})?"
GONE = ("kicked", "left")


class TelegramHearer(Hearer):
    """One update a request."""

    def read(self, posted: Posted) -> Any:
        """The update; nothing where there is none."""
        try:
            return json.loads(posted.body)
        except (ValueError, RecursionError):
            return None

    def fits(self, secret: str, posted: Posted, given: Any) -> bool:  # noqa: ARG002  # the header is all there is
        """The header is the secret."""
        return hmac.compare_digest(secret.encode(), posted.headers.get("x-telegram-bot-api-secret-token", "").encode())

    def reports(self, given: Any) -> Iterator[Report]:  # noqa: ARG002  # the port asks
        """Telegram reports nothing of what we sent."""
        yield from ()

    def said(self, given: Any) -> Said | None:
        """A text in a private chat, or that its owner shut the bot out."""
        update = at(given, "update_id")
        for part in ("message", "my_chat_member"):
            told = at(given, part)
            chat = at(told, "chat", "id")
            if isinstance(update, int) and at(told, "chat", "type") == "private" and isinstance(chat, int):
                return self._told(part, told, str(chat), str(update))
        return None

    def _told(self, part: str, told: Any, chat: str, name: str) -> Said | None:
        when = moment(at(told, "date")) or datetime.now(UTC)
        if part == "my_chat_member":
            gone = at(told, "new_chat_member", "status") in GONE
            return Said(name, "telegram", chat, Act.CLOSES, when) if gone else None
        text = legible(at(told, "text"))
        command, _, token = text.partition(" ")
        act = act_of(command if command.startswith("/") else text)
        about = _about(at(told, "from"))
        return (
            Said(name, "telegram", chat, act, when, text, token if act is Act.STARTS else "", about) if text else None
        )

    def answer(self, given: Any, words: str) -> Answered:
        """Telegram sends on what it is answered with."""
        chat = at(given, "message", "chat", "id")
        if not words or chat is None:
            return Answered("{}")
        return Answered(json.dumps({"method": "sendMessage", "chat_id": chat, "text": words}, ensure_ascii=False))


def _about(sender: Any) -> Mapping[str, str]:
    """What the profile of its owner says."""
    told = {ours: legible(at(sender, theirs))[:100] for theirs, ours in NAMES.items()}
    if not fullmatch(A_LANGUAGE, told["language"]):
        told["language"] = ""
    return {name: value for name, value in told.items() if value}
