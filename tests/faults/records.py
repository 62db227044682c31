"""Append-only records: one JSON line each, on disk before anybody is told of it."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class Record:
    """A file that is only ever added to."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def add(self, **entry: Any) -> None:
        """Write the entry with the time; it is on disk when this returns."""
        line = json.dumps({"at": datetime.now(UTC).isoformat(), **entry}) + "\n"
        os.write(self._file, line.encode())
        os.fsync(self._file)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def entries(path: Path) -> Iterator[dict[str, Any]]:
    """The entries of a record; a last line that was torn is left out. Times are datetimes."""
    if not path.exists():
        return
    with path.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                entry = json.loads(line)
                yield {**entry, "at": datetime.fromisoformat(entry["at"])}
