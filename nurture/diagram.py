"""A campaign as a picture: its states as boxes with their steps, the roads between them as labelled arrows."""

from collections.abc import Iterator
from html import escape
from textwrap import wrap
from typing import NamedTuple

from nurture.durations import in_words
from nurture.roads import ways
from nurture.steps import AnyStep, Branch, DoneStep, Go, LeaveStep, Split, WaitFor
from nurture.triggers import Done, Leave, ToState
from nurture.version import Version

START, ANY_TIME, END = "Start", "AnyTime", "End"
"""Where leads come from and go to; no state has a capital in its name."""

WIDTH_OF_A_BOX, WIDTH_OF_A_LABEL = 48, 30
SPACE = "\N{NO-BREAK SPACE}"


class Arrow(NamedTuple):
    """The ways from one place to another, each by what it takes to go it; none when one of them takes nothing."""

    start: str
    end: str
    labels: tuple[str, ...]


def arrows(version: Version) -> list[Arrow]:
    """Every arrow of the picture, in the order of the campaign."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for start, end, label in _ways(version):
        found.setdefault((start, end), {})[label] = None
    return [Arrow(start, end, () if "" in labels else tuple(labels)) for (start, end), labels in found.items()]


def _ways(version: Version) -> Iterator[tuple[str, str, str]]:
    campaign = version.campaign
    for entry in campaign.enters:
        yield START, campaign.states[0].name, entry.words()
    for arm in version.arms:
        goal = " (the goal)" if arm.goal else ""
        heard = f"{arm.trigger.kind} {arm.trigger.heard()}"
        yield ANY_TIME, _end(arm.trigger.to), f"{_label(heard, arm.trigger.to)}{goal}"
    for state in campaign.states:
        following = version.after(state.name)
        for at, step in enumerate(state.steps):
            for way in ways(step):
                if way.target is not None:
                    yield state.name, _end(way.target), _label(way.label, way.target)
                elif at + way.ahead >= len(state.steps):
                    yield state.name, following.name if following else END, way.label
        if not state.steps:
            yield state.name, following.name if following else END, ""


def _end(to: ToState | Leave | Done | None) -> str:
    return to.name if isinstance(to, ToState) else END


def _label(label: str, to: ToState | Leave | Done | None) -> str:
    if not isinstance(to, Leave) or to.reason in label:
        return label
    return f"{label}: {to.reason}" if label else to.reason


def _lines(steps: tuple[AnyStep, ...]) -> list[str]:
    """What is done in a box; where it leads the arrows say."""
    return [line for step in steps if (line := _line(step))]


def _line(step: AnyStep) -> str:
    match step:
        case WaitFor(arms=arms, up_to=up_to):
            return f"wait up to {in_words(up_to)} for {' or '.join(arm.heard() for arm in arms)}"
        case Branch():
            return "branch"
        case Split():
            return "split"
        case Go() | LeaveStep() | DoneStep():
            return ""
        case _:
            return step.words()


def mermaid(version: Version) -> str:
    """The picture as Mermaid text."""
    numbers = {state.name: f"s{at}" for at, state in enumerate(version.campaign.states)}
    lines = ["flowchart TD", f'  {START}(["enters"])', f'  {END}(["end"])']
    if version.arms:
        lines.append(f'  {ANY_TIME}(["at any time"])')
    for state in version.campaign.states:
        steps = "".join(f"<br/>{_in_mermaid(line)}" for line in _lines(state.steps))
        lines.append(f'  {numbers[state.name]}["<b>{_in_mermaid(state.name)}</b>{steps}"]')
    for start, end, labels in arrows(version):
        text = "<br/>or ".join(_in_mermaid(label) for label in labels)
        label = f'|"{text}"|' if text else ""
        lines.append(f"  {numbers.get(start, start)} -->{label} {numbers.get(end, end)}")
    return "\n".join(lines) + "\n"


_MERMAID = {ord(sign): f"#{ord(sign)};" for sign in "#\"'`&<>{}\\"}


def _in_mermaid(text: str) -> str:
    return _printable(text).translate(_MERMAID)


def dot(version: Version) -> str:
    """The picture in the language of Graphviz; the box of a state has the id `state-<name>`."""
    lines = [
        "digraph campaign {",
        '  rankdir=TB; nodesep=0.4; ranksep=0.45; node [fontname="Helvetica", fontsize=11, shape=box, margin="0.15,0.08"];',
        '  node [style="rounded,filled", fillcolor="#eef4f0", color="#2f7d4f"];',
        '  edge [fontname="Helvetica", fontsize=9, fontcolor="#4a524d", color="#66716b", arrowsize=0.7];',
        f'  {START} [label="enters", shape=oval, fillcolor="#ffffff"];',
        f'  {END} [label="end", shape=oval, fillcolor="#ffffff"];',
    ]
    if version.arms:
        lines.append(f'  {ANY_TIME} [label="at any time", shape=oval, fillcolor="#fff6e0", color="#b58900"];')
    lines += [
        f'  "{state.name}" [id="state-{state.name}", label=<{_box(state.name, _lines(state.steps))}>];'
        for state in version.campaign.states
    ]
    for start, end, labels in arrows(version):
        text = f" [label=<{_beside(labels)}>]" if labels else ""
        lines.append(f'  "{start}" -> "{end}"{text};')
    return "\n".join([*lines, "}"])


def _box(name: str, lines: list[str]) -> str:
    """The label of a box: the name, and below it what is done there."""
    wrapped = [row for line in lines for row in _rows(line, WIDTH_OF_A_BOX, indent=4 * SPACE)]
    done = "".join(f'<tr><td align="left">{escape(row)}</td></tr>' for row in wrapped)
    named = f'<tr><td align="left"><b>{escape(_printable(name))}</b></td></tr>'
    return f'<table border="0" cellborder="0" cellspacing="0" cellpadding="1">{named}{done}</table>'


def _beside(labels: tuple[str, ...]) -> str:
    """The label of an arrow; the spaces keep its text off the line."""
    ways_ = [label if not at else f"or {label}" for at, label in enumerate(labels)]
    rows = [row for way in ways_ for row in _rows(way, WIDTH_OF_A_LABEL)]
    return "".join(f'{SPACE}{escape(row)}{SPACE}<br align="left"/>' for row in rows)


def _rows(text: str, width: int, indent: str = "") -> list[str]:
    return wrap(_printable(text), width, subsequent_indent=indent, break_on_hyphens=False)


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)
