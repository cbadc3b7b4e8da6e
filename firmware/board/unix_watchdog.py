"""The watchdog of the unix build: a thread that ends the process when nobody feeds it. Whoever started the pad starts
it again, as a chip's reset would.

It counts its own naps, not the clock: a process that was stopped as a whole (a debugger, a laptop's lid) is not hung.
The thread allocates nothing, because the heap may be what hangs.
"""

import _thread
import os
import time

import micropython

from protocol.words import STEPS

_NAPS = 7  # of one second; a nap begun when the last food came makes it seven to eight
_FILE = "/last-words"
# A shell's parent is this process; nothing but a signal from outside is sure to end a hung interpreter.
_BITE = "echo watchdog %s >%s; kill -9 $PPID"


class Watchdog:
    """Keeps the pad's last words in ``folder``, where a chip has a register for them."""

    def __init__(self, folder: str):
        self.reset, self.during = "power", None  # type: tuple[str, str | None]
        self._path = folder + _FILE
        self._step = 0
        self._fed = 0
        quoted = "'%s'" % self._path.replace("'", "'\\''")
        self._bites = [_BITE % (step, quoted) for step in STEPS]
        self._read()

    def start(self) -> None:
        _thread.start_new_thread(self._watch, ())

    def mark(self, step: str) -> None:
        self._step = STEPS.index(step)

    def feed(self) -> None:
        self._fed = (self._fed + 1) & 0xFFFF

    def leave(self, reset: str) -> None:
        with open(self._path, "w") as file:
            file.write("%s %s\n" % (reset, STEPS[self._step]))

    def _read(self) -> None:
        try:
            with open(self._path) as file:
                reset, step = file.read().split()
            os.unlink(self._path)
        except (OSError, ValueError):
            return  # it was switched off
        self.reset, self.during = reset, step if reset in ("watchdog", "crash") else None

    def _watch(self) -> None:
        micropython.heap_lock()  # else a collection of the loop's thread may sweep away what this one works with
        hungry = 0
        seen = self._fed
        while hungry < _NAPS:
            time.sleep(1)
            hungry = hungry + 1 if self._fed == seen else 0
            seen = self._fed
        os.system(self._bites[self._step])
