"""Hold-outs of the programme: always the same leads, and only from what is marketing."""

from collections import Counter
from datetime import UTC, datetime

from nurture import Campaign, State, send, wait
from nurture.durations import days
from nurture.enrolment import Earlier, may_enter
from nurture.experiments.hold_outs import HELD_OUT, held_out, is_all_marketing, out_of_programme

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
LEADS = [f"lead-{n}" for n in range(10_000)]


def test_the_percent_of_leads_is_held_out_and_always_the_same_ones() -> None:
    out = Counter(out_of_programme(5, one) for one in LEADS)

    assert 400 < out[True] < 600
    assert [out_of_programme(5, one) for one in LEADS] == [out_of_programme(5, one) for one in LEADS]


def test_with_a_higher_percent_others_join_and_nobody_leaves() -> None:
    five, ten = ({one for one in LEADS if out_of_programme(percent, one)} for percent in (5, 10))

    assert five < ten


def test_the_hold_out_of_a_campaign_says_nothing_about_that_of_the_programme() -> None:
    campaign = Campaign("guide", [], holdout=10)
    both = sum(out_of_programme(10, one) and held_out(campaign, one) for one in LEADS)

    assert 60 < both < 140


def test_what_was_asked_for_keeps_a_campaign_open_to_who_is_held_out() -> None:
    promised = send("guide/deliver", legal_basis="the lead asked for the guide")

    assert is_all_marketing(Campaign("news", [State("one", [send("news/one"), wait(days(1))])]))
    assert not is_all_marketing(Campaign("guide", [State("one", [promised, send("guide/more")])]))
    assert not is_all_marketing(Campaign("bill", [State("one", [send("bill")])], purpose="transactional"))


def test_who_is_held_out_of_the_programme_is_told_so() -> None:
    refusal = may_enter(Campaign("news", []), [Earlier("", "holdout", NOW, HELD_OUT)], "", False, NOW)

    assert refusal is not None
    assert refusal.reason == HELD_OUT
