"""What a process tells systemd, if that started it (sd_notify(3)): that it serves, that it lives, what it waits for.

Without NOTIFY_SOCKET in the environment nothing is told. A process that waits for its broker or its database is ready
all the same: to start it anew would bring neither.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_FOR_EVER_S = 3600.0


class Service:
    """The line to systemd. ``alive`` may be called as often as one likes; it is said twice in a watchdog's interval."""

    def __init__(self, environ: Mapping[str, str] | None = None):
        environ = os.environ if environ is None else environ
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        interval_us = environ.get("WATCHDOG_USEC", "") if ours else ""
        self._every_s = int(interval_us) / 2e6 if interval_us.isdecimal() and self._address else _FOR_EVER_S
        self._due_s = time.monotonic()
        self._status = ""

    def ready(self, status: str) -> None:
        """It serves, or would if what ``status`` names were there."""
        if status != self._status:
            self._say(f"READY=1\nSTATUS={status}")
        self._status = status
        self.alive()

    def alive(self) -> None:
        if time.monotonic() >= self._due_s:
            self._say("WATCHDOG=1")
            self._due_s = time.monotonic() + self._every_s

    def due_in_s(self) -> float:
        """How long the caller may sleep before it should call ``alive``."""
        return max(0.0, self._due_s - time.monotonic())

    @contextmanager
    def living(self) -> Iterator[None]:
        """Says ``alive`` in the place of a caller who is at one long work, such as a migration."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(min(self.due_in_s(), _FOR_EVER_S)):
                self.alive()

        beating = threading.Thread(target=beat, name="watchdog", daemon=True)
        beating.start()
        try:
            yield
        finally:
            over.set()
            beating.join()

    def stopping(self) -> None:
        self._say("STOPPING=1")

    def _say(self, words: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.setblocking(False)  # a listener that does not read must not hold up the work
                line.sendto(words.encode(), self._address)
        except OSError:
            pass  # systemd, not we, would have to be mended
