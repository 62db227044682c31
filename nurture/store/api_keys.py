"""API keys: made, shown once, kept as a hash.

The secret is 256 random bits, so a plain SHA-256 cannot be guessed back; a slow hash would only slow every request.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from sqlmodel import col, select

from nurture.errors import BadInput, NotFound
from nurture.store.database import Session
from nurture.store.models import ApiKeyRow

Scope: TypeAlias = Literal[
    "events:write", "leads:write", "leads:read", "journeys:write", "hand-offs:read", "hand-offs:write"
]
SCOPES: tuple[Scope, ...] = get_args(Scope)


async def make_key(session: Session, name: str, scopes: Sequence[str], now: datetime) -> str:
    """A new key, as its owner will send it: `nk_<id>_<secret>`; it cannot be shown again."""
    if unknown := set(scopes) - set(SCOPES):
        raise BadInput(f"scope {min(unknown)!r} is unknown: there are {', '.join(SCOPES)}", field="scopes")
    key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
    row = ApiKeyRow(id=key_id, secret_hash=_hash(secret), name=name, scopes=list(scopes), created_at=now)
    session.add(row)
    return f"nk_{key_id}_{secret}"


async def holder(session: Session, key: str) -> ApiKeyRow | None:
    """The record of a key that is valid; None for any other."""
    kind, _, rest = key.partition("_")
    key_id, _, secret = rest.partition("_")
    row = await session.get(ApiKeyRow, key_id) if kind == "nk" else None
    known = row.secret_hash if row is not None else _hash("")  # compared all the same, so that time tells nothing
    right = hmac.compare_digest(known, _hash(secret))
    return row if row is not None and right and row.revoked_at is None else None


async def revoke(session: Session, key_id: str, now: datetime) -> None:
    """End the key."""
    row = await session.get(ApiKeyRow, key_id)
    if row is None:
        raise NotFound(f"there is no key {key_id[:40]!r}: see nurture keys list")
    row.revoked_at = row.revoked_at or now
    session.add(row)


async def all_keys(session: Session) -> list[ApiKeyRow]:
    """All keys, oldest first."""
    return list((await session.exec(select(ApiKeyRow).order_by(col(ApiKeyRow.created_at)))).all())


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
