"""DKIM signatures of our own, for mail that no relay signs.

dkimpy puts the signature together; the key is one of `cryptography`, since RSA takes dkimpy 6 ms a mail, and Ed25519
another library.
"""

import hashlib
from base64 import b64encode
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from dkim import DKIM
from dkim.canonicalization import CanonicalizationPolicy

from nurture.channels.mail import Mail
from nurture.deliverability.dkim_keys import PrivateKey, algorithm

# Each once more than it is there, so that nobody on the way can add a second one (RFC 6376, 8.15).
COVERED = (
    b"from", b"to", b"subject", b"date", b"message-id", b"reply-to", b"mime-version", b"content-type",
    b"list-unsubscribe", b"list-unsubscribe-post",
)  # fmt: skip
OF_A_DIGEST = b"ed25519-sha256"  # by this name dkimpy lets the key sign a digest, which ours does with RSA as well


class Signature(NamedTuple):
    """As dkimpy wants to be answered."""

    signature: bytes


class Signer:
    """Signs mails by one key, for the `domain`, or for whichever domain a mail is from."""

    def __init__(self, key: PrivateKey, selector: str, domain: str | None = None) -> None:
        self._key, self._selector, self._domain = key, selector.encode("ascii"), domain
        self._algorithm = f"{algorithm(key)}-sha256".encode("ascii")
        self._form = CanonicalizationPolicy.from_c_value(b"relaxed/relaxed")

    def signed(self, mail: Mail, at: datetime) -> Mail:
        """The mail with its signature before it; the same at the same time is signed in the same way."""
        one = DKIM(mail.content, linesep=b"\r\n")
        one.hasher, one.signature_algorithm = hashlib.sha256, OF_A_DIGEST
        there = [name.lower() for name, _ in one.headers]
        covered = tuple(name for name in COVERED for _ in range(there.count(name) + 1))
        body = hashlib.sha256(self._form.canonicalize_body(one.body)).digest()
        fields = [
            (b"v", b"1"),
            (b"a", self._algorithm),
            (b"c", b"relaxed/relaxed"),
            (b"d", (self._domain or mail.sender.rpartition("@")[2]).encode("ascii")),
            (b"s", self._selector),
            (b"t", str(int(at.timestamp())).encode("ascii")),
            (b"h", b" : ".join(covered)),
            (b"bh", b64encode(body)),
            (b"b", b"0" * 60),  # is folded onto a line of its own, so that the tags before it stay as they are
        ]
        value = one.gen_header(fields, covered, self._form, b"DKIM-Signature", self)
        return replace(mail, content=b"DKIM-Signature: " + value + mail.content)

    def sign(self, digest: bytes) -> Signature:
        """The signature of a SHA-256 digest, as dkimpy asks for it."""
        if isinstance(self._key, RSAPrivateKey):
            return Signature(self._key.sign(digest, PKCS1v15(), Prehashed(SHA256())))
        return Signature(self._key.sign(digest))
