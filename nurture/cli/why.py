"""`nurture why`: the story of a lead, told at a terminal."""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Annotated

import typer
from pydantic import TypeAdapter
from rich.table import Table
from rich.text import Text

from nurture.addresses import channel_of
from nurture.cli.context import Here, counted, in_store, out
from nurture.cli.telling import ears, move, moves, values
from nurture.experiments.hold_outs import HELD_OUT
from nurture.pace import Pace
from nurture.store.leads import look_up
from nurture.store.story import Absence, JourneyStory, MergedIn, Outside, Points, Standing, Story, story_of, why_not

STORY: TypeAdapter[Story] = TypeAdapter(Story)
SHOWN = 8
"""So many characters of the id of a lead that is gone are shown."""
BOTH: TypeAdapter[tuple[Story, Absence]] = TypeAdapter(tuple[Story, Absence])


def why(
    lead: Annotated[str, typer.Argument(help="By id, address, external id or phone.")],
    campaign: Annotated[str | None, typer.Option(help="Only what concerns that campaign.")] = None,
    message: Annotated[str, typer.Option(help="Why it got, or did not get, that message: price-list/offer.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Tell why a lead got what it got, and why not.

    Every entry and refusal, step, decision with the values it saw, wait and what ended it, message sent or withheld, and
    where each journey stands and what it listens for. Times are UTC; those of a journey that runs faster than the
    calendar are its own.
    """

    async def work(here: Here) -> tuple[Story, Absence | None]:
        async with here.store.read() as session:
            row = await look_up(session, lead)
            story = await story_of(session, row.id, here.now, campaign, here.settings.rules.holdout)
            return story, await why_not(session, story, message, campaign) if message else None

    story, absence = in_store(work)
    if as_json:
        _print_json(story, absence)
        return
    _print_lead(story)
    if absence is not None:
        _print_absence(absence)
        return
    for journey in story.journeys:
        _print_journey(journey)
    _print_mailed(story)
    _print_outside(story)
    _print_troubles(story)


def _print_json(story: Story, absence: Absence | None) -> None:
    made = STORY.dump_json(story, indent=2) if absence is None else BOTH.dump_json((story, absence), indent=2)
    typer.echo(made.decode())


def _when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _own_time(story: JourneyStory) -> Callable[[datetime], str]:
    """Times as the journey's own calendar shows them."""
    pace = Pace(origin=story.entered, factor=story.pace)
    return lambda moment: _when(pace.calendar(moment))


# --- the lead ---


def _print_lead(story: Story) -> None:
    names = [one for one in (story.name, story.email) if one]
    out.print(Text(" · ".join([*names, f"lead {story.lead_id}"]), "bold"), soft_wrap=True)
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    about = {"stage": story.stage + (", a test lead" if story.test else ""), "time zone": story.time_zone or ""}
    for name, points in story.scores.items():
        about[f"{name} score"] = f"{points:g}{_explained([one for one in story.points if one.score == name])}"
    for crossing in story.crossings:
        reached = f"{crossing.score} {crossing.points:g}, {_when(crossing.at)}"
        about[f"reached {crossing.threshold}"] = reached
    for merged in story.merged:
        about[f"was {merged.gone_id[:SHOWN]}"] = f"until {_when(merged.at)}, {_of_old(merged)}"
    for consent in story.consents:
        answer = "yes" if consent.granted else "no"
        channel = channel_of(consent.topic)
        topic = "all topics" if consent.topic == "*" else f"consent to {channel or consent.topic}"
        about[topic] = f"{answer}, {_when(consent.at)} ({consent.source})"
    if not story.consents:
        about["consent"] = "none on record"
    if story.held_out:
        about["marketing"] = f"none: it is {HELD_OUT}"
    for scope, reason in story.suppressed.items():
        about["address"] = f"takes no {'mail' if scope == 'all' else scope}: {reason}"
    for one in story.closed:
        about[one.channel] = f"takes {'nothing' if one.scope == 'all' else f'no {one.scope}'}: {one.reason}"
    for name, value in about.items():
        if value:
            table.add_row(name, value)
    out.print(table)


def _of_old(merged: MergedIn) -> str:
    """By what the lead that became this one was known, and who said that it is this one."""
    names = f"known by {', '.join(merged.known_by)}; " if merged.known_by else ""
    brought = f", with {counted(merged.journeys, 'journey')}" if merged.journeys else ""
    return f"{names}merged by {merged.by}{brought}"


def _explained(points: Sequence[Points]) -> str:
    """The rules behind a score, each with all that it gave."""
    by_rule: dict[str, list[float]] = {}
    for one in points:
        by_rule.setdefault(one.rule, []).append(one.points)
    told = [f"{sum(given):+g} {rule.removeprefix('on ')}{_times(len(given))}" for rule, given in by_rule.items()]
    return f" ({', '.join(told)})" if told else ""


def _times(number: int) -> str:
    return f", {number} times" if number > 1 else ""


# --- its journeys ---


def _print_journey(story: JourneyStory) -> None:
    key = f" for {story.key}" if story.key else ""
    again = f", entry {story.run}" if story.run > 1 else ""
    faster = f", on its own calendar, {story.pace:g} times as fast" if story.pace != 1 else ""
    when = _own_time(story)
    out.print(
        Text(f"\n{story.campaign}{key}, version {story.number} ({story.hash[:12]}){again}{faster}", "bold underline")
    )
    out.print(f"journey {story.id}", style="dim")
    out.print(f"entered {_when(story.entered)} by {story.by}\n", soft_wrap=True)
    if story.lines:
        out.print(moves(story.lines, when))
    out.print(_standing(story.standing, when))


def _standing(now: Standing, when: Callable[[datetime], str]) -> Text:
    goal = f", its goal reached {when(now.goal)}" if now.goal else ""
    if now.ending is not None:
        return Text(f"\nEnded {when(now.ended) if now.ended else ''} in {now.state}: {now.ending}{goal}", "bold")
    doing = now.at_work or now.why
    until = f" until {when(now.until)}" if now.until else ""
    text = Text(f"\nNow in {now.state} since {when(now.since)}: {doing}{until}{goal}", "bold")
    if now.because:
        text.append(f" ({now.because})", "yellow")
    if now.waits_for:
        text.append("\n  for")
        text.append(ears(now.waits_for, "    "))
    if now.hears:
        text.append("\n  and at any time hears")
        text.append(ears(now.hears, "    "))
    return text


# --- its mailings ---


def _print_mailed(story: Story) -> None:
    if story.mailed:
        out.print(Text("\nMailings", "bold underline"))
        out.print(moves(story.mailed, _when))


# --- what it was not in ---


def _print_outside(story: Story) -> None:
    if story.kept_out:
        out.print(Text("\nKept out", "bold underline"))
        table = Table.grid(padding=(0, 2, 0, 0))
        for one in story.kept_out:
            by = f", on {one.by}" if one.by else ""
            table.add_row(Text(_when(one.at), "dim"), Text(one.campaign, "bold"), Text(f"{one.reason}{by}"))
        out.print(table)
    if story.outside:
        out.print(Text("\nNever entered", "bold underline"))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for campaign in story.outside:
            table.add_row(campaign.campaign, _doors(campaign))
        out.print(table)


def _doors(campaign: Outside) -> Text:
    text = Text()
    for at, door in enumerate(campaign.doors):
        text.append(f"{chr(10) if at else ''}{door.words}: {door.answer}")
        if door.seen:
            text.append(f" ({values(door.seen)})", "cyan")
    return text


def _print_troubles(story: Story) -> None:
    if story.pending:
        out.print(
            f"\n{counted(story.pending, 'thing')} still to be told to its journeys: is a worker running?",
            style="yellow",
        )
    for one in story.given_up:
        out.print(f"\n{_when(one.at)} given up: {one.kind}: {one.reason}", style="red", soft_wrap=True)


# --- one message ---


def _print_absence(absence: Absence) -> None:
    verb = "was sent to this lead" if absence.sent else "was not sent to this lead"
    out.print(Text(f"\n{absence.template} {verb}. The steps that send it:", "bold"))
    for campaign, spots in groupby(absence.spots, key=lambda spot: (spot.campaign, spot.number, spot.journey)):
        name, number, journey = campaign
        version = f", version {number}" if number is not None else ""
        where = f" · journey {journey}" if journey is not None else ""
        out.print(Text(f"\n{name}{version}{where}", "bold underline"), soft_wrap=True)
        for spot in spots:
            at = f" {_when(spot.sent)}" if spot.sent else ""
            text = Text(f"state {spot.state}, step {spot.step}: " if spot.state else "a mailing: ", "bold")
            text.append(f"{spot.answer}{at}", "green" if spot.sent else "")
            if spot.by is not None:
                text.append(f"\n  {_when(spot.by.at)}  {spot.by.state}  {spot.by.kind}  ")
                text.append(move(spot.by, _when))
            out.print(text, soft_wrap=True)
