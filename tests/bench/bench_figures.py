"""How long figures take with so many calls stored: ours, plain SQL over the rows, and DuckDB over the same rows.

    python tests/bench/bench_figures.py [--calls 1000000] [--rounds 5] [--keep FOLDER] [--quick]

Three years of 40 branches with 25 desks each are filled in, months that are over are summed up as the night does, and
then everything is asked in turns in one process, so that all meet the same machine:

    api     the question as the api answers it: register, roll-up, intervals, JSON; in the process
    http    the same through a real server on loopback, with the reader's token
    sql     the same counts out of calls and votes by SQL on SQLite, and a dictionary of them: no intervals, no JSON
    duckdb  the same counts out of the same rows in DuckDB

The counts of all are compared before any time is taken. Q1, Q2, Q2b and Q3 are those of the performance study; "any
cut" is a lot of questions drawn from everything that one may ask; pages are what a browser gets of all the main ones,
on the last day of the data. Beside times by the clock stands what a question took of a processor, which other work on
the machine disturbs less. ``--quick`` leaves out the slow contenders.
"""

import argparse
import csv
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import duckdb  # noqa: E402
import httpx2  # noqa: E402

from api.aggregates import Question, answered, encoded  # noqa: E402
from api.app import create_app  # noqa: E402
from api.errors import BadQuestion  # noqa: E402
from api.settings import Settings  # noqa: E402
from collector.store import Store  # noqa: E402
from schemas.garbage import look_for_rings_seldom  # noqa: E402
from schemas.periods import Period, bounds, day_date, day_key  # noqa: E402
from schemas.register import Direction, Operator, Participant, Register  # noqa: E402
from schemas.resources import Aggregates  # noqa: E402
from tests.bench.filled import Office, fill  # noqa: E402
from tests.contract.api_office import SCOPES, serving_app  # noqa: E402

BRANCH, DIRECTION, OPERATOR = "branch-007", "papers", "op-00151"
ANY_CUT = 400
_COUNTED = "'no_show', 'absent', 'transferred', 'held', 'resumed', 'called_elsewhere', 'void', 'removed'"


@dataclass
class Case:
    """A question: to us, and in SQL the places and periods to group by, of which branch."""

    name: str
    asked: dict[str, str]
    groups: str
    branch: str | None = None
    took_ms: dict[str, list[float]] = field(default_factory=dict)

    @property
    def question(self) -> Question:
        return Question.model_validate(self.asked)


def cases(last: date) -> list[Case]:
    """The study's questions, of the last whole months before ``last``."""
    end = last.replace(day=1) - timedelta(days=1)
    month = {"from": str(end.replace(day=1)), "to": str(end)}
    year = {"from": str(bounds(end - timedelta(days=330), Period.MONTH)[0]), "to": str(end)}
    three = {"from": str(bounds(end - timedelta(days=3 * 365 - 40), Period.QUARTER)[0]), "to": str(end)}
    quarter = "c.branch, c.day / 10000 * 10 + (c.day / 100 % 100 + 2) / 3"
    return [
        Case(
            "Q1 a branch by month, a year", {"by": "branch", "branch": BRANCH, **year}, "c.branch, c.day / 100", BRANCH
        ),
        Case("Q2 all operators, a month", {"by": "operator", "purpose": "analysis", **month}, "c.branch, c.operator"),
        Case(
            "Q2b operators of a branch, a month",
            {"by": "operator", "branch": BRANCH, "purpose": "analysis", **month},
            "c.branch, c.operator",
            BRANCH,
        ),
        Case("Q3 all branches by quarter, 3 years", {"by": "branch", "period": "quarter", **three}, quarter),
    ]


