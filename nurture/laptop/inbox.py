"""The inbox of the mail catcher: pages for people, JSON for programs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal
from zlib import crc32

from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Lifespan

from nurture.laptop.letter import letter
from nurture.laptop.mailbox import Caught, Mailbox

PAGES = Path(__file__).parent / "pages"
PER_PAGE = 50
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A mail is foreign HTML: no script, no request, no form; its links open in a tab of their own.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


class Inbox:
    """Answers the requests for one mailbox."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._pages = Environment(loader=FileSystemLoader(PAGES), autoescape=True, trim_blocks=True, lstrip_blocks=True)
        self._pages.filters["hue"] = lambda address: crc32(address.casefold().encode()) % 8

    async def list_page(self, request: Request) -> Response:
        """The mails, newest first, a page at a time; `q` searches recipient and subject."""
        words, page = request.query_params.get("q", ""), _number(request, "page", 1, 1, 1_000_000)
        found = self._mailbox.found(words)
        pages = max(1, -(-len(found) // PER_PAGE))
        page = min(page, pages)
        shown = found[(page - 1) * PER_PAGE : page * PER_PAGE]
        return self._page("list.html", mails=shown, found=len(found), words=words, page=page, pages=pages)

    async def mail_page(self, request: Request) -> Response:
        """One mail: as HTML in a sandbox, as text, with its headers, or as it came over the wire."""
        mail = self._mail(request)
        content = self._mailbox.content(mail)
        part: Literal["html", "text", "headers", "source"] | str = request.query_params.get("part", "")
        read = letter(content)
        if part not in {"html", "text", "headers", "source"}:
            part = "html" if read.html else "text"
        source = content.decode("utf-8", "replace") if part == "source" else ""
        newer, older = self._mailbox.mail(mail.id + 1), self._mailbox.mail(mail.id - 1)
        return self._page("mail.html", mail=mail, letter=read, part=part, source=source, newer=newer, older=older)

    async def mail_body(self, request: Request) -> Response:
        """The HTML part alone, for the sandboxed frame."""
        html = letter(self._mailbox.content(self._mail(request))).html
        framed = f'<!doctype html><base target="_blank">{html}'  # a doctype first, or the browser falls back to quirks
        return HTMLResponse(framed, headers=HEADERS | {"Content-Security-Policy": MAIL_POLICY})

    async def mails(self, request: Request) -> Response:
        """The mails after id `after`, oldest first, `to` one address or any; `wait` holds the answer that many seconds."""
        after, limit = _number(request, "after", 0, 0, 2**53), _number(request, "limit", 100, 1, 1000)
        to, wait = request.query_params.get("to", ""), _number(request, "wait", 0, 0, 30)
        if wait:
            await self._mailbox.wait(after, wait)
        last = self._mailbox.count
        mails: list[dict[str, Any]] = []
        for mail in self._mailbox.after(after, to):
            if len(mails) == limit:
                last = mails[-1]["id"]
                break
            mails.append(self._as_json(mail))
        return JSONResponse({"mails": mails, "last": last}, headers=HEADERS)

    async def lookup(self, request: Request) -> Response:
        """200 when a mail with that Message-ID arrived, 404 when none did."""
        message_id = request.path_params["message_id"].removeprefix("<").removesuffix(">")
        if not self._mailbox.has(message_id):
            raise HTTPException(404)
        return JSONResponse({"message_id": message_id}, headers=HEADERS)

    async def count(self, request: Request) -> Response:
        """How many mails arrived, to one address or to any."""
        to = request.query_params.get("to", "")
        return JSONResponse({"count": sum(1 for _ in self._mailbox.after(0, to))}, headers=HEADERS)

    def _as_json(self, mail: Caught) -> dict[str, Any]:
        read = letter(self._mailbox.content(mail))
        facts = asdict(mail) | {"at": mail.at.isoformat()}
        del facts["place"]
        links = [link._asdict() for link in read.links]
        return facts | {"headers": read.headers, "text": read.text, "html": read.html, "links": links}

    def _mail(self, request: Request) -> Caught:
        mail = self._mailbox.mail(request.path_params["id"])
        if mail is None:
            raise HTTPException(404)
        return mail

    def _page(self, name: str, **values: object) -> Response:
        html = self._pages.get_template(name).render(values, count=self._mailbox.count)
        return HTMLResponse(html, headers=HEADERS | {"Content-Security-Policy": PAGE_POLICY})


def inbox(
    mailbox: Mailbox, *, lifespan: Lifespan[Starlette] | None = None, hosts: list[str] | None = None
) -> Starlette:
    """The inbox as a web application; it answers to these host names only, so that no foreign page reads the mails."""
    pages = Inbox(mailbox)
    routes = [
        Route("/", pages.list_page),
        Route("/mails/{id:int}", pages.mail_page),
        Route("/mails/{id:int}/body", pages.mail_body),
        Route("/api/mails", pages.mails),
        Route("/api/lookup/{message_id:path}", pages.lookup),
        Route("/api/count", pages.count),
        Route("/inbox.css", _file("inbox.css")),
        Route("/inbox.js", _file("inbox.js")),
        Route("/favicon.ico", _file("inbox.svg")),
    ]
    allowed = Middleware(TrustedHostMiddleware, allowed_hosts=hosts or ["127.0.0.1", "localhost", "[::1]"])
    return Starlette(routes=routes, middleware=[allowed], lifespan=lifespan)


def _file(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_request: Request) -> Response:
        return FileResponse(PAGES / name, headers=HEADERS)

    return answer


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    params: Mapping[str, str] = request.query_params
    try:
        number = int(params.get(name, default))
    except ValueError as error:
        raise HTTPException(400, f"{name} must be a number") from error
    return min(max(number, least), most)
