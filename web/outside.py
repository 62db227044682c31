"""What is fetched from a provider to prove that a webhook is its own; kept, as it is asked for again and again."""

import httpx

from nurture.errors import Unavailable

MOST_KEPT, LARGEST = 20, 100_000
PATIENCE = 5.0  # seconds


class Outside:
    """Fetches an address that the caller has checked, follows no redirect, and keeps what it found."""

    def __init__(self) -> None:
        self._http = httpx.AsyncClient(timeout=PATIENCE, follow_redirects=False, trust_env=False)
        self._kept: dict[str, bytes] = {}

    async def kept(self, url: str) -> bytes:
        """What is there; nothing where there is no such thing."""
        if url not in self._kept:
            content = await self.fetch(url)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            if content:
                self._kept[url] = content
            return content
        return self._kept[url]

    async def fetch(self, url: str) -> bytes:
        """What is there now; `Unavailable` when nobody answers, so that the provider calls again."""
        try:
            answer = await self._http.get(url)
        except httpx.HTTPError as error:
            raise Unavailable(f"the provider cannot be asked for its proof: {type(error).__name__}") from error
        return answer.content[:LARGEST] if answer.status_code == 200 else b""

    async def close(self) -> None:
        """Let go of all connections."""
        await self._http.aclose()
