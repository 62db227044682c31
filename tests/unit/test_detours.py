from datetime import UTC, datetime, timedelta

from nurture import Campaign, State, branch, days, done, lead, leave, on, send, wait, when
from nurture.detours import Detour, detour, places_of
from nurture.journey import AnyReply, Chose, Did, Elapsed, Heard, Parked, begin
from nurture.roads import Place
from nurture.telling import tell_all
from nurture.version import frozen

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
ROAD = frozen(
    Campaign(
        "road",
        [
            State("greet", [send("greet"), wait(days(3))]),
            State("ask", [branch(when(lead.nps >= 9, to="fan"), otherwise=leave("no fan"))]),
            State("fan", [send("refer"), done]),
            State("thanks", [send("thanks"), done]),
            State("lost", [send("nobody")]),
        ],
        always=[on("order_paid", to="thanks")],
    )
)
SENT, WAITS = Did(at=NOW), Parked(at=NOW, until=NOW + timedelta(days=3))
OVER, NO = Elapsed(at=NOW + timedelta(days=3)), Chose(at=NOW + timedelta(days=3))


def after(place: Place, *replies: AnyReply) -> Detour:
    start = begin(ROAD, NOW)
    return detour(ROAD, start, list(tell_all(ROAD, start, [(reply, {}) for reply in replies])), place)


def test_a_message_is_found_wherever_it_stands() -> None:
    assert list(places_of(ROAD, "refer")) == [("fan", 0)]


def test_what_can_still_come_tells_the_way_there() -> None:
    assert after(("fan", 0), SENT, WAITS) == Detour("ahead", ("greet", "ask", "fan"))


def test_what_cannot_come_any_more_tells_the_move_that_turned_off() -> None:
    found = after(("fan", 0), SENT, WAITS, OVER, NO)
    assert found.why == "turned off"
    assert found.by is not None
    assert (found.by.state, found.by.how, found.by.to) == ("ask", "NPS is at least 9: no", "the end")


def test_an_event_that_leads_elsewhere_turned_off_too() -> None:
    found = after(("fan", 0), SENT, WAITS, Heard(at=NOW, arm="always:0"))
    assert found.by is not None
    assert found.by.what == "order paid"


def test_what_only_an_event_leads_to_names_it() -> None:
    assert after(("thanks", 0), SENT, WAITS) == Detour("not opened", ("order paid",))


def test_what_nothing_leads_to_has_no_road() -> None:
    assert after(("lost", 0), SENT, WAITS) == Detour("no road")
