import math
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from nurture.durations import Length, days, hours, in_words, minutes, seconds, weeks

UNITS = {"day": days, "hour": hours, "minute": minutes, "second": seconds}
LENGTHS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=10_000))


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (seconds(90), timedelta(seconds=90)),
        (minutes(30), timedelta(minutes=30)),
        (hours(1.5), timedelta(minutes=90)),
        (days(3), timedelta(days=3)),
        (days(0.5), timedelta(hours=12)),
        (weeks(2), timedelta(days=14)),
        (days(-3), timedelta(days=-3)),
    ],
)
def test_a_length_is_a_number_of_units(length: timedelta, expected: timedelta) -> None:
    assert length == expected


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (timedelta(0), "no time"),
        (days(3), "3 days"),
        (days(1), "1 day"),
        (weeks(2), "14 days"),
        (hours(28), "1 day 4 hours"),
        (seconds(90), "1 minute 30 seconds"),
        (hours(24.5), "1 day 30 minutes"),
        (seconds(1), "1 second"),
        (seconds(1.5), "1.5 seconds"),
        (seconds(0.000001), "0.000001 seconds"),
        (days(-3), "minus 3 days"),
    ],
)
def test_a_length_reads_as_a_marketer_would_say_it(length: timedelta, expected: str) -> None:
    assert in_words(length) == expected


@given(LENGTHS)
def test_the_words_lose_nothing_of_a_length(length: timedelta) -> None:
    parts = in_words(length).replace("no time", "").split()
    values = zip(parts[::2], parts[1::2], strict=True)

    assert sum((UNITS[unit.removesuffix("s")](float(count)) for count, unit in values), timedelta(0)) == length


@pytest.mark.parametrize("unit", [seconds, minutes, hours, days, weeks])
@pytest.mark.parametrize("n", ["3", None, True, math.inf, math.nan, 1e12 * 86_400])
def test_what_is_no_length_is_refused_by_name(unit: Callable[[object], timedelta], n: object) -> None:
    with pytest.raises(ValueError, match=rf"{unit.__name__}\(.*\): "):
        unit(n)


@pytest.mark.parametrize("value", [3, 3.5, True])
def test_a_bare_number_in_a_model_is_refused_since_it_names_no_unit(value: object) -> None:
    with pytest.raises(ValidationError, match="has no unit"):
        TypeAdapter(Length).validate_python(value)


@given(LENGTHS)
def test_a_length_survives_being_stored(length: timedelta) -> None:
    stored = TypeAdapter(Length)

    assert stored.validate_json(stored.dump_json(length)) == length
