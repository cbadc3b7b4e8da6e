"""How long calls took and who was called for, kept by month: always what the rows say, or it is told."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from collector.archive_commands import all_joined
from collector.feed.steps import call_id
from collector.served import LONGEST_MS
from collector.store import Arrival, Store
from collector.store.engine import make_engine, writing
from collector.store.served import OTHERS
from protocol import codec, topics
from protocol.messages import QueueEvent
from schemas.months import month_of
from tests.bench.filled import Office, fill
from tests.integration.meanwhile import while_two_tell
from tests.integration.test_archive import Place

OFFICE = Office(branches=2, desks=3)
BRANCH, DESK = "branch-001", "branch-001-01"
CALLS = OFFICE.daily * 56  # two months and some days from the sixth of January 2020 on
NOW_UNIX_MS = int(datetime(2020, 3, 12, 3, tzinfo=UTC).timestamp() * 1000)
FEBRUARY = datetime(2020, 2, 14, 11, 30, tzinfo=ZoneInfo("Europe/Kyiv"))
SPANS = (
    (20200101, 20200331), (20200201, 20200229), (20200110, 20200311), (20200201, 20200215), (20200301, 20200331),
    (20200311, 20200312), (20200203, 20200204), (20191201, 20200101),
)  # fmt: skip
BEFORE_IT = (
    *(f"DROP TABLE rollup_{name}" for name in ("behind", "served", "week", "quarter", "year")),
    "UPDATE collector_version SET version_num = '0015'",
)


class Desk:
    """Reads rows and writes into them as nobody may, and tells of calls long after they were."""

    def __init__(self, url: str):
        self.url = url
        self.engine = make_engine(url)

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(question))]

    def tamper(self, *statements: str) -> None:
        with writing(self.engine) as connection:
            for statement in statements:
                connection.execute(text(statement))

    def times(self, first: int, last: int) -> list[tuple[str, int, float, float]]:
        """Out of the rows, one by one."""
        found: dict[str, tuple[int, int, int]] = {}
        question = "SELECT service, called_unix_ms, ended_unix_ms, outcome, day FROM call"
        for service, called, ended, outcome, day in self.rows(question):
            if outcome == "finished" and first <= day <= last and 0 <= ended - called <= LONGEST_MS:
                tenths = (ended - called + 50) // 100
                n, took, squares = found.get(service or "", (0, 0, 0))
                found[service or ""] = n + 1, took + ended - called, squares + tenths * tenths
        return [(name, n, took / 1000, squares / 100) for name, (n, took, squares) in sorted(found.items())]

    def behind(self, first: int, last: int) -> dict[int, dict[tuple[str, str], set[str]]]:
        found: dict[int, dict[tuple[str, str], set[str]]] = {}
        rows = self.rows(f"SELECT branch, service, operator, day FROM call WHERE day BETWEEN {first} AND {last}")
        for branch, service, operator, day in rows:
            if operator:
                found.setdefault(day // 100, {}).setdefault((branch, service or ""), set()).add(operator)
        return found

    def knows(self, store: Store, first: int, last: int) -> bool:
        """Whether the same operators are named, or as many as are told of."""
        theirs, ours = store.reports.operators_behind(first, last), self.behind(first, last)
        pairs = [(who, theirs[month].pop(place)) for month, of_month in ours.items() for place, who in of_month.items()]
        few = all(told == who if len(who) < 3 else told - {OTHERS} <= who and len(told) > 2 for who, told in pairs)
        return few and not any(theirs.values())

    def agrees(self, store: Store) -> bool:
        return all(
            [tuple(each) for each in store.reports.times(*span)] == self.times(*span) and self.knows(store, *span)
            for span in SPANS
        )


@pytest.fixture
def desk(any_database: str) -> Iterator[Desk]:
    fill(any_database, CALLS, OFFICE)
    desk = Desk(any_database)
    yield desk
    desk.engine.dispose()


@pytest.fixture
def store(desk: Desk) -> Iterator[Store]:
    with Store.open(desk.url) as store:
        yield store


def tell(store: Store, at: datetime, seq: int, took_s: int | None, **others: str | None) -> None:
    """Of a call at DESK: that there was one, or that and how it ended."""
    called = int(at.timestamp() * 1000)
    event = QueueEvent(
        f"late-{seq}", "0badcafe", seq, "called" if took_s is None else "finished", called + (took_s or 0) * 1000,
        call=call_id(BRANCH, DESK, f"late {at}", called), called_unix_ms=called, desk=DESK,
        **({"operator": "op-00000", "service": "service-01"} | others),
    )  # fmt: skip
    (answer,) = store.ingest([Arrival(topics.queue(BRANCH, "event"), codec.encode(event), NOW_UNIX_MS)])
    assert answer.disposition == "taken", answer


def march(store: Store) -> dict[tuple[str, str], set[str]]:
    return store.reports.operators_behind(20200301, 20200331)[202003]


def test_it_is_what_the_rows_say_whether_or_not_the_night_has_come(desk: Desk, store: Store) -> None:
    assert desk.agrees(store)
    for day, month in ((12, 1), (31, 1), (1, 2), (12, 3)):
        store.totals.consolidate(int(datetime(2020, month, day, 3, tzinfo=UTC).timestamp() * 1000))
        assert desk.agrees(store), (day, month)
    assert store.reports.times(20200201, 20200229, BRANCH) != store.reports.times(20200201, 20200229)
    of_branch = store.reports.operators_behind(20200201, 20200331, BRANCH)[202003]
    assert {branch for branch, _ in of_branch} == {BRANCH} and of_branch.items() <= march(store).items()
    assert store.recount() == []


def test_a_late_word_of_a_month_that_is_over_changes_what_is_kept_with_the_row(desk: Desk, store: Store) -> None:
    store.totals.consolidate(NOW_UNIX_MS)
    before = store.reports.times(20200201, 20200229)
    tell(store, FEBRUARY, 1, None)  # open: it says nothing of times
    assert store.reports.times(20200201, 20200229) == before and desk.agrees(store)
    tell(store, FEBRUARY, 2, 300)  # its end moves no figure, but it moves these
    assert store.reports.times(20200201, 20200229) != before and desk.agrees(store)
    tell(store, FEBRUARY, 3, 600, operator="op-new", service="service-02")
    assert ("branch-001", "service-02") in store.reports.operators_behind(20200201, 20200229)[202002]
    assert desk.agrees(store)
    tell(store, FEBRUARY.replace(hour=12), 4, 90_000)  # longer than a day: nobody ended it
    tell(store, FEBRUARY.replace(month=3), 5, 60, operator=None, service=None)
    assert desk.agrees(store) and store.recount() == []
    assert store.totals.reconcile(NOW_UNIX_MS).ok


def test_calls_that_end_while_a_month_is_taken_in_are_in_it(desk: Desk, store: Store) -> None:
    def both(own: Store, number: int) -> None:
        at = FEBRUARY.replace(minute=number % 60, second=number // 60)
        tell(own, at, 2 * number, None)
        tell(own, at, 2 * number + 1, number)

    while_two_tell(desk.url, both, lambda: store.totals.consolidate(NOW_UNIX_MS))
    assert desk.agrees(store) and store.recount() == []


@pytest.mark.parametrize(
    ("statement", "words", "by_night"),
    [
        (
            "UPDATE rollup_served SET served_ms = served_ms + 1 WHERE month = 202001 AND service = 'service-02'",
            "service service-02 of branch branch-001 in 2020-01: how long its calls took is not what the rows say",
            False,
        ),
        (
            "UPDATE rollup_behind SET calls = calls + 1 WHERE month = 202002 AND operator = 'op-00000'",
            "service service-01 of branch branch-001 in 2020-02: operator op-00000 is behind other numbers of calls",
            True,
        ),
    ],
    ids=["times", "behind"],
)
def test_what_is_not_what_the_rows_say_is_told_and_mended_when_asked(
    desk: Desk, store: Store, statement: str, words: str, by_night: bool
) -> None:
    store.totals.consolidate(NOW_UNIX_MS)
    desk.tamper(statement)
    assert any(words in said for said in store.recount())
    found = store.totals.reconcile(NOW_UNIX_MS)
    assert {check.name for check in found.checks if check.differ} == ({"behind"} if by_night else set())
    store.upkeep.repair("somebody")
    assert store.recount() == [] and desk.agrees(store)
    assert store.totals.reconcile(NOW_UNIX_MS).ok


def test_a_database_of_before_is_counted_once_when_it_is_opened(desk: Desk) -> None:
    with Store.open(desk.url) as store:
        store.totals.consolidate(NOW_UNIX_MS)
        tell(store, FEBRUARY, 1, None)
        tell(store, FEBRUARY.replace(hour=9), 2, 90_000)
    kept = "SELECT * FROM rollup_behind ORDER BY 1, 2, 3, 4", "SELECT * FROM rollup_served ORDER BY 1, 2, 3"
    before = [desk.rows(question) for question in kept]
    assert all(before)
    desk.tamper(*BEFORE_IT)
    with Store.open(desk.url) as store:
        assert [desk.rows(question) for question in kept] == before
        assert desk.agrees(store) and store.recount() == []


# ---- archives
def kept(office: Place, table: str) -> list[tuple[Any, ...]]:
    return sorted(office.rows(f"SELECT * FROM {table}"))


@pytest.fixture
def office(any_database: str, tmp_path: Path) -> Iterator[Place]:
    office = Place(any_database, tmp_path)
    last = office.rows("SELECT max(called_unix_ms) FROM call")[0][0]
    for (at,) in office.rows("SELECT called_unix_ms FROM call WHERE desk = 'centre-01'"):
        office.seq += 1
        call = call_id("centre", "centre-01", f"ended {office.seq}", at + 1000)
        for number, kind in enumerate(("called", "finished")):
            event = QueueEvent(
                f"x{office.seq}-{number}", "0badcafe", 1000 * office.seq + number, kind, at + 1000 + number * 60_000,
                call=call, called_unix_ms=at + 1000, desk="centre-01", operator="op-2", service="passport",
            )  # fmt: skip
            office.tell(event)
    office.store.totals.consolidate(last + 3 * 86_400_000)
    yield office
    office.close()


def test_months_that_go_into_files_and_come_back_are_known_all_the_time(office: Place) -> None:
    before = kept(office, "rollup_behind"), kept(office, "rollup_served")
    assert all(before)
    assert office.command(before="2026-10") == 0
    assert (kept(office, "rollup_behind"), kept(office, "rollup_served")) == before
    assert office.store.recount() == [] and office.recount_with_files() == []
    assert office.command(restore="2026-07") == 0
    assert (kept(office, "rollup_behind"), kept(office, "rollup_served")) == before
    assert office.store.recount() == []


@pytest.mark.parametrize("way", ["restore", "recount"])
def test_months_that_were_in_files_before_are_counted_when_they_come_back_or_are_counted_again(
    office: Place, way: str
) -> None:
    before = kept(office, "rollup_behind"), kept(office, "rollup_served")
    assert office.command(before="2026-10") == 0
    with writing(office.engine) as connection:
        for statement in BEFORE_IT:
            connection.execute(text(statement))
    url = office.settings.database_url
    office.store.close()
    office.store = Store.open(url)
    assert {row[0] for row in kept(office, "rollup_behind")} == {202610, month_of(1795341600000)}
    assert office.store.recount() == []
    assert office.store.totals.reconcile(1795341600000).ok
    if way == "restore":
        assert office.command(restore="2026-07") == 0
    else:
        assert office.recount_with_files() != []

        office.store.upkeep.repair("somebody", filed=all_joined(office.store, office.folder))
        assert office.recount_with_files() == []
    assert (kept(office, "rollup_behind"), kept(office, "rollup_served")) == before
