"""The verbs of a campaign, as a marketer writes them; each makes one step.

A step that cannot be made does not stop the file: it becomes a `Broken` step, so that `nurture check` reports every
fault at once, each with its place.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Literal, ParamSpec

from pydantic import ValidationError

from nurture import steps
from nurture.calendar import ClockTime, Window
from nurture.conditions import AnyCondition, Happened
from nurture.experiments.pick import Pick
from nurture.faults import faults_of
from nurture.lead import ProfileField
from nurture.needs import Kind, Need
from nurture.triggers import On, TargetLike, ToState, TriggerLike, When, target, trigger
from nurture.values import Plain

Given = ParamSpec("Given")


def _says_where_it_breaks(make: Callable[Given, steps.Step]) -> Callable[Given, steps.Step]:
    @wraps(make)
    def made(*args: Given.args, **kwargs: Given.kwargs) -> steps.Step:
        try:
            return make(*args, **kwargs)
        except ValidationError as error:
            return steps.Broken(name=make.__name__, fault="; ".join(faults_of(error)))
        except (TypeError, ValueError) as error:
            return steps.Broken(name=make.__name__, fault=str(error).removeprefix(f"{make.__name__}() "))

    return made


@_says_where_it_breaks
def send(
    template: str,
    *,
    channel: str | tuple[str, ...] = "email",
    expires_after: timedelta | None = None,
    on_unknown: Literal["hold", "resend"] | None = None,
    legal_basis: str = "",
    document: str = "",
    attach: bool = False,
) -> steps.Step:
    """Send the message, by e-mail unless `channel` names another: `channel="sms"`, `channel=prefer("telegram", "email")`.

    `expires_after` gives it up visibly; `on_unknown` says what an ambiguous hand-over means; a `legal_basis` ("the lead
    asked for it") makes it transactional: it goes at once, outside quiet hours and caps, without marketing consent. A
    `document` is issued for the lead: the message has `links.document`, and with `attach` the PDF goes along.
    """
    return steps.Send(
        template=template,
        channel=channel,
        expires_after=expires_after,
        on_unknown=on_unknown,
        legal_basis=legal_basis,
        document=document,
        attach=attach,
    )


def prefer(*channels: str) -> tuple[str, ...]:
    """The first of these channels by which the lead can be reached, the one that it prefers itself before all others."""
    return channels


@_says_where_it_breaks
def thank(template: str, *, channel: str | tuple[str, ...] = "email") -> steps.Step:
    """Thank the lead with that message."""
    return steps.Thank(template=template, channel=channel)


@_says_where_it_breaks
def ask_referral(
    template: str, *, satisfied: AnyCondition = steps.SATISFIED, channel: str | tuple[str, ...] = "email"
) -> steps.Step:
    """Ask for a recommendation; the message has `links.share` and `referral.code` of the lead's own.

    Nobody is asked who is not `satisfied`: unless you say otherwise, who paid an order that was not refunded, and gave 9
    or 10 or is tagged `solved`.
    """
    return steps.AskReferral(template=template, satisfied=satisfied, channel=channel)


@_says_where_it_breaks
def survey(key: str, template: str | None = None, *, channel: str | tuple[str, ...] = "email") -> steps.Step:
    """Ask a survey by a message (`surveys/<key>` unless another template is named); the answer is `survey_answered`."""
    return steps.Survey(survey=key, template=template or f"surveys/{key}", channel=channel)


@_says_where_it_breaks
def ask(field: ProfileField | str, template: str, *, channel: str | tuple[str, ...] = "email") -> steps.Step:
    """Ask one question on the profile or BANT; the answer is the event `answered`."""
    return steps.Ask(field=steps.as_path(field), template=template, channel=channel)


@_says_where_it_breaks
def confirm(form: str, template: str | None = None, *, channel: str | tuple[str, ...] = "email") -> steps.Step:
    """Ask to confirm the consent of that form by a message (`forms/confirm` unless another template is named).

    The message has `links.confirm`; the answer is the event `confirmed`.
    """
    return steps.Confirm(form=form, template=template or "forms/confirm", channel=channel)


@_says_where_it_breaks
def notify(text: str, *, team: str = "marketing") -> steps.Step:
    """Tell the team."""
    return steps.Notify(text=text, team=team)


@_says_where_it_breaks
def escalate(definition: str, *, team: str = "") -> steps.Step:
    """Hand the lead over to sales, by that sales-ready definition; of several teams to the named one."""
    return steps.Escalate(definition=definition, team=team)


@_says_where_it_breaks
def task(title: str, *, team: str = "sales", due_in: timedelta | None = None) -> steps.Step:
    """Give a person of the team something to do."""
    return steps.Task(title=title, team=team, due_in=due_in)


@_says_where_it_breaks
def call(hook: str, **data: Plain) -> steps.Step:
    """Call another system by a signed webhook (declared as `Hook`)."""
    return steps.Call(hook=hook, data=data)


@_says_where_it_breaks
def set_field(field: ProfileField | str, value: Plain) -> steps.Step:
    """Set a field of the lead's profile."""
    return steps.SetField(field=steps.as_path(field), value=value)


@_says_where_it_breaks
def tag(name: str) -> steps.Step:
    """Give the lead a tag."""
    return steps.Tag(tag=name)


@_says_where_it_breaks
def untag(name: str) -> steps.Step:
    """Take a tag from the lead."""
    return steps.Untag(tag=name)


@_says_where_it_breaks
def need(product: str, *, readiness: int = 50, kind: Kind = "presumed") -> steps.Step:
    """Note that the lead needs the product (`kind="explicit"`: it said so), and how ready it is, from 0 to 100."""
    return steps.NeedStep(need=Need(product=product, kind=kind, readiness=readiness))


@_says_where_it_breaks
def add_points(points: float, *, score: str) -> steps.Step:
    """Add points to a score."""
    return steps.AddPoints(points=points, score=score)


@_says_where_it_breaks
def advance(stage: str) -> steps.Step:
    """Move the lead to a stage of its life cycle."""
    return steps.Advance(stage=stage)


@_says_where_it_breaks
def subscribe(topic: str, *, expires_after: timedelta | None = None) -> steps.Step:
    """Note that the lead takes the topic, unless it refused it before.

    `expires_after` is for a yes that was not said but follows from something, such as a purchase, and only for so long.
    """
    return steps.Subscribe(topic=topic, expires_after=expires_after)


@_says_where_it_breaks
def unsubscribe(topic: str) -> steps.Step:
    """Note that the lead takes the topic no more."""
    return steps.Unsubscribe(topic=topic)


@_says_where_it_breaks
def add_to(audience: str) -> steps.Step:
    """Put the lead on an audience's list."""
    return steps.AddTo(audience=audience)


@_says_where_it_breaks
def remove_from(audience: str) -> steps.Step:
    """Take the lead off an audience's list."""
    return steps.RemoveFrom(audience=audience)


@_says_where_it_breaks
def enrol(campaign: str) -> steps.Step:
    """Enter the lead into another campaign, by its rules of entry."""
    return steps.Enrol(campaign=campaign)


@_says_where_it_breaks
def wait(
    duration: timedelta | None = None,
    *,
    at: ClockTime | Window | None = None,
    until: ProfileField | datetime | date | ClockTime | Window | None = None,
    offset: timedelta = timedelta(0),
    on_past: steps.OnPast = "skip",
) -> steps.Step:
    """Rest: `wait(days(4))`, `wait(days(4), at=weekdays("10:00"))`, `wait(until=lead.custom("trial_ends"), offset=-days(3))`."""
    moment: steps.DateOf | steps.Instant | None = None
    if offset and not isinstance(until, ProfileField):
        raise ValueError('offset goes with a date of the lead: until=lead.custom("…")')
    match until:
        case ClockTime() | Window() if at is None:
            at = until
        case ProfileField():
            moment = steps.DateOf(field=until.path, offset=offset)
        case date():
            moment = steps.Instant(at=until)
        case None:
            pass
        case _:
            raise TypeError(
                f'until={until!r}: give a date, a date of the lead, or a clock time such as weekdays("10:00")'
            )
    return steps.Wait(duration=duration, at=at, until=moment, on_past=on_past)


@_says_where_it_breaks
def wait_for(
    *triggers: TriggerLike, up_to: timedelta, then: TargetLike | None = None, otherwise: TargetLike | None = None
) -> steps.Step:
    """Rest until one of these is heard, looking back to the entry into the state; at most `up_to`."""
    arms = tuple(trigger(one) for one in triggers)
    return steps.WaitFor(arms=arms, up_to=up_to, then=target(then), otherwise=target(otherwise))


@_says_where_it_breaks
def branch(*arms: When, otherwise: TargetLike | None = None) -> steps.Step:
    """Go where the first true condition points: `branch(when(lead.nps >= 9, to="advocate"), otherwise=done)`."""
    for arm in arms:
        if not isinstance(arm, When):
            raise TypeError(f"{arm!r} is no arm: write when(…, to=…)")
    return steps.Branch(arms=arms, otherwise=target(otherwise))


@_says_where_it_breaks
def split(weights: Mapping[str, float], *, key: str | None = None, winner: Pick | None = None) -> steps.Step:
    """Go to one of the states by weight: `split({"case": 45, "webinar": 45, "holdout": 10})`.

    A lead always gets the same one; splits with the same `key` and weights part the leads the same way. `winner` makes it an
    experiment: `split({"short": 50, "long": 50}, winner=pick(on("order_paid"), within=days(14), after=500))`.
    """
    if not isinstance(weights, Mapping):
        raise TypeError('give states and their weights: split({"case": 50, "webinar": 50})')
    if winner is not None and not isinstance(winner, Pick):
        raise TypeError('winner takes a rule: winner=pick(on("order_paid"), within=days(14), after=500)')
    return steps.Split(key=key or "", arms=tuple(weights.items()), winner=winner)


def pick(goal: On | Happened, *, within: timedelta, after: int | None = None, sure: float = 0.95) -> Pick:
    """The rule by which a split's winner is picked: the arm most likely best by the share of leads that reach the goal.

    A lead is measured from when it entered its arm, for as long as `within`; what people do counts, machines do not. Every arm
    must have measured `after` leads, and the best be best with the probability `sure`. Without `after` only a person decides.
    """
    heard = trigger(goal)
    if not isinstance(heard, On):
        raise TypeError(f'pick({heard.heard()}): give an event, such as on("order_paid") or clicked("guide/deliver")')
    return Pick(goal=heard, within=within, after=after, sure=sure)


@_says_where_it_breaks
def go(state: str) -> steps.Step:
    """Go to another state."""
    return steps.Go(to=ToState(name=state))
