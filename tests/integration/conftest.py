"""Fixtures: databases of each kind we promise to work on, real and empty; an office's pads."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.integration.office_pads import authority, broker, entry, make_pad, network, office, pad  # noqa: F401
from tests.integration.postgres import Postgres


@pytest.fixture(scope="session")
def cluster() -> Iterator[Postgres]:
    """A server for all tests of a worker.

    Not in pytest's own folder: that is closed to other users again by every pytest that starts on this machine, and a
    server that then loses a session by a crash ends, because it cannot look at its files by their names any more.
    """
    with TemporaryDirectory(prefix="zrazkovo-postgresql-", ignore_cleanup_errors=True) as folder:
        cluster = Postgres(Path(folder) / "postgres").start()
        yield cluster
        cluster.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'zrazkovo.db'}"
    cluster: Postgres = request.getfixturevalue("cluster")
    return cluster.url()


@pytest.fixture
def backup(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Copies a database that nobody is connected to; returns the copy's URL."""

    def copy(url: str) -> str:
        if not url.startswith("sqlite"):
            cluster: Postgres = request.getfixturevalue("cluster")
            return cluster.copy(url)
        path = tmp_path / "backup.db"
        with sqlite3.connect(url.removeprefix("sqlite:///")) as source, sqlite3.connect(path) as target:
            source.backup(target)
        source.close()
        target.close()
        return f"sqlite:///{path}"

    return copy
