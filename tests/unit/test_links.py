"""Links of our own: short, good for one purpose, and forged ones are all alike not found."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from nurture.errors import BadInput, NotFound
from nurture.links import Links

LEAD, MESSAGE = "0" * 31 + "1", "f" * 32
OLD, NEW = SecretStr("the old secret"), SecretStr("the new secret")


@pytest.fixture
def links() -> Links:
    return Links("https://example.org/", [NEW])


def token(url: str) -> str:
    return url.rsplit("/", 1)[1]


def test_a_click_link_holds_the_id_of_the_link_only(links: Links) -> None:
    url = links.click(MESSAGE)

    assert url.startswith("https://example.org/c/")
    assert links.clicked(token(url)) == MESSAGE
    assert len(token(url)) < 70


def test_an_unsubscribe_link_says_who_leaves_what(links: Links) -> None:
    url = links.unsubscribe(LEAD, "новости", MESSAGE)

    assert links.unsubscribing(token(url)) == (LEAD, "новости", MESSAGE)
    assert links.unsubscribing(token(links.unsubscribe("lead-1", "news"))) == ("lead-1", "news", "")


def test_a_link_is_the_same_every_time_so_that_a_retried_mail_is_too(links: Links) -> None:
    assert links.click(MESSAGE) == links.click(MESSAGE)


def test_a_token_is_good_for_its_own_purpose_only(links: Links) -> None:
    with pytest.raises(NotFound):
        links.answering(token(links.unsubscribe(LEAD, "news", MESSAGE)))
    with pytest.raises(NotFound):
        links.unsubscribing(token(links.click(LEAD)))


def test_links_signed_with_an_old_secret_are_read_until_it_is_taken_away() -> None:
    old = token(Links("https://example.org", [OLD]).click(MESSAGE))

    assert Links("https://example.org", [NEW, OLD]).clicked(old) == MESSAGE
    with pytest.raises(NotFound):
        Links("https://example.org", [NEW]).clicked(old)


def test_the_first_secret_signs() -> None:
    rotated = token(Links("https://example.org", [NEW, OLD]).click(MESSAGE))

    assert Links("https://example.org", [NEW]).clicked(rotated) == MESSAGE


def test_swapping_parts_of_two_good_tokens_makes_none(links: Links) -> None:
    one, other = token(links.unsubscribe(LEAD, "news")), token(links.unsubscribe(MESSAGE, "news"))

    with pytest.raises(NotFound):
        links.unsubscribing(one.split(".")[0] + "." + other.split(".")[1])


@given(st.text() | st.binary().map(lambda raw: raw.hex()))
def test_whatever_else_is_tried_is_not_found_in_the_same_words(tried: str) -> None:
    links = Links("https://example.org", [NEW])
    for read in (links.clicked, links.unsubscribing, links.answering):
        with pytest.raises(NotFound, match="nothing at this address"):
            read(tried)


@given(st.integers(0, 1000), st.characters(codec="ascii"))
def test_a_token_changed_in_one_place_is_not_found(place: int, character: str) -> None:
    links = Links("https://example.org", [NEW])
    good = token(links.click(MESSAGE))
    place %= len(good)
    if place != len(good) - 1 and good[place] != character:  # base64 leaves bits of the last one unused
        with pytest.raises(NotFound):
            links.clicked(good[:place] + character + good[place + 1 :])


def test_a_token_spelt_in_another_base64_is_not_found() -> None:
    links = Links("https://example.org", [NEW])
    made = (token(links.click(f"{number:032x}")) for number in range(100))
    good = next(one for one in made if "-" in one)
    with pytest.raises(NotFound):
        links.clicked(good.replace("-", "+"))


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_any_ids_come_back_as_they_went_in(lead_id: str, topic: str, message_id: str) -> None:
    links = Links("https://example.org", [NEW])

    assert links.unsubscribing(token(links.unsubscribe(lead_id, topic, message_id))) == (lead_id, topic, message_id)


def test_a_name_too_long_for_a_link_is_refused(links: Links) -> None:
    with pytest.raises(BadInput, match="too long"):
        links.unsubscribe(LEAD, "x" * 255)


def test_what_a_form_sends_back_says_when_it_was_shown_and_fits_no_other_purpose() -> None:
    links, at = Links("http://nurture", [SecretStr("a secret")]), datetime(2026, 11, 23, 10, tzinfo=UTC)
    token = links.shown("prices", at, "n-1")

    assert links.filled(token) == ("prices", at, "n-1")
    for read in (links.confirming, links.thanked, links.answering):
        with pytest.raises(NotFound):
            read(token)


def test_a_link_to_confirm_says_until_when_it_is_good() -> None:
    links, until = Links("http://nurture", [SecretStr("a secret")]), datetime(2026, 11, 30, 10, tzinfo=UTC)
    proof = "0" * 32

    assert links.confirming(links.confirm(proof, until).rpartition("/")[2]) == (proof, until)


def test_a_link_to_a_chat_fits_what_telegram_lets_go_along(links: Links) -> None:
    until = datetime(2026, 12, 1, tzinfo=UTC)
    start = links.chat("our_bot", LEAD, until).partition("https://t.me/our_bot?start=")[2]

    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", start)
    assert links.chatting(start, until) == LEAD


def test_a_link_to_a_chat_is_good_for_its_time_and_for_no_made_up_lead(links: Links) -> None:
    until = datetime(2026, 12, 1, tzinfo=UTC)
    start = links.chat("our_bot", LEAD, until).partition("=")[2]
    other = Links("https://example.org", [OLD]).chat("our_bot", LEAD, until).partition("=")[2]

    for tried, now in [
        (start, until + timedelta(seconds=1)),
        (other, until),
        (f"{start}A", until),
        ("", until),
        ("ж", until),
    ]:
        with pytest.raises(NotFound, match="there is nothing at this address"):
            links.chatting(tried, now)
    rotated = Links("https://example.org", [NEW, OLD])
    assert rotated.chatting(other, until) == LEAD
