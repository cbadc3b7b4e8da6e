"""Calls and votes by month on PostgreSQL: a database of before goes forward; rows find their month, early or late."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config

import collector
from collector.feed.steps import call_id
from collector.register import read_register
from collector.store import Store
from collector.store.engine import make_engine, writing
from protocol.messages import QueueEvent, Vote
from tests.integration.collector_process import NOON_UNIX_MS, register_file
from tests.integration.postgres import Postgres
from tests.integration.test_store_databases import of_pad, of_queue

DESK = "centre-01"
DAY_MS = 86_400_000
NOW = 202611


@pytest.fixture
def url(cluster: Postgres) -> str:
    return cluster.url()


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Store]:
    with Store.open(url) as store:
        store.load_register(read_register(register_file(tmp_path, (DESK,))))
        yield store


def rows(url: str, question: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(question).fetchall()  # type: ignore[arg-type]


def where_rows_are(url: str, table: str) -> dict[str, int]:
    question = f'SELECT CAST(tableoid AS regclass)::text, count(*) FROM "{table}" GROUP BY 1'
    return {str(name): int(str(number)) for name, number in rows(url, question)}


def visit(store: Store, days: int, seq: int) -> str:
    """A call and its vote, so many days from NOON."""
    called = NOON_UNIX_MS + days * DAY_MS
    call = call_id("centre", DESK, f"ticket {seq}", called)
    said = event_of(call, called, seq)
    answers = store.ingest([of_queue(said), of_pad(vote_of(call, seq), DESK)])
    assert [answer.disposition for answer in answers] == ["taken", "taken"]
    return call


def event_of(call: str, called_unix_ms: int, seq: int) -> QueueEvent:
    return QueueEvent(
        f"e{seq}",
        "0badcafe",
        seq,
        "called",
        called_unix_ms,
        call=call,
        called_unix_ms=called_unix_ms,
        desk=DESK,
        operator="op-1",
        service="passport",
        ticket="t1",
    )


def vote_of(call: str, seq: int) -> Vote:
    return Vote(call, seq % 3 + 1, 2500, "11111111", 1, seq)


def test_a_filled_database_of_before_goes_forward_into_months(url: str) -> None:
    to_version(url, "0004")
    calls = [call_id("centre", DESK, "t", NOON_UNIX_MS + days * DAY_MS) for days in (-200, -40, -9, 0)]
    with psycopg.connect(url) as connection:
        for seq, call in enumerate(calls):
            connection.execute(
                "INSERT INTO call VALUES (%s, 'centre', 'centre-01', 'op-1', 'passport', 't1', 1795341600000,"
                " 20261122, NULL, NULL, NULL, 1, NULL)",
                [call],
            )
            connection.execute(
                "INSERT INTO vote VALUES (%s, 'centre-01', 3, 900, '11111111', 4, %s, 1795341600000)", [call, seq]
            )
    with Store.open(url) as store:
        assert store.open_calls() == {DESK: calls[-1]}
        store.look_after(NOON_UNIX_MS)
        for table in ("call", "vote"):
            assert where_rows_are(url, table) == {f"{table}_2026_05": 1, f"{table}_2026_10": 1, f"{table}_2026_11": 2}
        # The numbers of the last weeks still bind; an older one would be forgotten by now.
        assert rows(url, "SELECT call FROM vote_number ORDER BY seq") == [(call,) for call in calls[1:]]
    with Store.open(url):
        pass


def test_a_month_without_its_own_place_is_taken_in_and_moved_when_it_has_one(store: Store, url: str) -> None:
    visit(store, -70, 1)  # September, before any month was made
    store.look_after(NOON_UNIX_MS)
    visit(store, 0, 2)
    visit(store, 100, 3)  # March: two months ahead is January
    assert where_rows_are(url, "call") == {"call_2026_09": 1, "call_2026_11": 1, "call_other": 1}
    assert store.look_after(NOON_UNIX_MS) == [
        "call: rows dated 202703 or later, which is too far ahead to be true",
        "vote: rows dated 202703 or later, which is too far ahead to be true",
    ]
    assert store.look_after(NOON_UNIX_MS + 40 * DAY_MS) == []
    assert where_rows_are(url, "vote") == {"vote_2026_09": 1, "vote_2026_11": 1, "vote_2027_03": 1}
    assert store.recount() == []


def test_the_same_vote_and_another_call_for_its_number_are_known_in_any_month(store: Store) -> None:
    store.look_after(NOON_UNIX_MS)
    first, second = visit(store, -30, 1), visit(store, 0, 2)
    answers = store.ingest([of_pad(vote_of(first, 1), DESK), of_pad(vote_of(second, 1), DESK)])
    assert [answer.disposition for answer in answers] == ["known", "reused_number"]


def test_months_are_made_while_collectors_write(store: Store, url: str) -> None:
    """Two collectors write into ever new months while a third makes them: nobody fails, nothing is elsewhere."""
    faults: list[BaseException] = []

    def write(first: int) -> None:
        try:
            with Store.open(url) as own:
                for number in range(first, first + 40):
                    visit(own, number * 15, number)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(first,)) for first in (0, 100)]
    for thread in threads:
        thread.start()
    for month in range(0, 40):
        store.look_after(NOON_UNIX_MS + month * 30 * DAY_MS)
    for thread in threads:
        thread.join()
    assert faults == []
    store.look_after(NOON_UNIX_MS + 140 * 15 * DAY_MS)
    assert sum(where_rows_are(url, "call").values()) == 80 and "call_other" not in where_rows_are(url, "call")
    assert store.recount() == []


def test_a_look_up_goes_to_the_months_it_is_about_and_to_no_other(store: Store, url: str) -> None:
    """Three years of months: a plan that looks into each of them costs 40 ms a statement."""
    for months in range(0, 36, 3):
        store.look_after(NOON_UNIX_MS + months * 30 * DAY_MS)
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if " ANY(" in statement:
            asked.append((statement, parameters))

    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", note)
    try:
        visit(store, 150, 1)
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", note)
    assert len(asked) == 3  # calls, votes, desks without a lit pad
    with psycopg.connect(url) as connection:
        for statement, parameters in asked:
            for _ in range(10):  # the same as a prepared statement, too, which it becomes after five
                plan = connection.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement, parameters).fetchone()
                assert plan
                assert executed(plan[0]) <= {"call_2027_04", "vote_2027_04", "console_unavailable"}


def executed(plan: object) -> set[str]:
    """The tables that a plan of EXPLAIN (ANALYZE, FORMAT JSON) really looked into."""
    found = set()
    if isinstance(plan, list):
        found = set().union(*[executed(each) for each in plan])
    elif isinstance(plan, dict):
        found = set().union(*[executed(each) for each in plan.values() if isinstance(each, list | dict)])
        if plan.get("Relation Name") and plan["Actual Loops"]:
            found.add(plan["Relation Name"])
    return found


def to_version(url: str, version: str) -> None:
    folder = Path(collector.__path__[0]) / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("version_locations", str(folder / "collector" / "versions").replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    engine = make_engine(url)
    with writing(engine) as connection:
        config.attributes.update(connection=connection, which="collector")
        command.upgrade(config, version)
    engine.dispose()
