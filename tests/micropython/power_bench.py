"""A pad whose flash may lose power at any write, and the centre around it, which knows what must hold after that.

Real: firmware.board.app and everything beneath it, LittleFS, MicroPython. In the test's hand: the chip
(tests/portable/flash_faults.py), the clock, the pins, and ``Centre``: broker, feed and collector as far as a pad can
tell them apart from real ones. A Centre outlives every cut and can be copied, so that one day has many endings.
"""

import gc
import os

import vfs

from firmware.board.app import RESTART, App
from firmware.board.config import parse
from firmware.board.mqtt import _packet, _string
from firmware.board.store import Store
from firmware.core.journal import Journal
from protocol import codec, topics
from protocol.messages import Ack, CallClosed, CallOpened, Command, PadStatus, Vote
from tests.portable.firmware_bench import DESK, NOW_UNIX_MS, Board, Connector, Pin, outbound
from tests.portable.flash_faults import Power
from tests.portable.model_collector import KNOWN, TAKEN, Collector

# The bench's threshold is for small heaps; every copy of a chip would be a collection.
gc.threshold(2000000)

MOUNT = "/cut"
CONFIG = parse(b'{"desk":"desk-1","broker_host":"h","broker_port":1,"password":"pw","reconnect_max_s":1}')
DARK, ALL = "L000", "L111"
HOUR_MS = 3600000


class Broken(AssertionError):
    """Something that must always hold (DESIGN section 3) does not."""


def call_id(number):
    return "c%015d" % number


def rating_of(lamps):
    """The rating that a single lit lamp stands for, or 0."""
    return {"L100": 1, "L010": 2, "L001": 3}.get(lamps, 0)


class Centre:
    """What the broker has kept, what the collector has committed, and what the people at the desk did and saw."""

    def __init__(self):
        self.call = CallClosed(None, NOW_UNIX_MS)  # retained
        self.ack = None  # retained
        self.acks_left = None  # so many receipts still leave the collector; None: all
        self.collector = Collector()
        self.broken = None  # what a pad has sent that no pad may send
        self.pressed = {}  # by call: every button that was pressed while all three were lit
        self.saved = {}  # by call: the rating whose writing has returned
        self.storage = None  # in the pad's last status
        self.boot = self.starts = 0

    def copy(self):
        other = Centre()
        other.call, other.ack, other.acks_left = self.call, self.ack, self.acks_left
        other.collector, other.saved = self.collector.copy(), dict(self.saved)
        other.pressed = {call: list(buttons) for call, buttons in self.pressed.items()}
        other.storage, other.boot, other.starts = self.storage, self.boot, self.starts
        return other

    def take(self, vote):
        """The collector's receipt for ``vote``, or None."""
        disposition = self.collector.take(vote)
        if disposition not in (TAKEN, KNOWN):
            self.broken = "%s: %r" % (disposition, vote)
        if self.acks_left == 0:
            return None
        if self.acks_left is not None:
            self.acks_left -= 1
        self.ack = Ack(vote.journal, vote.seq, NOW_UNIX_MS)
        return self.ack


_mounted = []


def mount(power):
    """Mounts the chip at MOUNT; a session that a failed test has left there ends."""
    unmount()
    vfs.mount(vfs.VfsLfs2(power, progsize=power.chip.program_bytes, mtime=power.chip.mtime), MOUNT)
    _mounted.append(power)


def unmount():
    while _mounted:
        _mounted.pop().cut()
        vfs.umount(MOUNT)


