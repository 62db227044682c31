"""What holds for bulk runs: an audience taken page by page, into a campaign or a mailing, no faster than its rate."""

from datetime import timedelta

from nurture.errors import BadInput
from nurture.pace import UNITS

USUAL_RATE = "50/s"
LEAST_PAGE, GREATEST_PAGE = 20, 200
A_PAGE = timedelta(seconds=2)  # what a page takes at its rate: a pause or a cancel waits no longer


def rate(text: str) -> float:
    """Leads a second of `50/s`, `600/m` or `5000/h`."""
    number, slash, unit = text.strip().partition("/")
    try:
        found = float(number) / UNITS[unit]
    except (ValueError, KeyError):
        found = 0
    if not slash or not 0 < found <= 1_000_000:
        raise BadInput(
            f"rate {text!r} cannot be read: write leads in a time, such as 50/s, 600/m, 5000/h", field="rate"
        )
    return found


def page_size(leads_a_second: float) -> int:
    """How many leads a page takes: about two seconds' worth, and never so few that pages cost more than leads."""
    return int(min(max(leads_a_second * A_PAGE.total_seconds(), LEAST_PAGE), GREATEST_PAGE))


def time_for(leads: int, leads_a_second: float) -> timedelta:
    """How long so many leads take at that rate."""
    return timedelta(seconds=leads / leads_a_second)


def cause(run_id: str, lead_id: str) -> str:
    """The name of a lead's entry by a run: done twice, it enters once."""
    return f"bulk/{run_id}/{lead_id}"


def is_bulk(entry: str | None) -> bool:
    """Whether a journey was entered by a bulk run, by the name of its cause."""
    return entry is not None and entry.startswith("bulk/")
