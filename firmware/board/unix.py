"""The board file of MicroPython's unix build: the same pad with pipes for buttons and lamps, and a file for flash.

Not an emulator: everything but what is in this file and in unix_wire.py (buttons and lamps) is the code of a real pad.

A pad that restarts exits with 75 (main.py), one that hung is ended by its watchdog with SIGKILL: start it again, and it
says why.
"""

import gc
import os
import select
import sys
import time

from firmware.board import life, unix_net
from firmware.board.unix_watchdog import Watchdog
from firmware.board.unix_wire import Pin, Wire, WireLamp, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.board.contract import Connector

# Before this (2020-01-01) the machine's clock has not been set.
_CLOCK_KNOWN_UNIX_MS = 1577836800000


class UnixBoard:
    """contract.Board on pipes."""

    NAME = "unix"
    Pin = Pin
    BUTTON_IDS = (1, 2, 3)
    LAMP_IDS = (4, 5, 6)
    PRESSED_LEVEL = 1
    HARD_IRQ = True
    FLASH: "str | None" = "/flash"

    def __init__(self, folder: str = ".") -> None:
        self.watchdog = Watchdog(folder)
        self.RESET, self.DURING = self.watchdog.reset, self.watchdog.during
        self.feed_watchdog = self.watchdog.feed
        self.mark = self.watchdog.mark
        self.leave = self.watchdog.leave
        self.poll = select.poll()
        self._wire = Wire(self.poll, self.BUTTON_IDS, self.LAMP_IDS)
        self.irq_lock = self._wire.lock
        self.connector: Connector  # made by main() once pad.json is read
        self._clock_off_ms = 0

    def lamp(self, pin_id: int) -> WireLamp:
        return WireLamp(self._wire, pin_id)

    def settle_lamps(self) -> None:
        self._wire.report()

    def sense_lamp(self, number: int) -> "bool | None":
        return None

    def ticks_ms(self) -> int:
        return time.ticks_ms()  # type: ignore[attr-defined,no-any-return]

    def ticks_diff(self, later: int, earlier: int) -> int:
        return time.ticks_diff(later, earlier)  # type: ignore[attr-defined,no-any-return]

    def now_unix_ms(self) -> "int | None":
        now_unix_ms = time.time_ns() // 1000000 + self._clock_off_ms
        return now_unix_ms if now_unix_ms >= _CLOCK_KNOWN_UNIX_MS else None

    def set_clock(self, unix_ms: int, known: bool) -> None:
        """The machine's clock is not ours to set: the difference is kept."""
        if known:
            self._clock_off_ms = unix_ms - time.time_ns() // 1000000

    def wait(self, timeout_ms: int) -> bool:
        """Sleeps until a button moves, the socket has something, or time is up. False: the input has ended."""
        for source, _ in self.poll.poll(0 if self._wire.has_ended else timeout_ms):
            self._wire.hear(source)
        return self._wire.is_on()

    def random_bytes(self, count: int) -> bytes:
        return os.urandom(count)

    def heap(self) -> "tuple[int, int]":
        gc.collect()
        return gc.mem_alloc(), gc.mem_free()  # type: ignore[attr-defined]

    def signal_dbm(self) -> "int | None":
        return None

    def log(self, text: str) -> None:
        write("# %s\n" % text)


def main(root: str, mode: str) -> "int | str":
    """Runs the pad in the directory argv[1], its flash mounted at ``root``, until stdin ends (loader.py calls it)."""
    folder = sys.argv[1]
    board = UnixBoard(folder)
    board.mark("starting")
    board.watchdog.start()
    return life.run(
        board,
        root,
        mode,
        folder + "/pad.json",
        lambda settings: unix_net.make(board, settings, board.poll, folder),
        lost=_taken(root + "/state/lost"),
    )


def _taken(path: str) -> bool:
    """Whether that note was there; it no longer is."""
    try:
        os.unlink(path)
        return True
    except OSError:
        return False
