"""A TCP proxy between a client and its broker that behaves as badly as a network can. It knows no MQTT and no TLS.

TCP keeps order and loses nothing within one connection, so all that a bad network can do is: delay, throttle, hold back
(also beyond the day on which the pad has opened its next connection), go silent, and cut.
"""

import contextlib
import socket
import struct
import threading
import time

_ESTABLISHED = 1  # tcp_info.tcpi_state


class _Connection:
    def __init__(self, pad: socket.socket, broker: socket.socket | None):
        self.pad = pad
        self.broker = broker
        self.is_hole = False  # has lost bytes: nothing may come through any more
        self.is_cut = False

    @property
    def is_open(self) -> bool:
        """Whether the pad has not closed it, asked of the kernel: what was not read yet cannot hide it."""
        try:
            return self.pad.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _ESTABLISHED
        except OSError:
            return False


class BadNetwork:
    """Listens on ``port`` and carries on to ``target_port``. What is wrong with it can be changed at any time.

    delay_s, bytes_per_s  apply to each direction
    accepts               False: a new connection is reset at once
    answers               False: a new connection is taken, and never gets an answer
    """

    def __init__(self, target_port: int):
        self.target_port = target_port
        self.delay_s = 0.0
        self.bytes_per_s: int | None = None
        self.accepts = True
        self.answers = True
        self.opened = 0
        self.most_open = 0
        self._frozen = False
        self._is_hole = False
        self._connections: list[_Connection] = []
        self._changed = threading.Condition()
        self._server = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def hold_back(self) -> None:
        """From now on nothing arrives, but nothing is lost either: see let_go()."""
        with self._changed:
            self._frozen = True

    def let_go(self) -> None:
        """What was held back arrives, also that of connections the pad has long since given up."""
        with self._changed:
            self._frozen = False
            self._changed.notify_all()

    def swallow(self) -> None:
        """Every connection there is, and every new one, is half open: it stays, and nothing comes through."""
        self._is_hole = True

    def heal(self) -> None:
        """New connections are good again."""
        self._is_hole = False

    def cut(self, *, reset: bool = True) -> None:
        """Ends every connection on both sides: by RST, or in good order by FIN."""
        for connection in list(self._connections):
            connection.is_cut = True
            for end in (connection.pad, connection.broker):
                if end:
                    _end(end, reset)
        with self._changed:
            self._changed.notify_all()

    def wait_for_connections(self, count: int, deadline_s: float = 60) -> None:
        """Waits until that many connections have been opened."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.opened >= count, deadline_s), f"{self.opened} opened"

    def _accept(self) -> None:
        while True:
            try:
                pad, _ = self._server.accept()
            except OSError:
                return
            with self._changed:
                self.opened += 1
                self._connections = [each for each in self._connections if each.is_open]
                self.most_open = max(self.most_open, len(self._connections) + 1)
                self._changed.notify_all()
            if not self.accepts:
                _end(pad, reset=True)
                continue
            self._begin(pad)

    def _begin(self, pad: socket.socket) -> None:
        broker = None
        if self.answers:
            try:
                broker = socket.create_connection(("127.0.0.1", self.target_port), 5)
                broker.settimeout(None)
            except OSError:
                _end(pad, reset=True)
                return
        connection = _Connection(pad, broker)
        self._connections.append(connection)
        if broker:
            for end in (pad, broker):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, target in ((pad, broker), (broker, pad)):
                threading.Thread(target=self._carry, args=(connection, source, target), daemon=True).start()

    def _carry(self, connection: _Connection, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                self._wait(connection)
                if not connection.is_hole:
                    self._deliver(data, target)
            self._wait(connection)
        if not connection.is_hole:
            with contextlib.suppress(OSError):
                target.shutdown(socket.SHUT_WR)

    def _wait(self, connection: _Connection) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._frozen or connection.is_cut)
        connection.is_hole = connection.is_hole or self._is_hole

    def _deliver(self, data: bytes, target: socket.socket) -> None:
        time.sleep(self.delay_s)
        rate = self.bytes_per_s
        step = max(1, rate // 20) if rate else len(data)
        for at in range(0, len(data), step):
            target.sendall(data[at : at + step])
            if rate:
                time.sleep(step / rate)


def _end(end: socket.socket, reset: bool) -> None:
    with contextlib.suppress(OSError):
        if reset:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # A thread may be in recv() on it, and would keep the socket alive: this wakes it.
        end.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
    end.close()
