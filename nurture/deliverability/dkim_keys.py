"""Keys of DKIM (RFC 6376, RFC 8463): the private one that signs, and the public one as a domain publishes it."""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from nurture.deliverability.tags import tags
from nurture.errors import BadInput

LEAST_BITS, GOOD_BITS = 1024, 2048
PrivateKey: TypeAlias = RSAPrivateKey | Ed25519PrivateKey
PublicKey: TypeAlias = RSAPublicKey | Ed25519PublicKey
Algorithm: TypeAlias = Literal["rsa", "ed25519"]


def private_key(pem: str) -> PrivateKey:
    """The key that signs, of its PEM; no refusal shows any of it."""
    try:
        found = load_pem_private_key(pem.replace("\\n", "\n").encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        found = None
    if not isinstance(found, RSAPrivateKey | Ed25519PrivateKey):
        raise BadInput("this is no private key of RSA or Ed25519 in PEM: make one with openssl genrsa 2048")
    if isinstance(found, RSAPrivateKey) and found.key_size < LEAST_BITS:
        raise BadInput(f"a key of {found.key_size} bits is refused by receivers: make one with openssl genrsa 2048")
    return found


def record(key: PrivateKey) -> str:
    """What is to be published for the key."""
    public = key.public_key()
    if isinstance(public, Ed25519PublicKey):
        return f"v=DKIM1; k=ed25519; p={b64encode(_bytes(public)).decode()}"
    return f"v=DKIM1; k=rsa; p={b64encode(_bytes(public)).decode()}"


def algorithm(key: PrivateKey) -> Algorithm:
    """Which of the two it is."""
    return "rsa" if isinstance(key, RSAPrivateKey) else "ed25519"


@dataclass(frozen=True)
class Published:
    """A public key as it is published; `fault` says why it serves nobody."""

    fault: str = ""
    algorithm: str = "rsa"
    bits: int = 0
    testing: bool = False
    content: bytes = b""

    def belongs_to(self, key: PrivateKey) -> bool:
        """Whether that key signs for it."""
        return self.content == _bytes(key.public_key())


def published(text: str) -> Published:
    """The key in a TXT record."""
    said = tags(text)
    kind = said.get("k", "rsa").lower()
    if said.get("v", "DKIM1") != "DKIM1" or "p" not in said:
        return Published("it is no DKIM record: it must begin with v=DKIM1 and hold p=")
    if not said["p"]:
        return Published("the key is revoked: p= is empty")
    if "sha256" not in said.get("h", "sha256").lower().split(":"):
        return Published(f"the key is for {said['h']} only, which receivers no longer take")
    if kind not in get_args(Algorithm):
        return Published(f"k={kind} is no algorithm that receivers know")
    try:
        key = _public(kind, b64decode(said["p"], validate=True))
    except (ValueError, UnsupportedAlgorithm):
        return Published("the key cannot be read: p= is cut off or changed")
    bits = key.key_size if isinstance(key, RSAPublicKey) else 256
    testing = "y" in said.get("t", "").lower().split(":")
    return Published(algorithm=kind, bits=bits, testing=testing, content=_bytes(key))


def _public(kind: str, content: bytes) -> PublicKey:
    if kind == "ed25519":
        return Ed25519PublicKey.from_public_bytes(content)
    found = load_der_public_key(content)
    if not isinstance(found, RSAPublicKey):
        raise ValueError("this is a key of another kind")
    return found


def _bytes(key: PublicKey) -> bytes:
    if isinstance(key, Ed25519PublicKey):
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
