"""Arrivals: by which channel, placement, creative and offer a lead comes to us, read off the page it lands on.

Every arrival is kept; the lead itself carries two of them for ever, as its first and its last touch.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import Url

LONGEST_WORD = 100
LONGEST_URL = 2000
DIRECT, REFERRAL = "direct", "referral"
FIRST, LAST = "first_touch", "last_touch"

SOURCES: Mapping[str, str] = {
    "vkontakte": "vk", "vk.com": "vk", "vk_ads": "vk-ads", "vkads": "vk-ads", "mytarget": "vk-ads",
    "dzen.ru": "dzen", "zen": "dzen", "yandex_dzen": "dzen", "yandex-dzen": "dzen", "yandexzen": "dzen",
    "tg": "telegram", "t.me": "telegram", "telegram_ads": "telegram",
    "odnoklassniki": "ok", "ok.ru": "ok",
    "vc.ru": "vc", "habr.com": "habr", "habrahabr": "habr", "tenchat.ru": "tenchat", "hh.ru": "hh", "headhunter": "hh",
    "yandex_direct": "yandex-direct", "yandexdirect": "yandex-direct", "direct.yandex": "yandex-direct",
    "yadirect": "yandex-direct", "ya.ru": "yandex", "yandex.ru": "yandex",
    "googleads": "google-ads", "google_ads": "google-ads", "adwords": "google-ads", "google.com": "google",
    "own": "site", "own-site": "site", "website": "site", "newsletter": "email", "mail": "email", "e-mail": "email",
}  # fmt: skip
"""Other names of channels, as people write them in `utm_source`."""

PAID = frozenset({"cpc", "ppc", "cpm", "cpa", "paid", "paidsearch", "paid_search", "display", "ads"})
WHEN_PAID: Mapping[str, str] = {"yandex": "yandex-direct", "google": "google-ads", "vk": "vk-ads"}
"""What a channel is called when `utm_medium` says that it was paid for."""

CLICKS: Mapping[str, str] = {
    "gclid": "google-ads", "gbraid": "google-ads", "wbraid": "google-ads", "yclid": "yandex-direct",
    "rb_clickid": "vk-ads", "vkclid": "vk-ads", "msclkid": "microsoft-ads", "ttclid": "tiktok-ads",
}  # fmt: skip
"""Ids that a channel's advertising puts on every click."""

SHARES: Mapping[str, str] = {"fbclid": "facebook", "igshid": "instagram"}
"""Ids that are put on every link there, paid for or not: `utm_source` knows better."""

HOSTS: Mapping[str, str] = {
    "vk.com": "vk", "vk.ru": "vk", "vkvideo.ru": "vk", "com.vkontakte.android": "vk", "dzen.ru": "dzen", "zen.yandex.ru": "dzen",
    "t.me": "telegram", "telegram.org": "telegram", "telegram.me": "telegram", "org.telegram.messenger": "telegram",
    "ok.ru": "ok", "vc.ru": "vc", "habr.com": "habr", "tenchat.ru": "tenchat", "hh.ru": "hh", "ya.ru": "yandex",
    "facebook.com": "facebook", "instagram.com": "instagram", "linkedin.com": "linkedin", "lnkd.in": "linkedin",
    "youtube.com": "youtube", "youtu.be": "youtube", "t.co": "x", "x.com": "x", "twitter.com": "x",
    "bing.com": "bing", "duckduckgo.com": "duckduckgo", "go.mail.ru": "mail.ru",
}  # fmt: skip
"""Channels by the host (or the app) that a visitor comes from; those below it are meant too."""

SEARCHES = ("google", "yandex")
"""They have a host in every country."""


def clean(value: str) -> str:
    """A word as it is kept: what cannot be printed is taken out, and what is too long cut off."""
    return "".join(one for one in value if one.isprintable()).strip()[:LONGEST_WORD]


def channel_named(name: str) -> str:
    """The channel that goes by that name: `VKontakte` is `vk`."""
    known = clean(name).lower()
    return SOURCES.get(known, known)


class Arrival(BaseModel):
    """One way a lead came: `channel` (telegram), `placement` (where in it), `creative` (which text or picture), `offer`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: str
    placement: str = ""
    creative: str = ""
    offer: str = ""

    @field_validator("channel")
    @classmethod
    def _named(cls, channel: str) -> str:
        named = channel_named(channel)
        if not named:
            raise ValueError("name a channel, such as telegram or phone")
        return named

    @field_validator("placement", "creative", "offer")
    @classmethod
    def _clean(cls, word: str) -> str:
        return clean(word)


class Page(BaseModel):
    """The page that a lead looks at, whole, and the one it came from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(max_length=LONGEST_URL)
    referrer: str = Field(default="", max_length=LONGEST_URL)


