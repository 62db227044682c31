"""What a process logs, as a machine reads it."""

import json
import subprocess
import sys

import pytest

CANARY = "canary@nowhere.example"
BEFORE = f"""
import asyncio, logging, structlog
from nurture.logs import set_up_logs
set_up_logs()
log, CANARY = structlog.get_logger(), "{CANARY}"
"""


def lines(code: str) -> list[dict[str, object]]:
    command = [sys.executable, "-c", BEFORE + code]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout == ""
    return [json.loads(line) for line in told.stderr.splitlines()]


def test_a_line_has_one_action_a_level_and_a_time() -> None:
    [line] = lines("log.warning('outbox.again', row=7)")

    assert line.keys() == {"action", "level", "timestamp", "row"}
    assert (line["action"], line["level"], line["row"]) == ("outbox.again", "warning", 7)


def test_a_library_speaks_in_the_same_form() -> None:
    [line] = lines("logging.getLogger('apscheduler.scheduler').warning('%s was missed', 'a job')")

    assert (line["action"], line["level"], line["said"]) == (
        "library.apscheduler.scheduler", "warning", "a job was missed",
    )  # fmt: skip


def test_of_an_error_that_a_library_logs_the_kind_and_the_places_are_kept() -> None:
    [line] = lines("""
def breaks():
    raise ValueError(CANARY)
try:
    breaks()
except ValueError:
    logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
""")

    assert (line["error"], line["said"]) == ("ValueError", "Exception in ASGI application")
    assert str(line["trace"]).endswith("breaks']")
    assert CANARY not in str(line)


@pytest.mark.parametrize("dropped", ["a second line: {CANARY}", "\\nfuture: {CANARY}"])
def test_of_what_a_library_says_the_first_line_is_kept(dropped: str) -> None:
    [line] = lines(f"logging.getLogger('asyncio').error(f'never retrieved\\n{dropped}')")

    assert line["said"] == "never retrieved"
    assert CANARY not in str(line)


def test_a_web_server_speaks_in_the_same_form_and_not_of_who_asked_for_what() -> None:
    [line] = lines(f"""
import uvicorn
uvicorn.Config("nothing").configure_logging()
set_up_logs()
logging.getLogger("uvicorn.error").info("Application startup complete.")
logging.getLogger("uvicorn.access").info("GET /v1/leads/{CANARY}")
""")

    assert (line["action"], line["said"]) == ("library.uvicorn.error", "Application startup complete.")


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    code = f"{BEFORE}log.warning('on'); print('done')"
    with open("/dev/full", "w") as full:  # noqa: PTH123  # a device
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=full, check=False)

    assert (done.returncode, done.stdout) == (0, b"done\n")
