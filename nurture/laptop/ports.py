"""Ports on this machine: the ones that were asked for, and free ones for the rest."""

import os
import socket
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass

from nurture.errors import Unavailable

HOST = "127.0.0.1"
FIRST, BLOCKS, BLOCK = 20_000, 750, 16
"""Blocks of ports below those that the system gives to connections, which would take one before it is listened on."""


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
    block = _block()
    with ExitStack() as held:  # all at once, so that no free port is given twice
        sockets = {
            name: held.enter_context(_bound(name, port) if port else _free(block))
            for name, port in asdict(asked).items()
        }
        return Ports(**{name: one.getsockname()[1] for name, one in sockets.items()})


def _bound(name: str, port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except (OSError, OverflowError) as error:
        option = f"--{name.replace('_', '-')}-port"
        reason = "is in use" if isinstance(error, OSError) and "in use" in str(error).lower() else "cannot be used"
        raise Unavailable(f"port {port} {reason}: give another with {option} (0 takes a free one)") from error


def _block() -> range:
    """Ports that no other stack on this machine is given while this process lives: a datagram port stands for them."""
    for n in range(BLOCKS):
        first = FIRST + (os.getpid() + n) % BLOCKS * BLOCK
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as claim, suppress(OSError):
            claim.bind((HOST, first))
            claim.detach()  # open as long as the process
            return range(first, first + BLOCK)
    raise Unavailable(f"{BLOCKS} stacks run on this machine already: end some")


def _free(block: range) -> socket.socket:
    for port in block:
        with suppress(OSError):
            return socket.create_server((HOST, port))
    raise Unavailable(
        f"no port from {block.start} to {block.stop - 1} is free: give others with --web-port and its like"
    )
