"""What the collector sees to by itself: months ahead of time, and forgetting what has served its purpose."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy

from collector.chores import Chores
from collector.register import read_register
from collector.store import Store
from collector.store.engine import make_engine
from collector.store.retention import Periods
from schemas.months import unix_ms_of_id
from tests.integration.collector_process import NOON_UNIX_MS, call_id, event, register_file, vote
from tests.integration.test_store_databases import of_pad, of_queue

DESKS = ("centre-01", "centre-02")
DAY_MS = 86_400_000
MADE_UNIX_MS = unix_ms_of_id(call_id(0))  # what the ids of the tests' calls say
PERIODS = Periods(tickets=30, access_log=90)


@pytest.fixture
def store(any_database: str, tmp_path: Path) -> Iterator[Store]:
    with Store.open(any_database) as store:
        store.load_register(read_register(register_file(tmp_path, DESKS)))
        for number in range(0, 4000, 500):
            desk = DESKS[number // 500 % 2]
            store.ingest([of_queue(event(number, desk=desk, seq=number + 1))])
            if number % 1000 == 0:
                store.ingest([of_pad(vote(number, 3, seq=number), desk)])
        yield store


def rows(url: str, question: str) -> list[tuple[object, ...]]:
    engine = make_engine(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(sqlalchemy.text(question))]
    engine.dispose()
    return found


def test_tickets_and_numbers_are_forgotten_in_their_time_and_votes_never(store: Store, any_database: str) -> None:
    before = rows(any_database, "SELECT * FROM vote ORDER BY call")
    for days, tickets, numbers in ((20, 8, 4), (40, 0, 4), (70, 0, 0)):
        now = MADE_UNIX_MS + days * DAY_MS
        while store.forget_some(PERIODS, now):
            pass
        desk: str | None = ""
        while desk is not None:
            desk = store.forget_numbers(desk, now)
        assert rows(any_database, "SELECT count(ticket) FROM call") == [(tickets,)], days
        assert rows(any_database, "SELECT count(*) FROM vote_number") == [(numbers,)], days
    assert rows(any_database, "SELECT * FROM vote ORDER BY call") == before
    assert store.recount() == []
    [known] = store.ingest([of_pad(vote(1000, 3, seq=1000), DESKS[0])])
    assert known.disposition == "known"  # by its call, though its number is forgotten


def test_the_log_of_readings_is_kept_for_its_period(store: Store, any_database: str) -> None:
    for question in ("old", "new"):
        store.log_access("head", "analysis", True, question)
    engine = make_engine(any_database)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(f"UPDATE access_log SET at_unix_ms = {NOON_UNIX_MS} WHERE question = 'new'"))
        connection.execute(sqlalchemy.text("UPDATE access_log SET at_unix_ms = 1 WHERE question = 'old'"))
    engine.dispose()
    assert store.forget_some(PERIODS, NOON_UNIX_MS + 80 * DAY_MS) is False
    assert rows(any_database, "SELECT question FROM access_log") == [("new",)]


def test_an_hours_work_is_done_in_steps_and_then_there_is_rest(
    store: Store, any_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("collector.chores.time.monotonic", lambda: clock[0])
    chores, steps = Chores(store, PERIODS), 0
    while clock[0] < 1000 + 3200:
        due = chores._due_s
        chores.step()
        steps += chores._due_s != due
        clock[0] += 0.5
    assert 3 <= steps < 20
    if any_database.startswith("postgresql"):
        assert rows(any_database, "SELECT count(*) FROM call_other") == [(0,)]


def test_two_that_began_at_once_and_more_desks_than_fit_into_an_hour_are_no_reason_to_stop(
    store: Store, any_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(any_database)
    with engine.begin() as connection:  # what two first steps on PostgreSQL leave
        for _ in range(2):
            connection.execute(
                sqlalchemy.text("INSERT INTO upkeep (at_unix_ms, what, who, ok, amount, detail)"
                                " VALUES (1, 'tickets', 'collector', true, 0, '0')")
            )  # fmt: skip
    engine.dispose()
    now = MADE_UNIX_MS + 40 * DAY_MS
    store.forget_some(PERIODS, now)
    details = rows(any_database, "SELECT detail FROM upkeep WHERE what = 'tickets' ORDER BY id")
    assert details[-1] > details[0]

    asked: list[str] = []
    desks = iter([*(f"desk-{number:05}" for number in range(5000)), None])

    def forget(after: str, _: int) -> str | None:
        asked.append(after)
        return next(desks)

    clock = [1000.0]
    monkeypatch.setattr("collector.chores.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(store, "forget_numbers", forget)
    monkeypatch.setattr(store, "forget_some", lambda *_: False)
    chores = Chores(store, PERIODS)
    while asked[-1:] != ["desk-04999"] and clock[0] < 20_000:
        chores.step()
        clock[0] += 1.0
    assert asked == ["", *(f"desk-{number:05}" for number in range(5000))]
