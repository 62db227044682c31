"""How long `nurture import` takes for 100,000 leads, and a second time, when it changes nothing; on both databases."""

import asyncio
import csv
import os
import resource
import sys
import time
from pathlib import Path

from sqlalchemy import func
from sqlmodel import select

from nurture.store import Store
from nurture.store.migrate import upgrade
from nurture.store.models import LeadRow
from tests.bench.intake import made, postgres
from tests.bench.rows import Row
from tests.bench.stage import EXAMPLES, ROOT

LEADS = 100_000
COLUMNS = ("email", "phone", "first_name", "last_name", "country", "company.name", "company.size", "tags")


async def measure(folder: Path, scale: float) -> list[Row]:
    """The command as a person gives it, with a consent; the file is written beforehand."""
    made(folder)
    file, number = folder / "leads.csv", int(LEADS * scale)
    _write(file, number)
    found = await _run(f"sqlite:///{folder / 'nurture.db'}", "SQLite", file, number)
    async with postgres(folder) as url:
        return found + await _run(url, "PostgreSQL", file, number)


async def _run(url: str, database: str, file: Path, number: int) -> list[Row]:
    upgrade(url)
    (first, cpu), (again, _) = await _import(url, file), await _import(url, file)
    store = Store(url)
    async with store.read() as session:
        kept = (await session.exec(select(func.count()).select_from(LeadRow))).one()
    await store.close()
    if kept != number:
        raise AssertionError(f"{kept} leads are in the store: not each that was imported, once")
    return [
        Row(f"{database}, {number:,} leads with a consent", first, "s", at_most=60),
        Row("the command's CPU", cpu, "s"),
        Row(f"{database}, the same file again", again, "s", at_most=60),
    ]


async def _import(url: str, file: Path) -> tuple[float, float]:
    """How long the command took, and how much of it it was at work."""
    given = {"NURTURE_DATABASE_URL": url, "NURTURE_CAMPAIGNS": str(EXAMPLES), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "nurture.cli", "import", str(file), "--consent", "news"]
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=file.parent,
        env={**os.environ, **given},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, trouble = await process.communicate()
    if process.returncode != 0:
        raise AssertionError(f"the import failed: {trouble.decode()[-500:]}{told.decode()[-500:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - begun, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _write(file: Path, number: int) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(COLUMNS)
        for n in range(number):
            name = f"Ann{n % 997}", f"Example{n % 7919}"
            rows.writerow([
                f"person-{n}@example.com", f"+4930{1000000 + n}", *name, "DE", f"Company {n % 5000}", n % 500 + 1, "fair;2026",
            ])  # fmt: skip
