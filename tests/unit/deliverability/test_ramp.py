from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from nurture.deliverability.ramp import Ramp, begins, house_day
from nurture.store.warm_up import first_with_room

UNHURRIED = settings(deadline=None)  # a busy machine is no fault of the arithmetic

START = date(2026, 12, 1)
BERLIN = ZoneInfo("Europe/Berlin")


def volumes(ramp: Ramp) -> list[int]:
    """Those of its days, up to the first on which all may go."""
    days = (ramp.volume(START + timedelta(days=n)) for n in range(1000))
    return [one for one in takewhile(lambda one: one is not None, days) if one is not None]


def test_each_day_has_room_for_more_until_it_is_warm() -> None:
    ramp = Ramp(start=START, first=50, growth=1.5, until=500)

    assert volumes(ramp) == [50, 75, 112, 168, 253, 379]
    assert (ramp.warm_on, ramp.volume(ramp.warm_on)) == (date(2026, 12, 7), None)


def test_before_its_start_nothing_goes() -> None:
    assert Ramp(start=START).volume(START - timedelta(days=1)) == 0


def test_growth_that_no_binary_number_is_loses_no_message() -> None:
    assert volumes(Ramp(start=START, first=50, growth=1.2, until=100)) == [50, 60, 72, 86]
    assert volumes(Ramp(start=START, first=100, growth=1.1, until=121)) == [100, 110]


@UNHURRIED
@given(st.integers(1, 5000), st.floats(1.05, 10), st.integers(1, 10**7))
def test_it_never_shrinks_and_ends_on_the_day_that_it_says(first: int, growth: float, until: int) -> None:
    ramp = Ramp(start=START, first=first, growth=growth, until=until)
    found = volumes(ramp)

    assert found == sorted(found)
    assert all(one < until for one in found)
    assert ramp.warm_on == START + timedelta(days=len(found))


@pytest.mark.parametrize("wrong", [{"first": 0}, {"growth": 1}, {"until": 0}, {"last": 5}])
def test_a_ramp_that_leads_nowhere_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Ramp.model_validate({"start": START, **wrong})


def test_a_day_begins_at_midnight_where_the_house_is() -> None:
    last = datetime(2026, 11, 30, 22, 59, 59, 999999, tzinfo=UTC)

    assert (house_day(last, BERLIN), house_day(last + datetime.resolution, BERLIN)) == (date(2026, 11, 30), START)
    assert begins(START, BERLIN) == last + datetime.resolution


def test_the_next_day_with_room_is_promised() -> None:
    ramp = Ramp(start=START, first=2, growth=2, until=16)
    day = [START + timedelta(days=n) for n in range(6)]

    assert first_with_room(ramp, day[0], {day[1]: 4, day[2]: 7}) == day[2]
    assert first_with_room(ramp, day[0], {day[1]: 4, day[2]: 8}) == day[3]
    assert first_with_room(ramp, START - timedelta(days=30), {}) == START
