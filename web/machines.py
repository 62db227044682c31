"""Machines that call pages: crawlers, scanners of mail, previews, and browsers that fetch ahead of people."""

from fastapi import Request

NAMES = (
    "bot", "crawler", "spider", "scanner", "preview", "headless", "proofpoint", "barracuda", "mimecast", "safelinks",
    "curl/", "wget/", "python-requests", "python-urllib", "httpclient", "okhttp", "facebookexternalhit",
)  # fmt: skip
FETCHED_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")


def machine(request: Request) -> bool:
    """Whether a program calls, or a browser before any person looks."""
    ahead = any("prefetch" in request.headers.get(name, "") or "preview" in request.headers.get(name, "")
                for name in FETCHED_AHEAD)  # fmt: skip
    agent = request.headers.get("user-agent", "").lower()
    return request.method == "HEAD" or ahead or not agent or any(name in agent for name in NAMES)
