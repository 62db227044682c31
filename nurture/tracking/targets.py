"""Where links of messages lead: what is added to a target, so that its own statistics tell our messages apart."""

from collections.abc import Collection, Mapping
from re import sub

from nurture.arrivals import origin_of
from nurture.tracking.switches import Track

NOT_PLAIN = r"[^A-Za-z0-9._~/-]"


def told(url: str, words: Mapping[str, str], track: Track, sites: Collection[str]) -> str:
    """The target with those `utm_` words; what its author wrote there stands, and so does what is no site of ours."""
    if not track.utm or not (track.everywhere or origin_of(url) in sites) or not origin_of(url):
        return url
    address, hash_, fragment = url.partition("#")
    path, _, query = address.partition("?")
    there = {part.partition("=")[0].lower() for part in query.split("&")}
    added = [f"{name}={_quoted(word)}" for name, word in words.items() if word and name not in there]
    return f"{path}?{'&'.join(filter(None, [query, *added]))}{hash_}{fragment}" if added else url


def words_of(campaign: str, template: str, channel: str, track: Track) -> dict[str, str]:
    """What targets are told of a message: by which channel it came, of which campaign, and which message it is."""
    source = {"utm_source": track.source or channel, "utm_medium": track.medium or channel}
    return {**source, "utm_campaign": campaign, "utm_content": template}


def _quoted(word: str) -> str:
    return sub(NOT_PLAIN, lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), word)
