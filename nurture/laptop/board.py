"""What the demo shows while it runs: a board at a terminal, a line now and then elsewhere."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from nurture.store.journeys import Count

EVERY_DAYS = 10
MOST_DEEDS = 5


@dataclass
class Board:
    """What is known at the moment."""

    out: Console
    days: float
    day: float = 0.0
    counts: Sequence[Count] = ()
    mails: int = 0
    did: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    doing: str = ""
    _said: int = 0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show it, renewed four times a second; it leaves nothing behind at the end."""
        if not self.out.is_terminal:
            yield
            return
        with Live(console=self.out, get_renderable=lambda: self, refresh_per_second=4, transient=True):
            yield

    def tell(self) -> None:
        """Where no board can be shown: a line every ten days."""
        if not self.out.is_terminal and self.day // EVERY_DAYS > self._said:
            self._said = int(self.day // EVERY_DAYS)
            killed = f", worker killed {self.kills} times" if self.kills else ""
            self.out.print(
                f"  day {self._said * EVERY_DAYS:3}: {self.under_way} journeys under way, {self.ended} ended, "
                f"{self.mails} mails{killed}"
            )

    @property
    def ended(self) -> int:
        """How many journeys are over."""
        return sum(one.journeys for one in self.counts if one.status in ("ended", "holdout"))

    @property
    def under_way(self) -> int:
        """How many are not."""
        return sum(one.journeys for one in self.counts) - self.ended

    def __rich__(self) -> RenderableType:
        lines = Table.grid(padding=(0, 2))
        lines.add_column(style="bold", no_wrap=True)
        lines.add_column()
        passed = min(self.day, self.days)
        bar = Table.grid(padding=(0, 2))
        bar.add_row(ProgressBar(self.days, passed, width=40), Text(self.doing, style="dim"))
        lines.add_row(f"day {passed:.0f} of {self.days:.0f}", bar)
        lines.add_row("journeys", f"{self.under_way} under way, {self.ended} ended")
        for campaign in dict.fromkeys(one.campaign for one in self.counts):
            lines.add_row(Text(f"  {campaign}", style="none"), self._states(campaign))
        lines.add_row("mails", f"{self.mails} arrived and were opened")
        lines.add_row("people", ", ".join(f"{what} {times}" for what, times in self.did.most_common(MOST_DEEDS)))
        if self.kills:
            lines.add_row("worker", Text(f"killed {self.kills} times, started again each time", style="yellow"))
        return Group(Text(), lines)

    def _states(self, campaign: str) -> Text:
        states: Counter[str] = Counter()
        for one in self.counts:
            if one.campaign == campaign:
                states["ended" if one.status in ("ended", "holdout") else one.state] += one.journeys
        return Text(", ".join(f"{state} {count}" for state, count in states.items()), style="dim")
