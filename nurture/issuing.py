"""Issuing: a document in its final words for one lead, kept as it is from then on, and the same as PDF."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from email.utils import parseaddr
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision

from nurture.calendar import resolve_zone
from nurture.documents import Document, Row, rounded, rows_of, totals_of
from nurture.errors import BadInput
from nurture.message_variables import lead_variables
from nurture.settings import Settings
from nurture.store import Session
from nurture.store.document_tables import DocumentRow
from nurture.store.documents import Ordered, issue, latest_order, of_occasion
from nurture.store.models import LeadRow
from nurture.templates import Templates
from nurture.texts import in_language


class Issuer(NamedTuple):
    """Who issues: the house with its templates."""

    settings: Settings
    templates: Templates

    async def issued(
        self, session: Session, document: Document, lead: LeadRow, occasion: str, now: datetime
    ) -> DocumentRow:
        """The lead's document of that occasion, as it was issued before or is now; BadInput tells what it lacks."""
        if (known := await of_occasion(session, occasion)) is not None:
            return known
        ordered = await latest_order(session, lead.id) if document.of_order else None
        if document.of_order and ordered is None:
            raise BadInput(f"document {document.key} is of an order, and the lead has none that stands")
        rows = self._rows(document, lead, ordered)

        def written(n: int) -> DocumentRow:
            return self._written(document, lead, rows, n, occasion, now)

        series = document.series(now.astimezone(self._zone(lead.profile)).year)
        return await issue(session, series, lead.id, occasion, written)

    def _rows(self, document: Document, lead: LeadRow, ordered: Ordered | None) -> list[Row]:
        digits = get_currency_precision(document.currency)
        language = self.templates.language_for(document.template, lead.language)
        rows = rows_of(document.lines, lead.profile, language, digits)
        return [*rows, *_of_order(document, ordered, digits)] if ordered is not None else rows

    def _written(
        self, document: Document, lead: LeadRow, rows: Sequence[Row], n: int, occasion: str, now: datetime
    ) -> DocumentRow:
        context = self._context(document, lead, rows, n, now)
        rendered = self.templates.render(document.template, lead.language, context)
        return DocumentRow(
            kind=document.key,
            number=context["document"]["number"],
            occasion=occasion,
            lead_id=lead.id,
            title=rendered.subject,
            language=rendered.language,
            currency=document.currency,
            total=str(context["document"]["total"]),
            html=rendered.html,
            at=now,
        )

    def _context(self, document: Document, lead: LeadRow, rows: Sequence[Row], n: int, now: datetime) -> dict[str, Any]:
        zone = self._zone(lead.profile)
        totals = totals_of(rows, get_currency_precision(document.currency), tax_included=document.tax_included)
        here, house = now.astimezone(zone), self.settings
        about = {
            "number": document.number(here.year, n),
            "title": in_language(document.title, self.templates.language_for(document.template, lead.language)),
            "date": here.date(),
            "valid_until": (now + document.valid).astimezone(zone).date(),
            "currency": document.currency,
            "lines": [vars(row) for row in rows],
            "net": totals.net,
            "taxes": [vars(one) for one in totals.taxes],
            "total": totals.total,
            "tax_included": document.tax_included,
            "data": document.data,
        }
        sender = {"name": parseaddr(house.sender)[0], "postal_address": house.postal_address}
        return {
            "lead": lead_variables(lead.profile, lead.stage),
            "document": about,
            "sender": sender,
            "zone": zone.key,
        }

    def _zone(self, profile: Mapping[str, Any]) -> ZoneInfo:
        return resolve_zone(profile.get("time_zone"), self.settings.time_zone)[0]


def _of_order(document: Document, ordered: Ordered, digits: int) -> list[Row]:
    """What was ordered; an order without lines that have amounts is one line, its own amount."""
    order, lines = ordered
    if order.currency != document.currency:
        raise BadInput(f"document {document.key} is in {document.currency}, and the lead's order in {order.currency}")
    if lines and all(one.amount is not None for one in lines):
        return [_row(one.product, one.quantity, str(one.amount), document, digits) for one in lines]
    if order.amount is None:
        raise BadInput(f"document {document.key} is of an order, and nobody told the amount of the lead's")
    return [_row(order.number, 1, order.amount, document, digits)]


def _row(title: str, quantity: int, amount: str, document: Document, digits: int) -> Row:
    return Row(title, Decimal(quantity), "", None, document.tax, rounded(Decimal(amount), digits))


def pdf_of(html: str) -> bytes:
    """The document as PDF: the same bytes whenever it is made; nothing is fetched for it from anywhere."""
    from ironpress import HtmlConverter

    converter = HtmlConverter()
    converter.page_size("A4")
    return bytes(converter.convert(html))


def file_name(row: DocumentRow) -> str:
    """The name of its file: letters, digits, - and _ only, whatever its number is written with."""
    plain = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in row.number)
    return f"{row.kind}-{plain}.pdf"
