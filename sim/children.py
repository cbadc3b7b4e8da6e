"""One server process of a simulation: started, waited for, watched, started again, stopped. Not what it does.

A child is ready when its log has a line with the word ``ready``; SIGTERM asks it to stop; it ends when we end (see
sim/tether.py). Secrets reach it by its environment, never by its arguments or its log.
"""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from sim.errors import ChildFailed

ROOT = Path(__file__).resolve().parents[1]
READY_S = 60.0
STOP_S = 10.0
_LOOK_EVERY_S = 0.05
_PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_STEADY_S = 60.0
_LAST_LINES = 8
_SETTINGS = "ZRAZKOVO_"
_READY = re.compile(rb"\bready\b")


def inherited_environ() -> dict[str, str]:
    """Our environment without settings of Zrazkovo: somebody's own must not lead a demonstration to their database."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}


class Child:
    """Args:
    name: for people and for the log file.
    arguments: the module and its arguments, as after ``python -m``.
    environ: added to ours.
    pauses_s: before it is started again when it died; the last one repeats.
    """

    ready = _READY  # what its log says when it serves

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        environ: Mapping[str, str],
        log_file: Path,
        pauses_s: Sequence[float] = _PAUSES_S,
    ):
        self.name = name
        self.log_file = log_file
        self.process: subprocess.Popen[bytes] | None = None
        self._arguments = list(arguments)
        self._environ = dict(environ)
        self._pauses_s = pauses_s
        self._log_begins = 0
        self._stopping = False
        self._holders = 0

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    async def start(self, within_s: float = READY_S) -> None:
        """Returns when the child serves. Raises ChildFailed with the last lines of its log."""
        self._spawn()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while not self.ready.search(self._log()):
            if not self.is_running:
                raise ChildFailed(f"{self.name} {self._how_it_ended()}{self._quote()}")
            if loop.time() > deadline:
                self.kill()
                raise ChildFailed(f"{self.name} was not ready after {within_s:g} s{self._quote()}")
            await asyncio.sleep(_LOOK_EVERY_S)

    async def watch(self, report: Callable[[str], None]) -> None:
        """Starts the child again whenever it ends by itself, with growing pauses, until stop() or cancelled."""
        failures = 0
        loop = asyncio.get_running_loop()
        while not self._stopping:
            began = loop.time()
            while self.is_running:
                await asyncio.sleep(_LOOK_EVERY_S)
            if self._stopping:
                return
            failures = 0 if loop.time() - began > _STEADY_S else failures
            pause_s = self._pauses_s[min(failures, len(self._pauses_s) - 1)]
            report(f"{self.name} {self._how_it_ended()}; starting it again in {pause_s:g} s (log: {self.log_file})")
            await asyncio.sleep(pause_s)
            while self._holders:
                await asyncio.sleep(_LOOK_EVERY_S)
            failures += 1
            try:
                await self.start()
                report(f"{self.name} is back")
            except ChildFailed as error:
                report(str(error))

    @contextlib.contextmanager
    def held_down(self) -> Iterator[None]:
        """Inside, watch() does not start it again."""
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1

    async def ended(self, within_s: float = STOP_S) -> None:
        """Returns when it is not running, or after the time."""
        deadline = asyncio.get_running_loop().time() + within_s
        while self.is_running and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(_LOOK_EVERY_S)

    async def stop(self) -> None:
        """Asks the child to stop, waits, and kills it if it does not go."""
        self._stopping = True
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        await self.ended()
        self.kill()

    def kill(self) -> None:
        """Ends the child at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def command(self) -> list[str]:
        """What is run: a module that ends when we end."""
        return [sys.executable, "-m", "sim.tether", *self._arguments]

    def _spawn(self) -> None:
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as output:
            self._log_begins = output.tell()
            self.process = subprocess.Popen(
                self.command(),
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**inherited_environ(), **self._environ},
                start_new_session=True,  # Ctrl-C in the terminal is for the supervisor alone
            )

    def _log(self) -> bytes:
        """What the child has logged since its last start."""
        with self.log_file.open("rb") as file:
            file.seek(self._log_begins)
            return file.read()

    def _how_it_ended(self) -> str:
        assert self.process is not None
        code = self.process.returncode
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def _quote(self) -> str:
        lines = self._log().decode(errors="replace").splitlines()[-_LAST_LINES:]
        return "".join(f"\n    {line}" for line in lines) + f"\n    (log: {self.log_file})"
