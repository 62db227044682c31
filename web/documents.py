"""The link to a document: a GET shows it, until the link has expired."""

import asyncio
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from nurture.errors import NotFound
from nurture.issuing import file_name, pdf_of
from nurture.store.document_tables import DocumentRow
from web.looks import HEADERS, page
from web.state import State, clock, present

Here = Annotated[State, Depends(present)]
# What was issued is shown as it is: it runs nothing, asks nobody for anything, and stands in nobody's frame.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"
PATIENCE = timedelta(seconds=20)
routes = APIRouter(include_in_schema=False)


@routes.api_route("/d/{token}", methods=["GET", "HEAD"])
async def show(token: str, request: Request, here: Here) -> Response:
    """The document as PDF, or with `?as=html` as a page."""
    document_id, until = here.links.documented(token)
    async with here.store.read() as session:
        row = await session.get(DocumentRow, document_id)
    if row is None:  # its lead was erased
        raise NotFound("there is nothing at this address")
    if clock() >= until:
        return page("said", row.language.lower()[:2], status=410, part="document_expired")
    form: Literal["html", "pdf"] = "html" if request.query_params.get("as") == "html" else "pdf"
    if form == "html":
        return HTMLResponse(row.html, headers={**HEADERS, "Content-Security-Policy": POLICY})
    async with asyncio.timeout(PATIENCE.total_seconds()):
        content = await asyncio.to_thread(pdf_of, row.html)
    name = f'inline; filename="{file_name(row)}"'
    shown = {**HEADERS, "Content-Security-Policy": "frame-ancestors 'none'", "Content-Disposition": name}
    return Response(content, headers=shown, media_type="application/pdf")
