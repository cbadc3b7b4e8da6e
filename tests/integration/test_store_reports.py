"""Reports, targets and what a report asks of rows, on real databases."""

import hashlib
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from collector.store import (
    Arrival,
    Branch,
    Desk,
    NewReport,
    NewTarget,
    NotHeld,
    NotThere,
    Organisation,
    OutOfTurn,
    Register,
    Service,
    Store,
    StoreError,
)
from collector.store.engine import make_engine, writing
from collector.store.faults import Flagged
from protocol import codec, topics
from protocol.messages import QueueEvent
from schemas.months import first_id_at
from tests.integration.collector_process import NOON_DAY, NOON_UNIX_MS

DESK, OTHER = "centre-01", "north-01"
REGISTER = Register(
    organisation=Organisation(name="Центр", name_en="Centre"),
    branches=(Branch(id="centre", name="Центр", name_en="Centre"), Branch(id="north", name="Північ", name_en="North")),
    services=(Service(id="passport", name="Паспорт", name_en="Passport"),),
    desks=(Desk(id=DESK, branch="centre", label="1"), Desk(id=OTHER, branch="north", label="1")),
)
ABOUT = NewReport(
    made_by="", cut="centre", key="", period="month", first_day=20261101, last_day=20261130, figures_end=20261130,
    language="uk", title="Оцінки послуг", revision=3, program="0", parameters="{}",
)  # fmt: skip


@pytest.fixture
def store(any_database: str) -> Iterator[Store]:
    with Store.open(any_database) as store:
        store.load_register(REGISTER)
        yield store


def test_a_report_is_kept_byte_by_byte_with_its_digest(store: Store) -> None:
    files = {"csv": b"\xef\xbb\xbfa,b\r\n", "pdf": b"%PDF\0\xff", "xlsx": b"PK"}
    made = store.reports.add(ABOUT, files)  # type: ignore[arg-type]
    found = store.reports.report(made.id)
    assert found.about == ABOUT
    assert [each.format for each in found.files] == ["pdf", "xlsx", "csv"]
    assert [each.size for each in found.files] == [6, 2, 8]
    assert store.reports.body(made.id, "pdf") == files["pdf"]
    assert found.files[1].digest == hashlib.sha256(b"PK").hexdigest()


def test_the_database_itself_refuses_to_change_a_report_or_a_target(store: Store, any_database: str) -> None:
    store.reports.add(ABOUT, {"pdf": b"%PDF"})
    store.reports.set_target(NewTarget("bad_share", 20270101, 20270331, 0.1, "at_most", 20261201, "head"))
    engine = make_engine(any_database)
    for table, column in (("report", "title"), ("report_file", "body"), ("measure_target", "value")):
        is_sqlite = engine.dialect.name == "sqlite"
        instead = f"REPLACE INTO {table} SELECT * FROM {table}" if is_sqlite else f"TRUNCATE {table} CASCADE"
        for act in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", instead):
            with pytest.raises(StoreError, match="never changed"), writing(engine) as connection:
                connection.execute(text(act))
    engine.dispose()
    assert store.reports.body(1, "pdf") == b"%PDF"


def test_what_no_column_can_hold_is_told_apart_from_a_database_that_does_not_answer(store: Store) -> None:
    with pytest.raises(NotHeld):
        store.reports.report(2**70)
    with pytest.raises(NotHeld):
        store.reports.reports(key="\ud800")


def test_reports_are_found_by_what_they_are_about_the_newest_first(store: Store) -> None:
    first = store.reports.add(ABOUT, {"csv": b"1"})
    second = store.reports.add(ABOUT, {"csv": b"2"})
    assert [each.id for each in store.reports.reports(cut="centre", period="month")] == [second.id, first.id]
    assert [each.id for each in store.reports.reports(limit=1)] == [second.id]
    assert store.reports.reports(language="en") == []
    with pytest.raises(NotThere):
        store.reports.report(99)
    with pytest.raises(NotThere):
        store.reports.body(first.id, "pdf")


def test_a_target_is_set_before_its_period_and_stays(store: Store) -> None:
    target = NewTarget("bad", 20270101, 20270331, 0.04, "at_most", 20261231, "head")
    made = store.reports.set_target(target)
    assert store.reports.targets("bad") == [made]
    assert store.reports.targets("good") == []
    with pytest.raises(OutOfTurn):
        store.reports.set_target(NewTarget("bad", 20270101, 20270331, 0.04, "at_most", 20270101, "head"))


# ---- what a report asks of rows
def called(store: Store, branch: str, desk: str, operator: str, seconds: int, number: int) -> str:
    """A call of the day that was finished after so many seconds; its id."""
    at = NOON_UNIX_MS + number * 60_000
    name = first_id_at(at)
    arrivals = []
    for kind, seq, moment in (("called", number * 2, at), ("finished", number * 2 + 1, at + seconds * 1000)):
        message = QueueEvent(
            f"e{seq}", "0badcafe", seq, kind, moment,
            call=name, called_unix_ms=at, desk=desk, operator=operator, service="passport",
        )  # fmt: skip
        arrivals.append(Arrival(topics.queue(branch, "event"), codec.encode(message), moment))
    store.ingest(arrivals)
    return name


def test_who_stands_behind_a_cell_and_how_long_calls_took(store: Store) -> None:
    called(store, "centre", DESK, "olena", 100, 1)
    called(store, "centre", DESK, "petro", 300, 2)
    called(store, "centre", DESK, "petro", 200, 10)
    called(store, "north", OTHER, "ivan", 60, 4)
    assert store.reports.operators_behind(NOON_DAY, NOON_DAY) == {
        NOON_DAY // 100: {("centre", "passport"): {"olena", "petro"}, ("north", "passport"): {"ivan"}}
    }
    (centre,) = store.reports.times(NOON_DAY, NOON_DAY, "centre")
    assert (centre.service, centre.served, centre.served_s, centre.served_s2) == ("passport", 3, 600.0, 140_000.0)
    (north,) = store.reports.times(NOON_DAY, NOON_DAY, "north")
    assert (north.served, north.served_s) == (1, 60.0)
    (everywhere,) = store.reports.times(NOON_DAY, NOON_DAY)
    assert (everywhere.served, everywhere.served_s) == (4, 660.0)
    assert store.reports.operators_behind(NOON_DAY + 1, NOON_DAY + 1) == {}


def test_calls_without_a_lit_pad_are_counted_by_branch(store: Store) -> None:
    name = called(store, "north", OTHER, "ivan", 60, 1)
    store.fleet.record([Flagged(name, OTHER)])
    now = time.time_ns() // 1_000_000
    assert store.reports.dark_calls(0, now + 60_000) == {("north", "dark"): 1}
    assert store.reports.dark_calls(now + 60_000, now + 120_000) == {}
