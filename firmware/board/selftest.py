"""What a pad can find out about itself without a person: lamps, flash, memory, clock. It shows and sends nothing.

It runs at the start, each night (a pad knows no hours: when no call has come for two) and when IT asks, never while a
client may press. Buttons are watched all day (panel.is_stuck): that one still works, only a finger can tell.

    lamps    each is lit for a moment if the board can sense its current; no board of ours can: "unverified"
    flash    a scratch file is written and read back, at most once a night and when asked: it wears
    memory   what is free after a collection, and whether a TLS buffer would still find room in one piece
    clock    against the collector's, whose time is in each live Ack
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.board.contract import Board

    Show = Callable[[tuple[int, int, int]], None]

# A TLS record's buffer is the largest piece that a connected pad ever needs at once (mbedTLS: 16 KB and its head).
ROOM_BYTES = 17000
# Calls and certificates are judged by the clock; a call may come from 300 s ahead (core/pad.py) before it is refused.
CLOCK_LIMIT_MS = 60000
NIGHT_MS = 24 * 3600000
QUIET_MS = 2 * 3600000
# A desk that never rests is tested in the first dark moment after so long.
OVERDUE_MS = 3 * NIGHT_MS
_SCRATCH = "/scratch"
_SCRATCH_BYTES = 32
_ALL_DARK = (0, 0, 0)


class SelfTest:
    def __init__(self, board: "Board"):
        self.runs = 0
        self.lamps = "unverified"
        self.memory = "ok"
        self.flash_failed = False
        self.flash_free_bytes = 0
        self.clock_off_ms: int | None = None  # the pad's less the collector's, once one is known
        self._board = board
        self._asked = True  # the start asks
        self._ran_ms = self._called_ms = 0

    @property
    def clock(self) -> str:
        if self._board.now_unix_ms() is None:
            return "unset"
        return "wrong" if abs(self.clock_off_ms or 0) > CLOCK_LIMIT_MS else "ok"

    def ask(self) -> None:
        """IT wants it as soon as no client may press."""
        self._asked = True

    def note_call(self, uptime_ms: int) -> None:
        self._called_ms = uptime_ms

    def note_time(self, at_unix_ms: int) -> None:
        """The collector's clock says this, just now."""
        now_unix_ms = self._board.now_unix_ms()
        self.clock_off_ms = None if now_unix_ms is None else now_unix_ms - at_unix_ms

    def is_due(self, uptime_ms: int) -> bool:
        """Whether to run now, if the pad is dark."""
        since_ms = uptime_ms - self._ran_ms
        is_night = uptime_ms - self._called_ms >= QUIET_MS and since_ms >= NIGHT_MS
        return self._asked or is_night or since_ms >= OVERDUE_MS

    def run(self, uptime_ms: int, show: "Show") -> None:
        """Takes some milliseconds, and longer if the flash must erase. The lamps are dark before and after."""
        self._board.mark("self_test")
        is_start = self.runs == 0
        self._asked = False
        self._ran_ms = uptime_ms
        self.runs += 1
        self.memory = self._try_memory()
        self.lamps = self._try_lamps(show)
        # At the start the journal has just been written: whether that went well, the store knows.
        self.flash_failed = not self._try_flash(writing=not is_start)

    def note_free(self, free_bytes: int) -> None:
        """What a collection left free, as measured between the tests."""
        if free_bytes < ROOM_BYTES:
            self.memory = "low"

    def _try_memory(self) -> str:
        _, free_bytes = self._board.heap()
        if free_bytes < ROOM_BYTES:
            return "low"
        try:
            bytearray(ROOM_BYTES)
        except MemoryError:  # enough, but in pieces
            return "low"
        return "ok"

    def _try_lamps(self, show: "Show") -> str:
        found = []
        for k in range(3):
            if self._board.sense_lamp(k) is None:
                return "unverified"
            show((int(k == 0), int(k == 1), int(k == 2)))
            found.append(self._board.sense_lamp(k))
            show(_ALL_DARK)
            found.append(not self._board.sense_lamp(k))
        return "ok" if all(found) else "fault"

    def _try_flash(self, writing: bool) -> bool:
        folder = self._board.FLASH
        if folder is None:
            return True
        wanted = self._board.random_bytes(_SCRATCH_BYTES)
        try:
            found = os.statvfs(folder or "/")  # walks over the whole file system: never while a client may press
            self.flash_free_bytes = found[0] * found[3]
            if not writing:
                return True
            with open(folder + _SCRATCH, "wb") as file:
                file.write(wanted)
            with open(folder + _SCRATCH, "rb") as file:
                return file.read() == wanted
        except OSError:
            return False
