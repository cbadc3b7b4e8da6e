"""A database put back from a backup, and the spools taken in again: nothing that was acknowledged is missing."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.register import read_register
from collector.spool import Spool, Spooled
from collector.store import Arrival, Store
from protocol import codec, topics
from tests.integration.collector_process import NOON_UNIX_MS, ROOT, event, register_file, vote

DESK = "centre-01"


def said(first: int, last: int) -> list[Arrival]:
    """What a feed and a pad say of these calls; of every third the vote comes before the call."""
    found = []
    for number in range(first, last):
        words = [
            (topics.queue("centre", "event"), event(number, desk=DESK, seq=2 * number)),
            (topics.desk(DESK, "vote"), vote(number, number % 3 + 1, seq=number)),
            (topics.queue("centre", "event"), event(number, "finished", desk=DESK, seq=2 * number + 1)),
        ]
        order = (1, 0, 2) if number % 3 == 0 else (0, 1, 2)
        found += [Arrival(words[k][0], codec.encode(words[k][1]), NOON_UNIX_MS + number) for k in order]
    return found


def test_what_came_after_the_backup_comes_back_from_the_spools_of_all_collectors(
    any_database: str, backup: Callable[[str], str], tmp_path: Path
) -> None:
    with Store.open(any_database) as store:
        store.load_register(read_register(register_file(tmp_path, (DESK,))))
        first = Spooled(store, Spool(tmp_path / "spool" / "collector-1", days=9))
        second = Spooled(store, Spool(tmp_path / "spool" / "collector-2", days=9))
        first.ingest(said(1, 9))
    yesterday = backup(any_database)
    with Store.open(any_database) as store:
        first._store = second._store = store
        for number, arrival in enumerate(said(9, 60)):
            (first if number % 2 else second).ingest([arrival])
        counts, figures = store.counts(), store.rollups("operator", 20260101, 20271231)
    assert replayed(yesterday, tmp_path).startswith(f"{3 * 59} messages: ")
    with Store.open(yesterday) as store:
        assert store.counts() == counts
        assert store.rollups("operator", 20260101, 20271231) == figures
        assert store.recount() == []


@pytest.mark.parametrize("any_database", ["sqlite"], indirect=True)  # decided before any engine is asked
def test_what_a_register_of_before_does_not_know_is_told_and_comes_the_second_time(
    any_database: str, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool", days=9)
    spool.append(said(1, 4))
    spool.close()
    told = replayed(any_database, tmp_path, code=1)
    assert "unknown_branch 6" in told and "load the newer register" in told
    with Store.open(any_database) as store:
        store.load_register(read_register(register_file(tmp_path, (DESK,))))
    assert "attention" not in replayed(any_database, tmp_path)
    with Store.open(any_database) as store:
        assert store.counts()["votes"] == 3 and store.recount() == []


def replayed(url: str, folder: Path, code: int = 0) -> str:
    """What the command says."""
    config = folder / "collector.toml"
    config.touch(mode=0o600)
    config.write_text(f'database_url = "{url}"\n')
    command = [sys.executable, "-m", "collector", "--config", str(config), "replay", str(folder / "spool")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout
