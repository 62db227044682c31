"""The command line: it speaks to files and to the store; what is to be done on Temporal goes through the outbox."""

from nurture.cli.main import app, main

__all__ = ["app", "main"]
