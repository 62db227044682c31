"""Links of our own in messages: short, signed, each good for one purpose only; a forged one is simply not found."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from re import fullmatch
from typing import NamedTuple

from itsdangerous import BadSignature, Signer
from pydantic import SecretStr

from nurture.errors import BadInput, NotFound

LONGEST_TOKEN = 1024
LONGEST_START, SEAL = 64, 22  # characters
NOTHING = "there is nothing at this address"
_AN_ID = 255  # 16 bytes follow; any smaller number says how many bytes of text do


class Unsubscribing(NamedTuple):
    """Who leaves which topic, and the message whose link said so (empty for none)."""

    lead_id: str
    topic: str
    message_id: str


class Choosing(NamedTuple):
    """Whose preferences are chosen, and the message whose link led there (empty for none)."""

    lead_id: str
    message_id: str


class Answering(NamedTuple):
    """Who answers which survey, and the message whose link led there."""

    lead_id: str
    survey: str
    message_id: str


class Handed(NamedTuple):
    """A hand-off, and the deed by whose mail it is answered."""

    hand_off_id: str
    deed: int


class Confirming(NamedTuple):
    """Which proof of consent is confirmed, at the latest when."""

    proof: str
    until: datetime


class Documented(NamedTuple):
    """Which document is shown, at the latest when."""

    document_id: str
    until: datetime


class Shown(NamedTuple):
    """A form's page: which form, when it was shown, and a name for the one filling in that it is good for."""

    form: str
    at: datetime
    nonce: str


class Thanked(NamedTuple):
    """Which form was filled in, in which language, and what is said to that."""

    form: str
    language: str
    part: str


