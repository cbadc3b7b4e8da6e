"""The whole pad in MicroPython, which calls its own clients and is kept busy on purpose: what bench_finger.py presses.

Everything is the pad's own code but the source of calls and acks (a frozen broker brings none), and what the situation
adds to each turn of the loop. Two of the pad's rules are broken on purpose, because the press path is to hold without
them: flash is written and TLS shakes hands while the pad is armed.
"""

import gc
import time

from firmware.board import config, unix, unix_net
from firmware.board.app import App
from firmware.board.store import Store
from firmware.board.unix import UnixBoard
from firmware.board.unix_wire import Wire
from firmware.core.journal import CAPACITY
from firmware.flash_image import ROOT, mount
from protocol.messages import Ack, CallOpened

FLASH_ERASE_MS = 45  # typical for 4 KB (reference/firmware.md section 4); the file that is our flash takes none
BLOCKED_MS = 100
LEFT_BYTES = 12000  # the flash that is a file takes 4 KB of it for an erase


class TimedWire(Wire):
    """Notes how long it takes from the byte that completes a press to the lamps' line, in microseconds."""

    inside_us = 0

    def _take(self):
        began = time.ticks_us()
        is_press = self._line[2] == 49
        Wire._take(self)
        if is_press:
            self.inside_us = time.ticks_diff(time.ticks_us(), began)


unix.Wire = TimedWire


class Bench(UnixBoard):
    """Between two turns: the next client, and whatever the situation asks for."""

    def __init__(self, folder, situation):
        super().__init__(folder)
        self.situation = situation
        self.app = None
        self.calls = 0
        self.ballast = []
        self.longest_ms = 0
        self.began_ticks = time.ticks_ms()

    def wait(self, timeout_ms):
        self.longest_ms = max(self.longest_ms, time.ticks_diff(time.ticks_ms(), self.began_ticks))
        lit = sum([self.Pin(pin_id).value() for pin_id in self.LAMP_IDS])
        held = sum([self.Pin(pin_id).value() for pin_id in self.BUTTON_IDS])
        if lit < 2 and not held and self.app._pad.state != "armed":
            self.next_client()
            timeout_ms = 0
        is_on = super().wait(min(timeout_ms, 0 if self.situation in ("flash", "gc", "blocked", "handshakes") else 1000))
        self.began_ticks = time.ticks_ms()
        getattr(self, "be_" + self.situation, self.be_idle)()
        return is_on

    def next_client(self):
        """Logs the longest turn since the last and how long the press took, acknowledges, and calls."""
        self.log("turn %d inside %d" % (self.longest_ms, self._wire.inside_us))
        self.longest_ms = 0
        self.calls += 1
        journal = self.app._journal
        kept = CAPACITY - 20 if self.situation == "flash" else 0
        if journal.depth > kept:
            self.app._on_ack(Ack(journal.id, journal.oldest_seq + journal.depth - 1 - kept, 0), self.ticks_ms())
        now = self.now_unix_ms()
        self.app._on_message(CallOpened("%016d" % self.calls, now, now + 600000), False, self.ticks_ms())

    def be_idle(self):
        pass

    def be_flash(self):
        self.app._store.save(self.app._journal)
        time.sleep_ms(FLASH_ERASE_MS)

    def be_gc(self):
        if not self.ballast and self.app._link.connects:
            self.fill_heap()
        gc.collect()

    def fill_heap(self):
        reserve = bytearray(LEFT_BYTES)
        self.ballast = [None] * 4000
        try:
            for k in range(4000):
                self.ballast[k] = bytearray(64)
        except MemoryError:
            pass
        del reserve

    def be_blocked(self):
        time.sleep_ms(BLOCKED_MS)

    def be_handshakes(self):
        self.app._link._pause_ms = 0


def run(folder, situation):
    board = Bench(folder, situation)
    with open(folder + "/pad.json", "rb") as file:
        settings = config.parse(file.read())
    board.connector = unix_net.make(board, settings, board.poll, folder)
    mount(folder + "/flash.img")
    board.app = App(settings, board, Store(ROOT, board.random_bytes))
    if situation in ("mute", "handshakes"):
        step = board.app._link.step
        board.app._link.step = lambda ticks_ms, armed: step(ticks_ms, False)
    if situation == "flash":
        for number in range(CAPACITY - 20):
            board.app._journal.add("f%015d" % number, 1, 0)
    board.app.run()
