"""A campaign finds a collector that breaks its promise (and tests/unit/test_sim_oracle.py: a database with a fault)."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.campaigns import SHORT, TIMEOUT_S, survive


@pytest.mark.timeout(TIMEOUT_S)
def test_a_collector_that_acknowledges_before_it_commits_is_found_out(tmp_path: Path) -> None:
    options = replace(SHORT, seed=1, only=("kill_commit",))
    hasty = {"collector": "tests.chaos.hasty_collector", "joined_within_s": 10.0}
    outcome = survive(options, tmp_path / "centre", **hasty)
    assert "lost" in {difference.kind for difference in outcome.differences}
