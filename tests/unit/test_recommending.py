"""Who counts as brought by a recommendation, and who does not."""

from typing import Any

import pytest

from nurture.recommending import Friend, Referrer, household, refusal

ANN = {"email": "ann@example.com", "phone": "+49301234567", "custom": {"address": "1 High Street, Kazan"}}
WHY: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("", {}, {}),
    ("it is the very person who recommends", {"lead_id": "ann"}, {}),
    ("it brought the one who recommends it", {"known_before": True}, {"brought_by": ("bob", "eve")}),
    ("it came from the device of the one who recommends it", {"device_of": "ann"}, {}),
    ("it has the phone of the one who recommends it", {"profile": {"phone": "+49301234567"}}, {}),
    ("it was known before", {"known_before": True}, {}),
]


@pytest.mark.parametrize(("why", "friend", "referrer"), WHY, ids=[why or "brought" for why, *_ in WHY])
def test_a_friend_is_refused_for_a_reason_or_not_at_all(
    why: str, friend: dict[str, Any], referrer: dict[str, Any]
) -> None:
    came = Friend(**{"lead_id": "bob", "known_before": False, "profile": {"email": "bob@example.com"}, **friend})

    assert refusal(came, Referrer(**{"lead_id": "ann", "profile": ANN, **referrer})) == why


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        ({"email": "Ann+friend@Example.com"}, "mailbox"),
        ({"email": "an.n@example.com"}, ""),
        ({"custom": {"address": "1 high street kazan"}}, "address"),
        ({"custom": {"address": "2 High Street, Kazan"}}, ""),
        ({}, ""),
    ],
)
def test_a_household_is_told_by_mailbox_phone_and_address(other: dict[str, Any], shared: str) -> None:
    assert household(ANN, other) == shared


def test_dots_mean_nothing_where_they_mean_nothing() -> None:
    assert household({"email": "a.nn@gmail.com"}, {"email": "ann@gmail.com"}) == "mailbox"
