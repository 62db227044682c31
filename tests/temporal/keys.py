"""Certificates for a test: an authority, and who it vouches for."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates; its own is in the file `certificate`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name, self._key = folder, _named(name), ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(*(one in (5, 6) for one in range(9)))  # signs certificates and lists of revoked ones
        own = self._begun(self._name, self._key, ca=True).add_extension(usage, critical=True)
        self.certificate = folder / f"{name}.pem"
        self.certificate.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def vouches_for(self, name: str) -> Pair:
        """A certificate for that host or person."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.DNSName(name)]
        if name[0].isdigit():
            names = [x509.IPAddress(ip_address(name))]
        begun = self._begun(_named(name), key, ca=False).add_extension(
            x509.SubjectAlternativeName(names), critical=False
        )
        pair = Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        pair.certificate.write_bytes(begun.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))
        pair.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return pair

    def _begun(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        begun = x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key.public_key())
        begun = begun.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        begun = begun.not_valid_after(now + timedelta(days=1))
        return begun.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
