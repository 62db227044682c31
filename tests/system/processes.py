"""The processes of an installation of one campaign, each started on its own: Temporal, web processes, workers."""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from nurture.laptop.children import Children
from nurture.laptop.ports import HOST, Ports
from nurture.laptop.stack import dev_server
from nurture.loader import load
from nurture.store import Store, campaigns
from nurture.store.api_keys import SCOPES, make_key
from nurture.store.migrate import upgrade

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "tests" / "templates"
PATIENCE = 90.0
ALIEN = ("NURTURE_", "TEMPORAL_", "PYTHONDONTWRITEBYTECODE")
HELLO = """
from nurture import Campaign, State, days, leave, on, send, wait

campaign = Campaign("hello", enters=[on("asked")], states=[
    State("one", [
        send("test/one", legal_basis="the lead asked for it", on_unknown="hold"), wait(days(1)), leave("done"),
    ]),
])
"""


async def until(holds: Callable[[], bool | Awaitable[bool]], told: Callable[[], str] = str) -> None:
    """Wait until it holds; what is `told` else says what there is instead."""
    end = time.monotonic() + PATIENCE
    while True:
        answer = holds()
        if answer if isinstance(answer, bool) else await answer:
            return
        assert time.monotonic() < end, f"did not come about in {PATIENCE:.0f} s: {told()}"
        await asyncio.sleep(0.05)


class Processes(Children):
    """All of them, over the database at that URL; `folder` keeps logs and what Temporal knows."""

    def __init__(self, folder: Path, ports: Ports, database_url: str, **settings: str) -> None:
        super().__init__(folder)
        self.folder, self.ports = folder, ports
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(ALIEN)} | {
            "NO_PROXY": HOST,
            "NURTURE_DATABASE_URL": database_url,
            "NURTURE_CAMPAIGNS": str(folder / "campaigns"),
            "NURTURE_TEMPLATES": str(TEMPLATES),
            "NURTURE_SMTP_PORT": str(ports.smtp),
            "TEMPORAL_ADDRESS": f"{HOST}:{ports.temporal}",
            **settings,
        }

    async def prepare(self, store: Store) -> str:
        """Tables and the campaign; answers an API key that may do everything."""
        (self.folder / "campaigns").mkdir()
        (self.folder / "campaigns" / "hello.py").write_text(HELLO)
        upgrade(store.url)
        now = datetime.now(UTC)
        async with store.write() as session:
            for version in load(self.folder / "campaigns", TEMPLATES).campaigns.values():
                await campaigns.publish(session, version, by="test", now=now)
            return await make_key(session, "test", SCOPES, now)

    def run(self, name: str, *arguments: str, **settings: str) -> None:
        """Start Python with these arguments."""
        self.start(name, [sys.executable, *arguments], self.env | settings, self.folder)

    def start_temporal(self) -> None:
        """Start Temporal's server on its file (again)."""
        self.start("temporal", dev_server(self.ports, self.folder / "temporal.db"), self.env, self.folder)

    def start_web(self, name: str = "web", port: int = 0) -> None:
        """Start a web process (again)."""
        self.run(name, "-m", "web", "--host", HOST, "--port", str(port or self.ports.web))

    def start_worker(self, name: str = "worker", **settings: str) -> None:
        """Start a worker (again)."""
        self.run(name, str(ROOT / "worker.py"), **settings)
