"""Page views of our own sites: the script that sends them, and the address that takes them in.

The answer is always the same, so that nobody learns from it what was taken.
"""

from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from nurture.arrivals import LONGEST_URL, Context, Page, clean, origin_of, path_of, read_url
from nurture.errors import BadInput, Unavailable
from nurture.intake import Incoming
from nurture.intake.incoming import stable_id
from web.bodies import as_json
from web.machines import machine
from web.state import State, clock, present
from web.throttle import caller_of

DEVICE = "nurture"
"""The cookie by which the script knows a visitor again."""

LARGEST_VIEW = 8_000  # bytes
LONGEST_READING = 24 * 3600
SCRIPT = (Path(__file__).parent / "nurture.js").read_bytes()
ETAG = f'"{sha256(SCRIPT).hexdigest()[:32]}"'
HEADERS = {
    "ETag": ETAG,
    "Cache-Control": "public, max-age=3600",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
Here = Annotated[State, Depends(present)]
routes = APIRouter(include_in_schema=False)


class View(BaseModel):
    """A page that a visitor looks at; or, when `part` is given, how long it has looked at it since the part before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    visitor: str = Field(pattern=r"^[A-Za-z0-9_-]{16,64}$")
    view: str = Field(pattern=r"^[a-f0-9]{32}$")
    url: str = Field(max_length=LONGEST_URL)
    referrer: str = Field(default="", max_length=LONGEST_URL)
    title: str = Field(default="", max_length=1000)
    part: int | None = Field(default=None, ge=1, le=10_000)
    seconds: int = Field(default=0, ge=0, le=LONGEST_READING)

    def as_incoming(self, *, by_machine: bool) -> Incoming:
        """What it tells: `visit`, or `page_read`. Of the address the path alone is kept: the rest may name somebody."""
        url = read_url(self.url)
        page = path_of(url) if url is not None else ""
        given: dict[str, Any] = {"lead": {"cookie": self.visitor}, "source": "tracker", "machine": by_machine}
        if self.part is not None:
            about = {"page": page, "seconds": self.seconds}
            return Incoming(
                id=stable_id("read", self.view, str(self.part)), name="page_read", properties=about, **given
            )
        about = {"page": page, "title": clean(self.title)}
        context = Context(page=Page(url=self.url, referrer=self.referrer))
        return Incoming(id=stable_id("visit", self.view), name="visit", properties=about, context=context, **given)


@routes.get("/nurture.js")
async def script(request: Request) -> Response:
    """The script that a site embeds."""
    if request.headers.get("if-none-match") == ETAG:
        return Response(status_code=304, headers=HEADERS)
    return Response(SCRIPT, media_type="text/javascript; charset=utf-8", headers=HEADERS)


@routes.post("/t", status_code=204)
async def take_view(request: Request, here: Here) -> Response:
    """Take a page view in, if it comes from one of our sites and is well-formed."""
    view = await _view(request, here)
    if view is not None and here.browsers.lets(caller_of(request)):
        with suppress(Unavailable):  # a view that is lost is nobody's loss but ours
            await here.intake.accept([view.as_incoming(by_machine=machine(request))], clock())
    return Response(status_code=204)


async def _view(request: Request, here: State) -> View | None:
    origin = request.headers.get("origin", "")
    if origin not in here.settings.sites:
        return None
    body = await request.body()
    try:
        view = View.model_validate(as_json(body)) if len(body) <= LARGEST_VIEW else None
    except (BadInput, ValidationError):
        return None
    return view if view is not None and origin_of(view.url) == origin else None
