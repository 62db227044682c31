"""Machines that call pages: crawlers, scanners of mail, previews, and browsers that fetch ahead of people."""

from fastapi import Request

NAMES = (
    "bot", "crawler", "spider", "slurp", "scanner", "preview", "headless", "phantomjs", "puppeteer", "playwright",
    "proofpoint", "barracuda", "mimecast", "safelinks", "symantec", "trendmicro", "trend micro", "fireeye", "trellix",
    "ironport", "cloudmark", "vade", "zscaler", "sophos", "fortinet", "kaspersky", "netcraft", "urlscan", "virustotal",
    "curl/", "wget/", "python-requests", "python-urllib", "aiohttp/", "httpclient", "okhttp", "go-http-client", "java/",
    "libwww", "axios/", "node-fetch", "facebookexternalhit", "whatsapp/",
)  # fmt: skip
FETCHED_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")
PROXIES = ("googleimageproxy", "yahoomailproxy")
PRIVATE = "mozilla/5.0"
"""All that Apple's Mail Privacy Protection says of itself; it fetches every picture, whether a mail is read or not."""


def machine(request: Request) -> bool:
    """Whether a program calls, or a browser before any person looks."""
    ahead = any(word in request.headers.get(name, "").lower() for name in FETCHED_AHEAD
                for word in ("prefetch", "prerender", "preview"))  # fmt: skip
    agent = _agent(request)
    return request.method == "HEAD" or ahead or not agent or any(name in agent for name in NAMES)


def on_behalf(request: Request) -> bool:
    """Whether a mail program's servers fetch a picture, which tells nothing of a reader."""
    agent = _agent(request)
    return agent == PRIVATE or any(name in agent for name in PROXIES)


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "").strip().lower()
