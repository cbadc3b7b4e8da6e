"""Buttons and lamps of the unix board: lines on stdin and stdout, moved by a thread as a chip moves its pins.

A thread of its own reads stdin and calls the buttons' interrupt handlers, whatever the pad's loop is busy with: that
is what a hard interrupt does on a chip. It holds ``lock`` while it does, and its heap is locked, as a hard interrupt's
is: this MicroPython's threads run side by side, and a collection in the loop's may sweep away what another allocates
meanwhile, even the frame of a call (a function of more than ten variables has its frame on the heap, if it can).

    stdin   P<button>1   the button (1..3) goes down        stdout  L<abc>   lamps bad, good, exemplary: 0 or 1
            P<button>0   it is released                             B<pct>   how bright those lit from now on are,
            end          the pad is switched off: exit 0                     said when it changes from 100 or back
                                                                    # text   log

A line takes effect when it is read, so lines that arrive together are a finger on several buttons at once; but a
button stays down for _HOLD_MS at least, as no finger is faster, and what follows its release waits for that.
"""

import _thread
import os
import select
import socket
import sys
import time

import micropython

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.board.contract import BoardPin

    Handler = Callable[[BoardPin], None]

_HOLD_MS = 30
_STACK_BYTES = 64 * 1024
_AF_UNIX = 1
_LOW, _HIGH = 48, 49
_LAMP_LINES = ("L000\n", "L001\n", "L010\n", "L011\n", "L100\n", "L101\n", "L110\n", "L111\n")


class Pin:
    """machine.Pin as far as a pad uses it, its levels held by the class as a chip holds them in registers."""

    IN, OUT = 0, 1
    PULL_UP, PULL_DOWN = 1, 2
    IRQ_RISING, IRQ_FALLING = 1, 2

    _levels: "dict[int, int]" = {}
    _handlers: "dict[int, tuple[Handler, int, Pin]]" = {}

    def __init__(self, id: int, mode: int = IN, pull: "int | None" = None, *, value: "int | None" = None):  # noqa: A002
        self._id = id
        self._levels[id] = self._levels.get(id, 0)
        if value is not None:
            self.value(value)

    def value(self, level: "int | None" = None) -> "int | None":
        """The level, or sets it and calls the interrupt handler if its edge came."""
        if level is None:
            return self._levels[self._id]
        edge = level - self._levels[self._id]
        self._levels[self._id] = level
        if edge and self._id in self._handlers:
            handler, trigger, pin = self._handlers[self._id]
            if trigger & (self.IRQ_RISING if edge > 0 else self.IRQ_FALLING):
                handler(pin)
        return None

    def on(self) -> None:
        self.value(1)

    def off(self) -> None:
        self.value(0)

    def irq(self, handler: "Handler", trigger: int = IRQ_RISING, *, hard: bool = False) -> None:
        self._handlers[self._id] = (handler, trigger, self)


class WireLamp:
    """A lamp of ``wire``, with the brightness that its last light() asked for."""

    def __init__(self, wire: "Wire", pin_id: int):
        self._wire = wire
        self._pin = Pin(pin_id, Pin.OUT, value=0)
        self.off = self._pin.off

    def light(self, pct: int) -> None:
        self._pin.value(1 if pct else 0)
        if pct:
            self._wire.lit_pct = pct


