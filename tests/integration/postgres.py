"""A throw-away PostgreSQL cluster for tests, which are skipped on a machine without it."""

from pathlib import Path

import pytest

from sim import postgres

MISSING = "postgresql is not installed: apt-get install postgresql"


class Postgres(postgres.Postgres):
    """A cluster of its own. Skips without PostgreSQL (tests/conftest.py: in CI that is a failure)."""

    def __init__(self, folder: Path):
        programs = postgres.find_programs()
        if programs is None:
            pytest.skip(MISSING)
        super().__init__(folder, programs, options=("fsync=off",))  # the cluster does not outlive the test
