"""A campaign as a picture: its states as boxes with their steps, the roads between them as labelled arrows."""

from collections.abc import Iterator

from nurture.roads import ways
from nurture.triggers import Done, Leave, ToState
from nurture.version import Version

Arrow = tuple[str, str, str]
ENTRY, END = "enter", "end"


def arrows(version: Version) -> Iterator[Arrow]:
    """From, to and label of every way between states."""
    campaign = version.campaign
    for entry in campaign.enters:
        yield ENTRY, campaign.states[0].name, entry.words()
    for arm in version.arms:
        yield "always", _end(arm.trigger.to), arm.trigger.words()
    for state in campaign.states:
        following = version.after(state.name)
        for at, step in enumerate(state.steps):
            last = at == len(state.steps) - 1
            for way in ways(step):
                if way.target is not None:
                    yield state.name, _end(way.target), way.label
                elif last:
                    yield state.name, following.name if following else END, way.label


def _end(to: ToState | Leave | Done | None) -> str:
    return to.name if isinstance(to, ToState) else END


def mermaid(version: Version) -> str:
    """The picture as Mermaid text."""
    numbers = {state.name: f"s{at}" for at, state in enumerate(version.campaign.states)}
    numbers |= {ENTRY: ENTRY, END: END, "always": "always"}
    lines = ["flowchart TD", f'  {ENTRY}(["enters"])', f'  {END}(["end"])']
    if version.arms:
        lines.append('  always(["at any time"])')
    for state in version.campaign.states:
        steps = "<br/>".join(_safe(step.words()) for step in state.steps)
        lines.append(f'  {numbers[state.name]}["<b>{state.name}</b><br/>{steps}"]')
    for start, end, label in dict.fromkeys(arrows(version)):
        text = f'|"{_safe(label)}"|' if label else ""
        lines.append(f"  {numbers[start]} -->{text} {numbers[end]}")
    return "\n".join(lines) + "\n"


def _safe(text: str) -> str:
    return text.replace('"', "'").replace("<", "&lt;").replace(">", "&gt;")


def dot(version: Version) -> str:
    """The picture in the language of Graphviz."""
    lines = [
        "digraph campaign {",
        '  rankdir=TB; node [fontname="Helvetica", fontsize=11, shape=box, style="rounded,filled"];',
        '  node [fillcolor="#eef4f0", color="#2f7d4f"];',
        '  edge [fontname="Helvetica", fontsize=9, color="#66716b"];',
        '  enter [label="enters", shape=oval, fillcolor="#ffffff"]; end [label="end", shape=oval, fillcolor="#ffffff"];',
    ]
    if version.arms:
        lines.append('  always [label="at any time", shape=oval, fillcolor="#fff6e0", color="#b58900"];')
    for state in version.campaign.states:
        steps = "".join(f"{_quoted(_short(step.words()))}\\l" for step in state.steps)
        lines.append(f'  "{state.name}" [label="{state.name}\\n{steps}"];')
    for start, end, label in dict.fromkeys(arrows(version)):
        lines.append(f'  "{start}" -> "{end}" [label="{_quoted(_short(label))}"];')
    return "\n".join([*lines, "}"])


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
