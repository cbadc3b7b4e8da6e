"""Non-blocking streams for link.py (contract.Stream): look the address up, connect, encrypt if there is a Tls for it.

What goes wrong is an OSError whose second argument says what, so that a log line can: also what TLS finds.
"""

import select
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.board.resolver import Resolver
    from firmware.board.tls import Tls

_ENOTCONN, _ECONNREFUSED, _EPROTO = 107, 111, 71
# EAGAIN, EINPROGRESS: not now, no harm done.
_NOT_YET = (11, 115)
# Linux and lwIP agree on these numbers, which MicroPython's socket module does not name.
_IPPROTO_TCP, _TCP_NODELAY = 6, 1


class TcpStream:
    """One connection. Its socket is registered with ``poll``, so that the board wakes when there is news."""

    def __init__(self, host: str, port: int, poll: "select.poll", resolver: "Resolver", tls: "Tls | None"):
        self._host = host
        self._port = port
        self._poll = poll
        self._resolver = resolver
        self._tls = tls
        self._sock: socket.socket | None = None
        self._channel: Any = None  # the socket, or what encrypts it

    def ready(self) -> bool:
        """Whether it is connected; a handshake comes with the first send(). Raises OSError if the attempt failed."""
        if not self._sock:
            address = self._resolver.find(self._host)
            if address:
                self._connect(address)
            return False
        now = select.poll()
        now.register(self._sock, select.POLLOUT)
        for _, flags in now.poll(0):
            if flags & (select.POLLERR | select.POLLHUP):
                raise OSError(_ECONNREFUSED, "connect")
            self._poll.modify(self._sock, select.POLLIN)
            self._resolver.confirm(self._host)
            self._channel = self._tls.wrap(self._sock, self._host) if self._tls else self._sock
            return True
        return False

    def send(self, data: bytes) -> int:
        """How many bytes were taken, perhaps 0; 0 too while hands are being shaken."""
        try:
            return self._channel.write(data) or 0
        except ValueError as refusal:
            raise _refused(refusal) from None

    def receive(self, buffer: bytearray) -> int:
        """How many bytes were put into ``buffer``; 0 for none yet. Raises OSError at the end of the stream."""
        try:
            count = self._channel.readinto(buffer)  # None: nothing yet
        except ValueError as refusal:
            raise _refused(refusal) from None
        if count == 0:
            raise OSError(_ENOTCONN, "closed by the peer")
        return count or 0

    def close(self) -> None:
        self._resolver.forget(self._host)
        if self._sock:
            try:
                self._poll.unregister(self._sock)
            finally:
                (self._channel or self._sock).close()

    def _connect(self, address: str) -> None:
        sock = self._sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)
        self._poll.register(sock, select.POLLOUT)
        try:
            # An address in numbers: nothing is looked up, so this does not block.
            sock.connect(socket.getaddrinfo(address, self._port, 0, socket.SOCK_STREAM)[0][-1])
        except OSError as error:
            if error.errno not in _NOT_YET:
                raise


def _refused(refusal: ValueError) -> OSError:
    """The server's certificate is not accepted: mbedTLS says why, in lines."""
    return OSError(_EPROTO, " ".join(str(refusal).split()))
