"""The seam that every adapter stands on: a poller's life, paths of its own at the feed's HTTP server, seats."""

import threading
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from collector.errors import StoreUnavailable
from collector.feed.errors import SourceDown
from collector.feed.seats import Seat, Seats
from collector.feed.source import Poller, Reply, Request, Route, Source
from collector.feed.webhook import MOST_BYTES, create_app

DEADLINE_S = 20.0


class Scripted(Poller):
    """Meets one trouble after the other, then is well; ``done`` when it was asked once more than it had troubles."""

    def __init__(self, *troubles: Exception):
        super().__init__("main", frozenset({"centre"}), lambda: 1_000, poll_seconds=0.01)
        self._troubles = list(troubles)
        self.done, self.closed = threading.Event(), threading.Event()

    def poll(self) -> None:
        if self._troubles:
            raise self._troubles.pop(0)
        if self.up:
            self.done.set()

    def close(self) -> None:
        self.closed.set()


def test_a_poller_lives_through_outages_and_faults_of_ours_and_says_each_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("collector.feed.source.PAUSES_S", (0.01,))
    poller = Scripted(SourceDown("no answer"), SourceDown("no answer"), StoreUnavailable("locked"), KeyError("ours"))
    assert (poller.up, poller.last_heard_unix_ms) == (False, None)
    poller.start()
    assert poller.done.wait(DEADLINE_S)
    poller.stop()
    assert poller.closed.is_set()
    assert (poller.up, poller.last_heard_unix_ms) == (True, 1_000)
    said = [record.getMessage() for record in caplog.records if record.levelname != "INFO"]
    assert said == [
        "queue system main: no answer",
        "queue system main: locked",
        "main: an error of ours; polling goes on",
    ]


def test_what_no_table_knows_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    source = Source("main", frozenset(), int)
    source.wonder(frozenset({"desk 9"}))
    source.wonder(frozenset({"desk 9", "desk 8"}))
    assert source.unknown == {"desk 8", "desk 9"}
    assert [record.getMessage()[-6:] for record in caplog.records] == ["desk 9", "desk 8"]


def served(take: Callable[[Request], Reply], method: str = "GET") -> TestClient:
    app = create_app(
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        digests=(),
        health=dict,
        clock=int,
        routes=[Route(method, "/i", take)],
    )
    return TestClient(app, raise_server_exceptions=False)


def test_a_source_may_have_paths_of_its_own_at_the_feeds_server() -> None:
    asked: list[Request] = []

    def take(request: Request) -> Reply:
        asked.append(request)
        return Reply(200, b"GIF89a", "image/gif")

    answer = served(take).get("/i?e=ue&aid=q%20m", headers={"X-Token": "t"})
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"GIF89a", "image/gif")
    assert (asked[0].method, asked[0].path, asked[0].query, asked[0].body) == ("GET", "/i", "e=ue&aid=q%20m", b"")
    assert asked[0].headers["x-token"] == "t"


def test_a_source_that_cannot_write_now_is_to_be_asked_again_and_a_body_over_the_limit_never_reaches_it() -> None:
    def take(request: Request) -> Reply:
        raise StoreUnavailable("locked")

    with served(take, "POST") as client:
        assert client.post("/i", content=b"x").status_code == 503
        assert client.post("/i", content=b"x" * (MOST_BYTES + 1)).status_code == 413
        assert client.get("/i").status_code == 405


SEATS = Seats.of(
    [Seat("op-1", "centre-1", to_unix_ms=1_000), Seat("op-1", "centre-2", 1_000), Seat("op-1", "centre-3", 500, 600)],
    {"qsystem": [Seat("op-1", "annex-1")]},
)


@pytest.mark.parametrize(
    ("source", "operator", "at", "desk"),
    [
        ("theq", "op-1", 0, "centre-1"),
        ("theq", "op-1", 499, "centre-1"),
        ("theq", "op-1", 500, "centre-3"),  # a stand-in's day, written beside the lasting seat
        ("theq", "op-1", 600, "centre-1"),
        ("theq", "op-1", 999, "centre-1"),
        ("theq", "op-1", 1_000, "centre-2"),
        ("theq", "op-2", 0, None),
        ("qsystem", "op-1", 0, "annex-1"),  # it has a table of its own
    ],
)
def test_who_sat_where_at_what_moment(source: str, operator: str, at: int, desk: str | None) -> None:
    assert SEATS.desk_of(source, operator, at) == desk
