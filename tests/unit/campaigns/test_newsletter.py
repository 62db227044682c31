from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nurture.audiences import Audience
from nurture.facts import Facts, Happening
from nurture.loader import load

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def readers() -> Audience:
    catalogue = load(ROOT / "campaigns", ROOT / "templates")
    return catalogue.audiences[catalogue.mailings["new-catalogue"].audience]


@pytest.mark.parametrize(
    ("stage", "days_ago", "reads"), [("interest", 10, True), ("interest", 200, False), ("buy", 10, False)]
)
def test_the_newsletter_goes_to_who_came_by_and_has_not_bought(
    readers: Audience, stage: str, days_ago: int, reads: bool
) -> None:
    visit = Happening("visit", NOW - timedelta(days=days_ago))

    assert readers.condition.test(Facts(now=NOW, lead={"stage": stage}, happened={"visit": [visit]})) is reads
