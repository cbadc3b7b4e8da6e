"""A short day at each kind of queue system, as its adapter records it: ``python -m tests.feed_days`` writes tests/data.

QSystem and Orchestra are emulated; TheQ's side is TheQ's own library; the database is SQLite. FQM's recordings are of a
real one (tests/data/fqm). What an integrator has after a first afternoon is of this form.
"""

import json
import sqlite3
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from collector.feed.csv_file import CsvFile, open_csv
from collector.feed.qmatic import Qmatic, open_qmatic
from collector.feed.qmatic_events import read_posted
from collector.feed.qsystem import QSystem, open_qsystem
from collector.feed.recording import Recorder, read_recording
from collector.feed.source import Means
from collector.feed.sql import SqlTable, open_sql
from collector.feed.theq import TheQ, open_theq
from collector.feed.theq_events import read_tracked
from tests.feed_bench import NOON, SITE, Bench
from tests.qmatic_connector import orchestra
from tests.qsystem_server import Client, Operator, QSystemServer
from tests.theq_tracker import Kept, TheQTracker

SITE_OF_DAYS = SITE
CONFIG = """
[[qsystem]]
name = "qs"
host = "127.0.0.1"
desks = {"1" = "centre-1", "2" = "centre-2"}
operators = {1 = "op-1", 2 = "op-2"}
services = {17 = "passport", 18 = "address"}

[[theq]]
name = "theq"
offices = {61 = "centre"}
operators = {7 = "op-1", 8 = "op-2"}
services = {MSP001 = "passport", PVT = "address"}

[[qmatic]]
name = "qm"
connector = "http://127.0.0.1:1/qpevents"
hook = "http://127.0.0.1:2"
branches = {1 = "centre"}
service_points = {120000000001 = "centre-1", 120000000002 = "centre-2"}
operators = {1 = "op-1"}
services = {1 = "passport"}

[[sql]]
name = "table"
query = "SELECT * FROM log WHERE id >= :since ORDER BY id LIMIT 10"
mark = "id"
overlap = 2
columns = {key = ["id"], time = "ts", event = "word", ticket = "number", desk = "win"}
words = {CALL = "called", BEGIN = "started", END = "finished", NOSHOW = "no_show", HOLD = "held"}
time_format = "unix_ms"
desks = {"1" = "centre-1", "2" = "centre-2"}

[[csv]]
name = "file"
file = "log.csv"
columns = {key = ["id"], time = "ts", event = "word", ticket = "number", desk = "win"}
words = {CALL = "called", BEGIN = "started", END = "finished", NOSHOW = "no_show", HOLD = "held"}
time_format = "unix_ms"
desks = {"1" = "centre-1", "2" = "centre-2"}
"""
_KINDS = {"qsystem": QSystem, "theq": TheQ, "qmatic": Qmatic, "sql": SqlTable, "csv": CsvFile}
TABLES: dict[str, Any] = {kind: _KINDS[kind](**tables[0]) for kind, tables in tomllib.loads(CONFIG).items()}
# What each day says: a client served, one who never came, one who was held or handed on and called again elsewhere.
_LOGGED = [
    ("called", "centre-1"), ("started", "centre-1"), ("finished", "centre-1"), ("called", "centre-1"),
    ("no_show", "centre-1"), ("called", "centre-1"), ("held", "centre-1"), ("called", "centre-2"),
    ("finished", "centre-2"),
]  # fmt: skip
DAYS: dict[str, list[tuple[str, str | None]]] = {
    "qsystem": [
        ("called", "centre-1"), ("started", "centre-1"), ("finished", "centre-1"), ("called", "centre-1"),
        ("no_show", "centre-1"), ("called", "centre-1"), ("transferred", "centre-1"), ("called", "centre-2"),
        ("finished", "centre-2"),
    ],
    "theq": [
        ("issued", None), ("called", "centre-1"), ("started", "centre-1"), ("service_switched", None),
        ("finished", None), ("called", "centre-1"), ("no_show", None), ("started", "centre-1"), ("held", None),
        ("started", "centre-2"), ("finished", None),
    ],
    "qmatic": [
        ("operator_opened", "centre-1"), ("issued", None), ("called", "centre-1"), ("started", "centre-1"),
        ("finished", None), ("called", "centre-1"), ("called", "centre-1"), ("no_show", None), ("called", "centre-1"),
        ("transferred", None), ("called", "centre-2"), ("finished", None), ("operator_closed", "centre-1"),
        ("reset", None),
    ],
    "sql": _LOGGED,
    "csv": _LOGGED,
}  # fmt: skip
_ROWS = [
    ("CALL", "А101", 1), ("BEGIN", "А101", 1), ("END", "А101", 1), ("CALL", "А102", 1), ("NOSHOW", "А102", 1),
    ("CALL", "А103", 1), ("HOLD", "А103", 1), ("CALL", "А103", 2), ("END", "А103", 2),
]  # fmt: skip


def recorded_day(kind: str, folder: Path) -> list[dict[str, Any]]:
    """The lines of a recording of the day, made now."""
    bench = Bench(folder)
    for moment in _MAKERS[kind](bench, Recorder(folder / "kept")):
        bench.now_unix_ms = moment
    bench.end()
    [file] = (folder / "kept").iterdir()
    return [line._asdict() for line in read_recording(file)]


def _moments(bench: Bench) -> Iterator[int]:
    while True:
        bench.now_unix_ms += 20_000
        yield bench.now_unix_ms


