"""Who is measured by bench_collector.py: each takes the same messages from the same broker into what it keeps."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from collector.store import Store
from sim.postgres import Postgres
from tests.bench import node_red
from tests.integration.collector_process import CollectorProcess
from tests.integration.mosquitto import GuardedMosquitto

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 300


@dataclass
class Running:
    """A contender at work: its processes, and how many votes it has got so far."""

    processes: list[subprocess.Popen[bytes]]
    votes: Callable[[], int]


@dataclass(frozen=True)
class Contender:
    """``start`` returns once it is subscribed. At most ``most`` messages a round, for those that need long for them."""

    name: str
    label: str
    start: Callable[[Path, GuardedMosquitto], Running]
    most: int = 10**9


# ---- the ceiling
def _bare(folder: Path, broker: GuardedMosquitto) -> Running:
    counted = folder / "counted"
    counted.write_text("0")
    command = [sys.executable, str(Path(__file__).with_name("bare.py")), str(broker.port), str(counted)]
    process = _script(command, broker)
    return Running([process], lambda: int(counted.read_text() or 0) // 2)


# ---- ours
def _sqlite(folder: Path, broker: GuardedMosquitto, desks: tuple[str, ...]) -> Running:
    url = f"sqlite:///{folder / 'bench.db'}"
    Store.open(url).close()  # the process that makes the tables holds Alembic in its memory
    collector = CollectorProcess(folder, broker.port, url, desks).start()
    assert collector.process
    return Running([collector.process], _rows_of_sqlite(folder / "bench.db"))


def _postgresql(
    folder: Path, broker: GuardedMosquitto, desks: tuple[str, ...], cluster: Postgres, number: int
) -> Running:
    url = cluster.url()
    Store.open(url).close()
    members = [None] if number == 1 else [f"collector-{each}" for each in range(1, number + 1)]
    processes = []
    for member in members:
        each = CollectorProcess(folder / (member or "alone"), broker.port, url, desks, member=member).start()
        assert each.process
        processes.append(each.process)
    connection = psycopg.connect(url, autocommit=True)

    def votes() -> int:
        row = connection.execute("SELECT count(*) FROM vote").fetchone()
        assert row
        return int(row[0])

    return Running(processes, votes)


# ---- others
def _naive(folder: Path, broker: GuardedMosquitto, *more: str) -> Running:
    script = str(Path(__file__).with_name("naive.py"))
    process = _script([sys.executable, script, str(broker.port), str(folder / "bench.db"), *more], broker)
    return Running([process], _rows_of_sqlite(folder / "bench.db"))


def _node_red(folder: Path, broker: GuardedMosquitto, *, wal: bool) -> Running:
    process = node_red.start(folder, broker.port, broker.password("collector"), wal=wal)
    return Running([process], _rows_of_sqlite(folder / "bench.db"))


def contenders(desks: tuple[str, ...], cluster: Postgres | None, *, with_node_red: bool) -> list[Contender]:
    """All that this machine can run, the ceiling first."""
    found = [
        Contender("bare", "bare paho subscriber (the ceiling)", _bare),
        Contender("sqlite", "collector, SQLite", lambda folder, broker: _sqlite(folder, broker, desks)),
    ]
    if cluster is not None:
        for number, label in ((1, "collector, PostgreSQL"), (2, "two collectors, PostgreSQL")):
            found.append(
                Contender(
                    f"postgresql-{number}",
                    label,
                    lambda folder, broker, number=number: _postgresql(folder, broker, desks, cluster, number),
                )
            )
    found += [
        Contender("naive", "script, SQLite's defaults", _naive, most=1_000),
        Contender("naive-wal", "script, WAL and NORMAL", lambda f, b: _naive(f, b, "--wal"), most=10_000),
    ]
    if with_node_red and node_red.installed():
        found += [
            Contender("node-red", "Node-RED, SQLite's defaults", lambda f, b: _node_red(f, b, wal=False), most=2_000),
            Contender("node-red-wal", "Node-RED, database in WAL", lambda f, b: _node_red(f, b, wal=True), most=10_000),
        ]
    return found


def _script(command: list[str], broker: GuardedMosquitto) -> subprocess.Popen[bytes]:
    """Started, and subscribed."""
    environ = os.environ | {"BENCH_PASSWORD": broker.password("collector"), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environ)
    assert process.stdout and process.stdout.readline() == b"ready\n"
    return process


def _rows_of_sqlite(path: Path) -> Callable[[], int]:
    connection = sqlite3.connect(path, timeout=10, isolation_level=None)
    return lambda: int(connection.execute("SELECT count(*) FROM vote").fetchone()[0])


def pause(running: Running) -> None:
    for process in running.processes:
        process.send_signal(signal.SIGSTOP)


def go_on(running: Running) -> None:
    for process in running.processes:
        process.send_signal(signal.SIGCONT)


def end(running: Running) -> None:
    for process in running.processes:
        process.terminate()
    for process in running.processes:
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)
        if process.stdout:
            process.stdout.close()


def cpu_seconds(running: Running) -> float:
    times = [psutil.Process(process.pid).cpu_times() for process in running.processes]
    return float(sum(each.user + each.system for each in times))


def resident_bytes(running: Running) -> int:
    return sum(int(psutil.Process(process.pid).memory_info().rss) for process in running.processes)


def wait_for_votes(running: Running, goal: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while running.votes() < goal:
        assert time.monotonic() < deadline, f"{running.votes()} of {goal} votes"
        time.sleep(0.01)
