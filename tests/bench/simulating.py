"""The price-list campaign on a virtual clock: many leads for a season, and one for a year."""

import time
from datetime import timedelta
from pathlib import Path
from statistics import median

from nurture import clicked
from nurture.loader import load
from nurture.simulate import Planned, at, simulate
from tests.bench.rows import Row
from tests.bench.stage import EXAMPLES, ROOT

LEADS, SEASON, YEAR = 10_000, timedelta(days=90), timedelta(days=365)


async def measure(folder: Path, scale: float) -> list[Row]:
    """With the example scores; the leads click, buy, come back and ignore in turn."""
    number = int(LEADS * scale)
    catalogue = load(EXAMPLES, ROOT / "templates")
    version, scores = catalogue.campaigns["price-list"], tuple(catalogue.scores.values())
    begun = time.process_time()
    for who in range(number):
        simulate(version, events=_deeds(who), up_to=SEASON, scores=scores, lead_id=f"lead-{who}")
    season = time.process_time() - begun
    years = []
    for who in range(100):
        begun = time.process_time()
        simulate(version, events=_deeds(who, weeks=52), up_to=YEAR, scores=scores, lead_id=f"lead-{who}")
        years.append(1000 * (time.process_time() - begun))
    return [
        Row(f"{number:,} leads, 90 days", season, "s of CPU", at_most=30 * scale),
        Row("one lead, one year, the slowest of a hundred", max(years), "ms of CPU", at_most=50),
        Row("one lead, one year, median of a hundred", median(years), "ms of CPU"),
    ]


def _deeds(who: int, weeks: int = 12) -> list[Planned]:
    """What the lead of that number does: half visit every week, a third click, a tenth buys."""
    deeds = [at(days=7 * week + 1, event="visit") for week in range(weeks)] if who % 2 else []
    if who % 3 == 0:
        deeds += [at(days=1, event=clicked("price-list/greet")), at(days=9, event=clicked("price-list/offer"))]
    if who % 10 == 0:
        deeds += [at(days=20, event="order_paid"), at(days=36, event="survey_answered", lead={"nps": 10})]
    return deeds
