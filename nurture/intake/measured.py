"""Intake that is measured."""

import time
from collections.abc import Sequence
from datetime import datetime

from nurture.catalogue import Catalogue
from nurture.errors import Unavailable
from nurture.intake.incoming import Incoming, Result
from nurture.intake.intake import Intake
from nurture.metrics import Metrics
from nurture.settings import Settings
from nurture.store import Store


class MeasuredIntake(Intake):
    """Takes in what happened, and counts it."""

    def __init__(self, store: Store, catalogue: Catalogue, settings: Settings, metrics: Metrics) -> None:
        super().__init__(store, catalogue, settings)
        self._metrics = metrics

    async def accept(self, items: Sequence[Incoming], now: datetime) -> list[Result]:
        """The results in the order of the items, once they are committed; see `Intake`."""
        begun = time.perf_counter()
        try:
            results = await super().accept(items, now)
        except Unavailable:
            self._metrics.events.labels("turned_away").inc(len(items))
            raise
        self._metrics.intake_seconds.observe(time.perf_counter() - begun)
        for result in results:
            self._metrics.events.labels(_named(result)).inc()
        return results


def _named(result: Result) -> str:
    return "refused" if result.error else "duplicate" if result.duplicate else "taken"
