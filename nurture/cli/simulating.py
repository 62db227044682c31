"""`nurture simulate`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple

import typer
from rich.table import Table

from nurture.addresses import EMAIL
from nurture.cli.context import campaign as campaign_of
from nurture.cli.context import catalogue, counted, out, pairs, seconds, tree
from nurture.cli.telling import moves
from nurture.conditions import Happened, clicked, event, opened, replied
from nurture.errors import BadInput
from nurture.journey import begin
from nurture.permission import HouseRules
from nurture.scores import Score
from nurture.settings import read_settings
from nurture.simulate import A_MONDAY, Planned, Story
from nurture.simulate import at as planned
from nurture.simulate import simulate as run
from nurture.teams import Team
from nurture.telling import tell_all
from nurture.version import Version

REACTIONS = {"clicked": clicked, "opened": opened, "replied": replied}


class Setting(NamedTuple):
    """What a simulation is given, but for the lead's id."""

    version: Version
    lead: dict[str, Any]
    events: list[Planned]
    start: datetime
    scores: Sequence[Score]
    rules: HouseRules
    time_zone: str
    key: str
    teams: Sequence[Team] = ()
    winners: Mapping[str, str] | None = None

    def story(self, lead_id: str) -> Story:
        """The story of the lead of that id."""
        return run(
            self.version, lead=self.lead, events=self.events, start=self.start, scores=self.scores, rules=self.rules,
            lead_id=lead_id, time_zone=self.time_zone, key=self.key, teams=self.teams, winners=self.winners,
        )  # fmt: skip


def simulate(
    campaign: Annotated[str, typer.Argument(help="The campaign's key.")],
    lead: Annotated[
        list[str] | None,
        typer.Option(help="What is known of the lead: country=DE, company.turnover=2000000, consents.news=no."),
    ] = None,
    at: Annotated[
        list[str] | None, typer.Option(help='What happens, and when: "3d=order_paid", "1d=clicked:price-list/greet".')
    ] = None,
    start: Annotated[
        str, typer.Option(help="When it enters: 2026-01-05T10:00, in UTC unless an offset is given.")
    ] = "",
    key: Annotated[
        str, typer.Option(help="What the journey is for, where a campaign has one for each of something.")
    ] = "",
    winner: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=ARM", help="An experiment as if it were decided: guide-length=long."),
    ] = None,
    leads: Annotated[int, typer.Option(min=1, help="So many leads, each with its own draw in splits; counted.")] = 1,
) -> None:
    """Tell the story of a lead on a virtual clock.

    The very interpreter that runs live walks the campaign as it stands in the files, in milliseconds.
    """
    settings, known = read_settings(), tree(pairs(lead, "--lead"))
    declared = catalogue(settings)
    setting = Setting(
        campaign_of(declared.campaigns, campaign), known, [_planned(one) for one in at or []], _start(start),
        tuple(declared.scores.values()), settings.rules, settings.time_zone, key,
        tuple(declared.teams.values()), pairs(winner, "--winner"),
    )  # fmt: skip
    if leads == 1:
        _tell(setting)
    else:
        _count([setting.story(f"lead-{number}") for number in range(1, leads + 1)])


def _start(text: str) -> datetime:
    if not text:
        return A_MONDAY
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"--start {text!r} cannot be read: write 2026-01-05T10:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _planned(text: str) -> Planned:
    when, _, what = text.partition("=")
    name, _, rest = what.partition(":")
    if not name:
        raise BadInput(f'--at {text!r} cannot be read: write "3d=order_paid" or "1d=clicked:price-list/greet"')
    hours = seconds(when, "--at") / 3600
    if name in REACTIONS:
        return planned(hours=hours, event=REACTIONS[name](rest or None))
    pattern: Happened = event(name)
    return planned(hours=hours, event=pattern, **tree(pairs(rest.split(",") if rest else [], "--at")))


def _tell(setting: Setting) -> None:
    story = setting.story("simulated")
    start = begin(setting.version, setting.start)
    told = [one.told for one in tell_all(setting.version, start, ((line.reply, line.values) for line in story.lines))]
    out.print(moves(told, lambda moment: _day(moment, setting.start)))
    out.print(f"\n{_ending(story)}", style="bold")
    sent = [template if by == EMAIL else f"{template} by {by}" for template, by in story.sent_by]
    out.print(f"sent: {', '.join(sent) or 'nothing'}")
    for template, reason in story.withheld:
        out.print(f"withheld: {template} ({reason})")
    if story.hand_offs:
        out.print(f"handed over as: {', '.join(story.hand_offs)}")
    for one in story.sales:
        whom = f" {one.person}" if one.person else " the lead of the team"
        out.print(f"  {_day(one.at, setting.start)}  {one.deed}{'' if one.deed == 'recycled' else whom}")
    if points := story.lead.get("score"):
        out.print(f"scores: {', '.join(f'{name} {value:g}' for name, value in sorted(points.items()))}")


def _day(moment: datetime, start: datetime) -> str:
    day = (moment.date() - start.date()) // timedelta(days=1)
    return f"day {day:<4}{moment:%a %H:%M}"


def _ending(story: Story) -> str:
    goal = ", its goal reached" if story.goal_reached else ""
    return f"{story.ending or f'still in {story.state}'}{goal}"


def _count(stories: Sequence[Story]) -> None:
    """How many leads came where, got what, and ended how."""
    by: dict[str, Counter[str]] = {"ended": Counter(), "came to": Counter(), "got": Counter()}
    for story in stories:
        by["ended"][_ending(story)] += 1
        by["came to"].update(set(story.states))
        by["got"].update(set(story.sent))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(justify="right")
    table.add_column(justify="right")
    for title, counts in by.items():
        for at, (name, count) in enumerate(counts.most_common()):
            table.add_row("" if at else title, name, f"{count:,}", f"{100 * count / len(stories):.1f} %")
    sent = sum(len(story.sent) for story in stories)
    out.print(table)
    out.print(f"\n{counted(len(stories), 'lead')}, {counted(sent, 'message')}", style="bold")
