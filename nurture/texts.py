"""Texts for people: one for everybody, or one a language."""

from typing import Annotated, TypeAlias

from pydantic import Field

Text: TypeAlias = str | Annotated[dict[str, str], Field(min_length=1)]
"""`"The price list"`, or `{"en": "The price list", "ru": "Прайс-лист"}`; the first language speaks for those left out."""


def in_language(text: Text, language: str) -> str:
    """The text in that language, else in the first one it is written in."""
    return text if isinstance(text, str) else text.get(language) or next(iter(text.values()))


def languages_of(text: Text) -> tuple[str, ...]:
    """The languages it is written in; none when it is one for everybody."""
    return () if isinstance(text, str) else tuple(text)
