"""Whether a message may go: every rule, their order, and the first moment at which all of them allow it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from nurture import Campaign, at_most, between, days, hours, minutes, quiet, send
from nurture.campaign import Cap, Purpose
from nurture.pace import Pace
from nurture.permission import Go, HouseRules, Later, Never, Policy, Standing, by_none, permission, policy_for
from nurture.steps import Send

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)  # a Monday
NIGHT = NOON + timedelta(hours=11)
BERLIN = ZoneInfo("Europe/Berlin")
PACE = Pace(origin=NOON)
POLICY = Policy("marketing", "news", None, None, (), "required", None)
ALLOWED = Standing(True, None, None, {"*": True}, [], NOON, ZoneInfo("UTC"))


def may(policy: Policy = POLICY, now: datetime = NOON, pace: Pace = PACE, **standing: Any) -> Go | Later | Never:
    return permission(policy, ALLOWED._replace(**standing), now, pace)


# --- never ---


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        ({"has_address": False, "suppressed": "5.1.1"}, "no address"),
        ({"suppressed": "5.1.1", "refused_marketing": "complained"}, "the address is suppressed: 5.1.1"),
        ({"refused_marketing": "complained", "consents": {}}, "complained"),
        ({"consents": {"news": False, "*": True}}, "unsubscribed from news"),
        ({"consents": {"other": True, "*": False}}, "unsubscribed from news"),
        ({"consents": {"offers": True}}, "no consent to news"),
        ({"consents": {}}, "no consent to news"),
    ],
)
def test_who_may_not_be_written_to_is_told_why_by_the_strictest_rule(standing: dict[str, Any], reason: str) -> None:
    assert may(**standing) == Never(reason)


@pytest.mark.parametrize("consents", [{"news": True}, {"*": True}, {"*": True, "offers": False}])
def test_a_yes_to_the_topic_or_to_all_is_enough(consents: dict[str, bool]) -> None:
    assert may(consents=consents) == Go()


def test_where_consent_is_assumed_only_a_no_counts() -> None:
    assumed = POLICY._replace(consent="assumed")

    assert [may(assumed, consents={}), may(assumed, consents={"news": False})] == [
        Go(),
        Never("unsubscribed from news"),
    ]


def test_a_transactional_message_needs_an_address_that_takes_mail_and_nothing_else() -> None:
    policy = POLICY._replace(
        purpose="transactional", quiet=quiet("00:00", "23:59"), caps=(Cap(messages=1, period=days(1)),)
    )

    assert may(policy, consents={"*": False}, refused_marketing="complained", recent=[NOON]) == Go()
    assert may(policy, suppressed="5.1.1") == Never("the address is suppressed: 5.1.1")


def test_what_was_not_sent_in_time_is_given_up() -> None:
    policy = POLICY._replace(expires_after=hours(2))

    assert may(policy, NOON + hours(2)) == Go()
    assert may(policy, NOON + hours(2.1)) == Never("not sent within 2 hours", "expired")


def test_what_could_only_go_when_it_has_expired_is_given_up_at_once() -> None:
    policy = POLICY._replace(quiet=quiet("21:00", "08:00"), expires_after=hours(2))

    assert may(policy, NIGHT, due=NIGHT) == Never("not sent within 2 hours", "expired")


# --- later ---


def test_quiet_hours_are_those_of_the_lead() -> None:
    policy = POLICY._replace(quiet=quiet("21:00", "08:00"))

    assert may(policy, NOON + hours(8), zone=BERLIN) == Later(datetime(2026, 1, 6, 7, tzinfo=UTC), "quiet hours")
    assert may(policy, NOON + hours(8)) == Go()


def test_outside_its_window_a_message_waits_for_the_next_one() -> None:
    policy = POLICY._replace(window=between("09:00", "11:00", days=("wed",)))

    assert may(policy) == Later(datetime(2026, 1, 7, 9, tzinfo=UTC), "outside the sending window")


def test_the_fourth_message_of_a_week_goes_when_the_first_is_a_week_old() -> None:  # M-73
    recent = [NOON - days(5), NOON - days(3), NOON - days(1)]
    policy = POLICY._replace(caps=(Cap(messages=3, period=days(7)),))

    assert may(policy, recent=recent) == Later(NOON + days(2), "the cap of 3 in 7 days is reached")


def test_a_cap_counts_only_its_own_period() -> None:
    policy = POLICY._replace(caps=(Cap(messages=1, period=days(1)),))

    assert [may(policy, recent=[NOON - days(1)]), may(policy, recent=[NOON - hours(23)])] == [
        Go(), Later(NOON + hours(1), "the cap of 1 in 1 day is reached"),
    ]  # fmt: skip


def test_of_several_caps_the_one_that_lasts_longest_decides() -> None:
    policy = POLICY._replace(caps=(Cap(messages=1, period=days(1)), Cap(messages=2, period=days(7))))

    assert may(policy, recent=[NOON - days(2), NOON - hours(1)]) == Later(
        NOON + days(5), "the cap of 2 in 7 days is reached"
    )


def test_more_than_a_cap_allows_waits_until_there_is_really_room() -> None:
    policy = POLICY._replace(caps=(Cap(messages=1, period=days(1)),))
    recent = [NOON - hours(20), NOON - hours(10), NOON - hours(5)]

    assert may(policy, recent=recent) == Later(NOON + hours(19), "the cap of 1 in 1 day is reached")


def test_a_cap_of_nothing_never_blocks_everything() -> None:  # B-14
    assert may(POLICY._replace(caps=(Cap(messages=0, period=days(1)),)), recent=[NOON]) == Go()


@pytest.mark.parametrize("cap", [Cap(messages=0, period=days(1)), Cap(messages=1, period=days(0))])
def test_a_house_rule_that_allows_nothing_is_refused(cap: Cap) -> None:  # B-14
    with pytest.raises(ValidationError, match="for no cap leave it out"):
        HouseRules(caps=(cap,))


def test_later_is_when_quiet_hours_window_and_cap_all_allow_it() -> None:
    policy = POLICY._replace(
        quiet=quiet("21:00", "10:00"), window=between("09:00", "12:00"), caps=(Cap(messages=1, period=days(1)),)
    )

    assert may(policy, NIGHT, recent=[NOON - hours(1)]) == Later(datetime(2026, 1, 6, 11, tzinfo=UTC), "quiet hours")
    assert may(policy, NIGHT, recent=[NOON + hours(1)]) == Later(datetime(2026, 1, 7, 10, tzinfo=UTC), "quiet hours")


half_hours = st.integers(0, 47).map(lambda n: f"{n // 2:02}:{n % 2 * 30:02}")
spans = st.tuples(half_hours, half_hours).filter(lambda span: span[0] != span[1])


@settings(max_examples=60, deadline=None)
@given(
    silent=spans, window=spans, ago=st.lists(st.integers(0, 200), max_size=5), start=st.integers(0, 47),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York"]),
)  # fmt: skip
def test_later_is_the_first_moment_at_which_it_may_go(
    silent: tuple[str, str], window: tuple[str, str], ago: list[int], start: int, zone: str
) -> None:
    now = NOON + start * timedelta(minutes=30)
    policy = POLICY._replace(quiet=quiet(*silent), window=between(*window), caps=(Cap(messages=2, period=days(2)),))
    standing: dict[str, Any] = {"recent": sorted(now - n * timedelta(minutes=30) for n in ago), "zone": ZoneInfo(zone)}
    answer = may(policy, now, **standing)

    if isinstance(answer, Later) and may(policy, answer.until, **standing) == Go():
        until = now + timedelta(minutes=15)
        while until < answer.until:
            assert may(policy, until, **standing) != Go()
            until += timedelta(minutes=90)
    assert isinstance(answer, Go | Later)


@pytest.mark.parametrize("factor", [1, 3600, 86_400])
def test_on_a_hurried_calendar_every_rule_is_hurried_and_never_early(factor: float) -> None:
    pace = Pace(origin=NOON, factor=factor)
    policy = POLICY._replace(quiet=quiet("21:00", "08:00"), caps=(Cap(messages=1, period=days(1)),))
    answer = may(policy, pace.real(NIGHT), pace, recent=[NOON])

    assert isinstance(answer, Later)
    assert timedelta(0) <= pace.calendar(answer.until) - (NOON + days(1)) < timedelta(seconds=1)


# --- which rules hold ---


def a_message(**options: Any) -> Send:
    made = send("m", **options)
    assert isinstance(made, Send)
    return made


def a_campaign(**options: Any) -> Campaign:
    return Campaign("c", [], **options)


def test_the_house_rules_hold_where_a_campaign_says_nothing() -> None:
    house = HouseRules()

    assert policy_for(a_campaign(), a_message(), house) == Policy(
        "marketing", "news", house.quiet, None, house.caps, "required", None
    )


def test_what_a_campaign_says_takes_the_place_of_the_house_rules() -> None:
    own = a_campaign(
        quiet=quiet("00:00", "06:00"), cap=at_most(5, within=days(1)), topic="offers", expires_after=days(1)
    )
    policy = policy_for(own, a_message(expires_after=hours(1)), HouseRules())

    assert (policy.quiet, policy.caps, policy.topic) == (own.quiet, (own.cap,), "offers")
    assert policy.expires_after == hours(1)


@pytest.mark.parametrize(
    ("campaign", "message"),
    [
        (a_campaign(purpose="transactional", legal_basis="contract"), a_message()),
        (a_campaign(), a_message(legal_basis="the lead asked for it")),
    ],
)
def test_a_legal_basis_frees_a_message_of_hours_and_caps(campaign: Campaign, message: Send) -> None:
    policy = policy_for(campaign, message, HouseRules())

    assert (policy.purpose, policy.quiet, policy.window, policy.caps) == ("transactional", None, None, ())


# --- spread ---


@pytest.mark.parametrize("purpose", ["marketing", "transactional"])
def test_in_a_spread_each_waits_for_its_turn_and_then_for_everything_else(purpose: Purpose) -> None:
    turn = NOON + timedelta(minutes=40)
    policy = POLICY._replace(purpose=purpose, quiet=quiet("12:30", "13:00"))

    assert may(policy, not_before=turn) == (
        Later(NOON + hours(1), "its turn in the spread")
        if purpose == "marketing"
        else Later(turn, "its turn in the spread")
    )
    assert may(policy, now=turn + hours(1), not_before=turn) == Go()
    assert may(policy, suppressed="5.1.1", not_before=turn) == Never("the address is suppressed: 5.1.1")


def test_those_that_quiet_hours_held_up_together_do_not_go_together() -> None:
    policy = POLICY._replace(quiet=quiet("21:00", "08:00"), spread=minutes(30))
    morning = datetime(2026, 1, 6, 8, tzinfo=UTC)

    assert [may(policy, now=NIGHT, share=share) for share in (0, 0.5)] == [
        Later(morning, "quiet hours"), Later(morning + minutes(15), "quiet hours"),
    ]  # fmt: skip


def test_a_spread_leads_nobody_past_the_end_of_a_window_or_of_its_own_time() -> None:
    policy = POLICY._replace(window=between("08:00", "08:10"), spread=minutes(30))
    opening = datetime(2026, 1, 6, 8, tzinfo=UTC)

    assert may(policy, now=NIGHT, share=0.2) == Later(opening + minutes(6), "outside the sending window")
    assert may(policy, now=NIGHT, share=0.9) == Later(opening, "outside the sending window")
    hurried = policy._replace(expires_after=opening + minutes(3) - NOON)
    assert may(hurried, now=NIGHT, share=0.2) == Later(opening, "outside the sending window")


def test_a_cap_spreads_nobody_as_its_leads_do_not_wait_together() -> None:
    policy = POLICY._replace(caps=(Cap(messages=1, period=days(1)),), spread=minutes(30))

    assert may(policy, recent=[NOON], share=0.9) == Later(NOON + days(1), "the cap of 1 in 1 day is reached")


# --- one channel's own rules ---

SMS = POLICY._replace(channel="sms", own_consent=True)


def test_a_channel_that_the_lead_stopped_carries_no_marketing_and_the_others_do() -> None:
    consents = {"*": True, "channel:sms": False}

    assert may(SMS, consents=consents) == Never("stopped sms")
    assert may(POLICY, consents=consents) == Go()


def test_a_stopped_channel_still_carries_what_the_lead_asked_for() -> None:
    assert may(SMS._replace(purpose="transactional"), consents={"channel:sms": False}) == Go()


@pytest.mark.parametrize(
    ("consents", "answer"),
    [
        ({"*": True}, Never("no consent to sms")),
        ({"news": True}, Never("no consent to sms")),
        ({"channel:sms": True}, Go()),
        ({"channel:sms": True, "news": False}, Never("unsubscribed from news")),
        ({"channel:sms": True, "*": False}, Never("unsubscribed from news")),
    ],
)
def test_a_channel_of_its_own_consent_takes_a_yes_to_itself_and_a_no_to_anything_outweighs_it(
    consents: dict[str, bool], answer: Go | Never
) -> None:
    assert may(SMS, consents=consents) == answer


def test_a_yes_to_a_channel_is_enough_where_a_yes_to_the_topic_is() -> None:
    assert may(POLICY._replace(channel="email"), consents={"channel:email": True}) == Go()


def test_quiet_hours_of_a_channel_hold_where_a_campaign_has_none() -> None:
    loud = Campaign("road", [], quiet=quiet("03:00", "04:00"))
    by_sms, by_mail = (policy_for(loud, Send(template="x"), HouseRules(), channel) for channel in ("sms", "email"))

    until = datetime(2026, 1, 6, 8, tzinfo=UTC)
    assert may(by_sms, NIGHT, consents={"channel:sms": True}) == Later(until, "quiet hours of sms")
    assert may(by_mail, NIGHT) == Go()


def test_a_cap_of_a_channel_counts_what_went_by_it() -> None:
    policy = SMS._replace(own_caps=(Cap(messages=1, period=days(7)),))
    yes = {"channel:sms": True}

    assert may(policy, consents=yes, recent=[NOON - days(1)]) == Go()
    waits = Later(NOON + days(6), "the cap of 1 in 7 days by sms is reached")
    assert may(policy, consents=yes, recent=[NOON - days(1)], by_channel=[NOON - days(1)]) == waits


def test_the_house_may_give_a_channel_rules_of_its_own() -> None:
    house = HouseRules.model_validate({"channels": {"telegram": {"consent": "topic"}}})
    rules = [policy_for(Campaign("road", []), Send(template="x"), house, by).own_consent for by in ("telegram", "sms")]

    assert rules == [False, True]


def test_why_it_goes_by_no_channel_is_said_once_where_it_is_the_same() -> None:
    assert by_none({"sms": "no address", "email": "no address"}) == Never("no address")
    assert by_none({"sms": "no address", "email": "complained"}) == Never("sms: no address; email: complained")
