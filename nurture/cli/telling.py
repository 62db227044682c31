"""Moves of a journey as a table for a terminal; it reads the same without colours."""

from collections.abc import Callable, Iterable
from datetime import datetime

from rich.table import Table
from rich.text import Text

from nurture.telling import Ear, Seen, Told

COLOURS = {
    "sent": "green",
    "not sent": "red",
    "unclear": "bold red",
    "not done": "red",
    "put off": "yellow",
    "paused": "yellow",
    "decides": "cyan",
    "waits": "blue",
    "heard": "magenta",
    "ends": "bold",
}


def moves(lines: Iterable[Told], when: Callable[[datetime], str]) -> Table:
    """A line for each move: when, in which state, what kind of move, and what it was."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(no_wrap=True, style="bold")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    last = ("", "")
    for line in lines:
        here = (when(line.at), line.state)
        shown = ["" if now == before else now for now, before in zip(here, last, strict=True)]
        table.add_row(*shown, Text(line.kind, COLOURS.get(line.kind, "")), move(line, when))
        last = here
    return table


def move(line: Told, when: Callable[[datetime], str]) -> Text:
    """One move in words: what, how it went, until when, the values it saw, and where it led."""
    text = Text(line.what.removeprefix("wait ") if line.kind == "waits" else line.what.removeprefix("send "))
    if line.how:
        text.append(f": {line.how}")
    if line.until is not None:
        text.append(f", until {when(line.until)}")
    if line.seen:
        text.append(f" ({values(line.seen)})", "cyan")
    if line.to is not None:
        text.append(f" → {line.to}", "bold")
    for note in line.notes:
        text.append(f"\n  {note}", "dim")
    return text


def values(seen: Iterable[Seen]) -> str:
    """The values that a condition looked at."""
    return ", ".join(map(str, seen))


def ears(listened: Iterable[Ear], indent: str) -> Text:
    """What is listened for, a line each, and where it leads."""
    text = Text()
    for ear in listened:
        text.append(f"\n{indent}{ear.words} → {ear.to}")
        if ear.seen:
            text.append(f" ({values(ear.seen)})", "cyan")
    return text
