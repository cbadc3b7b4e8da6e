"""Whether a server already reads the clock that the campaign has set for it."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sim.chaos.clocks import Clocks
from sim.ports import HOST


class Refuses(BaseHTTPRequestHandler):
    """Answers 501 to everything, with the machine's time."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer((HOST, 0), Refuses)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_a_server_that_has_not_looked_at_its_new_clock_yet_is_not_right(port: int, tmp_path: Path) -> None:
    clocks = Clocks(tmp_path / "clocks", tmp_path / "any library")
    assert clocks.shown_right(port)
    clocks.start_at(datetime.now(UTC) + timedelta(seconds=71))
    assert not clocks.shown_right(port)
    clocks.start_at(datetime.now(UTC))
    assert clocks.shown_right(port)


def test_a_server_that_is_not_there_is_not_right(port: int, tmp_path: Path) -> None:
    clocks = Clocks(tmp_path / "clocks", None)
    assert clocks.shown_right(port)
    closed = ThreadingHTTPServer((HOST, 0), Refuses)
    closed.server_close()
    assert not clocks.shown_right(closed.server_port)
