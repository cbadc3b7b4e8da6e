"""A socket with a buffer each way: one system call brings in or takes out hundreds of packets. It knows no protocol.

paho asks its socket four times for every packet that comes and sends each acknowledgement by itself: half of what a
message cost was the kernel's. This stands between paho and the real socket, TCP or TLS, which must not block.

Rules of the file
1.  Sends go out at once, in order; only within ``gathering()`` they are held back, until it ends.
2.  What the kernel does not take now is not lost: ``unsent`` tells, ``flush`` tries again, later sends line up behind.
3.  Before sleeping in ``select``, ask ``pending``: what has come already wakes nobody (TLS holds back bytes likewise).
"""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_READ_BYTES = 256 * 1024
_FAREWELL_S = 0.5  # for the other end to close too: a broker does so at once when it reads DISCONNECT
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class BufferedSocket:
    """Has what paho needs of a socket. ``calls`` counts the system calls for reading and writing."""

    def __init__(self, real: socket.socket):
        self._real = real
        self._came, self._taken = b"", 0
        self._unsent = bytearray()
        self._held = False
        self.calls = 0

    def recv(self, size: int) -> bytes:
        """At most ``size`` bytes; b"" at the end. Raises like the real one when there is nothing."""
        begin = self._taken
        if begin == len(self._came):
            self.calls += 1
            self._came = self._real.recv(_READ_BYTES)
            begin = 0
        self._taken = begin + size
        if self._taken > len(self._came):
            self._taken = len(self._came)
        return self._came[begin : self._taken]

    def send(self, data: bytes | bytearray) -> int:
        """Takes all of ``data``, always. Raises OSError when the connection is gone."""
        self._unsent += data
        if not self._held:
            self.flush()
        return len(data)

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """What is sent meanwhile goes out together at the end, if nothing was raised meanwhile."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self.flush()

    def flush(self) -> None:
        """Sends as much of what is unsent as the kernel takes now. Raises OSError when the connection is gone."""
        while self._unsent:
            self.calls += 1
            try:
                # All of it: a TLS write that was put off must be tried again with at least the bytes of before.
                sent = self._real.send(self._unsent)
            except _NOT_NOW:
                return
            del self._unsent[:sent]

    @property
    def unsent(self) -> bool:
        return bool(self._unsent)

    def pending(self) -> int:
        """How many bytes ``recv`` would give without asking the kernel."""
        waiting = len(self._came) - self._taken
        return waiting + self._real.pending() if isinstance(self._real, ssl.SSLSocket) else waiting

    def peer_certificate(self) -> bytes | None:
        """What the other end proved itself with, DER; None on a plain line."""
        return self._real.getpeercert(binary_form=True) if isinstance(self._real, ssl.SSLSocket) else None

    def fileno(self) -> int:
        return self._real.fileno()

    def setblocking(self, flag: bool) -> None:
        self._real.setblocking(flag)

    def close(self) -> None:
        """Takes leave so that the other end reads all of it: TCP throws away what we sent if we leave things unread."""
        with suppress(OSError):
            self.flush()
            if not self._unsent:
                self._read_to_the_end()
        self._real.close()

    def _read_to_the_end(self) -> None:
        self._real.shutdown(socket.SHUT_WR)
        self._real.settimeout(_FAREWELL_S)
        last = time.monotonic() + _FAREWELL_S
        while self._real.recv(_READ_BYTES) and time.monotonic() < last:
            pass