class Context(BaseModel):
    """Where something happened: on a page, or outright how the lead came (a code, a phone number, a fair), and at what offer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    page: Page | None = None
    arrival: Arrival | None = None
    offer: str = Field(default="", max_length=LONGEST_WORD)


def arrived(page: Page, own: Collection[str] = ()) -> Arrival | None:
    """The arrival that a page view is; None for a step from one page of ours (hosts `own`) to the next, or from nowhere.

    What was written on the link comes first: the id of a paid click, `utm_source`, the id of a share; then the page that
    the visitor came from.
    """
    here, before = read_url(page.url), read_url(page.referrer)
    if here is None:
        return None
    said = {name: value for name, value in reversed(here.query_params()) if value}
    came_from = "" if before is None else _host(before)
    channel = _written(said)
    if channel is None:
        if not came_from or came_from == _host(here) or came_from in own:
            return None
        channel = _of_host(came_from)
    return Arrival(
        channel=channel,
        placement=said.get("utm_campaign") or said.get("utm_medium") or came_from,
        creative=said.get("utm_content", ""),
        offer=said.get("offer") or said.get("utm_offer") or "",
    )


def straight_to(page: Page) -> Arrival:
    """The arrival of whoever begins a visit on that page and comes from nowhere we know of."""
    here = read_url(page.url)
    return Arrival(channel=DIRECT, placement="" if here is None else path_of(here))


def read_url(text: str) -> Url | None:
    """The address, None when it is none."""
    try:
        return Url(text) if text else None
    except ValueError:
        return None


def path_of(url: Url) -> str:
    """The path of an address, which tells pages apart and holds nothing personal."""
    return clean(url.path or "/")


def origin_of(text: str) -> str:
    """Scheme, host and port of a web address, as a browser names them in `Origin`; empty when it is none."""
    url = read_url(text)
    if url is None or url.scheme not in ("http", "https") or not url.host:
        return ""
    usual = {"http": 80, "https": 443}[url.scheme]
    return f"{url.scheme}://{url.host}" + ("" if url.port in (None, usual) else f":{url.port}")


def host_of(text: str) -> str:
    """The host of an address, without www; empty when it has none."""
    url = read_url(text)
    return "" if url is None else _host(url)


def _host(url: Url) -> str:
    return (url.host or "").lower().removeprefix("www.")


def _written(said: Mapping[str, str]) -> str | None:
    """The channel by what stands in the link; None when nothing does."""
    clicked = next((channel for name, channel in CLICKS.items() if name in said), None)
    if clicked is not None:
        return clicked
    if named := channel_named(said.get("utm_source", "")):
        paid = said.get("utm_medium", "").lower() in PAID
        return WHEN_PAID.get(named, named) if paid else named
    if clean(said.get("utm_medium", "")).lower() == "email":
        return "email"
    return next((channel for name, channel in SHARES.items() if name in said), None)


def _of_host(host: str) -> str:
    parts = host.split(".")
    below = (".".join(parts[at:]) for at in range(len(parts)))
    known = next((HOSTS[name] for name in below if name in HOSTS), None)
    return known or next((name for name in SEARCHES if name in parts[:-1]), REFERRAL)


def touched(profile: Mapping[str, Any], arrival: Arrival, at: datetime) -> dict[str, Any]:
    """The first and last touch of a lead (`first_touch`, `last_touch`) once this arrival is among them.

    The earliest is the first, whenever it is told; the latest is the last, but one from nowhere only while there is no other.
    """
    told = {**arrival.model_dump(), "at": at.astimezone(UTC).isoformat()}
    return _outermost([*_touches(profile), told])


def both_touched(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The first and last touch of two leads that turned out to be the same."""
    return _outermost([*_touches(one), *_touches(other)])


def _touches(profile: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [profile[name] for name in (FIRST, LAST) if name in profile]


def _outermost(touches: list[dict[str, Any]]) -> dict[str, Any]:
    def in_time(touch: dict[str, Any]) -> tuple[Any, ...]:
        return datetime.fromisoformat(touch["at"]), *sorted(touch.items())

    if not touches:
        return {}
    last = max(touches, key=lambda touch: (touch["channel"] != DIRECT, in_time(touch)))
    return {FIRST: min(touches, key=in_time), LAST: last}
