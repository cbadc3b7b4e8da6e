"""A planted ticket number and a planted name go through everything, and are looked for everywhere they must not be."""

import signal
import sqlite3
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from collector.store import Store
from schemas.register import Operator
from tests.integration.collector_process import CollectorProcess
from tests.integration.feed_process import PASSWORD, FeedProcess, GuardedMosquitto, until
from tests.integration.mosquitto import GuardedMosquitto as Guarded

TICKET, LABEL, NAME = "TICKET-PLANTED-4711", "LABEL-PLANTED-A17", "Планта Схована"
ANSWERS = (
    "/v1/aggregates?by=operator&purpose=analysis&period=day", "/v1/aggregates?by=branch", "/v1/register", "/v1/desks",
    "/v1/register/document", "/v1/register/sheets", "/v1/register/revisions", "/v1/faults", "/v1/commands", "/metrics",
    "/v1/openapi.json", "/", "/figures", "/devices", "/register/operators", "/register/operators/op-1",
    "/register/desks",
)  # fmt: skip
SCOPES = ("figures", "operators", "devices", "metrics", "register")


def test_a_ticket_number_and_a_name_are_nowhere_but_where_they_belong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Guarded, "password", staticmethod(lambda _user: PASSWORD))
    broker = GuardedMosquitto(tmp_path)
    feed = FeedProcess(tmp_path, broker.port)
    url = f"sqlite:///{tmp_path / 'collector' / 'zrazkovo.db'}"
    collector = CollectorProcess(tmp_path / "collector", broker.port, url, ("centre-1",))
    broker.start()
    try:
        collector.start()
        with Store.open(url) as store:
            _, register = store.book.whole()
            known = register.model_copy(update={"operators": (Operator(id="op-1"),)})
            store.book.save(known, author="head", how="edit", names={"op-1": NAME})
        feed.start()
        for kind in ("called", "started", "finished"):
            feed.post(
                {
                    "event": f"q-{kind}",
                    "type": kind,
                    "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                    "branch": "centre",
                    "desk": "centre-1",
                    "ticket": {"key": TICKET, "label": LABEL},
                    "operator": "op-1",
                    "service": "passport",
                }
            )
        until(lambda: feed.health()["outbox"]["centre"] == 0, "everything taken by the collector")
        said = "".join(feed.log) + collector.says
        assert collector.stop() == 0
        feed.stop(signal.SIGTERM)
        assert "ready" in said
        assert not [word for word in (TICKET, LABEL, NAME) if word in said]
        _nothing_in_the_database(tmp_path / "collector" / "zrazkovo.db")
        _nothing_in_the_answers(url)
    finally:
        collector.kill()
        feed.stop(signal.SIGKILL)
        broker.stop()


def _nothing_in_the_database(file: Path) -> None:
    bytes_on_disk = b"".join(each.read_bytes() for each in file.parent.glob("zrazkovo.db*"))
    assert TICKET.encode() not in bytes_on_disk and LABEL.encode() not in bytes_on_disk
    database = sqlite3.connect(file)
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    with_name = [name for name in tables if NAME in repr(database.execute(f'SELECT * FROM "{name}"').fetchall())]
    assert with_name == ["operator_name"]
    columns = {name: [row[1] for row in database.execute(f'PRAGMA table_info("{name}")')] for name in tables}
    assert [name for name, found in columns.items() if "operator" in found and "name" in found] == ["operator_name"]
    [(ticket, operator)] = database.execute("SELECT ticket, operator FROM call").fetchall()
    assert ticket and len(ticket) >= 16 and operator == "op-1"  # a keyed pseudonym, so that a return is known again
    database.close()


def _nothing_in_the_answers(url: str) -> None:
    with Store.open(url) as store:
        token = store.create_token("reader", SCOPES)
        app = create_app(Settings(database_url=url), store)
        with TestClient(app, headers={"Authorization": f"Bearer {token}"}) as client:
            for path in ANSWERS:
                answer = client.get(path, headers={"Accept": "text/html"} if not path.startswith("/v1") else {})
                assert answer.status_code == 200, path
                assert not [word for word in (TICKET, LABEL, NAME) if word.encode() in answer.content], path
