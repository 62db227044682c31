"""Why Temporal cannot be reached, by what its client says: in words, with the setting that would help."""

import re
from typing import NamedTuple

from temporalio.service import RPCError, RPCStatusCode

QUOTED = re.compile(r'(?:message|error): "([^"]+)"')
CERTIFICATES = "TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH"


class Obstacle(NamedTuple):
    """What stands in the way, and what to do; `ours` when no other answer of the server can help."""

    reason: str
    remedy: str
    ours: bool = False


NO_KEY = Obstacle(
    "it asks for a key, and takes none or another than is given", "set TEMPORAL_API_KEY to one that it takes"
)
HUNG_UP = Obstacle("it hangs up at a call without TLS", "set TEMPORAL_TLS=true if it speaks nothing else")
HUNG_UP_BEHIND_TLS = Obstacle("it hangs up once TLS is agreed on", f"set {CERTIFICATES} if it asks for a certificate")
BY_WORDS = {
    "UnknownIssuer": Obstacle(
        "nobody known here vouches for its certificate", "set TEMPORAL_TLS_SERVER_CA_CERT_PATH to who does"
    ),
    "NotValidForName": Obstacle(
        "its certificate is for another name", "set TEMPORAL_TLS_SERVER_NAME to that, or TEMPORAL_ADDRESS"
    ),
    "InvalidContentType": Obstacle("it speaks no TLS", "set TEMPORAL_TLS=false, or another TEMPORAL_ADDRESS"),
    "PrivateKeyParseError": Obstacle(
        "the client's key cannot be read", "set TEMPORAL_TLS_CLIENT_KEY_PATH (or …_DATA) to a private key", ours=True
    ),
    "KeyMismatch": Obstacle(
        "the client's key is not that of its certificate", f"set {CERTIFICATES} to a pair", ours=True
    ),
    "both client cert and private key": Obstacle(
        "a client's certificate is given without its key, or the other way round", f"set both {CERTIFICATES}", ours=True
    ),
    "Unauthenticated": NO_KEY,
    "CertificateRequired": HUNG_UP_BEHIND_TLS,
}


def obstacle(error: RuntimeError | RPCError | ValueError, *, tls: bool) -> Obstacle:
    """What stands in the way of a client with or without `tls`."""
    if isinstance(error, RPCError):
        words = error.message or error.status.name.lower()
        match error.status:
            case RPCStatusCode.UNAUTHENTICATED:
                return NO_KEY
            case RPCStatusCode.NOT_FOUND:
                return Obstacle(words, "set TEMPORAL_NAMESPACE to one that it has")
            case _:
                return _as_told(words)
    for words, known in BY_WORDS.items():
        if words in str(error):
            return known
    if "after connection" in str(error) and "transport::Error" in str(error):
        return HUNG_UP_BEHIND_TLS if tls else HUNG_UP
    # In the words of the innermost error: the rest is the names of the library's own parts.
    found: list[str] = QUOTED.findall(str(error)) or re.findall(r"\w+", str(error))
    return _as_told(found[-1])


def _as_told(reason: str) -> Obstacle:
    return Obstacle(reason, "start a server (nurture dev) or set TEMPORAL_ADDRESS")
