"""A pad on the bench: a board whose clock, pins, flash and broker are in the test's hand. Runs under both Pythons.

Not a simulator: nothing here moves by itself. Time passes by ``pass_ms`` and wraps as a real board's does, after
2**30 ms; by default it starts shortly before that, so that every test crosses the wrap.
"""

import gc

from firmware.board.lamps import PinLamp
from firmware.board.mqtt import _packet, _string
from protocol import codec, topics
from protocol.words import STEPS

if hasattr(gc, "threshold"):
    # MicroPython collects only when its heap is full, and then what lives is strewn all over it: the tests that
    # come after these, with payloads of a megabyte, would find no room in one piece.
    gc.threshold(65536)

TICKS_PERIOD = 1 << 30
NOW_UNIX_MS = 1795300000000
DESK = "desk-1"


def ticks_diff(later, earlier):
    """MicroPython's own: the signed distance on a ring."""
    half = TICKS_PERIOD // 2
    return (later - earlier + half) % TICKS_PERIOD - half


class Pin:
    """machine.Pin with a record of what was set."""

    IN, OUT, PULL_UP, PULL_DOWN, IRQ_RISING, IRQ_FALLING = 0, 1, 1, 2, 1, 2
    made = {}

    def __init__(self, pin_id, mode, pull=None, *, value=None):
        self.level = value or 0
        self.handler = None
        self.trigger = 0
        self.hard = False
        self.made[pin_id] = self

    def value(self, level=None):
        if level is None:
            return self.level
        edge = level - self.level
        self.level = level
        if edge and self.handler and self.trigger & (self.IRQ_RISING if edge > 0 else self.IRQ_FALLING):
            self.handler(self)
        return None

    def off(self):
        self.level = 0

    def irq(self, handler, trigger, hard=False):
        self.handler = handler
        self.trigger = trigger
        self.hard = hard


class Stream:
    """A connection whose other end is the test; only pings are answered by themselves."""

    def __init__(self, trace):
        self._trace = trace
        self.is_ready = True
        self.inbox = b""
        self.sent = []
        self.room = 1 << 20
        self.ended = False
        self.closed = False

    def ready(self):
        return self.is_ready

    def send(self, data):
        if self.ended:
            raise OSError(104, "reset")
        count = min(len(data), self.room)
        if data == b"\xc0\x00":
            self.inbox += b"\xd0\x00"
        if count:
            self.sent.append(bytes(data[:count]))
            self._trace.extend(["sent " + kind for kind, _, _, _ in outbound([data])] if count == len(data) else [])
        return count

    def receive(self, buffer):
        if self.ended:
            raise OSError(104, "reset")
        count = min(len(buffer), len(self.inbox))
        buffer[:count] = self.inbox[:count]
        self.inbox = self.inbox[count:]
        return count

    def close(self):
        self.closed = True


class Connector:
    """Hands out streams; while ``refuses`` is set, nobody listens."""

    def __init__(self, trace):
        self._trace = trace
        self.streams = []
        self.refuses = False
        self.is_ready = True
        self.is_up = True
        self.stalls = False
        self.steps = []

    def step(self, ticks_ms, may_write):
        self.steps.append(may_write)

    def heard(self, at_unix_ms):
        self.last_heard = at_unix_ms

    def open(self, host, port):
        if self.refuses:
            raise OSError(111, "refused")
        stream = Stream(self._trace)
        stream.is_ready = self.is_ready
        self.streams.append(stream)
        return stream


class Board:
    """firmware.board.contract.Board; ``trace`` has everything that can be seen from outside, in order."""

    NAME = "bench"
    RESET = "power"
    DURING = None
    FLASH = None
    BUTTON_IDS = (1, 2, 3)
    LAMP_IDS = (4, 5, 6)
    PRESSED_LEVEL = 1
    HARD_IRQ = True
    irq_lock = None
    Pin = Pin

    def __init__(self, ticks=TICKS_PERIOD - 1500):
        self.ticks = ticks
        self.now = NOW_UNIX_MS
        self.trace = []
        self.connector = Connector(self.trace)
        self.logged = []
        self.lamps = None
        self.random = 7
        self.step = "starting"  # what a restart would find
        self.left = ""
        self.fed = 0
        self.free_bytes = 50000
        self.sensed = None  # a function of the lamp's number, for a board that can tell
        self.turns = []  # what is to happen in each wait(); the pad is switched off after the last

    def lamp(self, pin_id):
        return PinLamp(self, pin_id)

    def settle_lamps(self):
        lamps = "L%d%d%d" % tuple([Pin.made[pin_id].level for pin_id in self.LAMP_IDS])
        if lamps != self.lamps:
            self.lamps = lamps
            self.trace.append(lamps)

    def ticks_ms(self):
        return self.ticks

    def ticks_diff(self, later, earlier):
        return ticks_diff(later, earlier)

    def now_unix_ms(self):
        return self.now

    def set_clock(self, unix_ms, known):
        self.now = unix_ms if known else None

    def pass_ms(self, ms):
        self.ticks = (self.ticks + ms) % TICKS_PERIOD
        if self.now is not None:
            self.now += ms

    def wait(self, timeout_ms):
        if not self.turns:
            return False
        turn = self.turns.pop(0)
        if turn is None:
            self.pass_ms(timeout_ms)
        else:
            turn()
        return True

    def feed_watchdog(self):
        self.fed += 1

    def mark(self, step):
        assert step in STEPS
        self.step = step

    def leave(self, reset):
        self.left = reset

    def random_bytes(self, count):
        self.random = (self.random * 69069 + 1) % (1 << 32)
        return bytes([(self.random >> (8 * (i % 4))) & 255 for i in range(count)])

    def heap(self):
        return 1000, self.free_bytes

    def sense_lamp(self, number):
        return self.sensed(number) if self.sensed else None

    def signal_dbm(self):
        return None

    def log(self, text):
        self.logged.append(text)


CONNACK = b"\x20\x02\x00\x00"


def inbound(kind, message, retained=True, packet_id=1):
    """A PUBLISH at QoS 1 as a broker sends it to the pad; ``message`` may be raw bytes."""
    payload = message if isinstance(message, bytes) else codec.encode(message)
    body = _string(topics.desk(DESK, kind).encode()) + bytes([0, packet_id]) + payload
    return _packet(0x33 if retained else 0x32, body)


def outbound(packets):
    """(kind, message, qos, retained) of every PUBLISH in ``packets``, which are whole."""
    found = []
    for packet in packets:
        if packet[0] >> 4 != 3:  # PUBLISH
            continue
        at = 1
        while packet[at] & 128:
            at += 1
        at += 1
        end = at + 2 + (packet[at] << 8 | packet[at + 1])
        kind = topics.parse(packet[at + 2 : end].decode())[2]
        qos = packet[0] >> 1 & 3
        found.append((kind, codec.decode(kind, packet[end + (2 if qos else 0) :]), qos, packet[0] & 1))
    return found
