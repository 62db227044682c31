"""What a condition answers, as users of rule engines know it (P-11): a table of truth, and its other half by `~`."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nurture import days, event, lead, prop
from nurture.conditions import Condition
from nurture.facts import Facts, Happening

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
PLAN, AMOUNT, ENDS, VIP = lead.custom("plan"), lead.custom("amount"), lead.custom("ends"), lead.custom("vip")
TURNOVER = lead.company.turnover


def custom(**known: Any) -> dict[str, Any]:
    return {"custom": known}


@pytest.mark.parametrize(
    ("condition", "known", "expected"),
    [
        # --- texts ---
        pytest.param(PLAN == "pro", custom(plan="pro"), True, id="P-11 text"),
        pytest.param(PLAN == "pro", custom(plan="Pro"), False, id="P-11 text in another case"),
        pytest.param(PLAN == "pro", {}, False, id="P-11 no text"),
        pytest.param(PLAN != "pro", custom(plan="free"), True, id="P-11 another text"),
        pytest.param(PLAN != "pro", {}, True, id="P-11 nothing is another one"),
        pytest.param(PLAN.contains("RO"), custom(plan="pro"), True, id="P-11 contains in any case"),
        pytest.param(PLAN.contains("ro"), custom(plan=None), False, id="P-11 nothing contains nothing"),
        pytest.param(PLAN.one_of("pro", "team"), custom(plan="team"), True, id="P-11 one of"),
        pytest.param(PLAN.one_of("pro", "team"), custom(plan="free"), False, id="P-11 none of"),
        pytest.param(PLAN == "ü%_'\"<", custom(plan="ü%_'\"<"), True, id="P-11 signs are signs"),
        # --- numbers ---
        pytest.param(AMOUNT == 10, custom(amount="10"), True, id="P-11 a number as a text"),
        pytest.param(AMOUNT == 10, custom(amount=10.0), True, id="P-11 a number with a point"),
        pytest.param(AMOUNT == 10, custom(amount="ten"), False, id="P-11 no number"),
        pytest.param(AMOUNT > 9, custom(amount="10"), True, id="P-11 ten is above nine, as texts are not"),
        pytest.param(AMOUNT > 10, custom(amount=10), False, id="P-11 above"),
        pytest.param(AMOUNT >= 10, custom(amount=10), True, id="P-11 at least"),
        pytest.param(AMOUNT < 10, custom(amount=-1), True, id="P-11 below"),
        pytest.param(AMOUNT <= 10, custom(amount=10.5), False, id="P-11 at most"),
        pytest.param(AMOUNT < 10, {}, False, id="P-11 the unknown is not below"),
        pytest.param(AMOUNT >= 0, custom(amount=True), False, id="P-11 true is no number"),
        pytest.param(AMOUNT.one_of(1, 2), custom(amount="2"), True, id="P-11 one of some numbers"),
        pytest.param(AMOUNT == 0, custom(amount=0), True, id="P-11 zero"),
        pytest.param(AMOUNT == 0, custom(amount=None), False, id="P-11 nothing is not zero"),
        # --- truth ---
        pytest.param(VIP == True, custom(vip=True), True, id="P-11 true"),  # noqa: E712  # makes a condition
        pytest.param(VIP == True, custom(vip=1), False, id="P-11 one is not true"),  # noqa: E712
        pytest.param(VIP == True, custom(vip="true"), False, id="P-11 a text is not true"),  # noqa: E712
        pytest.param(VIP == False, custom(vip=False), True, id="P-11 false"),  # noqa: E712
        pytest.param(VIP == False, {}, False, id="P-11 the unknown is not false"),  # noqa: E712
        # --- dates, as texts ---
        pytest.param(ENDS < "2026-12-01", custom(ends="2026-11-30"), True, id="P-11 before a date"),
        pytest.param(ENDS < "2026-12-01", custom(ends="2026-12-01"), False, id="P-11 on that date"),
        pytest.param(ENDS >= "2026-12-01", custom(ends="2027-01-01"), True, id="P-11 after a date"),
        pytest.param(ENDS >= "2026-12-01", {}, False, id="P-11 no date"),
        # --- is set ---
        pytest.param(PLAN.known(), custom(plan="x"), True, id="P-11 is set"),
        pytest.param(PLAN.known(), custom(plan=""), False, id="P-11 empty is not set"),
        pytest.param(PLAN.known(), custom(plan=0), True, id="P-11 zero is set"),
        pytest.param(PLAN.known(), custom(plan=False), True, id="P-11 false is set"),
        pytest.param(PLAN.unknown(), {}, True, id="P-11 is not set"),
        pytest.param(PLAN == None, {}, True, id="P-11 is nothing"),  # noqa: E711  # makes a condition
        # --- nested, and lists ---
        pytest.param(TURNOVER >= 5, {"company": {"turnover": 5}}, True, id="P-11 nested"),
        pytest.param(TURNOVER >= 5, {"company": None}, False, id="P-11 nested in nothing"),
        pytest.param(TURNOVER >= 5, {"company": "Acme"}, False, id="P-11 nested in a text"),
        pytest.param(lead.tags.has("vip"), {"tags": ["shop", "vip"]}, True, id="P-11 has"),
        pytest.param(lead.tags.has("vip"), {"tags": ["vips"]}, False, id="P-11 has another"),
        pytest.param(lead.tags.has("vip"), {"tags": "vip"}, False, id="P-11 a text is no list"),
        # --- joined ---
        pytest.param((PLAN == "pro") & (AMOUNT > 1), custom(plan="pro", amount=1), False, id="P-11 and"),
        pytest.param((PLAN == "pro") | (AMOUNT > 1), custom(plan="pro", amount=1), True, id="P-11 or"),
        pytest.param(((PLAN == "pro") | (AMOUNT > 1)) & VIP.known(), custom(plan="pro"), False, id="P-11 or in and"),
        pytest.param((PLAN == "pro") | ((AMOUNT > 1) & VIP.known()), custom(plan="pro"), True, id="P-11 and in or"),
    ],
)
def test_a_condition_on_the_lead_is_true_or_not(condition: Condition, known: Mapping[str, Any], expected: bool) -> None:
    facts = Facts(NOW, known)

    assert (condition.test(facts), (~condition).test(facts)) == (expected, not expected)


def order(ago: timedelta, **properties: Any) -> Happening:
    return Happening("order", NOW - ago, properties)


ORDERS = [order(days(40), plan="pro", total=10), order(days(2), plan="pro", total="90", shop={"city": "Bonn"})]
ORDERED = event("order")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param(ORDERED, True, id="P-11 happened"),
        pytest.param(event("refund"), False, id="P-11 never happened"),
        pytest.param(event("refund").count() == 0, True, id="P-11 no times"),
        pytest.param(ORDERED.count() == 2, True, id="P-11 twice"),
        pytest.param(ORDERED.count() != 2, False, id="P-11 not twice"),
        pytest.param(ORDERED.count() < 3, True, id="P-11 fewer times"),
        pytest.param(ORDERED.within(days(30)).count() >= 2, False, id="P-11 within"),
        pytest.param(ORDERED.within(days(2)), False, id="P-11 within, to the second"),
        pytest.param(ORDERED.absent(days(1)), True, id="P-11 absent"),
        pytest.param(ORDERED.absent(days(3)), False, id="P-11 not absent"),
        pytest.param(ORDERED.where(plan="pro").count() == 2, True, id="P-11 a property"),
        pytest.param(ORDERED.where(plan="free"), False, id="P-11 another property"),
        pytest.param(ORDERED.where(prop("total") >= 50).count() == 1, True, id="P-11 a number as a text"),
        pytest.param(ORDERED.where(total=90), True, id="D-05 a number that came as a text"),
        pytest.param(ORDERED.where(total="10"), True, id="D-05 a text that came as a number"),
        pytest.param(ORDERED.where(prop("shop.city") == "Bonn"), True, id="P-11 a nested property"),
        pytest.param(ORDERED.where(prop("shop.city").unknown()).count() == 1, True, id="P-11 a property not set"),
        pytest.param(ORDERED.where(prop("total") >= 50, plan="pro"), True, id="P-11 two properties of one event"),
        pytest.param(ORDERED.where(prop("total") == 10).within(days(30)), False, id="P-11 a property of an old one"),
        pytest.param((lead.country == "DE") & ORDERED.where(prop("shop.city") == "Bonn"), True, id="P-11 lead and event"),
        pytest.param((lead.country == "FR") & ORDERED, False, id="P-11 another lead and event"),
        pytest.param((lead.country == "FR") | ORDERED, True, id="P-11 lead or event"),
    ],
)  # fmt: skip
def test_a_condition_on_what_happened_is_true_or_not(condition: Condition, expected: bool) -> None:
    facts = Facts(NOW, {"country": "DE"}, {"order": ORDERS})

    assert (condition.test(facts), (~condition).test(facts)) == (expected, not expected)
