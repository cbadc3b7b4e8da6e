"""Chooses ports on loopback. It keeps none: whoever is told a number binds it a moment later."""

import random
import socket

HOST = "127.0.0.1"
_NEVER_OUTGOING = (15_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen on ``port`` of loopback now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def choose(wanted: int) -> int:
    """``wanted`` if it is free, else any free port. 0 asks for any."""
    if wanted and is_free(wanted):
        return wanted
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def choose_lasting() -> int:
    """A free port that no outgoing connection takes while its server is down: below Linux's usual range for those."""
    while True:
        port = random.randrange(*_NEVER_OUTGOING)
        if is_free(port):
            return port
