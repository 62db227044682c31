"""The life cycle: its stages, and the other views of them."""

import pytest

from nurture.stages import STAGES, VIEWS, bought, stages_of, way


def test_every_view_names_every_stage_in_the_same_order() -> None:
    for view, names in VIEWS.items():
        assert list(names) == list(STAGES)
        order = [stages_of(view).index(names[stage]) for stage in STAGES]
        assert order == sorted(order)


@pytest.mark.parametrize(
    ("from_stage", "to_stage", "said"),
    [("need", "interest", "on"), ("need", "buy", "skipping"), ("buy", "visit", "back")],
)
def test_a_change_goes_on_or_skips_or_goes_back(from_stage: str, to_stage: str, said: str) -> None:
    assert way(from_stage, to_stage) == said


@pytest.mark.parametrize(
    ("stage", "again", "after"),
    [("need", False, "buy"), ("buy", True, "repeat"), ("promoter", True, "promoter"), ("repeat", False, "repeat")],
)
def test_a_purchase_takes_nobody_back(stage: str, again: bool, after: str) -> None:
    assert bought(stage, again=again) == after
