"""What the webhook takes and refuses: the real application and store, no broker. Refused means: nothing is taken."""

import hashlib
import json
import logging
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from collector.feed.body import Reader
from collector.feed.intake import Intake
from collector.feed.model import Branch
from collector.feed.store import FeedStore
from collector.feed.webhook import create_app
from protocol.messages import CallClosed, CallOpened

TOKEN = "a-token-of-the-queue-system"
NOW = int(datetime(2026, 11, 23, 9, tzinfo=UTC).timestamp() * 1000)
CALLED: dict[str, Any] = {
    "event": "e-1",
    "type": "called",
    "occurred_at": "2026-11-23T10:59:00+02:00",
    "branch": "centre",
    "desk": "centre-1",
    "ticket": {"key": "secret-key-17", "label": "secret-label-17"},
    "operator": "op-1",
    "service": "passport",
}


class Told:
    """Instead of pads: remembers what they were told."""

    def __init__(self) -> None:
        self.desks: list[tuple[str, CallOpened | CallClosed]] = []

    def tell(self, desk: str, message: CallOpened | CallClosed) -> None:
        self.desks.append((desk, message))

    def posted(self) -> None:
        pass


class Office:
    def __init__(self, folder: Path):
        self.store = FeedStore.open(f"sqlite:///{folder}/feed.db")
        self.told = Told()
        branches = {name: Branch(name, "Europe/Kyiv", time(20)) for name in ("centre", "zamostia")}
        desks = {"centre-1": "centre", "zamostia-1": "zamostia"}
        intake = Intake(self.store, self.told, branches=branches, desks=desks, clock=lambda: NOW)
        app = create_app(
            intake,
            Reader(desks, frozenset(branches), "a secret of the tests"),
            digests=[hashlib.sha256(b"another").hexdigest(), hashlib.sha256(TOKEN.encode()).hexdigest()],
            health=lambda: {"status": "ok"},
            clock=lambda: NOW,
        )
        self.http = TestClient(app, raise_server_exceptions=False)

    def post(self, body: object, **headers: str) -> tuple[int, Any]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        wanted = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json", **headers}
        answer = self.http.post("/v1/queue-events", content=content, headers=wanted)
        if answer.status_code != 202:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code
            assert answer.json()["title"]
        return answer.status_code, answer.json()

    def untouched(self) -> bool:
        return self.store.depths() == {} and self.told.desks == []


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.store.close()


def with_(**changes: object) -> dict[str, object]:
    return {**CALLED, **changes}


def pointers(problem: Any) -> list[str]:
    return [error["pointer"] for error in problem["errors"]]


def test_an_event_is_taken_and_the_desk_told_before_the_answer(office: Office) -> None:
    assert office.post(CALLED) == (202, {"accepted": 1, "repeated": 0})
    [(desk, message)] = office.told.desks
    assert desk == "centre-1"
    assert isinstance(message, CallOpened)
    assert message.opened_unix_ms == NOW - 60_000
    assert office.store.depths() == {"centre": 1}


def test_a_list_of_several_branches_is_taken_as_a_whole(office: Office) -> None:
    other = with_(event="e-1", branch="zamostia", desk="zamostia-1")  # ids are the branch's own
    assert office.post([CALLED, other]) == (202, {"accepted": 2, "repeated": 0})
    assert office.store.depths() == {"centre": 1, "zamostia": 1}


def test_a_request_that_comes_again_changes_nothing(office: Office) -> None:
    office.post(CALLED)
    assert office.post(CALLED) == (202, {"accepted": 0, "repeated": 1})
    assert office.post([CALLED, with_(event="e-2", type="finished"), CALLED]) == (202, {"accepted": 1, "repeated": 2})
    assert office.post(with_(type="finished", desk=None)) == (202, {"accepted": 0, "repeated": 1})
    assert office.store.depths() == {"centre": 2}
    assert len(office.told.desks) == 2


def test_an_event_twice_in_one_request_is_taken_once(office: Office) -> None:
    assert office.post([CALLED, CALLED]) == (202, {"accepted": 1, "repeated": 1})


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic " + TOKEN, TOKEN, "Bearer é"]
)
def test_without_a_valid_token_nothing_is_taken(office: Office, authorization: str) -> None:
    status, _ = office.post(CALLED, Authorization=authorization.encode("latin-1"))  # type: ignore[arg-type]
    assert status == 401
    assert office.untouched()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"called", b"\xff\xfe", b'{"event": NaN}', b"[" * 100_000, b'{"a":"\xed\xa0\x80"}', b"\x00"]
)
def test_what_is_not_json_is_refused(office: Office, body: bytes) -> None:
    assert office.post(body)[0] == 400
    assert office.untouched()


@pytest.mark.parametrize("kind", ["text/plain", "", "application/x-www-form-urlencoded", "application/problem+json"])
def test_another_media_type_is_refused(office: Office, kind: str) -> None:
    assert office.post(CALLED, **{"Content-Type": kind})[0] == 415
    assert office.post(CALLED, **{"Content-Encoding": "gzip"})[0] == 415
    assert office.untouched()


def test_a_body_that_is_declared_huge_is_refused(office: Office) -> None:
    assert office.post(b" " * (256 * 1024 + 1))[0] == 413
    assert office.untouched()


def test_a_body_that_turns_out_huge_is_refused_while_it_comes(office: Office) -> None:
    def endless() -> Iterator[bytes]:
        yield from [b" " * 65_536] * 10

    answer = office.http.post(
        "/v1/queue-events",
        content=endless(),
        headers={"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"},
    )
    assert answer.status_code == 413
    assert office.untouched()