class Rows:
    """Plain SQL over the rows of calls and votes, on SQLite or in DuckDB."""

    def __init__(self, run: Callable[[str], list[tuple[Any, ...]]], joined: str, divide: str):
        self._run, self._joined, self._divide = run, joined, divide

    def counts(self, case: Case, days: tuple[int, int]) -> list[tuple[int, ...]]:
        """calls, eligible, bad, good, exemplary by group."""
        where = f"c.day BETWEEN {days[0]} AND {days[1]}" + (f" AND c.branch = '{case.branch}'" if case.branch else "")
        groups = case.groups.replace(" / ", self._divide)
        rows = self._run(
            f"SELECT {groups}, count(*), sum(CASE WHEN rating IS NOT NULL OR outcome IS NULL OR outcome NOT IN"
            f" ({_COUNTED}) THEN 1 ELSE 0 END), sum(CASE rating WHEN 1 THEN 1 ELSE 0 END),"
            " sum(CASE rating WHEN 2 THEN 1 ELSE 0 END), sum(CASE rating WHEN 3 THEN 1 ELSE 0 END)"
            f" FROM {self._joined} WHERE {where} GROUP BY {groups}"
        )
        return [tuple(int(each) for each in row[-5:]) for row in rows]


def sqlite_rows(file: Path) -> Rows:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA cache_size = -65536")
    joined = "call AS c LEFT JOIN vote AS v ON v.call = c.id AND v.desk = c.desk"
    return Rows(lambda question: connection.execute(question).fetchall(), joined, " / ")


def duckdb_rows(file: Path, folder: Path) -> Rows:
    """The same rows, joined, in DuckDB's own file: what an analyst would make once a day."""
    own = folder / f"{file.stem}.duckdb"
    connection = duckdb.connect(str(own))
    if not connection.execute("SELECT 1 FROM information_schema.tables WHERE table_name = 'visit'").fetchone():
        columns = ("branch", "desk", "operator", "service", "day", "called_unix_ms", "outcome", "rating")
        table = folder / f"{file.stem}.csv"
        with table.open("w", newline="") as output, sqlite3.connect(file) as source:
            writer = csv.writer(output)
            writer.writerows(
                source.execute(
                    f"SELECT {', '.join(f'c.{name}' for name in columns[:-1])}, v.rating FROM call AS c"
                    " LEFT JOIN vote AS v ON v.call = c.id AND v.desk = c.desk ORDER BY c.id"
                )
            )
        kinds = ["VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "INTEGER", "BIGINT", "VARCHAR", "TINYINT"]
        described = ", ".join(f"'{name}': '{kind}'" for name, kind in zip(columns, kinds, strict=True))
        connection.execute(
            f"CREATE TABLE visit AS SELECT * FROM read_csv('{table}', header=false, columns={{{described}}})"
        )
        table.unlink()
    return Rows(lambda question: connection.execute(question).fetchall(), "visit AS c", " // ")


def days_of(answer: Aggregates) -> tuple[int, int]:
    return day_key(answer.first), day_key(min(answer.last, answer.figures_end))


def our_counts(answer: Aggregates) -> list[tuple[int, ...]]:
    return [
        (cell.calls, cell.eligible_calls, cell.bad.count, cell.good.count, cell.exemplary.count)
        for cell in answer.cells
        if cell.calls
    ]


def timed(what: Callable[[], object]) -> float:
    began = time.perf_counter()
    what()
    return (time.perf_counter() - began) * 1000


def any_questions(last: date, seed: int = 5) -> Iterator[Question]:
    """Whatever one may ask of three years: cuts, periods, places and lengths by chance."""
    chance = random.Random(seed)
    while True:
        by = chance.choice(("centre", "branch", "service", "operator", "desk"))
        period = chance.choice(list(Period))
        length = {"day": 60, "week": 180, "month": 700, "quarter": 1000, "year": 1000}[period]
        first = last - timedelta(days=chance.randrange(1, length))
        asked = {"by": by, "period": str(period), "from": str(first), "to": str(last)}
        if by != "centre" and chance.random() < 0.6:
            asked["branch"] = f"branch-{chance.randrange(1, 41):03}"
        if by in ("operator", "desk"):
            asked["purpose"] = "analysis"
        yield Question.model_validate(asked)


def measure_any(store: Store, last: date, now_unix_ms: int, number: int) -> tuple[list[float], list[float], int]:
    """Times of ``number`` questions that were answered, in ms by the clock and of a processor, and how many were too
    much and refused.
    """
    took: list[float] = []
    of_processor: list[float] = []
    refused = 0
    for question in any_questions(last):
        began, worked = time.perf_counter(), time.thread_time()
        try:
            encoded(answered(store, question, now_unix_ms))
        except BadQuestion:
            refused += 1
            continue
        took.append((time.perf_counter() - began) * 1000)
        of_processor.append((time.thread_time() - worked) * 1000)
        if len(took) == number:
            return took, of_processor, refused
    raise AssertionError


def shown(took_ms: list[float]) -> str:
    ordered = sorted(took_ms)
    return f"{statistics.median(ordered):9.1f} {ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]:9.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", default="1000000", help="stored, with commas between")
    parser.add_argument("--rounds", type=int, default=5, help="of SQL and DuckDB; we are asked 20 times as often")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="databases are made here and found here again")
    parser.add_argument("--quick", action="store_true", help="without SQL over the rows and DuckDB")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        for calls in map(int, arguments.calls.split(",")):
            measure(calls, folder, arguments.rounds, quick=arguments.quick)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def register_of(office: Office) -> Register:
    """The office's with all that pages ask for: directions, organisations and operators, so many to each."""
    bare = office.register()
    half = len(bare.services) // 2
    services = [
        each.model_copy(update={"direction": DIRECTION if n < half else "others"})
        for n, each in enumerate(bare.services)
    ]
    operators = [Operator(id=f"op-{n:05}", participant=f"office-{n % 4}") for n in range(office.all_desks)]
    return bare.model_copy(
        update={
            "directions": tuple(Direction(id=name, name=name, name_en=name) for name in (DIRECTION, "others")),
            "services": tuple(services),
            "participants": tuple(Participant(id=f"office-{n}", name=f"{n}", name_en=f"{n}") for n in range(4)),
            "operators": tuple(operators),
        }
    )


