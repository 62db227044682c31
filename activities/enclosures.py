"""What goes along with a message: the document that its step names, issued once for that message."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from activities.lead_letters import LeadLetter
from activities.letters import Letter
from nurture.channels import Attachment
from nurture.errors import NotFound
from nurture.faults import did_you_mean
from nurture.issuing import Issuer, file_name, pdf_of
from nurture.steps import Send
from nurture.store.leads import get

PDF = "application/pdf"


class Enclosed(NamedTuple):
    """What the template is given of it, its link, and the files."""

    context: Mapping[str, Any]
    link: str = ""
    files: Sequence[Attachment] = ()


NOTHING = Enclosed({})


async def enclosed(letter: Letter, now: datetime) -> Enclosed:
    """The document of the letter's step; the same for every attempt. BadInput or NotFound tells why there is none yet."""
    step = letter.step if isinstance(letter, LeadLetter) else None
    if not isinstance(letter, LeadLetter) or not isinstance(step, Send) or not step.document:
        return NOTHING
    equipment, documents = letter.equipment, letter.equipment.catalogue.documents
    if step.document not in documents:
        raise NotFound(f"there is no document {step.document!r}: {did_you_mean(step.document, documents)}")
    document = documents[step.document]
    issuer = Issuer(equipment.settings, equipment.templates)
    async with equipment.store.write() as session:
        lead = await get(session, letter.lead.id)
        row = await issuer.issued(session, document, lead, letter.key, now)
    about = {"number": row.number, "title": row.title, "total": Decimal(row.total), "currency": row.currency}
    link = equipment.links.document(row.id, row.at + document.valid)
    files = [Attachment(file_name(row), PDF, await asyncio.to_thread(pdf_of, row.html))] if step.attach else []
    return Enclosed({"document": about}, link, files)
