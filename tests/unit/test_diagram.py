"""The picture of a campaign: boxes, arrows, and texts that stay texts."""

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from nurture import (
    Campaign,
    State,
    branch,
    clicked,
    days,
    done,
    go,
    lead,
    leave,
    notify,
    on,
    send,
    split,
    tag,
    wait,
    wait_for,
    when,
)
from nurture.cli.drawing import svg
from nurture.diagram import ANY_TIME, END, START, arrows, dot, mermaid
from nurture.loader import load
from nurture.version import Version, frozen

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"
EVIL = "\"'`<b onload=alert(1)> & ]--> #quot; \\N \\l \x00\x1b\n\u2028%%{init}%% </table>>"


def version(*states: State, **options: Any) -> Version:
    return frozen(Campaign("road", states, enters=[on("asked")], **options))


def ways(*states: State, **options: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    """The arrows between states, and to the end."""
    return [
        (arrow.start, arrow.end, arrow.labels) for arrow in arrows(version(*states, **options)) if arrow.start != START
    ]


def texts(drawn: str) -> str:
    """All that is to be read in a picture, with plain spaces."""
    return " ".join(" ".join(fromstring(drawn).itertext()).split())


# --- arrows ---


def test_a_campaign_is_drawn_as_mermaid_text() -> None:
    drawn = mermaid(
        version(
            State("greet", [send("hello"), wait_for(clicked("hello"), up_to=days(3), then="offer")]),
            State("remind", [tag("quiet"), wait(days(4))]),
            State("offer", [branch(when(lead.nps >= 9, to="remind"), otherwise=leave("no interest"))]),
            goal=on("order_paid"),
        )
    )

    assert drawn == (
        "flowchart TD\n"
        '  Start(["enters"])\n'
        '  End(["end"])\n'
        '  AnyTime(["at any time"])\n'
        '  s0["<b>greet</b><br/>send hello<br/>wait up to 3 days for a click in hello"]\n'
        '  s1["<b>remind</b><br/>tag quiet<br/>wait 4 days"]\n'
        '  s2["<b>offer</b><br/>branch"]\n'
        '  Start -->|"on asked"| s0\n'
        '  AnyTime -->|"on order paid (the goal)"| End\n'
        '  s0 -->|"a click in hello"| s2\n'
        '  s0 -->|"after 3 days"| s1\n'
        "  s1 --> s2\n"
        '  s2 -->|"NPS is at least 9"| s1\n'
        '  s2 -->|"otherwise: no interest"| End\n'
    )


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([send("a")], [("one", "two", ())]),
        ([], [("one", "two", ())]),
        ([go("three")], [("one", "three", ())]),
        ([done], [("one", END, ())]),
        ([leave("enough")], [("one", END, ("enough",))]),
        ([split({"two": 1, "three": 2})], [("one", "two", ("33.3 %",)), ("one", "three", ("66.7 %",))]),
        ([wait_for(on("visit"), up_to=days(1))], [("one", "two", ("visit", "after 1 day"))]),
        ([wait_for(on("visit"), up_to=days(1), otherwise=leave("no")), send("a")],
         [("one", END, ("after 1 day: no",)), ("one", "two", ())]),
        ([branch(when(lead.nps > 8, to="three"))], [("one", "three", ("NPS is above 8",)), ("one", "two", ("otherwise",))]),
        ([wait(until=lead.custom("ends")), send("a")], [("one", "two", ())]),
        ([wait(until=lead.custom("ends"), on_past="leave")],
         [("one", "two", ()), ("one", END, ("once past: the date had gone by",))]),
    ],
)  # fmt: skip
def test_every_way_out_of_a_state_is_an_arrow_that_says_what_it_takes(steps: list[Any], expected: list[Any]) -> None:
    drawn = ways(State("one", steps), State("two", [done]), State("three", [done]))

    assert [arrow for arrow in drawn if arrow[0] == "one"] == expected


def test_a_date_gone_by_leads_past_the_last_step() -> None:
    steps = [wait(until=lead.custom("ends")), wait_for(on("visit"), up_to=days(1), then="three", otherwise="three")]
    drawn = ways(State("one", steps), State("two", [done]), State("three", [done]))

    assert drawn[:2] == [("one", "two", ("once past",)), ("one", "three", ("visit", "after 1 day"))]


def test_what_is_heard_at_any_time_has_a_place_of_its_own() -> None:
    drawn = ways(State("one", [done]), exits=[on("objected")], always=[when(lead.nps > 8, to="one")], goal=on("paid"))

    assert drawn[:2] == [
        (ANY_TIME, END, ("on objected", "on paid (the goal)")),
        (ANY_TIME, "one", ("when NPS is above 8",)),
    ]


def test_a_state_may_be_called_as_the_places_are() -> None:
    road = version(State("start", [go("end")]), State("end", [done]), State("always", []), goal=on("paid", to="always"))

    assert {"start", "end", "always"}.isdisjoint({START, END, ANY_TIME})
    assert "  s0 --> s1\n  s1 --> End\n  s2 --> End\n" in mermaid(road)


# --- texts ---

HOSTILE = version(
    State("one", [notify(EVIL), send(EVIL), wait_for(on(EVIL, answer=EVIL), up_to=days(1), otherwise=leave(EVIL))])
)


def test_no_text_gets_out_of_its_quotes_in_mermaid() -> None:
    lines = mermaid(HOSTILE).splitlines()
    quoted = [line.split('"') for line in lines[1:] if '"' in line]

    assert len(lines) == 6
    assert {len(parts) for parts in quoted} == {3}
    assert not any(
        sign in inside.replace("<br/>", "").replace("<b>one</b>", "") for _, inside, _ in quoted for sign in "<>{}'`&\\"
    )
    assert "#60;b onload=alert(1)#62; #38;" in lines[3]
    assert "#35;quot;" in lines[3]


def test_no_text_gets_out_of_its_place_in_a_picture() -> None:
    drawn = svg(dot(HOSTILE))

    assert {element.tag.removeprefix(SVG) for element in fromstring(drawn).iter()} <= {
        "svg", "g", "title", "polygon", "path", "ellipse", "text",
    }  # fmt: skip
    assert "<b onload=alert(1)> &" in texts(drawn)
    assert "#quot; \\N \\l" in texts(drawn)


# --- pictures ---


@pytest.mark.parametrize("key", ["price-list", "webinar", "win-back"])
def test_the_picture_of_an_example_holds_every_state_with_all_it_does(key: str) -> None:
    road = load(ROOT / "campaigns").campaigns[key]
    drawn = svg(dot(road))
    boxes = {str(one.get("id")): one for one in fromstring(drawn).iter(f"{SVG}g")}

    for state in road.campaign.states:
        read = " ".join(" ".join(boxes[f"state-{state.name}"].itertext()).split())
        assert state.name in read
        assert all(
            step.words() in read for step in state.steps if step.kind in ("send", "thank", "tag", "escalate", "wait")
        )
    assert len([one for one in boxes.values() if one.get("class") == "edge"]) == len(arrows(road))


def test_long_texts_are_wrapped_not_cut() -> None:
    words = " ".join(f"price-list/{n}" for n in range(30))
    drawn = svg(dot(version(State("one", [notify(words), leave(words)]))))

    assert texts(drawn).count(words) == 2
    assert float(fromstring(drawn).get("width", "").removesuffix("pt")) < 400
