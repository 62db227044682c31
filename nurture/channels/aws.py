"""Requests to Amazon's services, signed as they ask (Signature Version 4)."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

ALGORITHM = "AWS4-HMAC-SHA256"


class Signer(NamedTuple):
    """Whose key signs, for which service in which region."""

    key_id: str
    secret: str
    region: str
    service: str

    def authorization(self, method: str, path: str, headers: Mapping[str, str], content: bytes, now: datetime) -> str:
        """The header `Authorization` of a request without a query; `headers` are all that is signed, `x-amz-date` among
        them, `path` is plain ASCII."""
        signed = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
        names = ";".join(sorted(signed))
        lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
        request = "\n".join([method, path, "", lines, names, sha256(content).hexdigest()])
        scope = f"{now:%Y%m%d}/{self.region}/{self.service}/aws4_request"
        to_sign = "\n".join([ALGORITHM, stamp(now), scope, sha256(request.encode()).hexdigest()])
        key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            key = _hmac(key, part)
        return f"{ALGORITHM} Credential={self.key_id}/{scope}, SignedHeaders={names}, Signature={_hmac(key, to_sign).hex()}"


def stamp(now: datetime) -> str:
    """The moment, which is in UTC, as `x-amz-date` has it."""
    return f"{now:%Y%m%dT%H%M%SZ}"


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), sha256).digest()
