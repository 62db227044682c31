"""A relay as a stranger meets it: whether it can be reached, and what its encryption is worth."""

import ssl
from datetime import UTC, datetime
from typing import NamedTuple

import aiosmtplib
from aiosmtplib import SMTPException

PATIENCE = 5.0


class Relay(NamedTuple):
    """What was seen; `trouble` is why it could not be reached, `untrusted` what is wrong with its certificate."""

    trouble: str = ""
    offers_tls: bool = False
    protocol: str = ""
    untrusted: str = ""
    until: datetime | None = None


async def look(host: str, port: int, *, at_once: bool, trust: ssl.SSLContext | None = None) -> Relay:
    """Greet the relay, encrypted `at_once` or after STARTTLS where it offers that; nothing is sent."""
    context = trust or ssl.create_default_context()
    smtp = aiosmtplib.SMTP(
        hostname=host, port=port, use_tls=at_once, start_tls=False, tls_context=context, timeout=PATIENCE,
        local_hostname="localhost",
    )  # fmt: skip
    try:
        await smtp.connect()
        await smtp.ehlo()
        if not at_once and not smtp.supports_extension("starttls"):
            return Relay()
        if not at_once:
            await smtp.starttls(tls_context=context)
        return _seen(smtp)
    except (SMTPException, OSError) as error:
        broken = _certificate(error)
        return Relay(offers_tls=True, untrusted=broken) if broken else Relay(trouble=str(error) or type(error).__name__)
    finally:
        smtp.close()


def _seen(smtp: aiosmtplib.SMTP) -> Relay:
    certificate, connection = smtp.get_transport_info("peercert"), smtp.get_transport_info("ssl_object")
    until = ssl.cert_time_to_seconds(certificate["notAfter"]) if certificate else None
    return Relay(
        offers_tls=True,
        protocol=connection.version() if connection else "",
        until=datetime.fromtimestamp(until, UTC) if until is not None else None,
    )


def _certificate(error: BaseException | None) -> str:
    """What is wrong with the certificate, when that is what is wrong."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return ""
