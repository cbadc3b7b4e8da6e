"""Three collectors on PostgreSQL, and what happens to them within half a minute."""

from dataclasses import replace
from pathlib import Path

import pytest

from sim.chaos.schedule import POSTGRESQL
from tests.chaos.campaigns import SHORT, TIMEOUT_S, is_accounted_for, survive


@pytest.mark.timeout(TIMEOUT_S)
def test_a_centre_survives_what_is_done_to_it_and_every_press_is_accounted_for(tmp_path: Path) -> None:
    options = replace(SHORT, seed=5, collectors=3, database=POSTGRESQL)
    is_accounted_for(survive(options, tmp_path / "centre"))
