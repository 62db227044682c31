"""Whether a message may go to a lead now: suppression, consent, expiry, quiet hours, windows and caps, in that order."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from nurture.addresses import EMAIL, SMS, consent_to
from nurture.calendar import Window, end_of_quiet, next_opening, quiet
from nurture.campaign import Campaign, Cap, Purpose
from nurture.durations import Length, in_words
from nurture.pace import Pace
from nurture.steps import Message
from nurture.topics import ALL, Topic

QUIET_HOURS, OUTSIDE = "quiet hours", "outside the sending window"
BY_CALENDAR = (QUIET_HOURS, OUTSIDE)
MOST_TURNS = 20  # quiet hours, windows and caps may hand over to each other, not for ever


class ChannelRules(BaseModel):
    """What holds for marketing by one channel, whatever a campaign says: its quiet hours and caps come on top of all others.

    `own` consent is a yes to the channel itself; else one to the topic or to everything will do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    quiet: Window | None = None
    caps: tuple[Cap, ...] = ()
    consent: Literal["own", "topic"] = "own"


USUAL: Mapping[str, ChannelRules] = {
    EMAIL: ChannelRules(consent="topic"),
    SMS: ChannelRules(quiet=quiet("21:00", "08:00"), caps=(Cap(messages=2, period=timedelta(days=7)),)),
}
"""The rules of the channels that the house has none for; those of any other are `ChannelRules()`."""


class HouseRules(BaseModel):
    """What holds for every campaign that says nothing else."""

    model_config = ConfigDict(frozen=True)

    quiet: Window | None = quiet("21:00", "08:00")
    caps: tuple[Cap, ...] = (Cap(messages=1, period=timedelta(days=1)), Cap(messages=3, period=timedelta(days=7)))
    consent: Literal["required", "assumed"] = "required"
    spread: Length = timedelta(0)
    """Over how long those go that quiet hours or a window held up together."""
    holdout: float = Field(default=0, ge=0, le=100)
    """The percent of leads that get no marketing at all, to compare with."""
    channels: Mapping[str, ChannelRules] = Field(default_factory=dict)

    @field_validator("caps")
    @classmethod
    def _allow_something(cls, caps: tuple[Cap, ...]) -> tuple[Cap, ...]:
        if any(cap.messages < 1 or cap.period <= timedelta(0) for cap in caps):
            raise ValueError("a cap allows at least one message in a period longer than zero; for no cap leave it out")
        return caps

    def by(self, channel: str) -> ChannelRules:
        """The rules of that channel."""
        return self.channels.get(channel) or USUAL.get(channel) or ChannelRules()


class Policy(NamedTuple):
    """The rules for one message; what is `own` is of its channel, and comes on top of the rest."""

    purpose: Purpose
    topic: str
    quiet: Window | None
    window: Window | None
    caps: tuple[Cap, ...]
    consent: Literal["required", "assumed"]
    expires_after: timedelta | None
    spread: timedelta = timedelta(0)
    channel: str = EMAIL
    own_quiet: Window | None = None
    own_caps: tuple[Cap, ...] = ()
    own_consent: bool = False


class Standing(NamedTuple):
    """What is known of the lead when a message is due.

    `suppressed` is the reason its address takes nothing at all, `refused_marketing` the reason it takes no marketing;
    `consents` maps topics (`*` for all others, `channel:sms` for a channel) to the yes or no that holds; `recent` are the
    times marketing messages were accepted, newest last, over all campaigns, `by_channel` those by the message's channel;
    `due` is when this message was first due; it does not go before `not_before`. `share`, from 0 up to 1, is the part of a
    spread that it waits.
    """

    has_address: bool
    suppressed: str | None
    refused_marketing: str | None
    consents: dict[str, bool]
    recent: Sequence[datetime]
    due: datetime
    zone: ZoneInfo
    not_before: datetime | None = None
    share: float = 0
    by_channel: Sequence[datetime] = ()


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


