"""The long-running processes, which this one turns into, and the tables they need."""

import os
import socket
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from nurture.errors import BadInput, NotFound

db = typer.Typer(
    help="The database: upgrade.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)  # fmt: skip

doctor = typer.Typer(
    help="""Find what is stuck, lost or left over; mend it with --fix.

    Store, Temporal and ledger are held against each other. Exits with 0 when all is well, with 1 when something is found.
    """,
    invoke_without_command=True,
    rich_markup_mode=None,
    add_completion=False,
)


@db.callback()
def _db() -> None:
    """The database: upgrade."""


@db.command()
def upgrade() -> None:
    """Make the tables, or bring them up to date."""
    from nurture.settings import read_settings
    from nurture.store.migrate import upgrade as bring_up_to_date

    bring_up_to_date(read_settings().database_url.get_secret_value())
    typer.echo("the tables are up to date")


def worker() -> None:
    """Run a worker: journeys, sending, dispatching, sweeps; several may run side by side."""
    _become(str(application_root("worker.py") / "worker.py"))


def web(
    host: Annotated[str, typer.Option(help="0.0.0.0 for all of this machine's addresses.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
) -> None:
    """Run the web process: intake, webhooks, links and pages."""
    require_free(host, port)
    _become("-m", "web", "--host", host, "--port", str(port), root=application_root("web/app.py"))


@doctor.callback()
def _doctor(
    context: typer.Context,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended.")] = False,
    after_restore: Annotated[
        bool, typer.Option("--after-restore", help="A backup was restored: ask the provider before each message.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """The doctor of store, Temporal and ledger, unless another is asked for."""
    if context.invoked_subcommand is not None:
        return
    given = {"--fix": fix, "--after-restore": after_restore, "--json": as_json}
    options = [name for name, said in given.items() if said]
    _become("-m", "activities.doctor", *options, root=application_root("activities/doctor.py"))


@doctor.command()
def mail(
    sender: Annotated[str | None, typer.Option("--from", help="Only this address; else all that are used.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look at our mail as receivers do: SPF, DKIM, DMARC, MX, PTR, TLS, one click to unsubscribe.

    Exits with 0 when nothing is at fault, with 1 when something is, or could not be asked.
    """
    from nurture.cli.mail_diagnosis import examined, show

    lines = examined(sender)
    show(lines, as_json=as_json)
    if any(line.grave for line in lines):
        raise typer.Exit(1)


def require_free(host: str, port: int) -> None:
    """Say what to do when nothing can be listened on there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((host, port))
        except OSError as error:
            raise BadInput(
                f"{host}:{port} cannot be listened on ({error.strerror}): say another --port or --host"
            ) from error


def application_root(file: str) -> Path:
    """Where the application stands: beside the package, or in the current directory."""
    for root in (Path(__file__).parents[2], Path.cwd()):
        if (root / file).is_file():
            return root
    raise NotFound(
        f"{file} is neither beside the package nor in this directory: run this in a checkout of nurture, or in its image"
    )


def _become(*arguments: str, root: Path | None = None) -> NoReturn:
    """Turn into that Python program, so that signals and exit code are its own; `root` is where its modules are looked for."""
    sys.stdout.flush()
    if root is not None:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606  # nothing of it comes from outside
