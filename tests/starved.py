"""How long processes had work to do and no processor to do it: what may not break a bound of time.

A machine with two processors and four workers of tests lets a process wait for seconds. Whoever asks how long our
programs take asks without that: where the machine is quiet the bound is the bound, to the millisecond.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

_WITHIN_S = 60.0


def starved_s(*pids: int) -> float:
    """Seconds that all threads of these processes together have waited for a processor since they were started.

    Linux counts that; of a process that is gone, and on other systems, it is 0.
    """
    waited_ns = 0
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                waited_ns += int(thread.read_text().split()[1])
            except (OSError, IndexError):  # it has ended meanwhile
                continue
    return waited_ns / 1e9


class Stopwatch:
    """Measures from now on; this process and ``pids``, which live on, are not blamed for waiting for a processor."""

    def __init__(self, *pids: int):
        self._pids = (os.getpid(), *pids)
        self._starved_s = starved_s(*self._pids)
        self.began_s = time.monotonic()

    def excused_s(self) -> float:
        return max(0.0, starved_s(*self._pids) - self._starved_s)

    def took_s(self) -> float:
        return time.monotonic() - self.began_s - self.excused_s()


def took_to_end_s(process: "subprocess.Popen[bytes]") -> float:
    """How long ``process`` takes from SIGTERM to its end, which it comes to."""
    watch = Stopwatch(process.pid)
    process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + _WITHIN_S
    excused_s = 0.0
    while process.poll() is None:
        assert time.monotonic() < deadline, "it does not end"
        excused_s = max(excused_s, watch.excused_s())  # nobody knows of it any more once it has ended
        time.sleep(0.01)
    return time.monotonic() - watch.began_s - excused_s