class Links:
    """Makes links under `base_url` and reads their tokens back; the first secret signs, all are accepted."""

    def __init__(self, base_url: str, secrets: Sequence[SecretStr]) -> None:
        self.base_url = base_url.rstrip("/")
        self._keys = [secret.get_secret_value() for secret in reversed(secrets)]  # itsdangerous signs with the last

    def click(self, link_id: str) -> str:
        """The tracked address of a link; where it leads is only in the store."""
        return f"{self.base_url}/c/{self._token('click', link_id)}"

    def clicked(self, token: str) -> str:
        """The id of the link that was followed."""
        (link_id,) = self._parts("click", token, 1)
        return link_id

    def trap(self, message_id: str) -> str:
        """The link of a message that nobody sees; it looks like any other."""
        return f"{self.base_url}/c/{self._token('trap', message_id)}"

    def trapped(self, token: str) -> str | None:
        """The message whose unseen link was followed; None when the token is of another kind."""
        try:
            (message_id,) = self._parts("trap", token, 1)
        except NotFound:
            return None
        return message_id

    def pixel(self, message_id: str) -> str:
        """The picture that tells that a message was opened."""
        return f"{self.base_url}/i/{self._token('pixel', message_id)}"

    def seen(self, token: str) -> str:
        """The message whose picture was asked for."""
        (message_id,) = self._parts("pixel", token, 1)
        return message_id

    def network(self, address: str) -> str:
        """A name for the network that an address is in, by which nobody finds the address again."""
        return self._signer("network").get_signature(address).decode()[:22]

    def unsubscribe(self, lead_id: str, topic: str, message_id: str = "") -> str:
        """Where a lead leaves a topic: a page for people, one click for mail programs."""
        return f"{self.base_url}/u/{self._token('unsubscribe', lead_id, topic, message_id)}"

    def unsubscribing(self, token: str) -> Unsubscribing:
        """Who leaves what."""
        return Unsubscribing(*self._parts("unsubscribe", token, 3))

    def confirmation(self, token: str) -> str:
        """What the page behind an unsubscribe link sends back, so that a bare POST to the link does not act."""
        return self._signer("confirm").get_signature(token).decode()

    def preferences(self, lead_id: str, message_id: str = "") -> str:
        """Where a lead chooses what it takes, in which language, and whether it is followed."""
        return f"{self.base_url}/p/{self._token('preferences', lead_id, message_id)}"

    def choosing(self, token: str) -> Choosing:
        """Whose preferences they are."""
        return Choosing(*self._parts("preferences", token, 2))

    def survey(self, lead_id: str, survey: str, message_id: str = "") -> str:
        """Where a lead answers a survey."""
        return f"{self.base_url}/s/{self._token('survey', lead_id, survey, message_id)}"

    def answering(self, token: str) -> Answering:
        """Who answers what."""
        return Answering(*self._parts("survey", token, 3))

    def hand_off(self, hand_off_id: str, deed: int) -> str:
        """Where sales answers, by the deed that the mail tells of; it says whom it was sent to."""
        return f"{self.base_url}/h/{self._token('hand-off', hand_off_id, str(deed))}"

    def handed_off(self, token: str) -> Handed:
        """Which hand-off is answered, by which deed's mail."""
        hand_off_id, deed = self._parts("hand-off", token, 2)
        if not deed.isdecimal():
            raise NotFound(NOTHING)
        return Handed(hand_off_id, int(deed))

    def confirm(self, proof: str, until: datetime) -> str:
        """Where a lead confirms a consent, noted as that proof, before then."""
        return f"{self.base_url}/o/{self._token('confirm-consent', proof, _in_seconds(until))}"

    def confirming(self, token: str) -> Confirming:
        """Which proof is confirmed, and until when it may be."""
        proof, until = self._parts("confirm-consent", token, 2)
        return Confirming(proof, _moment(until))

    def document(self, document_id: str, until: datetime) -> str:
        """Where a document is shown, before then."""
        return f"{self.base_url}/d/{self._token('document', document_id, _in_seconds(until))}"

    def documented(self, token: str) -> Documented:
        """Which document is shown, and until when it may be."""
        document_id, until = self._parts("document", token, 2)
        return Documented(document_id, _moment(until))

    def shown(self, form: str, at: datetime, nonce: str) -> str:
        """What a form's page sends back: which form it was, when it was shown, and a name for this one filling in."""
        return self._token("form", form, _in_seconds(at), nonce)

    def filled(self, token: str) -> Shown:
        """Which form was shown when; a made-up token is not found."""
        form, at, nonce = self._parts("form", token, 3)
        return Shown(form, _moment(at), nonce)

    def thanks(self, form: str, language: str, part: str) -> str:
        """The page that follows on a form that was filled in; `part` is what it says."""
        return f"{self.base_url}/f/{form}/{self._token('thanks', form, language, part)}"

    def thanked(self, token: str) -> Thanked:
        """Which form was filled in, in which language, and what is said to that."""
        return Thanked(*self._parts("thanks", token, 3))

    def chat(self, bot: str, lead_id: str, until: datetime) -> str:
        """Where a lead opens a chat with our bot, so that the chat is its own; good until then.

        Telegram lets 64 characters go along, so that the signature is cut to 132 bits.
        """
        packed = urlsafe_b64encode(_packed(lead_id) + _packed(_in_seconds(until))).rstrip(b"=")
        return f"https://t.me/{bot}?start={(packed + self._seals(packed)[-1]).decode()}"

    def chatting(self, token: str, now: datetime) -> str:
        """Whose chat it is; a token that is too old is not found either."""
        given = token.encode("ascii", "replace")
        packed, seal = given[:-SEAL], given[-SEAL:]
        if len(given) > LONGEST_START or not any(hmac.compare_digest(seal, one) for one in self._seals(packed)):
            raise NotFound(NOTHING)
        lead_id, until = _unpacked(urlsafe_b64decode(packed + b"=" * (-len(packed) % 4)))
        if _moment(until) < now:
            raise NotFound(NOTHING)
        return lead_id

    def _seals(self, packed: bytes) -> list[bytes]:
        """What each of the secrets signs it with, the last one being the one to sign with."""
        return [self._signer("chat", key).get_signature(packed)[:SEAL] for key in self._keys]

    def share(self, code: str) -> str:
        """The address a lead gives to friends; the code is public and so not signed."""
        return f"{self.base_url}/r/{code}"

    def _token(self, purpose: str, *parts: str) -> str:
        value = urlsafe_b64encode(b"".join(map(_packed, parts))).rstrip(b"=")
        return self._signer(purpose).sign(value).decode()

    def _parts(self, purpose: str, token: str, count: int) -> tuple[str, ...]:
        try:
            if len(token) > LONGEST_TOKEN or not fullmatch(r"[A-Za-z0-9_.-]+", token):  # base64 has other spellings
                raise ValueError("none of ours")
            value = self._signer(purpose).unsign(token)
            parts = _unpacked(urlsafe_b64decode(value + b"=" * (-len(value) % 4)))
            if len(parts) != count:
                raise ValueError("of another form")
        except (BadSignature, ValueError):  # one answer for all, so that nobody learns what was wrong
            raise NotFound(NOTHING) from None
        return parts

    def _signer(self, purpose: str, key: str | None = None) -> Signer:
        return Signer(
            self._keys if key is None else key, salt=f"nurture.{purpose}", key_derivation="hmac", digest_method=sha256
        )


def _in_seconds(at: datetime) -> str:
    return str(int(at.timestamp()))


def _moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def _packed(part: str) -> bytes:
    if fullmatch(r"[0-9a-f]{32}", part):
        return bytes([_AN_ID]) + bytes.fromhex(part)
    text = part.encode()
    if len(text) >= _AN_ID:
        raise BadInput(f"{part[:40]!r}… is too long to stand in a link: at most {_AN_ID - 1} bytes")
    return bytes([len(text)]) + text


def _unpacked(packed: bytes) -> tuple[str, ...]:
    parts: list[str] = []
    at = 0
    while at < len(packed):
        size = packed[at]
        length = 16 if size == _AN_ID else size
        part = packed[at + 1 : at + 1 + length]
        parts.append(part.hex() if size == _AN_ID else part.decode())
        at += 1 + length
    return tuple(parts)
