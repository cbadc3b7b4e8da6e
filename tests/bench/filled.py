"""Fills a database with years of calls, votes and figures, for measuring what depends on how much is stored.

Straight by SQL, a day a step, in the order of time, as they would have come: 20,000 to 100,000 calls a second. What it
writes is whole: every figure is borne out by the rows (``python -m collector recount`` finds nothing). The same office
and the same number of calls always give the same rows.

    python tests/bench/filled.py sqlite:///big.db --calls 10000000 --branches 40 --desks 25
    python tests/bench/filled.py postgresql://user:password@127.0.0.1/big --calls 1000000

From other programs: ``fill(url, calls, Office(branches=40, desks=25))``; desks are called ``branch-001-07``.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from sqlalchemy import Table  # noqa: E402

from collector.store import Store  # noqa: E402
from collector.store.engine import make_engine  # noqa: E402
from collector.store.retention import NUMBER_DAYS  # noqa: E402
from protocol.fields import CALL_ID  # noqa: E402
from schemas.months import first_id_at  # noqa: E402
from schemas.periods import day_key  # noqa: E402
from schemas.register import Branch, Desk, Organisation, Register, Service  # noqa: E402
from schemas.tables import call, rollup_day, vote  # noqa: E402

TIMEZONE = "Europe/Kyiv"
SERVICES = 12
_OPEN_HOUR, _OPEN_MS = 9, 9 * 3_600_000
_AT_ONCE = 500_000  # calls in one transaction, about


@dataclass(frozen=True)
class Office:
    """How big the place is. Every desk is served by one operator, and calls a client every few minutes."""

    branches: int = 4
    desks: int = 25  # of a branch, at most 99
    calls_a_day: int = 40  # of a desk
    first_day: date = date(2020, 1, 6)

    @property
    def all_desks(self) -> int:
        return self.branches * self.desks

    @property
    def daily(self) -> int:
        return self.all_desks * self.calls_a_day

    def branch_names(self) -> list[str]:
        return [f"branch-{number:03}" for number in range(1, self.branches + 1)]

    def desk_names(self) -> list[str]:
        return [f"{branch}-{number:02}" for branch in self.branch_names() for number in range(1, self.desks + 1)]

    def register(self) -> Register:
        return Register(
            organisation=Organisation(name="Велика", name_en="Big", simulated=True),
            branches=tuple(Branch(id=name, name=name, name_en=name, timezone=TIMEZONE) for name in self.branch_names()),
            services=tuple(
                Service(id=f"service-{number:02}", name=f"Послуга {number}", name_en=f"Service {number}")
                for number in range(1, SERVICES + 1)
            ),
            desks=tuple(Desk(id=name, branch=name[:-3], label=name[-2:]) for name in self.desk_names()),
        )


@dataclass(frozen=True)
class Day:
    """One day's calls: ``calls`` of them, of which the first is the ``first`` of all, opening at ``opens_unix_ms``."""

    key: int
    first: int
    calls: int
    opens_unix_ms: int


def fill(url: str, calls: int, office: Office | None = None) -> None:
    """Makes or migrates the database at ``url``, loads the office and adds ``calls`` calls. Nothing may be in it."""
    office = office or Office()
    with Store.open(url) as store:
        assert store.counts()["calls"] == 0, "there are calls in it already"
        store.load_register(office.register())
        for day in _days(calls, office):
            if day.key % 100 < 8:  # at least once a month; a partition that is there is not made again
                store.look_after(day.opens_unix_ms)
    engine = make_engine(url)
    try:
        # The driver's own connection: a pragma of SQLite must stand outside any transaction.
        raw = engine.raw_connection()
        cursor = raw.cursor()
        sqlite = engine.dialect.name == "sqlite"
        if sqlite:
            cursor.execute("PRAGMA synchronous = OFF")  # what a power cut spoils is filled again
            cursor.execute("PRAGMA cache_size = -200000")
            cursor.execute("PRAGMA temp_store = MEMORY")
        for days in _transactions(calls, office):
            if sqlite:
                cursor.execute("BEGIN IMMEDIATE")
            for day in days:
                for statement in _statements(engine.dialect.name, day, office):
                    cursor.execute(statement)
            raw.commit()
        if sqlite:
            cursor.execute("BEGIN IMMEDIATE")
        cursor.execute(_numbers(day.opens_unix_ms))
        raw.commit()
        # PostgreSQL's autovacuum does the same sooner or later.
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)" if sqlite else "ANALYZE")
        raw.commit()
        raw.close()
    finally:
        engine.dispose()


def _numbers(last_unix_ms: int) -> str:
    """Those that a collector would not have forgotten yet."""
    since = first_id_at(last_unix_ms - NUMBER_DAYS * 86_400_000)
    return f"INSERT INTO vote_number SELECT desk, journal, seq, call FROM vote WHERE call >= '{since}' ORDER BY 1, 2, 3"


def _transactions(calls: int, office: Office) -> Iterator[list[Day]]:
    days: list[Day] = []
    for day in _days(calls, office):
        days.append(day)
        if sum(each.calls for each in days) >= _AT_ONCE:
            yield days
            days = []
    if days:
        yield days


def _days(calls: int, office: Office) -> Iterator[Day]:
    today, first = office.first_day, 0
    while first < calls:
        if today.weekday() != 6:  # closed on Sundays
            opens = datetime(today.year, today.month, today.day, _OPEN_HOUR, tzinfo=ZoneInfo(TIMEZONE))
            number = min(office.daily, calls - first)
            yield Day(day_key(today), first, number, int(opens.timestamp()) * 1000)
            first += number
        today += timedelta(days=1)


