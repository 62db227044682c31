"""How pages look: one stylesheet, one frame, in the reader's language; nothing comes from anywhere else."""

from collections.abc import Mapping
from pathlib import Path

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import FileResponse, HTMLResponse

from web.looks.words import WORDS

HERE = Path(__file__).parent


def policy(forms: str = "'self'", frames: str = "'none'") -> str:
    """The Content-Security-Policy of a page: where its forms may lead, and who may show it in a frame."""
    return f"default-src 'none'; style-src 'self'; form-action {forms}; base-uri 'none'; frame-ancestors {frames}"


HEADERS = {
    "Content-Security-Policy": policy(),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}
FOR_PEOPLE = ("/c/", "/u/", "/p/", "/s/", "/r/", "/h/", "/f/", "/o/", "/d/")

routes = APIRouter(include_in_schema=False)
_pages = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True)


@routes.get("/nurture.css")
async def stylesheet() -> FileResponse:
    """The stylesheet of all pages."""
    return FileResponse(HERE / "nurture.css", headers={"Cache-Control": "public, max-age=3600"})


def page(
    name: str, language: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **given: object
) -> HTMLResponse:
    """A page in the language, or in English where we do not speak it."""
    spoken = language if language in WORDS else "en"
    text = _pages.get_template(f"{name}.html").render(language=spoken, say=WORDS[spoken], **given)
    return HTMLResponse(text, status, {**HEADERS, **(headers or {})})


def language_of(request: Request, known: str | None = None) -> str:
    """The language to speak: the lead's own, else the first of the browser's."""
    wanted = known or request.headers.get("accept-language", "")
    return wanted.lower()[:2]


def wants_page(request: Request) -> bool:
    """Whether a person looks at the answer."""
    return request.url.path.startswith(FOR_PEOPLE) and "text/html" in request.headers.get("accept", "")


def broken(request: Request, status: int, headers: Mapping[str, str]) -> HTMLResponse:
    """The page for a person whose link leads nowhere, or whose wish cannot be met just now."""
    part = "later" if status == 503 else "nothing" if status in (404, 405) else "amiss"
    return page("said", language_of(request), status=status, headers=headers, part=part)
