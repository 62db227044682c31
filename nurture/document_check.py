"""What is wrong with a document: a template that is not there or cannot be used, lines of fields that nobody has."""

import re
from collections.abc import Iterator

from nurture import mentions
from nurture.check import NAME, Messages
from nurture.documents import Document
from nurture.faults import Fault
from nurture.message_variables import DOCUMENT


def faults_of_document(document: Document, file: str, messages: Messages | None) -> list[Fault]:
    """All of it, in the order of the file."""
    place = f'{file}: document "{document.key}"'
    return [Fault("error", f"{place}{at}", message) for at, message in _errors(document, messages)]


def _errors(document: Document, messages: Messages | None) -> Iterator[tuple[str, str]]:
    if not NAME.fullmatch(document.key):
        yield "", "this key cannot be used: write small letters, digits, - and _"
        return
    if document.of_order and document.lines:
        yield ", lines", "it has those of the order: take lines= or of_order= away"
    for at, line in enumerate(document.lines, 1):
        for figure in (line.price, line.quantity):
            if isinstance(figure, tuple):
                for message in mentions.of_field(figure):
                    yield f", line {at}", message
    if not re.fullmatch(r"[\w./ -]{1,60}", document.number(2026, 1)):
        yield ", numbers", "write them with letters, digits and . / - only"
    if messages is not None:
        for message in messages.faults(document.template, DOCUMENT):
            yield ", template", message
