"""Asks one server after the other over UDP until one answers, without ever waiting. Knows no DNS and no SNTP."""

import select
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.board.contract import Ticks

_AGAIN_MS = 1000
_EAGAIN = 11
_REPLY_BYTES = 512  # RFC 1035 §2.3.4; an SNTP packet has 48
_REPLIES_PER_STEP = 4


class Question:
    """``packet``, sent every second to the next of ``servers``, (address in numbers, port), up to ``tries`` times."""

    def __init__(
        self, poll: "select.poll", ticks: "Ticks", packet: bytes, servers: "tuple[tuple[str, int], ...]", tries: int
    ):
        self.tries_left = tries
        self._poll = poll
        self._ticks = ticks
        self._packet = packet
        # Numbers only: nothing is looked up, so this does not block.
        self._servers = [socket.getaddrinfo(host, port, 0, socket.SOCK_DGRAM)[0][-1] for host, port in servers]
        self._sent_ticks = ticks.ticks_ms() - _AGAIN_MS
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        poll.register(self._sock, select.POLLIN)  # the board wakes when the answer is there

    def step(self, understood: "Callable[[bytes], bool]") -> bool:
        """Whether a reply was ``understood``. Raises OSError once nobody has answered; to be closed in either case."""
        for _ in range(_REPLIES_PER_STEP):
            try:
                reply, sender = self._sock.recvfrom(_REPLY_BYTES)
            except OSError as error:
                if error.errno != _EAGAIN:  # such as "connection refused" from one of several servers
                    self._sent_ticks = self._ticks.ticks_ms() - _AGAIN_MS
                break
            if sender in self._servers and understood(reply):
                return True
        now = self._ticks.ticks_ms()
        if self._ticks.ticks_diff(now, self._sent_ticks) >= _AGAIN_MS:
            self._send(now)
        return False

    def close(self) -> None:
        try:
            self._poll.unregister(self._sock)
        finally:
            self._sock.close()

    def _send(self, now: int) -> None:
        if not self.tries_left:
            raise OSError(110, "no answer")  # ETIMEDOUT
        self.tries_left -= 1
        self._sent_ticks = now
        try:
            self._sock.sendto(self._packet, self._servers[self.tries_left % len(self._servers)])
        except OSError:
            pass  # no route, perhaps not yet: it counts as a try
