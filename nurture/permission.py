"""Whether a message may go to a lead now: suppression, consent, expiry, quiet hours, windows and caps, in that order."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, field_validator

from nurture.calendar import Window, end_of_quiet, next_opening, quiet
from nurture.campaign import Campaign, Cap, Purpose
from nurture.durations import in_words
from nurture.pace import Pace
from nurture.steps import Message
from nurture.topics import ALL, Topic

MOST_TURNS = 20  # quiet hours, windows and caps may hand over to each other, not for ever


class HouseRules(BaseModel):
    """What holds for every campaign that says nothing else."""

    model_config = ConfigDict(frozen=True)

    quiet: Window | None = quiet("21:00", "08:00")
    caps: tuple[Cap, ...] = (Cap(messages=1, period=timedelta(days=1)), Cap(messages=3, period=timedelta(days=7)))
    consent: Literal["required", "assumed"] = "required"

    @field_validator("caps")
    @classmethod
    def _allow_something(cls, caps: tuple[Cap, ...]) -> tuple[Cap, ...]:
        if any(cap.messages < 1 or cap.period <= timedelta(0) for cap in caps):
            raise ValueError("a cap allows at least one message in a period longer than zero; for no cap leave it out")
        return caps


class Policy(NamedTuple):
    """The rules for one message."""

    purpose: Purpose
    topic: str
    quiet: Window | None
    window: Window | None
    caps: tuple[Cap, ...]
    consent: Literal["required", "assumed"]
    expires_after: timedelta | None


class Standing(NamedTuple):
    """What is known of the lead when a message is due.

    `suppressed` is the reason its address takes no mail at all, `refused_marketing` the reason it takes no marketing;
    `consents` maps topics (`*` for all others) to the yes or no that holds; `recent` are the times marketing messages were
    accepted, newest last, over all campaigns; `due` is when this message was first due.
    """

    has_address: bool
    suppressed: str | None
    refused_marketing: str | None
    consents: dict[str, bool]
    recent: Sequence[datetime]
    due: datetime
    zone: ZoneInfo


class Go(NamedTuple):
    """It may go."""


class Later(NamedTuple):
    """Not before then."""

    until: datetime
    reason: str


class Never(NamedTuple):
    """Not at all; the step closes with the reason."""

    reason: str
    status: Literal["suppressed", "expired"] = "suppressed"


def policy_for(
    campaign: Campaign, step: Message, house: HouseRules, topics: Mapping[str, Topic] | None = None
) -> Policy:
    """The rules for a message of that campaign; a legal basis of its own makes it transactional.

    Of a topic that is declared `opt_out` no consent is asked for.
    """
    topic = (topics or {}).get(campaign.topic)
    consent: Literal["required", "assumed"] = "assumed" if topic is not None and topic.opt_out else house.consent
    expires_after = step.expires_after or campaign.expires_after
    if campaign.purpose == "transactional" or step.legal_basis:
        return Policy("transactional", campaign.topic, None, None, (), consent, expires_after)
    caps = house.caps if campaign.cap is None else (campaign.cap,)
    hours = campaign.quiet or house.quiet
    return Policy("marketing", campaign.topic, hours, campaign.window, caps, consent, expires_after)


def permission(policy: Policy, standing: Standing, now: datetime, pace: Pace) -> Go | Later | Never:
    """May it go at `now` (real time)? Calendar rules are read on the journey's own clock, given by `pace`.

    `Later` names the first moment at which, as far as is known now, nothing stands in the way any more.
    """
    first = last = _allowed(policy, standing, now, pace)
    for _ in range(MOST_TURNS):
        if not isinstance(last, Later) or not isinstance(first, Later):
            break
        first = Later(last.until, first.reason)
        last = _allowed(policy, standing, last.until, pace)
    return last if isinstance(last, Never) else first


def _allowed(policy: Policy, standing: Standing, now: datetime, pace: Pace) -> Go | Later | Never:
    refusal = _refusal(policy, standing)
    if refusal is not None:
        return Never(refusal)
    if policy.expires_after is not None and now > pace.after(standing.due, policy.expires_after):
        return Never(f"not sent within {in_words(policy.expires_after)}", "expired")
    if policy.purpose == "transactional":
        return Go()
    local = pace.calendar(now)
    if policy.quiet is not None and (until := end_of_quiet(policy.quiet, local, standing.zone)):
        return Later(pace.real(until), "quiet hours")
    if policy.window is not None and (opening := next_opening(policy.window, local, standing.zone)) > local:
        return Later(pace.real(opening), "outside the sending window")
    return _capped(policy, standing, now, pace) or Go()


def _refusal(policy: Policy, standing: Standing) -> str | None:
    if not standing.has_address:
        return "no address"
    if standing.suppressed is not None:
        return f"the address is suppressed: {standing.suppressed}"
    if policy.purpose == "transactional":
        return None
    if standing.refused_marketing is not None:
        return standing.refused_marketing
    answer = standing.consents.get(policy.topic, standing.consents.get(ALL))
    if answer is False:
        return f"unsubscribed from {policy.topic}"
    if answer is None and policy.consent == "required":
        return f"no consent to {policy.topic}"
    return None


def _capped(policy: Policy, standing: Standing, now: datetime, pace: Pace) -> Later | None:
    """The earliest time at which every cap has room again."""
    latest: Later | None = None
    for cap in policy.caps:
        if cap.messages < 1:
            continue  # `nurture check` refuses it; nothing is ever blocked for good by a number
        inside = [at for at in standing.recent if pace.after(at, cap.period) > now]
        if len(inside) < cap.messages:
            continue
        room = pace.after(inside[len(inside) - cap.messages], cap.period)
        if latest is None or room > latest.until:
            latest = Later(room, f"the cap of {cap.messages} in {in_words(cap.period)} is reached")
    return latest