class Wire:
    """Reads stdin in a thread; ``poll`` wakes when a button has moved or the input has ended."""

    def __init__(self, poll: "select.poll", button_ids: "tuple[int, ...]", lamp_ids: "tuple[int, ...]"):
        self.lock = _thread.allocate_lock()
        self.lit_pct = 100
        self.has_ended = False
        self._is_started = self._is_rung = False
        self._turns_left = 1
        self._buttons = [Pin(pin_id) for pin_id in button_ids]
        self._lamps = [Pin(pin_id) for pin_id in lamp_ids]
        self._shown = -1
        self._said_pct = 100
        self._down_ticks = 0
        self._bell = _bell()
        self._byte = bytearray(1)
        self._line = bytearray(4)
        self._length = 0
        poll.register(self._bell, select.POLLIN)

    def is_on(self) -> bool:
        """Whether there is more input, or the loop has not yet had a turn since it ended. Starts reading it."""
        if not self._is_started:
            self._is_started = True
            _thread.stack_size(_STACK_BYTES)
            _thread.start_new_thread(self._read, ())
        if not self.has_ended:
            return True
        self._turns_left -= 1
        return self._turns_left >= 0

    def hear(self, source: object) -> None:
        """Takes note of the thread's call, if ``source`` of the poll is that."""
        if source is self._bell:
            self._is_rung = False  # first: what rings from here on rings for the next poll
            self._bell.recv(64)

    def forget(self) -> None:
        """The pad starts again: the lamps are said anew."""
        self._shown = -1

    def report(self) -> None:
        """Says what the lamps show, if that is new. To be called with ``lock`` held."""
        lamps = self._lamps
        shown = 4 * lamps[0].value() + 2 * lamps[1].value() + lamps[2].value()  # type: ignore[operator]
        if shown and self.lit_pct != self._said_pct:
            self._said_pct = self.lit_pct
            write("B%d\n" % self.lit_pct)
        if shown != self._shown:
            self._shown = shown
            write(_LAMP_LINES[shown])

    def _read(self) -> None:
        stdin = sys.stdin.buffer
        micropython.heap_lock()
        while stdin.readinto(self._byte):  # type: ignore[union-attr]
            if self._byte[0] == 10:
                self._take()
                self._length = 0
            else:
                self._line[min(self._length, 3)] = self._byte[0]
                self._length = min(self._length + 1, 4)  # a fourth byte makes it no line of ours
        self.has_ended = True
        self._ring()

    def _take(self) -> None:
        line = self._line
        is_known = self._length == 3 and line[0] == 80 and _HIGH <= line[1] <= _HIGH + 2 and _LOW <= line[2] <= _HIGH
        if not is_known:
            write("# not understood on stdin\n")
            return
        level = line[2] - _LOW
        if not level:
            self._wait_for_the_finger()
        self.lock.acquire()
        self._buttons[line[1] - _HIGH].value(level)
        self.report()
        self.lock.release()
        if level:
            self._down_ticks = time.ticks_ms()  # type: ignore[attr-defined]
        self._ring()

    def _wait_for_the_finger(self) -> None:
        while True:  # a collection's signal may end a sleep early
            left_ms = _HOLD_MS - time.ticks_diff(time.ticks_ms(), self._down_ticks)  # type: ignore[attr-defined]
            if not 0 < left_ms <= _HOLD_MS:
                return
            time.sleep_ms(left_ms)  # type: ignore[attr-defined]

    def _ring(self) -> None:
        if not self._is_rung:  # once is enough, and the bell never full: an OSError would take memory
            self._is_rung = True
            self._bell.send(b"1")


def _bell() -> "socket.socket":
    """A socket connected to itself: what a thread writes wakes a poll."""
    address: object = b"\x01\x00\x00" + os.urandom(8)  # AF_UNIX; the second zero: a name that is no file (Linux)
    try:
        found = socket.socket(_AF_UNIX, socket.SOCK_DGRAM)
        found.bind(address)  # type: ignore[arg-type]  # MicroPython takes the bytes of a sockaddr
    except OSError:
        found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        port = 49152 + int.from_bytes(os.urandom(2), "big") % 16384
        address = socket.getaddrinfo("127.0.0.1", port)[0][-1]
        found.bind(address)
    found.connect(address)  # type: ignore[arg-type]
    found.setblocking(False)
    return found


def write(text: str) -> None:
    sys.stdout.write(text)  # unbuffered in MicroPython: it has left the process when this returns
