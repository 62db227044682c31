"""Who is on a retargeting list: only who agreed to it, and nobody who left."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nurture import Retarget
from nurture.retargeting.retarget import Stance, why_not

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
LIST = Retarget(key="lookers", audience="lookers", networks=("google",))
YES = {"ads": (True, NOW)}


def stance(**given: Any) -> Stance:
    usual: dict[str, Any] = {"test": False, "customer": False, "suppressed": None, "said": YES, "objected": None}
    return Stance(**usual | given)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, None),
        ({"said": {"*": (True, NOW), **YES}}, None),
        ({"objected": NOW - timedelta(days=1)}, None),
        ({"said": {}}, "no consent to ads"),
        ({"said": {"*": (True, NOW)}}, "no consent to ads"),
        ({"said": {"news": (True, NOW)}}, "no consent to ads"),
        ({"said": {"ads": (False, NOW)}}, "unsubscribed from ads"),
        ({"said": {"*": (False, NOW), **YES}}, "it wants nothing from us"),
        ({"objected": LATER}, "it objected"),
        ({"suppressed": "complained"}, "the address is suppressed: complained"),
        ({"customer": True}, "it bought"),
        ({"test": True}, "a test lead"),
    ],
)
def test_a_lead_is_on_the_list_only_while_it_agrees(given: dict[str, Any], why: str | None) -> None:
    assert why_not(LIST, stance(**given)) == why


def test_buyers_stay_on_a_list_that_is_for_them() -> None:
    assert why_not(LIST.model_copy(update={"buyers": "stay"}), stance(customer=True)) is None
