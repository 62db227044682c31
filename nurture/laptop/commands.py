"""`nurture dev` and `nurture demo`. What they run on is imported when they run, which keeps the other commands quick."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from nurture.errors import BadInput, NurtureError, Unavailable
from nurture.pace import speed as factor

if TYPE_CHECKING:
    from nurture.laptop.stack import Stack

out = Console(highlight=False, markup=False, emoji=False)
FOLDER = ".nurture"
SLOWEST_DEMO = 3600.0


def dev(
    speed: Annotated[str, typer.Option(help="1d=1s: one day of a journey lasts a second.")] = "",
    web_port: Annotated[int, typer.Option(help="For the API and the pages; 0 takes a free port.")] = 8000,
    inbox_port: Annotated[int, typer.Option(help="For the inbox of the mail catcher; 0 takes a free port.")] = 8025,
    smtp_port: Annotated[int, typer.Option(help="For mail; 0 takes a free port.")] = 1025,
    temporal_port: Annotated[int, typer.Option(help="For Temporal; 0 takes a free port.")] = 7233,
    temporal_ui_port: Annotated[int, typer.Option(help="For Temporal's pages; 0 takes a free port.")] = 8233,
) -> None:
    """Run everything on this machine: Temporal, mail catcher, web, worker. What it knows is kept in .nurture/."""
    folder = Path.cwd() / FOLDER

    async def work() -> int:
        from nurture.laptop.homes import alone_in, of_development
        from nurture.laptop.ports import Ports

        ports = Ports(web_port, inbox_port, smtp_port, temporal_port, temporal_ui_port)
        with alone_in(folder):
            async with _started(of_development(folder, _checked(speed), ports)) as stack:
                _print_places(stack)
                _print_key(stack)
                out.print(f"\nKept in {FOLDER}/; for other commands, in another terminal:")
                out.print(f"  export NURTURE_DATABASE_URL={stack.database_url}", soft_wrap=True)
                await _until_told(stack)
        return 0

    _run(work)


def demo(
    once: Annotated[bool, typer.Option("--once", help="Exit at the end, with 0 only if the audit holds.")] = False,
    chaos: Annotated[bool, typer.Option("--chaos", help="Kill the worker with SIGKILL several times.")] = False,
    leads: Annotated[int, typer.Option(min=1, max=2000, help="How many people.")] = 200,
    seed: Annotated[int, typer.Option(help="Decides what everybody does.")] = 1,
    speed: Annotated[str, typer.Option(help="One day of a journey lasts a second.")] = "1d=1s",
    keep: Annotated[Path | None, typer.Option(help="Keep data and logs in this directory.")] = None,
) -> None:
    """Let scripted people walk the example campaigns, one day a second, and audit every mail."""

    async def work() -> int:
        from nurture.laptop.demo import Demo
        from nurture.laptop.homes import folder_of_demo, of_demo

        if factor(_checked(speed)) < SLOWEST_DEMO:
            raise BadInput(f"--speed {speed}: the demo would last for hours; give for example 1d=1s")
        asked = Demo(leads, seed, speed, chaos, out)
        with folder_of_demo(keep) as folder:
            async with _started(of_demo(folder, speed, asked.secrets)) as stack:
                _print_places(stack)
                found = await asked.run(stack)
                if not once:
                    _print_what_next(stack, asked.people[0].email)
                    await _until_told(stack)
        return 0 if found.holds else 1

    _run(work)


@contextlib.asynccontextmanager
async def _started(stack: "Stack") -> AsyncIterator["Stack"]:
    """The stack, ended in order whatever happens."""
    begun = time.monotonic()
    try:
        with _busy("Starting Temporal, a mail catcher, web and worker on this machine …"):
            await stack.start()
        out.print(
            f"Temporal, mail catcher, web and worker run on this machine (ready in {time.monotonic() - begun:.0f} s)."
        )
        yield stack
    finally:
        with _busy("Stopping …"):
            stack.stop()


def _busy(doing: str) -> contextlib.AbstractContextManager[object]:
    """Say what is being done, for as long as it lasts."""
    return out.status(doing) if out.is_terminal else contextlib.nullcontext()


def _print_places(stack: "Stack") -> None:
    out.print(f"  API docs      {stack.web_url}/docs")
    out.print(f"  Inbox         {stack.inbox_url}/")
    if stack.form_urls:
        out.print(f"  Forms         {'  '.join(stack.form_urls)}", soft_wrap=True)
    out.print(f"  Temporal UI   {stack.temporal_url}/")
    out.print(f"  Metrics       {'  '.join(stack.metrics_urls)}", soft_wrap=True)


def _print_key(stack: "Stack") -> None:
    if stack.api_key is not None:
        out.print(f"  API key       {stack.api_key.get_secret_value()}  (shown this once)", soft_wrap=True)
    else:
        out.print("  API key       shown at the first start; nurture keys make makes another")


def _print_what_next(stack: "Stack", somebody: str) -> None:
    nurture = os.path.relpath(Path(sys.executable).parent / "nurture")
    out.print("\nAll of it stays up until Ctrl-C. Have a look at", style="bold")
    _print_places(stack)
    out.print("and, in another terminal, at why somebody got what they got, where all are, and where they came from:")
    out.print(f"  export NURTURE_DATABASE_URL={stack.database_url}", soft_wrap=True)
    out.print(f"  {nurture} why {somebody}", soft_wrap=True)
    out.print(f"  {nurture} journeys", soft_wrap=True)
    out.print(f"  {nurture} report sources", soft_wrap=True)


async def _until_told(stack: "Stack") -> None:
    """Stay up until Ctrl-C; a process that ends by itself ends it all, with its last words."""
    out.print("Press Ctrl-C to stop.", style="dim")
    while True:
        stack.check()
        await asyncio.sleep(0.5)


def _checked(speed: str) -> str:
    if speed:
        factor(speed)
    return speed


def _run(work: Callable[[], Coroutine[None, None, int]]) -> None:
    """Run it, with its exit code; Ctrl-C and SIGTERM end it in order. Errors of ours are the command line's to tell."""

    async def main() -> int:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work()

    code, errors = 1, list[BaseException]()
    try:
        code = asyncio.run(main())
    except* NurtureError as group:
        errors = _leaves(group)
    except* KeyboardInterrupt:
        code = 128 + signal.SIGINT
    except* asyncio.CancelledError:
        code = 128 + signal.SIGTERM
    if errors:
        raise Unavailable("\n".join(dict.fromkeys(map(str, errors))))
    raise typer.Exit(code)


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for one in group.exceptions:
        found += _leaves(one) if isinstance(one, BaseExceptionGroup) else [one]
    return found
