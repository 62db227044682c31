"""`nurture dev` and `nurture demo`."""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from nurture.errors import NurtureError
from nurture.laptop.demo import Demo, laptop
from nurture.laptop.stack import Stack

out = Console(highlight=False)
HERE = Path.cwd() / ".nurture"


def dev(speed: Annotated[str, typer.Option(help="1d=1s: one day of a journey lasts a second.")] = "") -> None:
    """Run everything on this machine: Temporal, mail catcher, web, worker; what it knows is kept in .nurture/."""

    async def work() -> None:
        async with laptop(speed, HERE) as stack:
            _places(stack)
            out.print(f"API key       {stack.api_key.get_secret_value()}")
            await _until_told(stack)

    _run(work)


def demo(
    once: Annotated[bool, typer.Option(help="Exit at the end: 0 only if the audit holds.")] = False,
    chaos: Annotated[bool, typer.Option(help="Kill the worker several times on the way.")] = False,
    leads: int = 200,
    seed: int = 1,
    speed: str = "1d=1s",
) -> None:
    """Let scripted people walk the example campaigns, one day a second, and audit every mail."""
    held = True

    async def work() -> None:
        nonlocal held
        out.print("Starting Temporal, a mail catcher, web and worker on this machine …")
        async with laptop(speed) as stack:
            _places(stack)
            held = (await Demo(leads, seed, speed, chaos).run(stack, out)).holds
            if not once:
                _places(stack)
                await _until_told(stack)

    _run(work)
    raise typer.Exit(0 if held else 1)


def _places(stack: Stack) -> None:
    out.print(
        f"API           {stack.web_url}/docs\nInbox         {stack.inbox_url}\nTemporal UI   {stack.temporal_url}"
    )


async def _until_told(stack: Stack) -> None:
    out.print("Press Ctrl-C to stop.")
    told = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, told.set)
    while not told.is_set():
        stack.check()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(told.wait(), 1)


def _run(work: Callable[[], object]) -> None:
    try:
        asyncio.run(work())  # type: ignore[arg-type]  # a coroutine function
    except NurtureError as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


commands: list[Callable[..., None] | tuple[str, Callable[..., None]]] = [dev, demo]