class Stream:
    """The broker's end of a connection: it grants everything, keeps what is retained, confirms what it takes."""

    def __init__(self, centre, power):
        self._centre = centre
        self._power = power
        self._inbox = b""
        self.closed = False

    def ready(self):
        return True

    def send(self, data):
        kind = data[0] >> 4
        if self._power.dead:
            pass  # nothing leaves a pad without power
        elif kind == 1:
            self._inbox += b"\x20\x02\x00\x00"
        elif kind == 8:
            self._grant(data)
            self.tell("call", self._centre.call)
            if self._centre.ack:
                self.tell("ack", self._centre.ack)
        elif kind == 12:
            self._inbox += b"\xd0\x00"
        elif kind == 3:
            self._publish(data)
        return len(data)

    def _grant(self, data):
        at = 2 if data[1] < 128 else 3
        filters = 0
        end = at + 2
        while end < len(data):
            end += 2 + (data[end] << 8 | data[end + 1]) + 1
            filters += 1
        self._inbox += b"\x90" + bytes([2 + filters]) + data[at : at + 2] + b"\x01" * filters

    def _publish(self, data):
        _, message, qos, _ = outbound([data])[0]
        if qos:
            at = 2 if data[1] < 128 else 3
            end = at + 2 + (data[at] << 8 | data[at + 1])
            self._inbox += b"\x40\x02" + data[end : end + 2]
        if isinstance(message, Vote):
            ack = self._centre.take(message)
            if ack:
                self.tell("ack", ack)
        elif isinstance(message, PadStatus):
            self._centre.storage = message.storage

    def tell(self, kind, message, retained=True):
        body = _string(topics.desk(DESK, kind).encode()) + b"\x00\x01" + codec.encode(message)
        self._inbox += _packet(0x33 if retained else 0x32, body)

    def receive(self, buffer):
        count = min(len(buffer), len(self._inbox))
        buffer[:count] = self._inbox[:count]
        self._inbox = self._inbox[count:]
        return count

    def close(self):
        self.closed = True


class Broker(Connector):
    def __init__(self, centre, power):
        Connector.__init__(self, [])
        self._centre = centre
        self._power = power

    def open(self, host, port):
        self.streams.append(Stream(self._centre, self._power))
        return self.streams[-1]


