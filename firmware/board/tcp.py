"""Non-blocking TCP for link.py: contract.Connector and contract.Stream. It does not encrypt: TLS takes another."""

import select
import socket

_ENOTCONN, _ECONNREFUSED = 107, 111
# EAGAIN, EINPROGRESS: not now, no harm done.
_NOT_YET = (11, 115)
# Linux and lwIP agree on these numbers, which MicroPython's socket module does not name.
_IPPROTO_TCP, _TCP_NODELAY = 6, 1


class TcpConnector:
    """Opens streams and keeps them registered with ``poll``, so that the board wakes when one has news."""

    def __init__(self, poll: "select.poll"):
        self._poll = poll
        self._address: object = None

    def open(self, host: str, port: int) -> "TcpStream":
        """Begins to connect. Looks the host's address up once: a lookup blocks."""
        if self._address is None:
            self._address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0][-1]
        stream = TcpStream(socket.socket(), self._poll)
        try:
            stream.connect(self._address)
        except OSError:
            stream.close()
            raise
        return stream


class TcpStream:
    def __init__(self, sock: socket.socket, poll: "select.poll"):
        self._sock = sock
        self._poll = poll
        sock.setblocking(False)
        sock.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)

    def connect(self, address: object) -> None:
        self._poll.register(self._sock, select.POLLOUT)
        try:
            self._sock.connect(address)  # type: ignore[arg-type]  # an opaque value here
        except OSError as error:
            if error.errno not in _NOT_YET:
                raise

    def ready(self) -> bool:
        """Whether it is connected. Raises OSError if the attempt has failed."""
        now = select.poll()
        now.register(self._sock, select.POLLOUT)
        for _, flags in now.poll(0):
            if flags & (select.POLLERR | select.POLLHUP):
                raise OSError(_ECONNREFUSED, "connect")
            self._poll.modify(self._sock, select.POLLIN)
            return True
        return False

    def send(self, data: bytes) -> int:
        """How many bytes were taken, perhaps 0."""
        try:
            return self._sock.send(data)
        except OSError as error:
            if error.errno in _NOT_YET:
                return 0
            raise

    def receive(self, buffer: bytearray) -> int:
        """How many bytes were put into ``buffer``; 0 for none yet. Raises OSError at the end of the stream."""
        count = self._sock.readinto(buffer)  # type: ignore[attr-defined]  # None: nothing yet
        if count == 0:
            raise OSError(_ENOTCONN, "closed by the peer")
        return count or 0

    def close(self) -> None:
        try:
            self._poll.unregister(self._sock)
        finally:
            self._sock.close()
