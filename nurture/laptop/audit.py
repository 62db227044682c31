"""The audit: what the mail server took, held against what the send ledger says. Neither knows of the other."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Entry(NamedTuple):
    """One row of the ledger."""

    key: str
    status: str


class Audit(NamedTuple):
    """The keys that were lost, came twice, are unknown, came unaccounted for, or are still on their way."""

    accepted: int
    lost: tuple[str, ...]
    twice: tuple[str, ...]
    unknown: tuple[str, ...]
    unaccounted: tuple[str, ...]
    unfinished: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing was lost, nothing came twice, and all that came is accounted for."""
        return not (self.lost or self.twice or self.unaccounted or self.unfinished)

    def verdict(self) -> str:
        """One line."""
        parts = f"{self.accepted} accepted, lost {len(self.lost)}, twice {len(self.twice)}, unknown {len(self.unknown)}"
        more = f", unaccounted {len(self.unaccounted)}, unfinished {len(self.unfinished)}"
        return f"{'The audit holds' if self.holds else 'THE AUDIT DOES NOT HOLD'}: {parts}{'' if self.holds else more}"


def audit(arrived: Iterable[str], ledger: Iterable[Entry]) -> Audit:
    """Compare the keys of the mails that arrived (one for each time) with the ledger's rows."""
    came: Mapping[str, int] = Counter(arrived)
    rows = {entry.key: entry.status for entry in ledger}
    return Audit(
        accepted=sum(status == "accepted" for status in rows.values()),
        lost=tuple(sorted(key for key, status in rows.items() if status == "accepted" and key not in came)),
        twice=tuple(sorted(key for key, times in came.items() if times > 1)),
        unknown=tuple(sorted(key for key, status in rows.items() if status == "unknown")),
        unaccounted=tuple(sorted(key for key in came if rows.get(key) not in ("accepted", "unknown", "committing"))),
        unfinished=tuple(sorted(key for key, status in rows.items() if status in ("claimed", "committing"))),
    )
