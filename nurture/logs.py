"""Logs: one line of JSON an action, ids only; readable colours at a terminal."""

import logging
import sys

import structlog


def set_up_logs() -> None:
    """Set up logging for this process; call it once, in the main program."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("temporalio.activity").setLevel(logging.ERROR)  # `activities.failures` tells of them in a line
    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.EventRenamer("action"),
            renderer,
        ]
        if not sys.stderr.isatty()
        else [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="%H:%M:%S"), renderer],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
