"""Metrics for Prometheus: what this process did, and what is in the store that it shares with the others.

Nobody's name or id is ever a label.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from nurture.store.figures import Figures

QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """What one process counts; each process has its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.events = Counter(
            "nurture_events", "What came in, by what became of it.", ["result"], registry=self.registry
        )
        self.intake_seconds = Histogram(
            "nurture_intake_seconds", "From the call to its commit.", buckets=QUICK, registry=self.registry
        )
        self.sends = Counter(
            "nurture_sends", "Messages handed over, by how that went.", ["channel", "outcome"], registry=self.registry
        )
        self.send_seconds = Histogram(
            "nurture_send_seconds",
            "From the hand-over to its answer.",
            ["channel"],
            buckets=QUICK,
            registry=self.registry,
        )
        self._shared = _Shared()
        self.registry.register(self._shared)

    def tally(self, name: str, about: str, label: str, tally: Tally[str]) -> None:
        """Show what somebody counts anyway."""
        self.registry.register(_Tally(name, about, label, tally))

    def saw(self, figures: Figures, age: float) -> None:
        """What was in the store a moment ago; `age` in seconds is that of the row that waits longest."""
        self._shared.families = list(_families(figures, age))

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)


class _Shared(Collector):
    """What stands in the store, as it was seen last."""

    def __init__(self) -> None:
        self.families: list[Metric] = []

    def collect(self) -> Iterable[Metric]:
        return self.families


class _Tally(Collector):
    def __init__(self, name: str, about: str, label: str, tally: Mapping[str, int]) -> None:
        self._name, self._about, self._label, self._tally = name, about, label, tally

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self._name, self._about, labels=[self._label])
        for value, count in sorted(self._tally.items()):
            family.add_metric([value], count)
        return [family]


def _families(figures: Figures, age: float) -> Iterator[Metric]:
    yield GaugeMetricFamily("nurture_outbox_rows", "Rows that the dispatcher has still to do.", figures.outbox)
    yield GaugeMetricFamily("nurture_outbox_age_seconds", "How long the oldest of those that are due has waited.", age)
    yield GaugeMetricFamily("nurture_dead_letters", "What could not be done.", figures.dead_letters)
    yield _gauge(
        "nurture_messages", "Messages in the ledger.", ["channel", "status"], figures.messages.items()
    )  # fmt: skip
    standing = Tally[tuple[str, ...]]()
    for one in figures.journeys:
        standing[one.campaign, one.status] += one.journeys
    yield _gauge("nurture_journeys", "Journeys.", ["campaign", "status"], standing.items())
    started, ended = Tally[str](), Tally[str]()
    for (campaign, status), count in standing.items():
        started[campaign] += count if status not in ("starting", "holdout") else 0
        ended[campaign] += count if status == "ended" else 0
    for name, about, counted in (
        ("nurture_journeys_started", "Journeys that have been begun.", started),
        ("nurture_journeys_ended", "Journeys that have ended.", ended),
    ):
        family = CounterMetricFamily(name, about, labels=["campaign"])
        for campaign, count in sorted(counted.items()):
            family.add_metric([campaign], count)
        yield family
    yield _gauge(
        "nurture_breaker_open", "1 while nothing is sent through a provider.", ["provider"],
        (((provider,), int(is_open)) for provider, is_open in figures.breakers.items()),
    )  # fmt: skip
    yield GaugeMetricFamily(
        "nurture_receivers_slowed", "Receivers that get mail more slowly than they might.", figures.slowed
    )
    yield _gauge(
        "nurture_fuse_blown", "1 while a campaign or mailing is paused, since too many of its messages came back.",
        ["campaign"], (((campaign,), int(blown)) for campaign, blown in figures.fuses.items()),
    )  # fmt: skip


def _gauge(name: str, about: str, labels: list[str], values: Iterable[tuple[tuple[str, ...], int]]) -> Metric:
    family = GaugeMetricFamily(name, about, labels=labels)
    for of, value in sorted(values):
        family.add_metric(list(of), value)
    return family
