"""A year of waiting."""

from nurture import Campaign, State, days, on, wait

campaign = Campaign(
    key="rest",
    enters=[on("bench_resting")],
    states=[State("rest", [wait(days(365))])],
)