def _qsystem(bench: Bench, recorder: Recorder) -> Iterator[int]:
    server = QSystemServer(bench.clock)
    server.operators = {each: Operator(each, str(each)) for each in (1, 2)}
    poller = open_qsystem(TABLES["qsystem"].model_copy(update={"port": server.port}), bench.means)
    poller.recorder = recorder
    one, two, three = (Client(NOON - 600_000 + each, "А", 100 + each, 17) for each in (1, 2, 3))
    steps: list[Callable[[], None]] = [
        lambda: None,
        lambda: server.invite(1, one), lambda: server.start(1), lambda: server.end(1, "FINISH"),
        lambda: server.invite(1, two), lambda: server.end(1, "DEAD"),
        lambda: server.invite(1, three), lambda: server.end(1, "REDIRECT", 18),
        lambda: server.invite(2, three), lambda: server.end(2, "FINISH"),
    ]  # fmt: skip
    for moment, step in zip(_moments(bench), steps, strict=False):
        yield moment
        step()
        bench.now_unix_ms += 1000
        poller.poll()
    server.close()


def _theq(bench: Bench, recorder: Recorder) -> Iterator[int]:
    inbox, kept = open_theq(TABLES["theq"], bench.means), Kept()
    inbox.recorder = recorder
    theq = TheQTracker(kept)
    steps: list[Callable[[], None]] = [
        lambda: theq.choose(1), lambda: theq.tell("addtoqueue", 1), lambda: theq.tell("invitecitizen", 1),
        lambda: theq.tell("beginservice", 1), lambda: theq.choose(1, "PVT", sr=2),
        lambda: theq.tell("additionalservice", 1, sr=2), lambda: theq.tell("finish", 1, sr=2),
        lambda: theq.tell("invitefromlist", 2), lambda: theq.tell("customerleft", 2, leave_status="at-prep"),
        lambda: theq.tell("servecitizen", 3), lambda: theq.tell("hold", 3), lambda: theq.tell("hold", 3),
        lambda: theq.tell("invitefromhold", 3, csr=8), lambda: theq.tell("finish", 3, csr=8),
    ]  # fmt: skip
    for place, step in enumerate(steps):
        step()
        at = NOON + place * 10_000
        yield at
        tracked = [found for pairs in kept.take(at) if (found := read_tracked(pairs))]
        inbox.take_in(tracked)


def _qmatic(bench: Bench, recorder: Recorder) -> Iterator[int]:
    inbox = open_qmatic(TABLES["qmatic"], bench.means)
    inbox.recorder = recorder
    second = {"servicePointId": 120000000002}
    steps: list[tuple[str, dict[str, object]]] = [
        ("USER_SERVICE_POINT_SESSION_START", {}), ("VISIT_CREATE", {"visitId": 1}), ("VISIT_NEXT", {"visitId": 1}),
        ("VISIT_CALL", {"visitId": 1}), ("VISIT_CONFIRM", {"visitId": 1}), ("VISIT_END", {"visitId": 1}),
        ("VISIT_CALL", {"visitId": 2}), ("VISIT_CALL", {"visitId": 2}), ("VISIT_NOSHOW", {"visitId": 2}),
        ("VISIT_CALL", {"visitId": 3}), ("VISIT_TRANSFER_TO_QUEUE", {"visitId": 3}),
        ("VISIT_CALL", {"visitId": 3, **second}), ("VISIT_END", {"visitId": 3, **second}),
        ("USER_SERVICE_POINT_SESSION_END", {}), ("RESET", {}),
    ]  # fmt: skip
    for moment, (name, parameters) in zip(_moments(bench), steps, strict=False):
        yield moment
        inbox.take_in([read_posted(json.dumps(orchestra(name, moment, **parameters)).encode())])


def _sql(bench: Bench, recorder: Recorder) -> Iterator[int]:
    url = f"sqlite:///{bench.folder}/theirs.db"
    theirs = sqlite3.connect(bench.folder / "theirs.db", isolation_level=None)
    theirs.execute("CREATE TABLE log (id INTEGER PRIMARY KEY, ts INTEGER, word TEXT, number TEXT, win INTEGER)")
    means = bench.means
    poller = open_sql(TABLES["sql"], Means(means.site, means.intake, means.store, means.clock, url))
    poller.recorder = recorder
    for moment, row in zip(_moments(bench), _ROWS, strict=False):
        yield moment
        theirs.execute("INSERT INTO log (ts, word, number, win) VALUES (?, ?, ?, ?)", (moment, *row))
        poller.poll()
    theirs.close()


def _csv(bench: Bench, recorder: Recorder) -> Iterator[int]:
    path = bench.folder / "log.csv"
    path.write_text("id,ts,word,number,win\n", encoding="utf-8")
    poller = open_csv(TABLES["csv"].model_copy(update={"file": str(path)}), bench.means)
    poller.recorder = recorder
    for number, (moment, (word, ticket, desk)) in enumerate(zip(_moments(bench), _ROWS, strict=False), 1):
        yield moment
        with path.open("a", encoding="utf-8") as log:
            log.write(f"{number},{moment},{word},{ticket},{desk}\n")
        poller.poll()


_MAKERS = {"qsystem": _qsystem, "theq": _theq, "qmatic": _qmatic, "sql": _sql, "csv": _csv}


def main() -> None:
    for kind in _MAKERS:
        path = Path(__file__).parent / "data" / kind / "day.jsonl"
        path.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            lines = recorded_day(kind, Path(folder))
        path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
        print(f"{len(lines)} lines  {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
