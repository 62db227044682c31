"""The long-running processes, and the tables they need."""

import os
import sys
from collections.abc import Callable

from nurture.cli.context import application_root, fail, out
from nurture.errors import NurtureError
from nurture.settings import read_settings
from nurture.store.migrate import upgrade as bring_up_to_date


def worker() -> None:
    """Run a worker: journeys, sending, dispatching, sweeps; several may run side by side."""
    root = application_root()
    os.execv(sys.executable, [sys.executable, str(root / "worker.py")])  # noqa: S606  # this process becomes it


def web(host: str = "127.0.0.1", port: int = 8000) -> None:
    """Run the web process: intake, webhooks, links and pages."""
    os.environ["PYTHONPATH"] = str(application_root())
    command = ["-m", "uvicorn", "web.app:create", "--factory", "--host", host, "--port", str(port)]
    os.execv(sys.executable, [sys.executable, *command])  # noqa: S606  # this process becomes it


def upgrade() -> None:
    """Make the tables, or bring them up to date."""
    try:
        bring_up_to_date(read_settings().database_url.get_secret_value())
    except NurtureError as error:
        fail(error)
    out.print("the tables are up to date")


commands: list[Callable[..., None] | tuple[str, Callable[..., None]]] = [worker, web, upgrade]
