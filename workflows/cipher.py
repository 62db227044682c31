"""Payloads encrypted on their way to Temporal (AES-256-GCM): the first key encrypts, every key decrypts."""

import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from nurture.errors import BadSettings

ENCODING, ENCRYPTED = "encoding", b"binary/nurture-aes-256-gcm"
KEY_ID = "nurture-key"
NONCE = 12


class Cipher(PayloadCodec):
    """Encrypts whole payloads but those `left_plain`; what is not encrypted is read as it is, so keys may come later."""

    def __init__(self, keys: Sequence[bytes], left_plain: tuple[str, bytes]) -> None:
        self._keys = {key_id(key): AESGCM(key) for key in keys}
        self._first = key_id(keys[0])
        self._left_plain = left_plain

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads, each with the id of its key."""
        return [self._encrypted(one) for one in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads as they were given."""
        return [self._decrypted(one) for one in payloads]

    def _encrypted(self, payload: Payload) -> Payload:
        mark, plain = self._left_plain
        if payload.metadata.get(mark) == plain:
            return payload
        name, nonce = self._first.encode(), os.urandom(NONCE)
        sealed = self._keys[self._first].encrypt(nonce, payload.SerializeToString(), name)
        return Payload(metadata={ENCODING: ENCRYPTED, KEY_ID: name}, data=nonce + sealed)

    def _decrypted(self, payload: Payload) -> Payload:
        if payload.metadata.get(ENCODING) != ENCRYPTED:
            return payload
        name = payload.metadata[KEY_ID]
        key = self._keys.get(name.decode())
        if key is None:
            raise BadSettings(f"a payload is encrypted with key {name.decode()}: add that key to NURTURE_PAYLOAD_KEYS")
        try:
            return Payload.FromString(key.decrypt(payload.data[:NONCE], payload.data[NONCE:], name))
        except InvalidTag as error:
            raise ValueError(f"a payload under key {name.decode()} is not what was encrypted") from error


def key_id(key: bytes) -> str:
    """The name of a key, which tells nothing of it."""
    return hashlib.sha256(key).hexdigest()[:12]