@pytest.mark.parametrize("body", [[], 3, "called", None, True, [CALLED] * 501])
def test_a_body_of_another_shape_is_refused(office: Office, body: object) -> None:
    status, problem = office.post(body)
    assert status == 422
    assert pointers(problem) == [""]
    assert office.untouched()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"event": ""}, "/event"),
        ({"event": "a/b"}, "/event"),
        ({"event": "a\0b"}, "/event"),
        ({"event": "a\n"}, "/event"),
        ({"event": "x" * 10_000}, "/event"),
        ({"event": 17}, "/event"),
        ({"type": "closed"}, "/type"),
        ({"type": "CALLED"}, "/type"),
        ({"type": None}, "/type"),
        ({"desk": "centre-2"}, "/desk"),
        ({"desk": "zamostia-1"}, "/desk"),
        ({"desk": "centre/1"}, "/desk"),
        ({"desk": "+"}, "/desk"),
        ({"desk": "#"}, "/desk"),
        ({"desk": 1}, "/desk"),
        ({"branch": "elsewhere"}, "/branch"),
        ({"branch": "x" * 10_000}, "/branch"),
        ({"branch": None}, "/branch"),
        ({"operator": "Ivan Petrenko"}, "/operator"),
        ({"operator": ""}, "/operator"),
        ({"service": "паспорт"}, "/service"),
        ({"service": ["passport"]}, "/service"),
        ({"ticket": None}, "/ticket"),
        ({"ticket": "A17"}, "/ticket"),
        ({"ticket": {"key": ""}}, "/ticket/key"),
        ({"ticket": {"key": "x" * 81}}, "/ticket/key"),
        ({"ticket": {"key": "a\0"}}, "/ticket/key"),
        ({"ticket": {"key": 17}}, "/ticket/key"),
        ({"ticket": {"key": "A17", "name": "Ivan"}}, "/ticket/name"),
        ({"client": "Ivan"}, "/client"),
        ({"occurred_at": "1926-11-23T10:59:00+02:00"}, "/occurred_at"),
        ({"occurred_at": "2019-12-31T23:59:59.999Z"}, "/occurred_at"),
        ({"occurred_at": "2026-11-24T09:00:01Z"}, "/occurred_at"),
        ({"occurred_at": "2026-11-23T10:59:00"}, "/occurred_at"),
        ({"occurred_at": "2026-11-23"}, "/occurred_at"),
        ({"occurred_at": "2026-02-30T10:59:00Z"}, "/occurred_at"),
        ({"occurred_at": "0000-00-00T00:00:00Z"}, "/occurred_at"),
        ({"occurred_at": "2026-11-23T10:59:00+99:00"}, "/occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+23:59"}, "/occurred_at"),
        ({"occurred_at": NOW}, "/occurred_at"),
        ({"occurred_at": "now"}, "/occurred_at"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_of_the_request_is_taken(
    office: Office, change: dict[str, object], pointer: str
) -> None:
    status, problem = office.post(with_(**change))
    assert status == 422
    assert pointers(problem) == [pointer]
    status, problem = office.post([with_(event="e-0"), with_(**change)])
    assert status == 422
    assert pointers(problem) == ["/1" + pointer]
    assert office.untouched()


def test_a_missing_field_is_named(office: Office) -> None:
    for name in ("event", "type", "occurred_at", "branch"):
        status, problem = office.post({key: value for key, value in CALLED.items() if key != name})
        assert (status, pointers(problem)) == (422, ["/" + name])


def test_the_refusal_of_an_unknown_desk_names_it(office: Office) -> None:
    _, problem = office.post(with_(desk="centre-99"))
    assert "centre-99" in problem["errors"][0]["detail"]


def test_an_answer_never_grows_with_the_faults(office: Office) -> None:
    status, problem = office.post([{"x" * 1000: 1}] * 200)
    assert status == 422
    assert len(json.dumps(problem)) < 10_000


def test_what_is_about_nobody_is_refused(office: Office) -> None:
    anonymous = {"desk": None, "operator": None, "ticket": None}
    status, problem = office.post(with_(type="operator_closed", **anonymous))
    assert (status, pointers(problem)) == (422, ["/operator"])
    assert office.post(with_(type="reset", **anonymous))[0] == 202


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/queue-events", 405),
        ("DELETE", "/v1/queue-events", 405),
        ("POST", "/v1/health", 405),
        ("GET", "/", 404),
        ("GET", "/docs", 404),
        ("GET", "/openapi.json", 404),
        ("POST", "/v1/queue-events/", 404),
        ("GET", "/v1/%2e%2e/etc", 404),
    ],
)
def test_other_paths_and_methods_are_answered_with_a_problem(
    office: Office, method: str, path: str, status: int
) -> None:
    answer = office.http.request(method, path, follow_redirects=False)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_when_nothing_can_be_written_the_answer_says_send_again(office: Office, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "feed.db") as database:
        database.execute("DROP TABLE feed_outbox")
    status, problem = office.post(CALLED)
    assert status == 503
    assert "sqlite" not in json.dumps(problem).lower()
    assert office.told.desks == []
    with sqlite3.connect(tmp_path / "feed.db") as database:
        assert database.execute("SELECT count(*) FROM feed_received").fetchone() == (0,)


def test_no_log_line_names_a_ticket_or_a_token(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    office.post(CALLED)
    office.post(with_(event="e-2", desk=None))
    office.post(with_(event="e-3", ticket={"key": "secret-key-18", "name": "secret-name"}))
    office.post(CALLED, Authorization="Bearer secret-token")
    assert caplog.records
    assert "secret" not in caplog.text
    assert TOKEN not in caplog.text


def test_health_asks_for_no_token(office: Office) -> None:
    answer = office.http.get("/v1/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
