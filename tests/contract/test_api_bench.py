"""Try a pad: the line to the simulator's bench, against a bench of the test's own that speaks the same lines."""

import contextlib
import json
import queue
import socket
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.contract.api_office import Office, events_of, serving, until

TOKEN = "bench-token-of-the-test"
Json = dict[str, Any]


class FakeBench(socketserver.ThreadingTCPServer):
    """Answers the greeting with two desks, every request with ok; ``centre-2`` refuses everything."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int = 0):
        super().__init__(("127.0.0.1", port), _Line)
        self.requests: queue.Queue[Json] = queue.Queue()
        self.lines: list[_Line] = []
        self.silent = False
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def push(self, message: object) -> None:
        for line in self.lines:
            line.send(message)

    def hang_up(self) -> None:
        for line in self.lines:
            with contextlib.suppress(OSError):  # the api was quicker
                line.request.shutdown(socket.SHUT_RDWR)
        self.lines.clear()

    def close(self) -> None:
        self.shutdown()
        self.hang_up()
        self.server_close()


class _Line(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        bench = self.server
        assert isinstance(bench, FakeBench)
        if json.loads(self.rfile.readline()) != {"token": TOKEN}:
            return
        self.send({"desks": [{"desk": "centre-1", "branch": "centre"}, {"desk": "centre-2", "branch": "centre"}]})
        bench.lines.append(self)
        for line in self.rfile:
            request = json.loads(line)
            bench.requests.put(request)
            if bench.silent:
                continue
            if request["desk"] == "centre-2":
                self.send({"id": request["id"], "error": "No client is waiting."})
            else:
                self.send({"id": request["id"], "ok": True})

    def send(self, message: object) -> None:
        self.wfile.write(json.dumps(message).encode() + b"\n")


@pytest.fixture
def bench() -> Iterator[FakeBench]:
    made = FakeBench()
    yield made
    made.close()


@pytest.fixture
def client(tmp_path: Path, bench: FakeBench) -> Iterator[httpx2.Client]:
    office = Office(tmp_path)
    headers = {"Authorization": f"Bearer {office.token('try', 'figures', 'devices')}"}
    settings = {"bench_host": "127.0.0.1", "bench_port": bench.port, "bench_token": TOKEN}
    with serving(office, **settings) as address, httpx2.Client(base_url=address, headers=headers, timeout=60) as made:
        until(lambda: bool(made.get("/v1/try").json()["connected"]))
        until(lambda: len(bench.lines) == 1)
        yield made
    office.store.close()


def test_the_desks_that_can_be_played_are_listed_with_their_lamps(client: httpx2.Client, bench: FakeBench) -> None:
    dark = {"branch": "centre", "lamps": None, "connected": False}
    assert client.get("/v1/try").json() == {
        "connected": True,
        "desks": [{"desk": "centre-1", "label": "1", **dark}, {"desk": "centre-2", "label": "2", **dark}],
    }
    bench.push({"desk": "centre-1", "lamps": "010", "connected": True})
    until(lambda: client.get("/v1/try").json()["desks"][0]["lamps"] == "010")
    assert client.get("/v1/try").json()["desks"][0]["connected"] is True


@pytest.mark.parametrize("action", ["call", "recall", "finish", "no_show", "transfer"])
def test_an_operators_action_is_passed_on(client: httpx2.Client, bench: FakeBench, action: str) -> None:
    response = client.post(f"/v1/try/centre-1/{action}")
    assert (response.status_code, response.json()) == (200, {"desk": "centre-1", "done": action})
    request = bench.requests.get(timeout=60)
    assert {name: value for name, value in request.items() if name != "id"} == {"do": action, "desk": "centre-1"}


@pytest.mark.parametrize("action", ["press", "release"])
@pytest.mark.parametrize("button", [1, 2, 3])
def test_a_press_is_passed_on_with_its_button(
    client: httpx2.Client, bench: FakeBench, action: str, button: int
) -> None:
    assert client.post(f"/v1/try/centre-1/{action}", params={"button": button}).status_code == 200
    request = bench.requests.get(timeout=60)
    assert (request["do"], request["desk"], request["button"]) == (action, "centre-1", button)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/try/centre-1/press", 422),
        ("/v1/try/centre-1/press?button=0", 422),
        ("/v1/try/centre-1/press?button=4", 422),
        ("/v1/try/centre-1/press?button=true", 422),
        ("/v1/try/centre-1/call?button=1", 422),
        ("/v1/try/centre-1/explode", 422),
        ("/v1/try/nowhere-9/call", 404),
        ("/v1/try/" + "x" * 5000 + "/call", 422),
    ],
)
def test_what_makes_no_sense_does_not_reach_the_bench(
    client: httpx2.Client, bench: FakeBench, path: str, status: int
) -> None:
    assert client.post(path).status_code == status
    assert bench.requests.empty()


def test_a_refusal_of_the_bench_is_told_in_its_words(client: httpx2.Client) -> None:
    response = client.post("/v1/try/centre-2/call")
    assert response.status_code == 409
    assert response.json()["detail"] == "No client is waiting."


def test_lamps_come_with_the_live_stream(client: httpx2.Client, bench: FakeBench) -> None:
    with client.stream("GET", "/v1/live") as response:
        events = events_of(response)
        assert [next(events)[0], next(events)[0]] == ["snapshot", "lamps"]
        bench.push({"desk": "centre-1", "lamps": "111", "connected": True})
        name, data = next(events)
    assert name == "lamps"
    assert json.loads(data) == {"lamps": [{"desk": "centre-1", "lamps": "111", "connected": True}]}


def test_a_broken_line_is_opened_again_and_meanwhile_the_bench_is_away(client: httpx2.Client, bench: FakeBench) -> None:
    port = bench.port
    bench.close()
    until(lambda: not client.get("/v1/try").json()["connected"])
    response = client.post("/v1/try/centre-1/call")
    assert (response.status_code, response.json()["type"]) == (503, "urn:zrazkovo:problem:bench-away")
    again = FakeBench(port)
    try:
        until(lambda: client.post("/v1/try/centre-1/call").status_code == 200)
    finally:
        again.close()


def test_a_request_in_flight_when_the_line_breaks_is_answered(client: httpx2.Client, bench: FakeBench) -> None:
    bench.silent = True
    answers: list[int] = []
    asking = threading.Thread(target=lambda: answers.append(client.post("/v1/try/centre-1/call").status_code))
    asking.start()
    bench.requests.get(timeout=60)
    bench.hang_up()
    asking.join(60)
    assert answers == [503]


@pytest.mark.parametrize("line", [b"not json", b"[]", b"{}", b'{"id": "x"}', b'{"desk": 1}', b"x" * 100_000], ids=repr)
def test_nonsense_from_the_bench_breaks_the_line_and_nothing_else(
    client: httpx2.Client, bench: FakeBench, line: bytes
) -> None:
    (first,) = bench.lines
    first.wfile.write(line[:80_000] + b"\n")
    until(lambda: len(bench.lines) == 2)
    until(lambda: client.post("/v1/try/centre-1/call").status_code == 200)


def test_without_a_bench_it_says_that_it_is_for_the_demonstration(tmp_path: Path) -> None:
    office = Office(tmp_path)
    with office.client("try") as client:
        for response in (client.get("/v1/try"), client.post("/v1/try/centre-1/call")):
            assert response.status_code == 404
            assert response.json()["type"] == "urn:zrazkovo:problem:no-bench"
            assert "demonstration" in response.json()["title"]
    office.store.close()
