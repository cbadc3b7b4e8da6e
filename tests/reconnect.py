"""How pads come back after a broker's restart: the pads' real link.py, a thousand times over. It judges nothing.

``simulate`` runs them in virtual time against a broker that refuses connections for a while; ``Crowd`` runs them for
real, in this process, against a real broker.
"""

import heapq
import json
import random
import select
import socket
import time
from collections import Counter
from collections.abc import Iterable

from firmware.board.config import Config, parse
from firmware.board.link import UP, Link
from protocol.messages import PadStatus

CONNACK = b"\x20\x02\x00\x00"
SUBACK = 0x90
_STEADY_MS = 3600000


def settings(desk: str, port: int = 1883) -> Config:
    """A pad as provisioned: only the password is made up."""
    given = {"desk": desk, "broker_host": "127.0.0.1", "broker_port": port, "password": "x"}
    return parse(json.dumps(given).encode())


def will() -> PadStatus:
    return PadStatus("offline", "dark", None, "00000000", 1, "0", "power", "unverified", "ok", "ok")


def per_second(times_s: Iterable[float]) -> Counter[int]:
    """How many came in each second."""
    return Counter(int(at) for at in times_s)


def histogram(times_s: list[float]) -> str:
    counts = per_second(times_s)
    lines = [f"{second:4} s {counts[second]:5} {'#' * (counts[second] // 4)}" for second in range(max(counts) + 1)]
    return "\n".join(lines)


class _Ticks:
    def __init__(self, seed: int):
        self.now_ms = 0
        self._random = random.Random(seed)

    def ticks_ms(self) -> int:
        return self.now_ms

    def ticks_diff(self, later: int, earlier: int) -> int:
        return later - earlier

    def random_bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)


class _VirtualBoard(_Ticks):
    """Its broker listens from ``back_ms`` on; everybody before was let in at once, and thrown out at ``down_ms``."""

    def __init__(self, seed: int, down_ms: int, back_ms: int):
        super().__init__(seed)
        self.down_ms, self.back_ms = down_ms, back_ms
        self.connector = self
        self.is_up, self.stalls = True, False
        self._inbox = b""
        self._opened_ms = 0

    def open(self, host: str, port: int) -> "_VirtualBoard":
        if self.down_ms <= self.now_ms < self.back_ms:
            raise OSError(111, "refused")
        self._inbox, self._opened_ms = b"", self.now_ms
        return self

    def ready(self) -> bool:
        return True

    def send(self, data: bytes) -> int:
        if data[0] == 0x10:
            self._inbox = CONNACK
        elif data[0] == 0x82:
            kinds = data.count(b"zrazkovo")
            at = 2 + (data[1] >> 7)  # the length has one byte or two
            self._inbox = bytes([SUBACK, 2 + kinds]) + data[at : at + 2] + bytes([1]) * kinds
        elif data[0] == 0xC0:
            self._inbox = b"\xd0\x00"
        return len(data)

    def receive(self, buffer: bytearray) -> int:
        if self._opened_ms < self.down_ms <= self.now_ms:
            raise OSError(104, "reset")
        count = len(self._inbox)
        buffer[:count], self._inbox = self._inbox, b""
        return count

    def close(self) -> None:
        self._inbox = b""


def simulate(pads: int, down_s: float, seed: int = 7) -> list[float]:
    """When each of ``pads`` is back, in seconds after the broker listens again, which it does after ``down_s``."""
    down_ms, back_ms = _STEADY_MS, _STEADY_MS + int(down_s * 1000)
    boards = [_VirtualBoard(seed * 1000003 + number, down_ms, back_ms) for number in range(pads)]
    links = [Link(settings(f"desk-{number}"), board, will) for number, board in enumerate(boards)]  # type: ignore[arg-type]
    back_s: list[float] = []
    queue = [(number % 1000, number) for number in range(pads)]
    heapq.heapify(queue)
    while len(back_s) < pads:
        now_ms, number = heapq.heappop(queue)
        board, link = boards[number], links[number]
        board.now_ms = now_ms
        events = link.step(now_ms)
        if (UP,) in events and now_ms >= down_ms:
            back_s.append((now_ms - back_ms) / 1000)
            continue
        # A pad looks at its connection once a second, or when something arrives: the end of the connection does.
        due_ms = now_ms + max(1, link.due_ms(now_ms, 1 if link.state in ("connecting", "signing in") else 1000))
        if link.state == "online" and now_ms < down_ms:
            due_ms = down_ms
        heapq.heappush(queue, (due_ms, number))
    return back_s


class _RealBoard(_Ticks):
    def __init__(self, seed: int, poll: "select.poll", streams: "dict[int, _RealBoard]"):
        super().__init__(seed)
        self.connector = self
        self.is_up, self.stalls = True, False
        self._poll, self._streams = poll, streams
        self._sock: socket.socket | None = None

    def ticks_ms(self) -> int:
        return int(time.monotonic() * 1000)

    def open(self, host: str, port: int) -> "_RealBoard":
        self._sock = socket.socket()
        self._sock.setblocking(False)
        self._sock.connect_ex((host, port))
        self._streams[self._sock.fileno()] = self
        self._poll.register(self._sock, select.POLLOUT)
        return self

    def ready(self) -> bool:
        assert self._sock
        ready = bool(select.select([], [self._sock], [], 0)[1])
        if ready:
            failed = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failed:
                raise OSError(failed, "connect")
            self._poll.modify(self._sock, select.POLLIN)
        return ready

    def send(self, data: bytes) -> int:
        assert self._sock
        try:
            return self._sock.send(data)
        except BlockingIOError:
            return 0

    def receive(self, buffer: bytearray) -> int:
        assert self._sock
        try:
            count = self._sock.recv_into(buffer)
        except BlockingIOError:
            return 0
        if not count:
            raise OSError(107, "closed by the peer")
        return count

    def close(self) -> None:
        if self._sock:
            self._poll.unregister(self._sock)
            self._streams.pop(self._sock.fileno(), None)
            self._sock.close()
            self._sock = None


class Crowd:
    """``pads`` links in this process, each with a connection of its own."""

    def __init__(self, pads: int, port: int):
        self._poll = select.poll()
        self._streams: dict[int, _RealBoard] = {}
        self.boards = [_RealBoard(number, self._poll, self._streams) for number in range(pads)]
        self.links = [Link(settings(f"desk-{i}", port), board, will) for i, board in enumerate(self.boards)]  # type: ignore[arg-type]
        self.up_s: list[float] = []

    def run(self, until: "object", deadline_s: float) -> None:
        """Works until ``until()`` or the deadline; notes in ``up_s`` when a link came up."""
        assert callable(until)
        ends = time.monotonic() + deadline_s
        while not until():
            assert time.monotonic() < ends, "not reached"
            self._poll.poll(5)
            for board, link in zip(self.boards, self.links, strict=True):
                now_ms = board.ticks_ms()
                if (UP,) in link.step(now_ms):
                    self.up_s.append(time.monotonic())

    @property
    def online(self) -> int:
        return sum(link.state == "online" for link in self.links)
