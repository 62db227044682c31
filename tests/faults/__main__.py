"""All faults, over several seeds: `./dev faults --seeds 5`; the table goes into docs/faults.md."""

import argparse
import asyncio
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.faults import on_postgres, on_sqlite
from tests.faults.arena import ROOT, postgres_arena, sqlite_arena
from tests.faults.runner import Line, Run
from tests.faults.table import kept, table

HALVES = {"postgresql": (postgres_arena, on_postgres.blows), "sqlite": (sqlite_arena, on_sqlite.blows)}


async def half(name: str, folder: Path, seed: int, scale: int) -> tuple[list[Line], list[str]]:
    """The faults over one kind of database, by one seed."""
    make, blows = HALVES[name]
    return await Run(make(folder), seed, scale).run(blows(scale))


def main() -> None:
    """Run them, print what was found, write the table."""
    parser = argparse.ArgumentParser(prog="./dev faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many runs, by the seeds 1 to N")
    parser.add_argument(
        "--scale", type=int, default=10, help="how long faults last and how often they come; 1 in ./dev test"
    )
    parser.add_argument("--keep", type=Path, help="a directory for the logs; a temporary one unless given")
    given = parser.parse_args()
    root = given.keep or Path(tempfile.mkdtemp(prefix="nurture-faults-"))
    seeds, lines, found = range(1, given.seeds + 1), [], []
    for seed in seeds:
        for name in HALVES:
            folder = root / f"{name}-{seed}"
            folder.mkdir(parents=True)
            theirs, rest = asyncio.run(half(name, folder, seed, given.scale))
            lines += theirs
            new = [f"{name}, seed {seed}: {one}" for one in (*rest, *(f for line in theirs for f in line.findings))]
            sys.stderr.write("\n".join([f"{name}, seed {seed}: {len(theirs)} scenarios", *new, ""]))
            found += new
    made = table(lines)
    kept(ROOT / "docs" / "faults.md", made, seeds, given.scale, datetime.now(UTC).date())
    sys.stdout.write(f"{made}\nthe logs are in {root}\n")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
