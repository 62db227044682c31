"""Days as reports are asked for them."""

from datetime import UTC, datetime

from nurture.errors import BadInput


def day(text: str, option: str) -> datetime:
    """The beginning of that day, in UTC."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise BadInput(f"{option} {text!r} is no day: write 2026-11-23") from error