def measure(calls: int, folder: Path, rounds: int, *, quick: bool) -> None:
    file = folder / f"figures-{calls}.db"
    url = f"sqlite:///{file}"
    office = Office(branches=40, desks=25, calls_a_day=max(1, calls // 925_000))
    if not file.exists():
        fill(url, calls, office)
    with Store.open(url) as store:
        store.load_register(register_of(office))
        last = day_date(max(row.day for row in store.rollups("branch", 20200101, 21001231, branch=BRANCH)))
        now = int(datetime(last.year, last.month, last.day, 20, tzinfo=UTC).timestamp() * 1000)
        store.totals.consolidate(now)
        rows = {} if quick else {"sql": sqlite_rows(file), "duckdb": duckdb_rows(file, folder)}
        with clock_at(now):
            # The night's work has its own time; it is not to be met here.
            store.nights.take(day_key(last), "bench", now, 86_400_000, again=True)
            token = store.create_token(f"bench {time.perf_counter_ns()}", SCOPES)
            print(f"\n{calls:,} calls to {last}, {file.stat().st_size / 2**20:,.0f} MiB; ms: median and p99")
            ask(store, url, {"Authorization": f"Bearer {token}"}, rows, last, rounds)
        took, of_processor, refused = measure_any(store, last, now, ANY_CUT)
        print(f"  any cut, {len(took)} drawn ({refused} more were too large and refused): {shown(took)}")
        print(f"  {'':30}of a processor: {shown(of_processor)}")


def ask(store: Store, url: str, headers: dict[str, str], rows: dict[str, Rows], last: date, rounds: int) -> None:
    """The questions and the pages, of a real server."""
    now = time.time_ns() // 1_000_000
    app = create_app(Settings(database_url=url), store)
    with serving_app(app) as address, httpx2.Client(base_url=address, headers=headers, timeout=300) as client:
        look_for_rings_seldom()  # as api.serve does, which is not what serves here
        table = cases(last)
        for case in table:
            agree(store, case, rows, now)
        for _ in range(rounds):
            for case in table:
                one_round(store, client, case, rows, now)
        tell(table, ["api", "http", *rows])
        pages(client, last, 4 * rounds)


@contextmanager
def clock_at(unix_ms: int) -> Iterator[None]:
    """This process takes a moment for now: pages then show the newest of the data by themselves."""
    real = time.time_ns
    behind = real() - unix_ms * 1_000_000
    with mock.patch.object(time, "time_ns", lambda: real() - behind):
        yield


def agree(store: Store, case: Case, rows: dict[str, Rows], now: int) -> None:
    answer = answered(store, case.question, now)
    for name, contender in rows.items():
        theirs = contender.counts(case, days_of(answer))
        assert sorted(theirs) == sorted(our_counts(answer)), f"{case.name}: {name} counts otherwise"


def one_round(store: Store, client: httpx2.Client, case: Case, rows: dict[str, Rows], now: int) -> None:
    days = days_of(answered(store, case.question, now))
    for _ in range(20):
        took = timed(lambda: encoded(answered(store, case.question, now)))
        case.took_ms.setdefault("api", []).append(took)
        took = timed(lambda: client.get("/v1/aggregates", params=case.asked).raise_for_status())
        case.took_ms.setdefault("http", []).append(took)
    for name, contender in rows.items():
        case.took_ms.setdefault(name, []).append(timed(lambda asked=contender: asked.counts(case, days)))


def tell(table: list[Case], names: list[str]) -> None:
    print("  " + " " * 38 + "".join(f"{name:>20}" for name in names))
    for case in table:
        print(f"  {case.name:38}" + "".join(f" {shown(case.took_ms[name])}" for name in names))


def pages(client: httpx2.Client, last: date, times: int) -> None:
    """What a browser gets of the main pages; the dates are those of the data."""
    time_asked = {"from": str(last - timedelta(days=360)), "to": str(last)}
    days = {"period": "day", "from": str(last - timedelta(days=30)), "to": str(last)}
    analysis = {"purpose": "analysis"}
    print(f"  {'':53} by the clock        of a processor")
    addresses: list[tuple[str, dict[str, str]]] = [
        ("/overview", {}),
        (f"/branches/{BRANCH}", {}),
        (f"/directions/{DIRECTION}", {}),
        ("/operators", analysis),
        ("/operators", analysis | {"branch": BRANCH}),
        (f"/operators/{OPERATOR}", analysis),
        ("/figures", time_asked),
        ("/figures", time_asked | {"branch": BRANCH}),
        ("/figures", time_asked | {"service": "service-03"}),
        ("/figures", days),
        ("/signals", {}),
        ("/requests", {}),
        ("/reports", {}),
        ("/evidence", {}),
        ("/evidence", {"model": "certification", "period": "month"}),
        ("/public", {}),
        ("/open-data", {}),
        ("/live", {}),
        ("/devices", {}),
    ]
    for path, asked in addresses:
        took: list[float] = []
        of_processor: list[float] = []
        for _ in range(times):
            began, worked = time.perf_counter(), time.process_time()
            answer = client.get(path, params=asked, headers={"Accept": "text/html"})
            took.append((time.perf_counter() - began) * 1000)
            of_processor.append((time.process_time() - worked) * 1000)
            assert answer.status_code == 200, (path, answer.status_code)
        words = " ".join(f"{name}={value}" for name, value in asked.items() if name not in ("from", "to"))
        print(f"  page {path + (' ' + words if words else ''):47} {shown(took)} {shown(of_processor)}")


if __name__ == "__main__":
    main()