class Pad:
    """One power-on session of the real pad on ``chip``. Making it is the boot, up to the broker's retained call."""

    poor_random = True  # random numbers begin alike at every start
    app_class = App
    store_class = Store

    def __init__(self, chip, centre):
        self.chip = chip
        self.centre = centre
        self.power = Power(chip)
        self._power_on()

    @property
    def dead(self):
        return self.power.dead

    def _power_on(self):
        self.board = Board()
        self.centre.starts += 1
        self.board.random = 7 if self.poor_random else 7919 * self.centre.starts
        self.board.connector = Broker(self.centre, self.power)
        mount(self.power)
        self._start()

    def _start(self):
        self.board.lamps = None
        self.store = self.store_class(MOUNT, self.board.random_bytes)
        self.app = self.app_class(CONFIG, self.board, self.store)
        self.centre.storage = None
        for _ in range(40):
            if self.dead or self.centre.storage:
                break
            self.turn(None)
        self.turns(3)

    def switch_off(self):
        """Whatever happened to the power, this session is over."""
        self.power.cut()
        unmount()

    def turn(self, what):
        """One turn of the pad's loop; a dead pad has none."""
        if self.dead:
            return
        self.board.turns = [what]
        ended = self.app.run()
        if self.centre.broken:  # it could not be raised there: the pad outlives every surprise
            raise Broken(self.centre.broken)
        if ended == RESTART and not self.dead:
            self._start()

    def turns(self, count):
        for _ in range(count):
            self.turn(self.nothing)

    def nothing(self):
        self.board.pass_ms(50)

    def tell(self, kind, message, retained=True):
        self.turn(lambda: self.board.connector.streams[-1].tell(kind, message, retained))
        self.turns(2)

    # ---- what people and queues do
    def call(self, number):
        opened = self.board.now - 1000
        self.centre.call = CallOpened(call_id(number), opened, opened + HOUR_MS)
        self.tell("call", self.centre.call, retained=False)  # as it happens

    def close(self):
        self.centre.call = CallClosed(None, self.board.now)
        self.tell("call", self.centre.call, retained=False)

    def push(self, button):
        """A finger goes down and up again; who it was cannot know whether the pad has power."""
        self.turn(lambda: Pin.made[button].value(1))
        self.board.pass_ms(100)
        self.turn(lambda: Pin.made[button].value(0))
        self.board.pass_ms(100)
        self.turns(1)

    def vote(self, button):
        """The client presses if all three lamps are lit, and sees the result."""
        call = self.centre.call.call
        if self.dead or self.board.lamps != ALL:
            return
        self.centre.pressed.setdefault(call, []).append(button)
        self.push(button)
        if not self.dead:
            if rating_of(self.board.lamps) != button:
                raise Broken("%d was pressed and the lamps show %s" % (button, self.board.lamps))
            if not self.store.refused:
                self.centre.saved[call] = button

    def restart(self):
        self.tell("command", Command("r", "restart"), False)

    def settle(self):
        """Time passes until the collector has everything."""
        self.centre.acks_left = None
        for _ in range(6 * len(self.centre.pressed) + 20):
            if not self.dead:
                self.board.pass_ms(1000)
            self.turn(self.nothing)
            if self.dead or not self.stored().depth:
                return
        raise Broken("votes do not leave the pad: %d" % self.stored().depth)

    # ---- what must hold
    def stored(self):
        """The journal as a power cut would leave it."""
        found = Journal()
        with open(MOUNT + "/state/journal", "rb") as file:
            found.restore(file.readinto)
        return found

    def check(self):
        """After a boot: the lamps tell the truth, and nothing that was saved is forgotten."""
        if self.dead:
            return
        if self.store.condition != "ok" or self.centre.storage != "ok":
            raise Broken("the flash is reported as %s, %s" % (self.store.condition, self.centre.storage))
        journal = self.stored()
        if journal.boot < self.centre.boot:
            raise Broken("the start was not counted")
        self.centre.boot = journal.boot
        call = self.centre.call.call
        if not isinstance(self.centre.call, CallOpened):
            if self.board.lamps != DARK:
                raise Broken("lit without a call: %s" % self.board.lamps)
            return
        shown = rating_of(self.board.lamps)
        saved = self.centre.saved.get(call, 0)
        if shown != journal.rating_of(call) or (not shown and self.board.lamps != ALL):
            raise Broken("the lamps show %s, the journal holds %d" % (self.board.lamps, journal.rating_of(call)))
        if saved and shown != saved:
            raise Broken("%d was saved, and the pad shows %s" % (saved, self.board.lamps))
        if shown and shown not in self.centre.pressed.get(call, ()):
            raise Broken("nobody pressed %d" % shown)
        if call in self.centre.collector.votes and self.centre.collector.votes[call].rating != shown:
            raise Broken(
                "the collector has %r, the lamps show %s" % (self.centre.collector.votes[call], self.board.lamps)
            )
        if shown:
            self.centre.saved[call] = shown

    def check_all_arrived(self):
        """At the end: of every call in which somebody was told that the vote is taken, exactly that one arrived."""
        if self.dead:
            return
        for call, rating in self.centre.saved.items():
            if call not in self.centre.collector.votes:
                raise Broken("the vote %d of %s is lost" % (rating, call))
            if self.centre.collector.votes[call].rating != rating:
                raise Broken("%d was saved, %r arrived" % (rating, self.centre.collector.votes[call]))
        for call, vote in self.centre.collector.votes.items():
            if vote.rating not in self.centre.pressed[call]:
                raise Broken("nobody gave %r" % vote)


def write_second_file(size, name="/b.mpy"):
    """What an update does beside the journal: a file grows by a piece."""
    with open(MOUNT + name, "ab") as file:
        file.write(b"\xa5" * size)


def replace_second_file():
    try:
        os.rename(MOUNT + "/b.mpy", MOUNT + "/a.mpy")
    except OSError as error:
        if error.errno != 2:  # a cut came after it had been renamed
            raise
