import pytest

from tests.bench.rows import Row, figure, quantile


@pytest.mark.parametrize(("measured", "holds"), [(10, True), (11, True), (11.1, False)])
def test_at_most_holds_up_to_its_very_value(measured: float, holds: bool) -> None:
    row = Row("one delay and message", measured, "events", at_most=11)

    assert (row.wanted, row.holds) == ("≤ 11", holds)


@pytest.mark.parametrize(("measured", "holds"), [(0.81, True), (0.8, True), (0.79, False)])
def test_at_least_holds_from_its_very_value_on(measured: float, holds: bool) -> None:
    row = Row("journeys a second", measured, "ratio", at_least=0.8)

    assert (row.wanted, row.holds) == ("≥ 0.8", holds)


def test_what_nothing_is_wanted_of_neither_holds_nor_fails() -> None:
    row = Row("the bare loop", 1600, "messages/s")

    assert (row.wanted, row.holds) == ("", None)


@pytest.mark.parametrize(("share", "value"), [(0.5, 51), (0.95, 96), (0.99, 100), (1, 100)])
def test_a_quantile_is_one_of_the_values(share: float, value: int) -> None:
    assert quantile(range(1, 101), share) == value


@pytest.mark.parametrize(("number", "told"), [(11, "11"), (0.648, "0.65"), (47.93, "47.9"), (1614.2, "1,614")])
def test_a_figure_has_the_digits_that_say_something(number: float, told: str) -> None:
    assert figure(number) == told
