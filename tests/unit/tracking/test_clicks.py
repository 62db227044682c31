from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.tracking.clicks import (
    BURST,
    EARLY,
    ECHO,
    HELD,
    NEAR_A_TRAP,
    TOO_SOON,
    TRAP,
    Click,
    Judgement,
    Sign,
    Verdict,
    judge,
)

SENT = datetime(2026, 11, 23, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LONG_AFTER = SENT + timedelta(days=1)
HOME, GATEWAY = "192.0.2.0/24", "198.51.100.0/24"


def click(after: timedelta, link: str = "prices", network: str = HOME, **about: object) -> Click:
    """A click so long after the message was handed over, named by what it is."""
    return Click(f"{link or 'trap'} {network} {after}", link, SENT + after, network, **about)  # type: ignore[arg-type]


def signs(*clicks: Click, now: datetime = LONG_AFTER, **about: object) -> list[tuple[Verdict, Sign]]:
    """The verdicts in the order in which the clicks were given."""
    found = judge(clicks, now, SENT, **about)  # type: ignore[arg-type]
    return [(found[one.id].verdict, found[one.id].sign) for one in clicks]


PERSON = (Verdict.PERSON, Sign.NONE)


def machine(sign: Sign) -> tuple[Verdict, Sign]:
    """A machine's, by that sign."""
    return Verdict.MACHINE, sign


def test_a_click_without_any_doubt_is_a_persons_at_once() -> None:
    one = click(EARLY)
    assert signs(one, now=one.at) == [PERSON]


def test_of_a_message_whose_hand_over_is_unknown_a_click_is_not_doubted() -> None:
    one = click(SECOND)
    assert judge([one], one.at) == {one.id: Judgement(Verdict.PERSON)}


def test_an_early_click_waits_and_is_a_persons_when_nothing_more_comes() -> None:
    one = click(30 * SECOND)

    assert judge([one], one.at, SENT)[one.id] == Judgement(Verdict.WAITING, Sign.EARLY, one.at + HELD)
    assert signs(one, now=one.at + HELD) == [PERSON]


def test_nobody_reads_within_a_moment() -> None:
    assert signs(click(TOO_SOON - SECOND), click(TOO_SOON)) == [machine(Sign.TOO_SOON), PERSON]


def test_what_a_program_says_of_itself_is_believed() -> None:
    assert signs(click(timedelta(hours=1), program=True)) == [machine(Sign.PROGRAM)]


def test_who_follows_the_link_that_nobody_sees_gives_its_network_away_before_and_after() -> None:
    hour = timedelta(hours=1)
    before, trap, after = (click(hour - NEAR_A_TRAP, network=GATEWAY), click(hour, TRAP, GATEWAY),
                           click(hour + NEAR_A_TRAP, "case", GATEWAY))  # fmt: skip
    person, later = click(hour + SECOND, "webinar"), click(2 * hour, "webinar", GATEWAY)

    assert signs(before, trap, after, person, later) == [
        machine(Sign.NETWORK), machine(Sign.TRAP), machine(Sign.NETWORK), PERSON, PERSON,
    ]  # fmt: skip


def test_many_links_at_once_are_not_followed_by_a_person() -> None:
    hour = timedelta(hours=1)
    three = [click(hour + at * SECOND, link) for at, link in enumerate(("prices", "case", "webinar"))]
    slowly = [click(hour + 2 * at * SECOND, link) for at, link in enumerate(("prices", "case", "webinar"))]
    again = [click(hour + at * SECOND, "prices") for at in range(3)]

    assert signs(*three) == [machine(Sign.BURST)] * 3
    assert signs(*slowly) == [PERSON] * 3
    assert signs(*again) == [PERSON] * 3


def test_a_second_link_waits_for_a_third_and_the_first_is_turned_with_it() -> None:
    hour = timedelta(hours=1)
    one, two, three = (click(hour + at * SECOND, link) for at, link in enumerate(("prices", "case", "webinar")))

    assert signs(one, now=one.at) == [PERSON]
    assert signs(one, two, now=two.at) == [PERSON, (Verdict.WAITING, Sign.PAIR)]
    assert signs(one, two, now=two.at + BURST) == [PERSON, PERSON]
    assert signs(one, two, three, now=three.at) == [machine(Sign.BURST)] * 3


def test_a_click_of_a_person_and_one_seconds_later_from_elsewhere_are_one() -> None:  # B-20
    hour = timedelta(hours=1)
    person, scanner, later = click(hour), click(hour + 12 * SECOND, network=GATEWAY), click(2 * hour, network=GATEWAY)

    assert signs(person, scanner, later) == [PERSON, machine(Sign.ECHO), PERSON]
    assert signs(person, click(hour + ECHO + SECOND, network=GATEWAY)) == [PERSON, PERSON]
    assert signs(person, click(hour + SECOND)) == [PERSON, PERSON]  # twice by the same finger


def test_what_echoes_a_machine_is_a_persons() -> None:
    hour = timedelta(hours=1)
    scanner, person = click(hour, network=GATEWAY, program=True), click(hour + SECOND)

    assert signs(scanner, person) == [machine(Sign.PROGRAM), PERSON]


def test_a_network_that_machines_came_from_lately_is_doubted() -> None:
    one = click(timedelta(hours=1), network=GATEWAY)

    assert signs(one, now=one.at, suspects={GATEWAY}) == [(Verdict.WAITING, Sign.SUSPECT)]
    assert signs(one, now=one.at + HELD, suspects={GATEWAY}) == [PERSON]


def test_what_somebody_rules_holds_and_is_evidence_no_more() -> None:
    hour = timedelta(hours=1)
    trap, near = click(hour, TRAP, ruled=Verdict.PERSON), click(hour + SECOND)
    person = click(2 * hour, ruled=Verdict.MACHINE)

    assert signs(trap, near, person) == [(Verdict.PERSON, Sign.RULED), PERSON, (Verdict.MACHINE, Sign.RULED)]


def test_for_a_lead_that_lives_faster_all_spans_are_shorter() -> None:
    one = click(SECOND)

    assert signs(one, now=one.at, pace=86_400) == [PERSON]


LINKS, NETWORKS = ("prices", "case", "webinar", TRAP), (HOME, GATEWAY)
CLICKS = st.lists(
    st.builds(
        Click,
        id=st.uuids().map(str),
        link=st.sampled_from(LINKS),
        at=st.integers(0, 90).map(lambda at: SENT + at * SECOND),
        network=st.sampled_from(NETWORKS),
        program=st.booleans(),
        ruled=st.sampled_from([None, None, None, Verdict.PERSON, Verdict.MACHINE]),
    ),
    max_size=12,
    unique_by=lambda one: one.id,
)


@settings(max_examples=40)
@given(CLICKS, st.randoms(use_true_random=False))
def test_the_order_in_which_clicks_are_told_is_nothing_to_the_verdicts(clicks: Sequence[Click], dice: object) -> None:
    told = list(clicks)
    dice.shuffle(told)  # type: ignore[attr-defined]

    assert judge(told, LONG_AFTER, SENT) == judge(clicks, LONG_AFTER, SENT)


@settings(max_examples=40)
@given(CLICKS)
def test_in_the_end_nothing_waits(clicks: Sequence[Click]) -> None:
    found = judge(clicks, LONG_AFTER, SENT, suspects=NETWORKS).values()

    assert Verdict.WAITING not in {one.verdict for one in found}


@settings(max_examples=40)
@given(CLICKS)
def test_time_alone_turns_nobody_into_a_machine(clicks: Sequence[Click]) -> None:
    at_once = judge(clicks, SENT, SENT)
    in_the_end = judge(clicks, LONG_AFTER, SENT)

    assert {one: in_the_end[one].verdict for one in at_once if at_once[one].verdict is Verdict.MACHINE} == {
        one: Verdict.MACHINE for one in at_once if at_once[one].verdict is Verdict.MACHINE
    }


@settings(max_examples=40)
@given(CLICKS)
def test_a_trap_that_was_fallen_into_leaves_no_person_in_its_network(clicks: Sequence[Click]) -> None:
    unruled = [one._replace(ruled=None) for one in clicks]
    trap = Click("trap", TRAP, SENT + 45 * SECOND, GATEWAY)
    found = judge([*unruled, trap], LONG_AFTER, SENT)

    assert {found[one.id].verdict for one in unruled if one.network == GATEWAY} <= {Verdict.MACHINE}


@pytest.mark.parametrize("links", list(permutations(("prices", "case", TRAP))), ids=" ".join)
def test_a_gateway_gives_itself_away_in_whatever_order_it_follows_links(links: Sequence[str]) -> None:
    clicks = [click(timedelta(hours=1) + 5 * at * SECOND, link, GATEWAY) for at, link in enumerate(links)]

    assert {verdict for verdict, _ in signs(*clicks)} == {Verdict.MACHINE}
