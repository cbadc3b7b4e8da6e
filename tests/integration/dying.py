"""The test's side of tests/integration/dying_program.py: starts it, arms it, sees it die."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.integration.dying_program import NUMBER, shared
from tests.integration.mosquitto import DEADLINE_S

ROOT = Path(__file__).parents[2]
NEVER = 1_000_000


class Dying:
    """One program, started again and again; ``arm`` says at which of the places it comes to next it dies."""

    def __init__(self, folder: Path, program: str, arguments: Sequence[str], secrets: Mapping[str, str]):
        folder.mkdir()
        self._armed, self._passed = shared(folder / "armed"), shared(folder / "passed")
        self._places = folder / "places"
        self._log = folder / "log"
        self._starts = 0
        self.pid = 0
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                [sys.executable, str(Path(__file__).parent / "dying_program.py"), str(folder), program, *arguments],
                cwd=ROOT,
                env=os.environ | secrets | {"PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
            )

    def start(self, ready: Callable[[str], bool], *, place: int = -1) -> None:
        """Armed for ``place`` of its start, -1 for none; returns when ``ready`` of what this process has logged."""
        self.arm(place)
        before = len(self.says)
        assert self._server.stdin
        self._server.stdin.write(b"\n")
        self.pid = int(self._line())
        until(lambda: ready(self.says[before:]), lambda: self.says[before:])

    def arm(self, place: int) -> None:
        """From now on places are counted; it dies at number ``place`` (-1: they are not)."""
        NUMBER.pack_into(self._passed, 0, 0)
        self._places.write_text("")
        NUMBER.pack_into(self._armed, 0, place)

    def pause(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    @property
    def dead(self) -> bool:
        """Whether it has died, of the place it was armed for and nothing else."""
        if not self.pid:
            return True
        assert self._server.stdout
        if not select.select([self._server.stdout], [], [], 0)[0]:
            return False
        assert self._line() == str(-signal.SIGKILL), self.says
        self.pid = 0
        return True

    @property
    def places(self) -> list[str]:
        """What was passed since it was armed; of a dead one the last is where it died."""
        return [line.partition(" ")[2] for line in self._places.read_text().splitlines()]

    @property
    def says(self) -> str:
        return self._log.read_text()

    def end(self) -> None:
        if self.pid and not self.dead:
            os.kill(self.pid, signal.SIGKILL)
        assert self._server.stdin and self._server.stdout
        self._server.stdin.close()
        self._server.wait(DEADLINE_S)
        self._server.stdout.close()

    def _line(self) -> str:
        assert self._server.stdout
        return self._server.stdout.readline().decode().strip()


def until(reached: Callable[[], bool], says: Callable[[], object]) -> None:
    """Polls until ``reached``; fails with what ``says`` gives."""
    deadline = time.monotonic() + DEADLINE_S
    while not reached():
        assert time.monotonic() < deadline, says()
        time.sleep(0.002)
