"""Advertising networks: how each wants addresses and numbers written and hashed, and what its files look like.

- google: Customer Match, support.google.com/google-ads/answer/7659867 and developers.google.com/data-manager (formatting):
  addresses in small letters without spaces, numbers in E.164, SHA-256 in hex.
- meta: customer lists, facebook.com/business/help/2082575038703844: the same, but numbers are digits only, without zeros
  in front.
- vk: VK Ads, target.my.com/help/advertisers/sourceuserlists: a text file of one kind, a line each, MD5; numbers are digits.
- yandex: Yandex Audience, yandex.com/support/audience/en/file: numbers are digits, addresses Latin; SHA-256, as new MD5 hashes
  are not taken since January 2025.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, TypeAlias

NetworkName: TypeAlias = Literal["google", "meta", "vk", "yandex"]
KindOfKey: TypeAlias = Literal["email", "phone"]
KINDS: tuple[KindOfKey, ...] = ("email", "phone")


class Network(NamedTuple):
    """A network: by which algorithm it hashes, how a value is written before that (empty: it does not take it), the columns
    of its file (none: a file has one kind, without a header), and how many people it wants at the least.
    """

    name: NetworkName
    algorithm: Literal["sha256", "md5"]
    written: Mapping[KindOfKey, Callable[[str], str]]
    columns: tuple[str, ...]
    least: int

    def hashed(self, kind: KindOfKey, value: str | None) -> str | None:
        """The hash of a lead's address (in small letters) or number (E.164); None when there is nothing to hash."""
        text = self.written[kind]((value or "").strip())
        if not text:
            return None
        # The networks say which algorithm it is; it is theirs to choose, and no secret hangs on it.
        return hashlib.new(self.algorithm, text.encode(), usedforsecurity=False).hexdigest()


def _small(address: str) -> str:
    return "".join(address.split()).lower()


def _latin(address: str) -> str:
    return _small(address) if address.isascii() else ""


def _digits(number: str) -> str:
    return "".join(one for one in number if one.isdigit()).lstrip("0")


def _e164(number: str) -> str:
    digits = _digits(number)
    return f"+{digits}" if digits else ""


NETWORKS: Mapping[str, Network] = {
    one.name: one
    for one in (
        Network("google", "sha256", {"email": _small, "phone": _e164}, ("Email", "Phone"), 100),
        Network("meta", "sha256", {"email": _small, "phone": _digits}, ("email", "phone"), 100),
        Network("vk", "md5", {"email": _small, "phone": _digits}, (), 2000),
        Network("yandex", "sha256", {"email": _latin, "phone": _digits}, ("email", "phone"), 100),
    )
}
