import pytest
from pydantic import SecretStr

from activities.tracked import Tracked
from nurture.links import Links
from nurture.templates import plain_text

LINKS = Links("https://example.org", [SecretStr("a secret that is long enough for tests")])
PAGE = "<html><body style=\"margin: 0; font: 'a>b'\"><p>Hello</p></body></html>"


@pytest.fixture
def tracked() -> Tracked:
    return Tracked(LINKS, trap=True)


def test_a_target_gets_one_link_however_often_it_stands_there(tracked: Tracked) -> None:
    one, again = tracked.link("https://example.com/a"), tracked.link("https://example.com/a")

    assert (one, list(tracked.made.values())) == (again, ["https://example.com/a"])


def test_what_is_not_followed_is_the_target_itself() -> None:
    tracked = Tracked(LINKS, clicks=False, trap=True)

    assert (tracked.link("https://example.com/a"), tracked.made) == ("https://example.com/a", {})
    assert tracked.with_unseen(PAGE, "m") == PAGE


def test_what_is_no_page_is_not_followed(tracked: Tracked) -> None:
    assert [tracked.link(url) for url in ("mailto:ann@example.com", "tel:+4930")] == [
        "mailto:ann@example.com",
        "tel:+4930",
    ]
    assert tracked.made == {}


def test_the_trap_comes_before_all_links_and_nobody_sees_it(tracked: Tracked) -> None:
    tracked.link("https://example.com/a")
    html = tracked.with_unseen(PAGE, "m")

    assert html.startswith(f'<html><body style="margin: 0; font: \'a>b\'"><a href="{LINKS.trap("m")}"')
    assert "display:none" in html
    assert plain_text(html) == "Hello"


def test_a_message_without_links_has_no_trap(tracked: Tracked) -> None:
    assert tracked.with_unseen(PAGE, "m") == PAGE


def test_a_message_has_no_picture_unless_opens_are_followed(tracked: Tracked) -> None:
    assert "<img" not in tracked.with_unseen(PAGE, "m")
    assert Tracked(LINKS, opens=True).with_unseen(PAGE, "m").endswith('width="1" height="1" alt=""></body></html>')


def test_a_trap_looks_like_any_link_and_is_no_other(tracked: Tracked) -> None:
    trap = LINKS.trap("m").rpartition("/")
    link = tracked.link("https://example.com/a").rpartition("/")

    assert (trap[0], LINKS.trapped(trap[2])) == (link[0], "m")
    assert LINKS.trapped(link[2]) is None
