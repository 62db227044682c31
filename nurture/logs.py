"""Logs: one line an action, ids only; JSON for machines, readable colours at a terminal.

`action` names what happened, as `part.what`: `outbox.dead_letter`. What a library says is an action `library.NAME`, of
which only the first line and the kind of an error are kept: the rest may hold a person's data.
"""

import logging
import sys
from contextlib import suppress
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

MOST_PLACES = 8


class Unfailing:
    """A stream for logs: what cannot be written (a full disk, a reader that is gone) is dropped, and the work goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write it, if that can be done."""
        with suppress(OSError):
            return self._stream.write(text)
        return 0

    def flush(self) -> None:
        """Hand it on, if that can be done."""
        with suppress(OSError):
            self._stream.flush()


def set_up_logs() -> None:
    """Set up logging for this process; call it once, in the main program."""
    shown = _shown() if sys.stderr.isatty() else _as_json()
    structlog.configure(processors=[structlog.processors.add_log_level, *shown], logger_factory=_to_stderr)
    handler = logging.StreamHandler()
    chain: list[Processor] = [structlog.stdlib.add_log_level, _of_library]
    # The record stays in the line until all of ours have seen it.
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=chain, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shown]
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("temporalio.activity").setLevel(logging.ERROR)  # `activities.failures` tells of them in a line
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):  # which come with handlers of their own
        logging.getLogger(name).handlers.clear()
    logging.getLogger("uvicorn").propagate = True
    logging.getLogger("uvicorn.access").propagate = False  # not told at all: paths and addresses name people


def places(error: BaseException) -> list[str]:
    """Where it broke, innermost last, without any values."""
    found, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found[-MOST_PLACES:]


def _as_json() -> list[Processor]:
    return [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.EventRenamer("action"),
        structlog.processors.JSONRenderer(),
    ]


def _shown() -> list[Processor]:
    return [structlog.processors.TimeStamper(fmt="%H:%M:%S"), structlog.dev.ConsoleRenderer()]


def _to_stderr(*_: Any) -> structlog.PrintLogger:
    return structlog.PrintLogger(Unfailing(sys.stderr))  # type: ignore[arg-type]  # all that it uses


def _of_library(_: Any, __: str, line: EventDict) -> EventDict:
    """A library's line as one of ours: its first line, and of an error the kind and the places."""
    record: logging.LogRecord = line["_record"]
    said = str(line["event"]).partition("\n")[0]
    kept: dict[str, Any] = {"event": f"library.{record.name}", "level": line["level"], "said": said}
    if record.exc_info and record.exc_info[1] is not None:
        kept |= {"error": type(record.exc_info[1]).__name__, "trace": places(record.exc_info[1])}
    record.exc_info = record.exc_text = None
    return {**kept, "_record": record, "_from_structlog": False}
