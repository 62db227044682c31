"""API keys as a web process knows them: read from the store, and remembered for some seconds."""

import hashlib
import time

from nurture.store import Store
from nurture.store.api_keys import holder

REMEMBERED = 10.0  # seconds; that long a revoked key may still be good
MOST_REMEMBERED = 1000


class Keys:
    """What each key may do, so that not every request reads it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[bytes, tuple[float, frozenset[str]]] = {}

    async def scopes(self, key: str) -> frozenset[str] | None:
        """The scopes of a key; None when it is not valid, which is asked anew every time."""
        name = hashlib.sha256(key.encode()).digest()  # the key itself is not kept
        until, scopes = self._known.get(name, (0.0, frozenset()))
        if until > time.monotonic():
            return scopes
        async with self._store.read() as session:
            row = await holder(session, key)
        self._known.pop(name, None)
        if row is None:
            return None
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[name] = time.monotonic() + REMEMBERED, frozenset(row.scopes)
        return self._known[name][1]
