from datetime import UTC, datetime, timedelta

import pytest

from nurture.store.consents import Answer, holding

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
YES, NO = Answer(granted=True, at=NOON), Answer(granted=False, at=NOON)


@pytest.mark.parametrize(
    ("answers", "holds"),
    [
        pytest.param({"news": YES}, {"news": True}, id="N-14 a yes"),
        pytest.param({"news": NO, "*": YES}, {"news": False, "*": True}, id="N-14 a no beside a yes to all"),
        pytest.param({"news": YES, "*": NO}, {"news": False, "*": False}, id="N-14 at the same moment the no to all"),
        pytest.param({"news": YES, "*": NO._replace(at=NOON + HOUR)}, {"news": False, "*": False}, id="N-14 a no to all later"),
        pytest.param({"news": YES, "*": NO._replace(at=NOON - HOUR)}, {"news": True, "*": False}, id="N-14 a yes later"),
        pytest.param({"tracking": YES, "*": NO._replace(at=NOON + HOUR)}, {"tracking": True, "*": False},
                     id="N-14 to be followed is not about what is sent"),
    ],
)  # fmt: skip
def test_the_later_one_of_an_answer_and_that_to_all_holds(answers: dict[str, Answer], holds: dict[str, bool]) -> None:
    assert {topic: answer.granted for topic, answer in holding(answers).items()} == holds


def test_a_yes_for_longer_is_news_and_one_for_less_is_none() -> None:
    a_day, a_week = (YES._replace(expires_at=NOON + timedelta(days=days)) for days in (1, 7))

    assert [a_day.says_as_much(a_week), a_day.says_as_much(YES), YES.says_as_much(a_week), a_week.says_as_much(a_day)] == [
        False, False, True, True,
    ]  # fmt: skip
    assert [YES.says_as_much(NO), NO.says_as_much(YES), NO.says_as_much(NO)] == [False, False, True]
