"""An office for tests of the flashing tool: a Mosquitto with passwords, and the tool as a process. It has no pad."""

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.mosquitto import GuardedMosquitto

DEADLINE_S = 120
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of the tool came to: exit code, the record's lines, and what the person saw."""

    code: int
    rows: list[dict[str, Any]]
    seen: str

    @property
    def row(self) -> dict[str, Any]:
        assert len(self.rows) == 1, self.seen
        return self.rows[0]


class Office:
    """A broker that reads its password file again as soon as the tool has changed it, as IT's script would."""

    def __init__(self, folder: Path, options: str = ""):
        self.folder = folder
        self.broker = GuardedMosquitto(folder / "broker", ("it", "feed", "collector"), options=options).start()
        self.passwords = folder / "broker" / "passwords"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._reload, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(DEADLINE_S)
        self.broker.stop()

    @property
    def where(self) -> tuple[str, ...]:
        """The options that register at this broker."""
        return "--passwords", str(self.passwords), "--broker", f"127.0.0.1:{self.broker.port}"

    def run(self, *words: str, deadline_s: float = DEADLINE_S, **environment: str) -> Ran:
        """Runs the tool to its end, nobody at the keyboard."""
        return finish(self.begin(*words, **environment), deadline_s)

    def begin(self, *words: str, **environment: str) -> "subprocess.Popen[str]":
        """Starts the tool; finish() is the caller's to call."""
        own = {"ZRAZKOVO_FLASH_IT_PASSWORD": self.broker.password("it")}
        return subprocess.Popen(
            [sys.executable, "-m", "firmware.host", *words],
            cwd=ROOT,
            env={**os.environ, **own, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _reload(self) -> None:
        before = self.passwords.stat().st_mtime_ns
        while not self._stop.wait(0.02):
            now = self.passwords.stat().st_mtime_ns
            if now != before:
                before = now
                self.broker.signal(signal.SIGHUP)


def finish(process: "subprocess.Popen[str]", deadline_s: float = DEADLINE_S) -> Ran:
    """Waits for the tool's end; one that takes longer is ended."""
    try:
        output, seen = process.communicate(timeout=deadline_s)
    except subprocess.TimeoutExpired:
        process.kill()
        output, seen = process.communicate()
        seen += f"\n(ended after {deadline_s:g} s)"
    return Ran(process.returncode, [json.loads(line) for line in output.splitlines() if line.startswith("{")], seen)