def by_none(refused: Mapping[str, str]) -> Never:
    """It goes by none of these channels, each with its reason; what is the same for all is said once."""
    reasons = set(refused.values())
    each = (f"{channel}: {why}" for channel, why in refused.items())
    return Never(reasons.pop() if len(reasons) == 1 else "; ".join(each))


def policy_for(
    campaign: Campaign,
    step: Message,
    house: HouseRules,
    channel: str = EMAIL,
    topics: Mapping[str, Topic] | None = None,
) -> Policy:
    """The rules for a message of that campaign by that channel; a legal basis of its own makes it transactional.

    Of a topic that is declared `opt_out` no consent is asked for.
    """
    topic = (topics or {}).get(campaign.topic)
    consent: Literal["required", "assumed"] = "assumed" if topic is not None and topic.opt_out else house.consent
    expires_after = step.expires_after or campaign.expires_after
    if campaign.purpose == "transactional" or step.legal_basis:
        return Policy("transactional", campaign.topic, None, None, (), consent, expires_after, channel=channel)
    caps = house.caps if campaign.cap is None else (campaign.cap,)
    hours, own = campaign.quiet or house.quiet, house.by(channel)
    return Policy(
        "marketing", campaign.topic, hours, campaign.window, caps, consent, expires_after, house.spread,
        channel, own.quiet, own.caps, own.consent == "own",
    )  # fmt: skip


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
    if isinstance(last, Never):
        return last
    return _spread(policy, standing, first, pace) if isinstance(first, Later) else first


def _spread(policy: Policy, standing: Standing, held: Later, pace: Pace) -> Later:
    """Not all at once that a calendar held up together, each a little later; as long as it may go by then."""
    if not held.reason.startswith(BY_CALENDAR) or not policy.spread:
        return held
    at = pace.after(held.until, policy.spread * standing.share)
    return Later(at, held.reason) if isinstance(_allowed(policy, standing, at, pace), Go) else held


def _allowed(policy: Policy, standing: Standing, now: datetime, pace: Pace) -> Go | Later | Never:
    refusal = _refusal(policy, standing)
    if refusal is not None:
        return Never(refusal)
    if policy.expires_after is not None and now > pace.after(standing.due, policy.expires_after):
        return Never(f"not sent within {in_words(policy.expires_after)}", "expired")
    if standing.not_before is not None and now < standing.not_before:
        return Later(standing.not_before, "its turn in the spread")
    if policy.purpose == "transactional":
        return Go()
    local = pace.calendar(now)
    if policy.quiet is not None and (until := end_of_quiet(policy.quiet, local, standing.zone)):
        return Later(pace.real(until), QUIET_HOURS)
    if policy.own_quiet is not None and (until := end_of_quiet(policy.own_quiet, local, standing.zone)):
        return Later(pace.real(until), f"quiet hours of {policy.channel}")
    if policy.window is not None and (opening := next_opening(policy.window, local, standing.zone)) > local:
        return Later(pace.real(opening), OUTSIDE)
    return (
        _capped(policy.caps, standing.recent, now, pace)
        or _capped(policy.own_caps, standing.by_channel, now, pace, f" by {policy.channel}")
        or Go()
    )


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
    to_channel = standing.consents.get(consent_to(policy.channel))
    if to_channel is False:
        return f"stopped {policy.channel}"
    if to_channel or policy.consent == "assumed":
        return None
    if policy.own_consent:
        return f"no consent to {policy.channel}"
    return f"no consent to {policy.topic}" if answer is None else None


def _capped(
    caps: Sequence[Cap], recent: Sequence[datetime], now: datetime, pace: Pace, where: str = ""
) -> Later | None:
    """The earliest time at which every cap has room again."""
    latest: Later | None = None
    for cap in caps:
        if cap.messages < 1:
            continue  # `nurture check` refuses it; nothing is ever blocked for good by a number
        inside = [at for at in recent if pace.after(at, cap.period) > now]
        if len(inside) < cap.messages:
            continue
        room = pace.after(inside[len(inside) - cap.messages], cap.period)
        if latest is None or room > latest.until:
            latest = Later(room, f"the cap of {cap.messages} in {in_words(cap.period)}{where} is reached")
    return latest
