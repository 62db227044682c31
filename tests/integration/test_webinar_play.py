"""The webinar of the examples, played by a room of leads on each database in turn: its counts add up."""

from datetime import datetime, timedelta
from pathlib import Path

from nurture import Campaign, State, days, leave, on, send, wait, wait_for
from nurture.loader import load
from nurture.store import Store
from nurture.store.campaign_report import counts
from tests.integration.life import Life

ROOT = Path(__file__).parents[2]
COMERS, BIG, BUYERS = range(6), range(2), range(8, 10)


def address(n: int) -> str:
    return f"lead-{n}@example.com"


async def test_of_ten_who_register_each_is_counted_once(store: Store, now: datetime) -> None:
    """Ten register, two of them buy before it, six come, and the two of these that are big go to sales."""
    webinar = load(ROOT / "campaigns").campaigns["webinar"].campaign
    async with Life(store, now, templates=ROOT / "templates") as life:
        await life.publish(webinar)
        at = (now + timedelta(days=7)).isoformat()
        for n in range(10):
            company = {"turnover": 2_000_000 if n in BIG else 1000}
            await life.lead(address(n), custom={"webinar_at": at}, company=company)
            await life.happens("webinar_registered", to=address(n))
        await life.passes(days=3)
        for n in BUYERS:
            await life.orders("paid", to=address(n), number=f"{n}")
        await life.passes(days=4)
        for n in COMERS:
            await life.happens("webinar_attended", to=address(n))
        await life.passes(days=40)

    async with store.read() as session:
        found = await counts(session, webinar)
    assert {(state, what): number for state, what, number in found if number} == {
        ("", "entered"): 10,
        ("confirm", "came"): 10,
        ("confirm", "were sent webinar/confirm"): 10,
        ("confirm", "were sent webinar/reminder"): 8,
        ("confirm", "order_paid"): 2,
        ("confirm", "webinar_attended"): 6,
        ("attended", "came"): 6,
        ("attended", "were sent webinar/slides"): 6,
        ("missed", "came"): 2,
        ("missed", "were sent webinar/recording"): 2,
        ("handover", "came"): 2,
        ("handover", "were handed to sales"): 2,
        ("", "reached the goal"): 2,
        ("", "ended: done"): 6,
        ("", "ended: goal reached"): 2,
        ("", "ended: left: missed it, and the recording too"): 2,
    }


async def test_who_enters_later_than_asked_about_is_all_that_counts(store: Store, now: datetime) -> None:
    webinar = load(ROOT / "campaigns").campaigns["webinar"].campaign
    async with Life(store, now, templates=ROOT / "templates") as life:
        await life.publish(webinar)
        for n in range(2):
            await life.lead(address(n), custom={"webinar_at": (now + timedelta(days=9)).isoformat()})
            await life.happens("webinar_registered", to=address(n))
            await life.passes(days=1)

    async with store.read() as session:
        found = await counts(session, webinar, since=now + timedelta(hours=12))
    assert [(what, number) for state, what, number in found if state == "confirm" and number] == [
        ("came", 1),
        ("were sent webinar/confirm", 1),
        ("are there now", 1),
    ]


async def test_what_two_states_do_alike_is_counted_where_it_was_done(store: Store, now: datetime) -> None:
    again = send("price-list/greet", legal_basis="asked for")
    road = Campaign(
        "twice",
        enters=[on("asked")],
        states=[
            State("one", [again, wait_for(on("more"), up_to=days(2), otherwise=leave("enough"))]),
            State("two", [again, wait(days(1))]),
        ],
    )
    async with Life(store, now, templates=ROOT / "templates") as life:
        await life.publish(road)
        for n in range(3):
            await life.lead(address(n))
            await life.happens("asked", to=address(n))
        await life.passes(minutes=1)
        await life.happens("more", to=address(0))
        await life.passes(days=5)

    async with store.read() as session:
        found = await counts(session, road)
    sent = [(state, number) for state, what, number in found if what == "were sent price-list/greet"]
    assert sent == [("one", 3), ("two", 1)]
