"""Somebody's database, asked by the feed: real SQLite and PostgreSQL, rows that come late, tables that are emptied."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from collector.feed.errors import BadSettings, SourceDown
from collector.feed.sql import SqlPoller, SqlTable, open_sql
from tests.feed_bench import NOON, Bench
from tests.integration.postgres import Postgres

QUERY = "SELECT id, ts, action, number, win FROM log WHERE id >= :since ORDER BY id LIMIT 10"
HALL: dict[str, Any] = {
    "name": "hall",
    "query": QUERY,
    "mark": "id",
    "columns": {"key": ["id"], "time": "ts", "event": "action", "ticket": "number", "desk": "win"},
    "words": {"CALL": "called", "END": "finished"},
    "timezone": "UTC",
    "desks": {"1": "centre-1", "2": "centre-2"},
}


class Log:
    """Their table, written by them over a connection of their own; the poller asks it as a reader."""

    def __init__(self, bench: Bench, url: str, **changes: Any):
        self.bench = bench
        self.url = url
        self.engine = create_engine(make_url(url).set(drivername=_driver(url)))
        self.table = SqlTable(**{**HALL, **changes})
        time = "TEXT" if url.startswith("sqlite") else "TIMESTAMP"
        self.do(f"CREATE TABLE log (id INTEGER PRIMARY KEY, ts {time}, action TEXT, number TEXT, win INTEGER)")
        self.poller = self.open(bench)

    def open(self, bench: Bench) -> SqlPoller:
        self.bench = bench
        bench.means = type(bench.means)(bench.means.site, bench.intake, bench.store, bench.clock, self.url)
        self.poller = open_sql(self.table, bench.means)
        return self.poller

    def do(self, statement: str, **values: object) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def add(self, key: int, action: str = "CALL", win: int | None = 1, ticket: str = "A1", after_s: int = 0) -> None:
        at: Any = datetime.fromtimestamp(NOON / 1000, UTC).replace(tzinfo=None) + timedelta(seconds=after_s - 60)
        if self.url.startswith("sqlite"):
            at = at.isoformat(sep=" ")
        self.do(
            "INSERT INTO log VALUES (:id, :ts, :action, :number, :win)",
            id=key, ts=at, action=action, number=ticket, win=win,
        )  # fmt: skip

    def facts(self) -> list[tuple[str, str | None]]:
        return [(fact.type, fact.desk) for fact in self.bench.facts()]

    def end(self) -> None:
        self.poller.close()
        self.engine.dispose()
        self.bench.end()


def _driver(url: str) -> str:
    return "postgresql+psycopg" if url.startswith("postgresql") else make_url(url).drivername


@pytest.fixture
def log(tmp_path: Path, any_database: str) -> Iterator[Log]:
    log = Log(Bench(tmp_path), any_database)
    yield log
    log.end()


def test_rows_arm_the_desk_once_however_often_it_is_asked(log: Log) -> None:
    log.poller.poll()
    log.add(1)
    for _ in range(3):
        log.poller.poll()
    assert log.bench.told.armed == ["centre-1"]
    log.add(2, "END", after_s=30)
    log.poller.poll()
    assert log.facts() == [("called", "centre-1"), ("finished", "centre-1")]


def test_more_rows_than_one_answer_holds_are_all_taken_at_one_look(log: Log) -> None:
    for key in range(1, 36):
        log.add(key, win=1 + key % 2, ticket=f"A{key}", after_s=key)
    log.poller.poll()
    assert len([kind for kind, _ in log.facts() if kind == "called"]) == 35


def test_a_row_committed_late_is_taken_within_the_overlap_and_not_beyond(tmp_path: Path, any_database: str) -> None:
    log = Log(Bench(tmp_path), any_database, overlap=5)
    log.add(20)
    log.poller.poll()
    log.add(16, ticket="A2", win=2)  # its number was given before, its transaction ended after
    log.add(14, ticket="A3", win=2)
    log.poller.poll()
    assert log.bench.told.armed == ["centre-1", "centre-2"]
    log.end()


def test_a_mark_that_is_a_time_goes_on_by_time(tmp_path: Path, any_database: str) -> None:
    query = "SELECT id, ts, action, number, win FROM log WHERE ts >= :since ORDER BY ts LIMIT 10"
    log = Log(Bench(tmp_path), any_database, query=query, mark="ts", begin=datetime(2026, 11, 24), overlap=60)  # noqa: DTZ001
    log.add(1)
    log.poller.poll()
    log.add(2, ticket="A2", win=2, after_s=-30)
    log.poller.poll()
    assert log.bench.told.armed == ["centre-1", "centre-2"]
    log.open(log.bench.again()).poll()
    assert log.bench.told.desks == []
    log.end()


def test_a_table_emptied_at_night_begins_anew_with_the_same_numbers(log: Log) -> None:
    log.add(1)
    log.add(2, ticket="A2", win=2)
    log.poller.poll()
    log.do("DELETE FROM log")
    log.poller.poll()
    log.bench.now_unix_ms += 86_400_000
    log.add(1, ticket="A1", after_s=86_400)
    log.poller.poll()
    assert log.bench.told.armed == ["centre-1", "centre-2", "centre-1"]


def test_a_restart_in_the_middle_goes_on_and_without_its_mark_says_nothing_twice(log: Log) -> None:
    log.add(1)
    log.poller.poll()
    log.add(2, ticket="A2", win=2)
    log.open(log.bench.again()).poll()
    assert log.bench.told.armed == ["centre-2"]
    with log.bench.store.transaction() as transaction:
        transaction.keep_source("hall", b"not a mark")
    log.open(log.bench.again()).poll()
    assert log.bench.told.armed == []
    assert log.facts() == [("called", "centre-1"), ("called", "centre-2")]


def test_a_row_that_cannot_be_read_costs_itself_only(log: Log) -> None:
    log.add(1, ticket="")
    log.add(2, win=None)
    log.add(3, "WHAT")
    log.add(4)
    log.poller.poll()
    assert log.bench.told.armed == ["centre-1"]
    assert log.poller.unreadable == 1


def test_it_cannot_write_to_their_database(log: Log) -> None:
    log.add(1)
    for statement in ("DELETE FROM log", "UPDATE log SET win = 2", "CREATE TABLE mine (id INTEGER)"):
        with pytest.raises(SourceDown, match=r"read-?only"):
            log.poller.table = log.table.model_copy(update={"query": statement})
            log.poller.poll()
    log.poller.table = log.table
    log.poller.poll()
    assert log.bench.told.armed == ["centre-1"]


def test_their_writers_never_wait_for_it(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two looks nothing of ours is open, and a writer in the middle of a transaction is no obstacle."""
    log.add(1)
    log.poller.poll()
    with log.engine.begin() as theirs:
        theirs.execute(text("INSERT INTO log (id, ts, action, number, win) VALUES (9, NULL, 'CALL', 'x', 1)"))
        log.poller.poll()  # sees what was committed before
        theirs.execute(text("DELETE FROM log WHERE id = 9"))
    if log.url.startswith("postgresql"):
        ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'zrazkovo-feed'"
        deadline = monotonic() + 60  # the server lists a session for a moment longer than it lasts
        while True:
            with log.engine.connect() as connection:
                if connection.scalar(text(ours)) == 0:
                    break
            assert monotonic() < deadline, "a session of ours is open between two looks"


