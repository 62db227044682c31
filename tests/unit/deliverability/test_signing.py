"""Signatures of our own, proved by dkimpy with the record that is to be published."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from nurture.channels import Envelope
from nurture.channels.mail import Mail, compose
from nurture.deliverability.dkim_keys import Algorithm, PrivateKey, private_key, published, record
from nurture.deliverability.signing import Signer
from nurture.errors import BadInput

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
ENVELOPE = Envelope(
    key="journey/greet", message_id="<one@example.com>", date=AT, sender="Ünsere Firma <hello@example.com>",
    recipient="ann@example.net", subject="Ваш прайс-лист" * 9, html="<p>Hello  there </p>\n\n.\n", text="Hello\n.\n\n",
    language="en", reply_to="sales@example.com",
    headers={"List-Unsubscribe": f"<https://example.com/u/{'x' * 90}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
)  # fmt: skip


@cache
def a_key(algorithm: Algorithm) -> PrivateKey:
    """A key of either kind, made once: an RSA key takes its time."""
    return rsa.generate_private_key(65537, 2048) if algorithm == "rsa" else ed25519.Ed25519PrivateKey.generate()


def holds(mail: Mail, key: PrivateKey, domain: str = "example.com") -> bool:
    """Whether dkimpy takes the signature, by the record that is to be published under the selector."""
    at = f"autumn._domainkey.{domain}."
    return bool(dkim.verify(mail.content, dnsfunc=lambda name, timeout: {at: record(key).encode()}.get(name.decode())))


@pytest.mark.parametrize("algorithm", ["rsa", "ed25519"])
def test_a_signed_mail_is_proved_by_the_published_key(algorithm: Algorithm) -> None:
    key = a_key(algorithm)
    mail = Signer(key, "autumn").signed(compose(ENVELOPE), AT)

    assert holds(mail, key)
    assert not holds(replace(mail, content=mail.content.replace(b"Hello", b"Hallo")), key)
    assert published(record(key)).belongs_to(key)


@pytest.mark.parametrize(
    "header", ["List-Unsubscribe: <https://evil.example>", "From: x@evil.example", "Reply-To: x@y.z"]
)
def test_what_is_signed_can_neither_be_changed_nor_added_to(header: str) -> None:
    key = a_key("ed25519")
    bare = Signer(key, "autumn").signed(compose(replace(ENVELOPE, headers={}, reply_to=None)), AT)
    full = Signer(key, "autumn").signed(compose(ENVELOPE), AT)

    assert holds(bare, key)
    for mail in (bare, full):
        assert not holds(replace(mail, content=header.encode() + b"\r\n" + mail.content), key)


def test_one_click_is_covered_by_the_signature() -> None:
    mail = Signer(a_key("ed25519"), "autumn").signed(compose(ENVELOPE), AT)
    signature = mail.content.decode().replace("\r\n ", "").partition("\r\n")[0]

    assert signature.count("list-unsubscribe :") == 2
    assert signature.count("list-unsubscribe-post") == 2


def test_no_line_is_longer_than_mail_allows_and_a_second_attempt_is_the_same_mail() -> None:
    signer = Signer(a_key("rsa"), "autumn", "mail.example.com")
    mail = signer.signed(compose(ENVELOPE), AT)

    assert max(map(len, mail.content.partition(b"From:")[0].split(b"\r\n"))) <= 78
    assert mail == signer.signed(compose(ENVELOPE), AT)
    assert holds(mail, a_key("rsa"), "mail.example.com")


def test_keys_are_read_of_pem_in_one_line_too() -> None:
    key = a_key("rsa")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()

    assert record(private_key(pem.replace("\n", "\\n"))) == record(private_key(pem)) == record(key)


@pytest.mark.parametrize("text", ["canary", "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(BadInput, match="openssl genrsa") as refused:
        private_key(text)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("v=DKIM1; k=rsa; p=", "revoked"),
        ("v=DKIM1; k=rsa", "no DKIM record"),
        ("v=spf1 -all", "no DKIM record"),
        ("v=DKIM1; k=rsa; p=MIIBIjANBgkqhk", "cut off"),
        ("v=DKIM1; k=dsa; p=MIIBIjANBgkqhk", "no algorithm"),
        ("v=DKIM1; h=sha1; p=MIIBIjANBgkqhk", "sha1 only"),
    ],
)
def test_a_published_key_that_serves_nobody_says_why(text: str, fault: str) -> None:
    assert fault in published(text).fault


def test_a_published_key_tells_its_length_and_whether_it_is_for_tests_only() -> None:
    small = rsa.generate_private_key(65537, 1024)
    found = published(record(small).replace("k=rsa", "t=y; k=rsa"))

    assert (found.fault, found.bits, found.testing) == ("", 1024, True)
