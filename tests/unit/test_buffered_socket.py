"""collector/buffered.py on real sockets that block, break and end."""

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from collector.buffered import BufferedSocket


@pytest.fixture
def pair() -> Iterator[tuple[BufferedSocket, socket.socket]]:
    near, far = socket.socketpair()
    near.setblocking(False)
    far.settimeout(10)
    buffered = BufferedSocket(near)
    yield buffered, far
    near.close()
    far.close()


Pair = tuple[BufferedSocket, socket.socket]


def test_small_reads_cost_one_call_of_the_kernel(pair: Pair) -> None:
    near, far = pair
    far.sendall(b"abcdef")
    assert [near.recv(1), near.recv(2)] == [b"a", b"bc"]
    assert near.pending() == 3 and near.calls == 1
    assert near.recv(10) == b"def" and near.pending() == 0
    with pytest.raises(BlockingIOError):
        near.recv(1)


def test_the_end_comes_after_what_came_before_it(pair: Pair) -> None:
    near, far = pair
    far.sendall(b"ab")
    far.close()
    assert [near.recv(1), near.recv(9), near.recv(9), near.recv(9)] == [b"a", b"b", b"", b""]


def test_what_is_gathered_goes_out_once_and_only_at_the_end(pair: Pair) -> None:
    near, far = pair
    with near.gathering():
        assert [near.send(b"one"), near.send(b"two")] == [3, 3]
        assert not select.select([far], [], [], 0)[0]
    assert far.recv(100) == b"onetwo" and near.calls == 1
    near.send(b"at once")
    assert far.recv(100) == b"at once"


def test_what_the_kernel_does_not_take_waits_in_order(pair: Pair) -> None:
    near, far = pair
    whole = bytes(range(256)) * 8192
    assert near.send(whole) == len(whole)
    assert near.unsent
    near.send(b"last")
    came = bytearray()
    while near.unsent:
        came += far.recv(1 << 20)
        near.flush()
    while len(came) < len(whole) + 4:
        came += far.recv(1 << 20)
    assert came == whole + b"last"


def test_a_broken_connection_is_an_error_of_the_one_who_sends(pair: Pair) -> None:
    near, far = pair
    far.close()
    with pytest.raises(OSError), near.gathering():
        near.send(b"held back, so no error yet")
    with pytest.raises(OSError):
        near.send(b"at once")
    near.close()  # none of it any more


def test_closing_tries_once_more_to_send(pair: Pair) -> None:
    near, far = pair
    with pytest.raises(ZeroDivisionError), near.gathering():
        near.send(b"farewell")
        raise ZeroDivisionError
    far.sendall(b"never read")
    leaving = threading.Thread(target=near.close)
    leaving.start()
    assert far.recv(100) == b"farewell" and far.recv(100) == b""
    far.close()
    leaving.join(10)
    assert near.fileno() == -1


class PutOff:
    """A TLS socket's way: "not now", and then the same bytes are expected again, or more, never fewer."""

    def __init__(self) -> None:
        self.times, self.tried = 0, b""

    def send(self, data: Any) -> int:
        self.times += 1
        assert bytes(data).startswith(self.tried)
        self.tried = bytes(data)
        if self.times < 3:
            raise ssl.SSLWantWriteError
        return len(data)


def test_a_write_that_tls_puts_off_is_tried_with_at_least_the_same_bytes() -> None:
    real: Any = PutOff()
    near = BufferedSocket(real)
    near.send(b"a")
    near.send(b"b")
    assert near.unsent
    near.flush()
    assert not near.unsent and real.tried == b"ab"
