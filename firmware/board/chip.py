"""What every chip's board has in common (contract.Board). Pins and registers are the board files'.

A board file holds its tables and one class; this holds the rest. None of it has run on hardware: it was driven with
stand-ins for ``machine``, and the Pico W's on an emulated RP2040 (firmware/README.md).
"""

import gc
import io
import os
import select
import time

import machine

from firmware.board import crumb, life
from firmware.board.config import ConfigError
from firmware.board.lamps import PwmLamp
from firmware.board.net import Net
from firmware.board.netif import ChipNetwork
from protocol.words import STEPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.board.config import Config
    from firmware.board.contract import Connector, Network, NetworkInterface

WATCHDOG_MS = 8000  # a rp2 can wait 8,388 ms at most
# Before this (2026-01-01) nobody has set the clock: chips start in 1970, 2000 or 2021.
_CLOCK_KNOWN_UNIX_MS = 1767225600000
_EPOCH_UNIX_MS = 946684800000 if time.gmtime(0)[0] == 2000 else 0
# A chip takes a new brightness only when its counter wraps, so this is what a finger waits for, too: 0.2 ms.
_LAMP_HZ = 5000
_IOCTL_POLL, _POLLIN = 3, 1


def run(board: "Chip", root: str, mode: str) -> "int | str":
    """A board file's main(): the pad whose flash is at ``root``, until it is to be started again."""
    board.FLASH = root
    board.mark("starting")
    try:
        return life.run(board, root, mode, root + "/pad.json", lambda settings: _connect(board, root, settings))
    except KeyboardInterrupt:  # Ctrl-C at the prompt: from here on nobody feeds
        board.leave("soft")
        board.release_watchdog()
        raise


def _connect(board: "Chip", root: str, settings: "Config") -> Net:
    if settings.network != board.NETWORK:
        raise ConfigError("pad.json: network must be %s: this board has no other" % board.NETWORK)
    board.network = ChipNetwork(board.interface(), settings, board)
    return Net(board, settings, board.poll, board.network, root, root + "/state")


class Chip:
    """``left`` is the word that lay there at this start (crumb.py), ``found`` what the chip knows of its reset."""

    NAME = ""
    NETWORK = "wifi"
    FLASH: "str | None" = None
    BUTTON_IDS = LAMP_IDS = (0, 0, 0)
    PRESSED_LEVEL = 0  # buttons pull to ground, as cables that break must not press
    HARD_IRQ = False
    Pin = machine.Pin
    irq_lock = None
    ticks_ms = staticmethod(time.ticks_ms)  # type: ignore[attr-defined]
    ticks_diff = staticmethod(time.ticks_diff)  # type: ignore[attr-defined]
    random_bytes = staticmethod(os.urandom)

    def __init__(self, left: int, found: str):
        self.RESET, self.DURING = crumb.read(left, found)
        self.poll = select.poll()
        self.connector: Connector  # made once pad.json is read
        self.network: Network | None = None
        self._buttons = _Buttons(
            [machine.Pin(pin_id, machine.Pin.IN, machine.Pin.PULL_UP) for pin_id in self.BUTTON_IDS]
        )
        self.poll.register(self._buttons, select.POLLIN)
        self._words = {left: {step: self._word(crumb.pack(left, step)) for step in STEPS} for left in crumb.LEFT}
        self._running = self._words[""]
        self._step = STEPS[0]
        self._dog: machine.WDT | None = None
        self._known = self._raw_ms() >= _CLOCK_KNOWN_UNIX_MS  # a chip's clock outlives most resets
        self._ahead_ms = 0

    def interface(self) -> "NetworkInterface":
        raise NotImplementedError

    def lamp(self, pin_id: int) -> PwmLamp:
        return PwmLamp(machine.PWM(machine.Pin(pin_id), freq=_LAMP_HZ, duty_u16=0))

    def settle_lamps(self) -> None:
        """They hang on the chip's own pins."""

    def sense_lamp(self, number: int) -> "bool | None":
        """No board of ours measures its lamps' current."""
        return None

    def now_unix_ms(self) -> "int | None":
        return self._raw_ms() + self._ahead_ms if self._known else None

    def set_clock(self, unix_ms: int, known: bool) -> None:
        """Sets the chip's own clock too, which counts whole seconds: TLS reads certificates by it."""
        self._set_seconds(unix_ms)
        self._ahead_ms = unix_ms - self._raw_ms()
        self._known = known

    def wait(self, timeout_ms: int) -> bool:
        """Returns True at all times: a chip stops when its power does."""
        self.poll.poll(timeout_ms)
        self._buttons.look()
        return True

    def feed_watchdog(self) -> None:
        if self._dog is None:
            self._dog = machine.WDT(timeout=WATCHDOG_MS)
        self._dog.feed()

    def mark(self, step: str) -> None:
        self._step = step
        self._keep(self._running[step])

    def leave(self, reset: str) -> None:
        self._keep(self._words[reset][self._step])

    def release_watchdog(self) -> None:
        """For a person at the prompt, whom nobody feeds for."""
        if self._dog is not None:
            self._call_off()
            self._dog = None

    def heap(self) -> "tuple[int, int]":
        gc.collect()
        return gc.mem_alloc(), gc.mem_free()  # type: ignore[attr-defined]

    def signal_dbm(self) -> "int | None":
        return self.network.signal_dbm if self.network else None

    def log(self, text: str) -> None:
        print("# " + text)

    def _raw_ms(self) -> int:
        return time.time_ns() // 1000000 + _EPOCH_UNIX_MS

    def _set_seconds(self, unix_ms: int) -> None:
        year, month, day, hour, minute, second, weekday = time.gmtime((unix_ms - _EPOCH_UNIX_MS) // 1000)[:7]
        machine.RTC().datetime((year, month, day, weekday, hour, minute, second, 0))

    def _word(self, word: int) -> object:
        """``word`` as _keep() takes it, made beforehand: marking allocates nothing."""
        return word

    def _keep(self, word: object) -> None:
        raise NotImplementedError

    def _call_off(self) -> None:
        raise NotImplementedError


class _Buttons(io.IOBase):
    """Wakes the poll when a button has moved since look(): an interrupt alone does not end it.

    The poll asks about once a millisecond, so nothing here allocates.
    """

    def __init__(self, pins: "list[machine.Pin]"):
        self._pins = pins
        self._seen = 0
        self.look()

    def look(self) -> None:
        self._seen = self._levels()

    def ioctl(self, request: int, argument: int) -> int:
        if request == _IOCTL_POLL:
            return argument & _POLLIN if self._levels() != self._seen else 0
        return -1

    def _levels(self) -> int:
        levels = 0
        for pin in self._pins:
            levels = levels << 1 | pin.value()
        return levels
