"""Chooses ports on loopback: whoever is told a number binds it a moment later, and may give it up for a while."""

import random
import socket
from collections import deque

HOST = "127.0.0.1"
_NEVER_OUTGOING = (15_000, 32_000)
# Not the generator that everybody shares: whoever seeds that, as a test or a campaign does, would choose as others do.
_random = random.SystemRandom()
# A number that was given away is kept for as long as this process lives, by a socket of UDP, which no server of ours
# listens to: others who ask here, in any process, are told another one, though nobody listens on it yet or just now.
_kept: "deque[socket.socket]" = deque()
_MOST_KEPT = 512


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
    """``wanted`` if it is free, else any that lasts. 0 asks for any."""
    return wanted if wanted and is_free(wanted) else choose_lasting()


def choose_lasting() -> int:
    """A free port that nobody takes while its server is down.

    No outgoing connection does, as it is below Linux's usual range for those, and nobody who asks here, in whatever
    process.
    """
    while True:
        port = _random.randrange(*_NEVER_OUTGOING)
        if is_free(port) and _keep(port):
            return port


def _keep(port: int) -> bool:
    """Whether nobody else has been told ``port``; from now on it is ours."""
    mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        mark.bind((HOST, port))
    except OSError:
        mark.close()
        return False
    _kept.append(mark)
    if len(_kept) > _MOST_KEPT:
        _kept.popleft().close()
    return True
