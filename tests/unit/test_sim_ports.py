"""Ports that nobody else is told: not by chance, not by a seed that two share, not in another process."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from sim import ports

ASKED = "import random; random.seed(7); from sim import ports; ports._NEVER_OUTGOING = ({}, {}); print(ports.{})"


def test_whoever_seeds_the_common_generator_is_told_other_numbers_all_the_same() -> None:
    random.seed(7)
    first = ports.choose_lasting()
    random.seed(7)
    assert ports.choose_lasting() != first


def test_a_number_is_told_once_though_nobody_listens_there_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = ports.choose_lasting()
    assert ports.is_free(mine)
    monkeypatch.setattr(ports, "_NEVER_OUTGOING", (mine - 20, mine + 20))
    told = [ports.choose(0) for _ in range(3)]
    assert len({mine, *told}) == 4
    code = ASKED.format(mine - 20, mine + 20, "choose_lasting()")
    root = Path(__file__).parents[2]
    other = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout
    assert int(other) not in {mine, *told}


def test_a_wanted_number_is_told_if_nobody_listens_there() -> None:
    mine = ports.choose_lasting()
    assert ports.choose(mine) == mine