def test_a_database_away_and_back_is_down_and_up(log: Log) -> None:
    log.add(1)
    log.poller.poll()
    log.do("ALTER TABLE log RENAME TO gone")
    with pytest.raises(SourceDown, match="no answer"):
        log.poller.poll()
    log.do("ALTER TABLE gone RENAME TO log")
    log.add(2, ticket="A2", win=2)
    log.poller.poll()
    assert log.bench.told.armed == ["centre-1", "centre-2"]


def test_a_query_that_takes_too_long_is_ended(
    tmp_path: Path, cluster: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.feed.sql.STATEMENT_S", 1)
    slow = "SELECT id, ts, action, number, win, pg_sleep(60) FROM log WHERE id >= :since ORDER BY id LIMIT 10"
    log = Log(Bench(tmp_path), cluster.url(), query=slow)
    log.add(1)
    with pytest.raises(SourceDown, match="timeout"):
        log.poller.poll()
    log.end()


def test_a_locked_table_is_an_outage_of_half_a_second(tmp_path: Path, cluster: Postgres) -> None:
    log = Log(Bench(tmp_path), cluster.url())
    with log.engine.begin() as theirs:
        theirs.execute(text("LOCK TABLE log IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(SourceDown, match="lock timeout"):
            log.poller.poll()
    log.poller.poll()
    log.end()


def test_a_sqlite_file_that_is_being_written_is_read_all_the_same(tmp_path: Path) -> None:
    """With a journal, not a log ahead: a reader holds a lock only while it reads."""
    log = Log(Bench(tmp_path), f"sqlite:///{tmp_path}/theirs.db")
    log.add(1)
    written = threading.Event()

    def write() -> None:
        theirs = sqlite3.connect(tmp_path / "theirs.db", timeout=10)
        for key in range(2, 30):
            theirs.execute("INSERT INTO log VALUES (?, NULL, 'x', 'x', 1)", (key,))
            theirs.commit()
        theirs.close()
        written.set()

    threading.Thread(target=write).start()
    while not written.is_set():
        with suppress(SourceDown):  # a slow disk keeps it to itself for longer than we wait
            log.poller.poll()
    log.poller.poll()
    assert log.bench.told.armed == ["centre-1"]
    log.end()


def test_rows_in_no_order_or_without_a_mark_are_refused(log: Log) -> None:
    log.add(1)
    log.add(2, ticket="A2")
    log.poller.table = log.table.model_copy(update={"query": QUERY.replace("ORDER BY id", "ORDER BY id DESC")})
    with pytest.raises(SourceDown, match="not sorted"):
        log.poller.poll()
    log.poller.table = log.table.model_copy(update={"mark": "nothing"})
    with pytest.raises(SourceDown, match="nothing"):
        log.poller.poll()


def test_more_rows_of_one_mark_than_an_answer_holds_are_told_of(tmp_path: Path, any_database: str) -> None:
    query = "SELECT id, ts, action, number, win FROM log WHERE win >= :since ORDER BY win LIMIT 10"
    log = Log(Bench(tmp_path), any_database, query=query, mark="win")
    for key in range(12):
        log.add(key, ticket=f"A{key}")
    with pytest.raises(SourceDown, match="the same win"):
        log.poller.poll()
    log.end()


def test_no_error_shows_the_password(tmp_path: Path, cluster: Postgres) -> None:
    url = make_url(cluster.url()).set(password="a-wrong-password").render_as_string(hide_password=False)
    bench = Bench(tmp_path, secret=url)
    with pytest.raises(SourceDown) as raised:
        open_sql(SqlTable(**HALL), bench.means).poll()
    assert "a-wrong-password" not in str(raised.value)
    bench.end()


@pytest.mark.parametrize("secret", [None, "", "nothing", "oracle://user:hidden@host/x", "mssql://user:hidden@host"])
def test_a_url_of_nothing_we_know_is_refused_and_not_shown(tmp_path: Path, secret: str | None) -> None:
    bench = Bench(tmp_path, secret=secret)
    with pytest.raises(BadSettings, match=r"sql.hall") as raised:
        open_sql(SqlTable(**HALL), bench.means)
    assert "hidden" not in str(raised.value)
    bench.end()


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM log WHERE id >= :since LIMIT 10",
        "SELECT * FROM log WHERE id >= :since ORDER BY id",
        "SELECT * FROM log WHERE id > :since ORDER BY id LIMIT 10",
        "SELECT * FROM log ORDER BY id LIMIT 10",
        "SELECT * FROM log WHERE id >= :since LIMIT 100000",
        "SELECT * FROM log WHERE id >= :since FOR UPDATE LIMIT 10",
        "SELECT * FROM log WHERE id >= :since FOR NO KEY UPDATE LIMIT 10",
        "SELECT * FROM log WHERE id >= :since; DROP TABLE log; SELECT 1 LIMIT 10",
    ],
)
def test_a_query_that_does_more_or_less_than_it_may_is_refused(query: str) -> None:
    with pytest.raises(ValidationError):
        SqlTable(**{**HALL, "query": query})
