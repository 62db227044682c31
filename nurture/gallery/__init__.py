"""The gallery: every message in a browser as a reader sees it, on this machine only; it writes nothing."""

from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from nurture.catalogue import Catalogue
from nurture.errors import NurtureError
from nurture.gallery.readers import Reader, Readers
from nurture.gallery.showing import Showing, Shown
from nurture.settings import Settings
from nurture.store import Store
from nurture.templates import Templates

PAGES = Path(__file__).parent / "pages"
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# As a mail program shows it: no script and no form; pictures are fetched, links open in a tab of their own.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
HOSTS = ["127.0.0.1", "localhost", "[::1]"]


class Gallery:
    """Answers requests; every page is made of the files as they are at that moment."""

    def __init__(self, templates: Templates, readers: Readers, showing: Showing) -> None:
        self._templates, self._readers, self._showing = templates, readers, showing
        self._pages = Environment(loader=FileSystemLoader(PAGES), autoescape=True, trim_blocks=True, lstrip_blocks=True)

    async def list_page(self, _request: Request) -> Response:
        """All messages, with their subjects."""
        reader = self._readers.made_up("known")
        rows = [self._showing.show(key, "", reader) for key in self._templates.keys()]  # noqa: SIM118  # it is no mapping
        return self._page("list.html", rows=rows)

    async def message_page(self, request: Request) -> Response:
        """One message for one reader: on a desk, on a phone, as text, with its headers and what lint says."""
        reader, trouble = await self._reader(request)
        shown = self._shown(request, reader)
        chosen = {"language": shown.asked, "reader": reader.key, "lead": reader.lead}
        return self._page("message.html", shown=shown, reader=reader, readers=self._readers.all, trouble=trouble,
                          same=lambda **other: urlencode({k: v for k, v in (chosen | other).items() if v}))  # fmt: skip

    async def body(self, request: Request) -> Response:
        """The HTML part alone, for the sandboxed frames."""
        reader, _ = await self._reader(request)
        html = self._shown(request, reader).html
        framed = f'<!doctype html><base target="_blank">{html}'  # a doctype first, or the browser falls back to quirks
        return HTMLResponse(framed, headers=HEADERS | {"Content-Security-Policy": MAIL_POLICY})

    async def style(self, _request: Request) -> Response:
        """How the pages look."""
        return FileResponse(PAGES / "gallery.css", headers=HEADERS)

    async def _reader(self, request: Request) -> tuple[Reader, str]:
        """The reader that was asked for; a lead that cannot be found is told of, and somebody made up is taken."""
        if name := request.query_params.get("lead", "").strip():
            try:
                return await self._readers.of_store(name), ""
            except NurtureError as error:
                return self._readers.made_up("known"), str(error)
        return self._readers.made_up(request.query_params.get("reader", "")), ""

    def _shown(self, request: Request, reader: Reader) -> Shown:
        key = request.path_params["key"]
        if not self._templates.exists(key):
            raise HTTPException(404, "there is no such message")
        return self._showing.show(key, request.query_params.get("language", ""), reader)

    def _page(self, name: str, **values: object) -> Response:
        html = self._pages.get_template(name).render(values)
        return HTMLResponse(html, headers=HEADERS | {"Content-Security-Policy": PAGE_POLICY})


def gallery(settings: Settings, catalogue: Catalogue, store: Store, hosts: list[str] | None = None) -> Starlette:
    """The gallery as a web application; it answers to these host names only, so that no foreign page reads it."""
    templates = Templates([settings.templates], settings.language)
    pages = Gallery(templates, Readers(store), Showing(settings, templates, catalogue))
    routes = [
        Route("/", pages.list_page),
        Route("/messages/{key:path}", pages.message_page),
        Route("/bodies/{key:path}", pages.body),
        Route("/gallery.css", pages.style),
    ]
    allowed = Middleware(TrustedHostMiddleware, allowed_hosts=hosts or HOSTS)
    return Starlette(routes=routes, middleware=[allowed])
