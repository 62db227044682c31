"""Who takes over the leads that are ready, and how long they have to answer."""

from nurture import Salesperson, Team, between, by_territory, hours, lead, minutes

sales = Team(
    key="sales",
    title="Sales",
    lead="head.of.sales@example.com",
    people=(
        Salesperson(key="anna", name="Anna", email="anna@example.com", territory=("DE", "AT", "CH"), at_most=25),
        Salesperson(key="boris", name="Boris", email="boris@example.com", language="ru", territory=("RU", "KZ")),
        Salesperson(key="carla", name="Carla", email="carla@example.com"),  # every other country
        Salesperson(key="dan", name="Dan", email="dan@example.com"),
    ),
    assign=by_territory(lead.country),
    hours=between("09:00", "18:00", days=("mon", "tue", "wed", "thu", "fri")),
    zone="Europe/Berlin",
    remind_after=minutes(20),
    answer_within=minutes(30),
    reassign_after=hours(4),
    recycle_after=hours(27),  # three days of work
    reasons=("no budget", "wrong person", "no need at present", "cannot be reached", "a competitor or a student"),
)