# ---- one day in SQL
def _statements(dialect: str, day: Day, office: Office) -> Iterator[str]:
    yield f"CREATE TEMPORARY TABLE made AS {_made(dialect, day, office)} SELECT * FROM made"
    yield f'INSERT INTO "call" {_columns(call)} {_calls(dialect, day)}'
    yield f"INSERT INTO vote {_columns(vote)} {_votes(dialect, day)}"
    for cut, key in {"branch": "''", "service": "service", "operator": "operator", "desk": "desk"}.items():
        grouped = "branch" if cut == "branch" else f"branch, {key}"
        yield f"INSERT INTO rollup_day {_columns(rollup_day)} {_figures(cut, key, day)} GROUP BY {grouped}"
    yield "DROP TABLE made"


def _columns(table: Table) -> str:
    return f"({', '.join(column.name for column in table.columns)})"


def _made(dialect: str, day: Day, office: Office) -> str:
    """The WITH clause that makes one day's visits, a row each, out of the numbers 0, 1, 2 ..."""
    last = day.calls - 1
    if dialect == "sqlite":
        numbers = f"RECURSIVE numbers(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM numbers WHERE k < {last})"
    else:
        numbers = f"numbers AS (SELECT k FROM generate_series(CAST(0 AS bigint), {last}) AS k)"
    branch = f"'branch-' || {_digits(f'(desk_number / {office.desks} + 1)', '0123456789', 3)}"
    place = _digits(f"(desk_number % {office.desks} + 1)", "0123456789", 2)
    return f"""WITH {numbers},
    drawn AS (SELECT
        -- Multiplying by an odd number shuffles: no number comes twice among 2^35 calls.
        (({day.first} + k) * 2654435761) % 34359738368 AS draw,
        k % {office.all_desks} AS desk_number,
        k / {office.all_desks} AS round,
        {day.opens_unix_ms} + k * {_OPEN_MS} / {max(day.calls, office.daily)} AS called
        FROM numbers),
    made AS (SELECT
        {_digits("called", CALL_ID.alphabet, 9)} || {_digits("draw", CALL_ID.alphabet, 7)} AS id,
        {branch} AS branch,
        {branch} || '-' || {place} AS desk,
        'op-' || {_digits("desk_number", "0123456789", 5)} AS operator,
        'service-' || {_digits(f"(draw / 1024 % {SERVICES} + 1)", "0123456789", 2)} AS service,
        -- Six of a hundred do not come; of the others sixty of a hundred vote: 8 bad, 32 good, 60 exemplary.
        draw / 65536 % 100 < 6 AS absent,
        CASE
            WHEN draw / 65536 % 100 < 6 OR draw / 65536 % 100 >= 62 THEN 0
            WHEN draw / 8192 % 100 < 8 THEN 1
            WHEN draw / 8192 % 100 < 40 THEN 2
            ELSE 3 END AS rating,
        4000 + draw % 90000 AS after_ms, desk_number, draw, round, called
        FROM drawn)"""


def _calls(dialect: str, day: Day) -> str:
    seq = f"({2 * day.first} + 2 * round)"
    return f"""SELECT id, branch, desk, operator, service, {_hex(dialect, "draw * 131071", 24)}, called, {day.key},
        CASE WHEN absent THEN NULL ELSE called + 15000 END, called + 240000,
        CASE WHEN absent THEN 'no_show' ELSE 'finished' END, {seq} + 1, {seq} + 2, CAST(NULL AS boolean)
        FROM made"""


def _votes(dialect: str, day: Day) -> str:
    journal = _hex(dialect, f"(desk_number * 7919 + {day.key * 104729}) % 4294967296", 8)
    return f"""SELECT id, desk, rating, after_ms, {journal}, {day.key}, round + 1, called + 15300 + after_ms
        FROM made WHERE rating > 0"""


def _figures(cut: str, key: str, day: Day) -> str:
    ratings = ", ".join(f"sum(CASE rating WHEN {rating} THEN 1 ELSE 0 END)" for rating in (1, 2, 3))
    return f"""SELECT '{cut}', branch, {key}, {day.key}, count(*), sum(CASE WHEN absent THEN 0 ELSE 1 END), {ratings},
        0, sum(CASE WHEN absent THEN 1 ELSE 0 END), 0, 0, 0 FROM made"""


def _hex(dialect: str, value: str, places: int) -> str:
    return f"printf('%0{places}x', {value})" if dialect == "sqlite" else f"lpad(to_hex({value}), {places}, '0')"


def _digits(value: str, alphabet: str, places: int) -> str:
    """The lowest ``places`` digits of ``value``, most significant first."""
    base = len(alphabet)
    return " || ".join(
        f"substr('{alphabet}', CAST({value} / {base**place} % {base} AS integer) + 1, 1)"
        for place in reversed(range(places))
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url", help="of an empty database; SQLAlchemy's form")
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--branches", type=int, default=Office.branches)
    parser.add_argument("--desks", type=int, default=Office.desks, help="of a branch, at most 99")
    parser.add_argument("--calls-a-day", type=int, default=Office.calls_a_day, help="of a desk: fewer make more days")
    arguments = parser.parse_args()
    begun = time.monotonic()
    fill(arguments.url, arguments.calls, Office(arguments.branches, arguments.desks, arguments.calls_a_day))
    took_s = time.monotonic() - begun
    print(f"{arguments.calls:,} calls in {took_s:,.0f} s, {arguments.calls / took_s:,.0f} a second")


if __name__ == "__main__":
    main()
