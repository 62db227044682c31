"""How a page view reads as an arrival, and which of them a lead carries."""

from datetime import UTC, datetime
from itertools import permutations

import pytest

from nurture.arrivals import Arrival, Page, arrived, both_touched, channel_named, origin_of, straight_to, touched
from nurture.durations import days

HOME = "https://www.example.com/prices"
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def channel(query: str = "", referrer: str = "") -> str | None:
    found = arrived(Page(url=f"{HOME}?{query}", referrer=referrer), own={"blog.example.com"})
    return None if found is None else found.channel


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("utm_source=vk", "vk"),
        ("utm_source=VKontakte&utm_medium=social", "vk"),
        ("utm_source=vk&utm_medium=cpc", "vk-ads"),
        ("utm_source=dzen", "dzen"),
        ("utm_source=tg", "telegram"),
        ("utm_source=odnoklassniki", "ok"),
        ("utm_source=vc.ru", "vc"),
        ("utm_source=habr", "habr"),
        ("utm_source=tenchat", "tenchat"),
        ("utm_source=hh.ru&utm_medium=banner", "hh"),
        ("utm_source=yandex&utm_medium=cpc", "yandex-direct"),
        ("utm_source=yandex&utm_medium=organic", "yandex"),
        ("utm_source=google&utm_medium=CPC", "google-ads"),
        ("utm_source=google", "google"),
        ("utm_source=site", "site"),
        ("utm_medium=email", "email"),
        ("utm_source=Fair%20of%20spring", "fair of spring"),
        ("gclid=1", "google-ads"),
        ("yclid=1", "yandex-direct"),
        ("rb_clickid=1", "vk-ads"),
        ("vkclid=1", "vk-ads"),
        ("fbclid=1", "facebook"),
        ("fbclid=1&utm_source=newsletter", "email"),
        ("yclid=1&utm_source=yandex", "yandex-direct"),
    ],
)
def test_what_stands_in_the_link_names_the_channel(query: str, meant: str) -> None:
    assert channel(query) == meant


@pytest.mark.parametrize(
    ("referrer", "meant"),
    [
        ("https://away.vk.com/", "vk"),
        ("https://dzen.ru/a/1", "dzen"),
        ("https://t.me/", "telegram"),
        ("android-app://org.telegram.messenger/", "telegram"),
        ("https://m.ok.ru/dk", "ok"),
        ("https://vc.ru/marketing/1", "vc"),
        ("https://habr.com/ru/articles/1", "habr"),
        ("https://tenchat.ru/", "tenchat"),
        ("https://kazan.hh.ru/", "hh"),
        ("https://www.google.de/", "google"),
        ("https://yandex.ru/search/", "yandex"),
        ("https://news.example.org/", "referral"),
    ],
)
def test_else_the_page_before_does(referrer: str, meant: str) -> None:
    assert channel(referrer=referrer) == meant


@pytest.mark.parametrize("referrer", ["", "https://example.com/", "https://blog.example.com/one", "no address"])
def test_a_step_within_our_sites_or_from_nowhere_is_no_arrival(referrer: str) -> None:
    assert channel(referrer=referrer) is None


def test_placement_creative_and_offer_are_read_off_the_link() -> None:
    link = f"{HOME}?utm_source=telegram&utm_medium=post&utm_campaign=spring&utm_content=blue&offer=trial"

    assert arrived(Page(url=link)) == Arrival(channel="telegram", placement="spring", creative="blue", offer="trial")


def test_without_a_campaign_the_placement_is_the_medium_and_else_the_host() -> None:
    medium = arrived(Page(url=f"{HOME}?utm_source=hh&utm_medium=banner"))
    host = arrived(Page(url=HOME, referrer="https://vc.ru/marketing/1"))

    assert [one.placement for one in (medium, host) if one is not None] == ["banner", "vc.ru"]


def test_who_comes_from_nowhere_comes_straight_to_a_page() -> None:
    assert straight_to(Page(url=f"{HOME}?a=1")) == Arrival(channel="direct", placement="/prices")


def test_words_are_cut_and_cleaned() -> None:
    found = arrived(Page(url=f"{HOME}?utm_source=a%00b%0A&utm_campaign={'x' * 300}"))

    assert found is not None
    assert (found.channel, len(found.placement)) == ("ab", 100)


def test_a_page_that_is_no_address_is_no_arrival() -> None:
    assert arrived(Page(url="prices", referrer="https://t.me/")) is None


def test_presets_know_how_people_write_a_channel() -> None:
    assert [channel_named(one) for one in ("VK", " Telegram ", "hh.ru", "phone")] == ["vk", "telegram", "hh", "phone"]


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://Example.com/a?b", "https://example.com"),
        ("http://example.com:8080", "http://example.com:8080"),
        ("https://example.com:443/", "https://example.com"),
        ("javascript:alert(1)", ""),
        ("example.com", ""),
    ],
)
def test_an_origin_is_written_as_browsers_do(address: str, origin: str) -> None:
    assert origin_of(address) == origin


ARRIVALS = [
    (Arrival(channel="telegram", placement="spring"), NOW - days(9)),
    (Arrival(channel="vk"), NOW - days(5)),
    (Arrival(channel="direct"), NOW),
]


@pytest.mark.parametrize("order", list(permutations(ARRIVALS)))
def test_the_earliest_is_first_and_the_latest_that_came_from_somewhere_is_last_in_whatever_order_they_are_told(
    order: tuple[tuple[Arrival, datetime], ...],
) -> None:
    profile: dict[str, object] = {}
    for arrival, at in order:
        profile |= touched(profile, arrival, at)

    assert [profile[name]["channel"] for name in ("first_touch", "last_touch")] == ["telegram", "vk"]  # type: ignore[index]


def test_two_leads_that_are_one_keep_the_earliest_and_the_latest() -> None:
    one = touched({}, Arrival(channel="vk"), NOW - days(5))
    other = touched(touched({}, Arrival(channel="telegram"), NOW - days(9)), Arrival(channel="habr"), NOW)

    both = both_touched(one, other)

    assert both == both_touched(other, one)
    assert [both[name]["channel"] for name in ("first_touch", "last_touch")] == ["telegram", "habr"]


def test_who_never_came_has_no_touch() -> None:
    assert both_touched({}, {}) == {}
