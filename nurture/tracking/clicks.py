"""Whether a person or a machine followed the links of a message: decided by all its clicks, in whatever order they are told.

A click without any doubt is a person's at once. One that is doubted waits a little for more to show, and a verdict is
another when more has shown; once all is told, it depends on nothing but the clicks, when the message was handed over, and
what people ruled.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

TRAP = ""
"""The link that nobody sees: who follows it reads no pages."""

TOO_SOON = timedelta(seconds=2)
"""So soon after the hand-over nobody has a message before their eyes."""

EARLY = timedelta(minutes=1)
"""So long after the hand-over scanners at the reader's end are at work, and a click is doubted."""

HELD = timedelta(seconds=20)
"""So long an early click waits, and one from where machines came before."""

BURST = timedelta(seconds=3)
MANY = 3
"""So many different links are not followed by a person within a burst."""

NEAR_A_TRAP = timedelta(minutes=1)
"""What comes from a network this long before or after it fell into the trap is a machine's as well."""

ECHO = timedelta(seconds=30)
"""A link followed again so soon from elsewhere was followed by what looks over its reader's shoulder."""


class Verdict(StrEnum):
    """Who followed a link; a click that waits is nobody's yet."""

    PERSON = "person"
    MACHINE = "machine"
    WAITING = "waiting"


class Sign(StrEnum):
    """What a verdict goes by."""

    NONE = ""
    PROGRAM = "program"
    TRAP = "trap"
    NETWORK = "network"
    TOO_SOON = "too soon"
    BURST = "burst"
    ECHO = "echo"
    EARLY = "early"
    SUSPECT = "suspect"
    PAIR = "pair"
    RULED = "ruled"

    @property
    def words(self) -> str:
        """It in words."""
        return WORDS[self]


WORDS = {
    Sign.NONE: "nothing speaks against it",
    Sign.PROGRAM: "a program, or a page fetched ahead",
    Sign.TRAP: "followed the link that nobody sees",
    Sign.NETWORK: "its network followed the link that nobody sees",
    Sign.TOO_SOON: "sooner than anybody reads",
    Sign.BURST: "one of many links at once",
    Sign.ECHO: "the same link, just followed from elsewhere",
    Sign.EARLY: "soon after the message went out",
    Sign.SUSPECT: "machines came from its network lately",
    Sign.PAIR: "another link was followed just before",
    Sign.RULED: "somebody decided so",
}


class Click(NamedTuple):
    """A link of a message followed: when, from which network, and what a person `ruled` about it.

    `program` is whether it says itself that no person looks.
    """

    id: str
    link: str
    at: datetime
    network: str
    program: bool = False
    ruled: Verdict | None = None


class Judgement(NamedTuple):
    """A verdict with its sign; one that waits is another at `until` at the latest."""

    verdict: Verdict
    sign: Sign = Sign.NONE
    until: datetime | None = None


def judge(
    clicks: Iterable[Click],
    now: datetime,
    handed_over: datetime | None = None,
    suspects: Collection[str] = (),
    pace: float = 1.0,
) -> dict[str, Judgement]:
    """The verdict on each click of one message, by its id.

    `suspects` are networks that machines came from lately; `pace` tells how many times faster than the calendar its lead
    lives, and so how much shorter all spans are.
    """
    in_order = sorted(clicks, key=lambda click: (click.at, click.id))
    convicted = dict(_convicted(in_order, handed_over, pace))
    found: dict[str, Judgement] = {}
    counted: list[Click] = []
    for click in in_order:
        sign = convicted.get(click.id) or (Sign.ECHO if _echoes(click, counted, pace) else None)
        if click.ruled is not None:
            found[click.id] = Judgement(click.ruled, Sign.RULED)
        elif sign is not None:
            found[click.id] = Judgement(Verdict.MACHINE, sign)
        else:
            found[click.id] = _held(_doubts(click, in_order, handed_over, suspects, pace), now)
        if found[click.id].verdict is not Verdict.MACHINE:
            counted.append(click)
    return found


def _convicted(in_order: Sequence[Click], handed_over: datetime | None, pace: float) -> Iterator[tuple[str, Sign]]:
    """The clicks that are a machine's whatever was counted before them, the plainest sign of each last."""
    unruled = [click for click in in_order if click.ruled is not Verdict.PERSON]
    for click in _in_bursts([click for click in unruled if not click.program], pace):
        yield click.id, Sign.BURST
    traps = [click for click in unruled if click.link == TRAP]
    for click in unruled:
        if handed_over is not None and click.at < handed_over + TOO_SOON / pace:
            yield click.id, Sign.TOO_SOON
        if any(one.network == click.network and abs(one.at - click.at) <= NEAR_A_TRAP / pace for one in traps):
            yield click.id, Sign.NETWORK
        if click.link == TRAP:
            yield click.id, Sign.TRAP
        if click.program:
            yield click.id, Sign.PROGRAM


def _in_bursts(in_order: Sequence[Click], pace: float) -> Iterator[Click]:
    for first, click in enumerate(in_order):
        together = [one for one in in_order[first:] if one.at - click.at <= BURST / pace]
        if len({one.link for one in together}) >= MANY:
            yield from together


def _echoes(click: Click, counted: Iterable[Click], pace: float) -> bool:
    before = (one for one in counted if one.link == click.link and click.at - one.at <= ECHO / pace)
    return any(one.network != click.network for one in before)


def _doubts(
    click: Click, in_order: Iterable[Click], handed_over: datetime | None, suspects: Collection[str], pace: float
) -> Iterator[tuple[datetime, Sign]]:
    """Why the click may yet turn out to be a machine's, and until when."""
    if handed_over is not None and click.at < handed_over + EARLY / pace:
        yield click.at + HELD / pace, Sign.EARLY
    if click.network in suspects:
        yield click.at + HELD / pace, Sign.SUSPECT
    others = (one for one in in_order if one.link != click.link and not one.program)
    if any(timedelta(0) <= click.at - one.at <= BURST / pace for one in others):
        yield click.at + BURST / pace, Sign.PAIR


def _held(doubts: Iterable[tuple[datetime, Sign]], now: datetime) -> Judgement:
    until, sign = max(doubts, default=(now, Sign.NONE))
    return Judgement(Verdict.WAITING, sign, until) if until > now else Judgement(Verdict.PERSON)
