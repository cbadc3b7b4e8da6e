"""Fixtures: databases of each kind we promise to work on, real and empty; an office's pads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.office_pads import authority, broker, entry, make_pad, network, office, pad  # noqa: F401
from tests.integration.postgres import Postgres


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    cluster = Postgres(tmp_path_factory.mktemp("cluster") / "postgres").start()
    yield cluster
    cluster.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'zrazkovo.db'}"
    cluster: Postgres = request.getfixturevalue("cluster")
    return cluster.url()
