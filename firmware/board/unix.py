"""The board file of MicroPython's unix build: the same pad with pipes for buttons and lamps, and a file for flash.

Not an emulator: everything but what is in this file and in unix_wire.py (buttons and lamps) is the code of a real pad.

A pad that hung is ended by its watchdog with SIGKILL, one that crashed exits with 1; start it again, and it says so.
"""

import gc
import os
import select
import time

import vfs

from firmware.board import config, unix_net
from firmware.board.app import RESTART, App
from firmware.board.store import Store
from firmware.board.tls import BadCertificate
from firmware.board.unix_watchdog import Watchdog
from firmware.board.unix_wire import Pin, Wire, WireLamp, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.board.contract import Connector

_FLASH_BYTES = 128 * 1024
_BLOCK_BYTES = 4096
_PROGRAM_BYTES = 256
_MOUNT = "/flash"
# Before this (2020-01-01) the machine's clock has not been set.
_CLOCK_KNOWN_UNIX_MS = 1577836800000


class FileBlockDevice:
    """A flash chip in a file, for VfsLfs2 (extended block protocol). Made of 0xFF, as erased flash is.

    Errors are returned, not raised: an exception would unwind through LittleFS and has crashed the interpreter.
    """

    _IOCTL_BLOCK_COUNT, _IOCTL_BLOCK_BYTES, _IOCTL_ERASE = 4, 5, 6
    _EIO = -5

    def __init__(self, path: str):
        self.is_new = False
        self._path = path
        try:
            self._file = open(path, "r+b")
        except OSError:
            self.is_new = True
            self.renew()

    def renew(self) -> None:
        """Makes an erased chip of it. Raises OSError."""
        with open(self._path, "wb") as file:
            for _ in range(_FLASH_BYTES // _BLOCK_BYTES):
                file.write(b"\xff" * _BLOCK_BYTES)
        self._file = open(self._path, "r+b")

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> int:
        try:
            self._file.seek(block * _BLOCK_BYTES + offset)
            return 0 if self._file.readinto(buffer) == len(buffer) else self._EIO
        except OSError:
            return self._EIO

    def writeblocks(self, block: int, buffer: bytes, offset: int = 0) -> int:
        try:
            self._file.seek(block * _BLOCK_BYTES + offset)
            self._file.write(buffer)
            return 0
        except OSError:
            return self._EIO

    def ioctl(self, command: int, argument: int) -> int:
        if command == self._IOCTL_BLOCK_COUNT:
            return _FLASH_BYTES // _BLOCK_BYTES
        if command == self._IOCTL_BLOCK_BYTES:
            return _BLOCK_BYTES
        if command == self._IOCTL_ERASE:
            return self.writeblocks(argument, b"\xff" * _BLOCK_BYTES)
        return 0


class UnixBoard:
    """contract.Board on pipes."""

    NAME = "unix"
    Pin = Pin
    BUTTON_IDS = (1, 2, 3)
    LAMP_IDS = (4, 5, 6)
    PRESSED_LEVEL = 1
    HARD_IRQ = True
    FLASH: "str | None" = _MOUNT

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

    def restarted(self) -> None:
        """The pad starts again within the same process: lamps are reported anew."""
        self.RESET, self.DURING = "soft", None
        self._wire.forget()

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


def mount(path: str) -> bool:
    """Mounts the flash image at ``path``, made and formatted if need be. False: what was in it is lost."""
    flash = FileBlockDevice(path)
    intact = True
    try:
        if flash.is_new:
            vfs.VfsLfs2.mkfs(flash, progsize=_PROGRAM_BYTES)
        chip = vfs.VfsLfs2(flash, progsize=_PROGRAM_BYTES)
    except OSError:
        intact = False
        flash.renew()
        vfs.VfsLfs2.mkfs(flash, progsize=_PROGRAM_BYTES)
        chip = vfs.VfsLfs2(flash, progsize=_PROGRAM_BYTES)
    vfs.mount(chip, _MOUNT)
    return intact


def main(arguments: "list[str]") -> int:
    """Runs the pad that lives in the directory ``arguments[1]`` until its stdin ends; returns the exit code."""
    if len(arguments) != 2:
        UnixBoard().log("usage: main.py <the pad's directory>")
        return 2
    board = UnixBoard(arguments[1])
    board.mark("starting")
    try:
        return _run(board, arguments[1])
    except KeyboardInterrupt:  # Ctrl-C in a terminal reaches every process of it
        return 0
    except Exception as error:
        board.log("crash: %r" % error)
        board.leave("crash")
        return 1


def _run(board: UnixBoard, folder: str) -> int:
    try:
        with open(folder + "/pad.json", "rb") as file:
            settings = config.parse(file.read())
        board.connector = unix_net.make(board, settings, board.poll, folder)
    except OSError:
        board.log("pad.json cannot be read")
        return 2
    except (config.ConfigError, BadCertificate) as error:
        board.log(str(error))
        return 2
    try:
        intact = mount(folder + "/flash.img")
    except OSError as error:
        board.log("flash.img cannot be used: errno %s" % error.errno)
        return 1
    board.watchdog.start()
    while App(settings, board, Store(_MOUNT, board.random_bytes, lost=not intact)).run() == RESTART:
        intact = True
        board.restarted()
    return 0
