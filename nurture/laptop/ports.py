"""Ports on this machine: the ones that were asked for, and free ones for the rest."""

import socket
from contextlib import ExitStack
from dataclasses import asdict, dataclass

from nurture.errors import Unavailable

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """Where each part of the stack listens; 0 takes a free port."""

    web: int = 0
    inbox: int = 0
    smtp: int = 0
    temporal: int = 0
    temporal_ui: int = 0
    web_metrics: int = 0
    worker_metrics: int = 0
    temporal_metrics: int = 0


def settled(asked: Ports) -> Ports:
    """The ports as asked for, with a free one in place of each 0; one that is in use is named with the remedy."""
    with ExitStack() as held:  # all at once, so that no free port is given twice
        sockets = {name: held.enter_context(_bound(name, port)) for name, port in asdict(asked).items()}
        return Ports(**{name: one.getsockname()[1] for name, one in sockets.items()})


def _bound(name: str, port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except (OSError, OverflowError) as error:
        option = f"--{name.replace('_', '-')}-port"
        reason = "is in use" if isinstance(error, OSError) and "in use" in str(error).lower() else "cannot be used"
        raise Unavailable(f"port {port} {reason}: give another with {option} (0 takes a free one)") from error
