"""How many complaints and bounces are too many."""

import pytest
from pydantic import ValidationError

from nurture.returns.fuse import CameBack, Fuses, Limit, messages_in_question, verdict

USUAL = Fuses()


@pytest.mark.parametrize(
    ("complained", "bounced", "sent", "act"),
    [
        (0, 0, 10_000, None),
        (0, 199, 10_000, None),
        (0, 200, 10_000, "warn"),
        (0, 499, 10_000, "warn"),
        (0, 500, 10_000, "pause"),
        (9, 0, 10_000, None),
        (10, 0, 10_000, "warn"),
        (30, 0, 10_000, "pause"),
        (30, 200, 10_000, "pause"),
        (10, 500, 10_000, "pause"),
    ],
)
def test_a_share_of_the_messages_warns_and_a_larger_one_pauses(
    complained: int, bounced: int, sent: int, act: str | None
) -> None:
    found = verdict(USUAL, CameBack(complained, bounced), sent)

    assert (found and found.act) == act


@pytest.mark.parametrize("back", [CameBack(2, 0), CameBack(0, 9), CameBack(2, 9)])
def test_a_few_reports_do_nothing_however_few_the_messages(back: CameBack) -> None:
    assert verdict(USUAL, back, 10) is None
    assert messages_in_question(USUAL, back) == 0


def test_no_more_messages_are_counted_than_could_matter() -> None:
    back = CameBack(complained=5, bounced=100)

    most = messages_in_question(USUAL, back)
    assert verdict(USUAL, back, most) is not None
    assert verdict(USUAL, back, most + 1) is None


def test_the_reason_says_how_many_of_how_many_and_what_is_allowed() -> None:
    found = verdict(USUAL, CameBack(0, 57), 1000)

    assert found is not None
    assert found.reason == "5.70% of 1,000 messages came back; the limit is 5.00%"


def test_a_limit_that_is_switched_off_does_nothing() -> None:
    rules = Fuses(bounces=None)

    assert verdict(rules, CameBack(0, 1000), 1000) is None


def test_a_limit_warns_before_it_pauses() -> None:
    with pytest.raises(ValidationError, match="a warning comes before"):
        Limit(warn=0.5, pause=0.1, at_least=1)
