"""The borders as they are when a program runs: what an import really loads, directly or not."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Collection
from pathlib import Path

ROOT = Path(__file__).parents[2]
IO = {
    "aiosmtpd", "aiosmtplib", "aiosqlite", "alembic", "apscheduler", "asyncpg", "dns", "fastapi", "httpx", "jinja2",
    "pydantic_settings", "smtplib", "sqlalchemy", "sqlite3", "sqlmodel", "starlette", "structlog", "typer", "uvicorn",
}  # fmt: skip
"""What opens a file, a connection or a database for whoever imports it."""

ENGINE = {"asyncio", "multiprocessing", "ssl", "subprocess", "temporalio"}


def loaded_by(modules: Collection[str]) -> set[str]:
    """All modules that a new process has loaded when it has imported these."""
    program = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(shown.stdout.split())


def layers() -> tuple[set[str], set[str]]:
    """The modules of nurture that are world, and those that are pure, as the import contracts list them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [world, pure] = next(one["layers"] for one in contracts if one.get("containers") == ["nurture"])
    return {f"nurture.{name}" for name in re.findall(r"\w+", world)}, {
        f"nurture.{name}" for name in re.findall(r"\w+", pure)
    }


WORLD, PURE = layers()


def test_the_vocabulary_loads_no_world() -> None:
    assert loaded_by(["nurture"]) & (WORLD | IO | ENGINE) == set()


def test_the_pure_modules_load_no_world_all_together() -> None:
    loaded = loaded_by(sorted(PURE))

    assert loaded >= PURE
    assert loaded & (WORLD | IO | ENGINE) == set()


def test_the_workflows_load_no_io_library_and_no_activity() -> None:
    loaded = loaded_by(["workflows.client", "workflows.journey", "workflows.payloads", "workflows.ports"])

    assert loaded & (WORLD | IO | {"activities", "web", "campaigns", "worker"}) == set()
