"""Files for advertising networks: hashes and fixed headers only, so that no cell can be taken for a formula."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from nurture.retargeting.networks import KINDS, KindOfKey, Network


class Person(NamedTuple):
    """What a lead on the list is found by."""

    lead_id: str
    email: str | None
    phone: str | None

    def key(self, kind: KindOfKey) -> str | None:
        """Its address or its number."""
        return self.email if kind == "email" else self.phone


def lines(network: Network, people: Iterable[Person], kinds: Iterable[KindOfKey] = KINDS) -> Iterator[str]:
    """The file of the network, line by line; who has nothing that it takes is left out, and nobody is in it twice."""
    wanted = [kind for kind in KINDS if kind in set(kinds)]
    if network.columns:
        yield ",".join(network.columns[KINDS.index(kind)] for kind in wanted)
    before: set[str] = set()
    for one in people:
        hashes = [network.hashed(kind, one.key(kind)) or "" for kind in wanted]
        line = ",".join(hashes)
        if any(hashes) and line not in before:
            before.add(line)
            yield line
