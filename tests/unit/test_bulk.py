from datetime import timedelta

import pytest

from nurture.bulk import cause, is_bulk, page_size, rate, time_for
from nurture.errors import BadInput


@pytest.mark.parametrize(("text", "leads_a_second"), [("50/s", 50), ("600/m", 10), ("5400/h", 1.5), (" 0.5/s ", 0.5)])
def test_a_rate_is_leads_in_a_time(text: str, leads_a_second: float) -> None:
    assert rate(text) == leads_a_second


@pytest.mark.parametrize("text", ["50", "/s", "fast", "0/s", "-1/s", "1e9/s", "nan/s", "50/month"])
def test_a_rate_that_cannot_be_read_tells_how_to_write_it(text: str) -> None:
    with pytest.raises(BadInput, match=r"write leads in a time, such as 50/s, 600/m, 5000/h"):
        rate(text)


@pytest.mark.parametrize(("leads_a_second", "leads"), [(0.01, 20), (50, 100), (10_000, 200)])
def test_a_page_is_two_seconds_worth_within_bounds(leads_a_second: float, leads: int) -> None:
    assert page_size(leads_a_second) == leads


def test_a_page_takes_its_time_at_the_rate() -> None:
    assert time_for(100, 50) == timedelta(seconds=2)


def test_only_a_cause_that_a_run_named_is_one() -> None:
    assert [is_bulk(one) for one in (cause("run", "ann"), "outbox/17", None)] == [True, False, False]
