"""A desk for a month in MicroPython, in virtual time: the real App, Store and LittleFS, a hostile network and broker.

Run as `micropython soak_world.py IMAGE DAYS SEED HOSTILITY` by soak.py; the pad's modules and firmware_bench must be on
its path. It keeps nothing of what has been, so that the heap shows what the pad keeps; soak.py does the books:

    P call rating          a client pressed while all three lamps were lit
    M call                 ... but for the call before this one, which is still open as far as the pad has heard
    D call                 a client stood before a dark pad
    V call rating j seq    a vote reached the collector (copies too)
    H day                  midnight: figures of micropython.mem_info() follow
    # text                 what happened to the network, and the pad's log
"""

import gc
import sys

import micropython

from firmware import flash_image
from firmware.board.app import App
from firmware.board.config import parse
from firmware.board.store import Store
from protocol.messages import Ack, CallClosed, CallOpened, Vote
from tests.portable.firmware_bench import TICKS_PERIOD, Board, Pin, inbound, outbound

CONFIG = b'{"desk":"desk-1","broker_host":"h","broker_port":1,"password":"pw"}'
DAY_MS, HOUR_MS, MINUTE_MS = 86400000, 3600000, 60000
START_UNIX_MS = 1795392000000  # a Monday, 0:00 UTC
OPENS_HOUR, CLOSES_HOUR = 8, 18
NIGHT_STEP_MS = 9000
BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"


class Random:
    def __init__(self, seed):
        self.state = seed * 2654435761 % (1 << 32) or 1

    def below(self, limit):
        for shift in (13, -17, 5):
            moved = self.state << shift if shift > 0 else self.state >> -shift
            self.state = (self.state ^ moved) & 0xFFFFFFFF
        return self.state % limit


class Link:
    """One connection of the pad, as its broker and the network between see it."""

    def __init__(self, world):
        self.world = world
        self.inbox = b""
        self.outbox = b""
        self.ended = False
        self.mute = False
        self.room = 4096

    def ready(self):
        return not self.mute

    def send(self, data):
        if self.ended:
            raise OSError(104, "reset")
        taken = bytes(data[: self.room])
        if not self.mute:
            self.outbox += taken
            self.world.broker.read(self)
        return len(taken)

    def receive(self, buffer):
        if self.ended:
            raise OSError(104, "reset")
        count = 0 if self.mute else min(len(buffer), len(self.inbox), self.room)
        buffer[:count] = self.inbox[:count]
        self.inbox = self.inbox[count:]
        return count

    def close(self):
        self.ended = True
        if self.world.link is self:
            self.world.link = None


class Broker:
    """Broker, feed and collector in one; keeps one retained message of each kind."""

    def __init__(self, world):
        self.world = world
        self.call = self.ack = None
        self.collects = self.admits = True
        self.breaks_next = False

    def read(self, link):
        while True:
            end = whole(link.outbox)
            if not end or link.ended:
                return
            packet, link.outbox = link.outbox[:end], link.outbox[end:]
            self.answer(link, packet)

    def answer(self, link, packet):
        kind = packet[0] >> 4
        if kind == 1:
            link.inbox += b"\x20\x02\x00\x00" if self.admits else b"\x20\x02\x00\x05"
        elif kind == 8:
            count = packet.count(b"zrazkovo")
            at = 2 + (packet[1] >> 7)  # the length has one byte or two
            link.inbox += bytes([0x90, 2 + count]) + packet[at : at + 2] + bytes([1] * count)
            for name, message in (("call", self.call), ("ack", self.ack)):
                if message:
                    link.inbox += inbound(name, message)
        elif kind == 12:
            link.inbox += b"\xd0\x00"
        elif kind == 3:
            self.publish(link, packet)

    def publish(self, link, packet):
        kind, message, qos, _ = outbound((packet,))[0]
        if qos and self.breaks_next:
            self.breaks_next = False
            link.ended = True  # it arrived; only the confirmation is lost
        elif qos:
            at = 2 + (packet[1] >> 7)  # the length has one byte or two
            at += 2 + (packet[at] << 8 | packet[at + 1])
            link.inbox += b"\x40\x02" + packet[at : at + 2]
        if kind == "vote" and self.collects:
            self.count(message)

    def count(self, vote):
        assert isinstance(vote, Vote)
        print("V %s %d %s %d" % (vote.call, vote.rating, vote.journal, vote.seq))
        self.ack = Ack(vote.journal, vote.seq, self.world.now)
        self.tell("ack", self.ack)

    def tell(self, kind, message):
        link = self.world.link
        if link and not link.ended and len(link.inbox) < 8192:
            link.inbox += inbound(kind, message, retained=False)


def whole(data):
    """Where the first packet in ``data`` ends; 0 if it is not all there."""
    length = shift = 0
    for at in range(1, min(5, len(data))):
        length |= (data[at] & 127) << shift
        shift += 7
        if not data[at] & 128:
            end = at + 1 + length
            return end if end <= len(data) else 0
    return 0


class Way:
    """contract.Connector."""

    is_up = True
    stalls = True

    def __init__(self, world):
        self._world = world

    def step(self, ticks_ms, may_write):
        pass

    def heard(self, at_unix_ms):
        pass

    def open(self, host, port):
        if self._world.refuses:
            raise OSError(111, "refused")
        self._world.link = Link(self._world)
        return self._world.link


class World(Board):
    """The board, and everything around it."""

    def __init__(self, days, seed, hostility):
        Board.__init__(self, ticks=TICKS_PERIOD - 5 * HOUR_MS)
        self.random_ = Random(seed)
        self.random = seed
        self.connector = Way(self)
        self.broker = Broker(self)
        self.link = None
        self.refuses = False
        self.days = days
        self.hostility = hostility
        self.passed_ms = 0
        self.now = START_UNIX_MS
        self.calls = 0
        self.call = self.app = None
        self.events = [(9 * 1000, self.midnight), (OPENS_HOUR * HOUR_MS, self.open_call)]
        self.events.append((OPENS_HOUR * HOUR_MS + MINUTE_MS, self.misfortune))

    # contract.Board

    def settle_lamps(self):
        pass

    def mark(self, step):
        pass

    def log(self, text):
        if text[:9] not in ("connected", "disconnec"):
            print("# " + text)

    def heap(self):
        gc.collect()
        return gc.mem_alloc(), gc.mem_free()

    def wait(self, timeout_ms):
        """Lets time pass up to the next event, and lets that happen."""
        hour = self.passed_ms % DAY_MS // HOUR_MS
        if timeout_ms >= 1000 and not OPENS_HOUR - 1 <= hour <= CLOSES_HOUR:
            timeout_ms = NIGHT_STEP_MS
        due_ms = min([at for at, _ in self.events])
        step_ms = max(0, min(max(1, timeout_ms), due_ms - self.passed_ms))
        self.pass_ms(step_ms)
        self.passed_ms += step_ms
        if self.passed_ms >= due_ms:
            for event in self.events:
                if event[0] == due_ms:
                    self.events.remove(event)
                    event[1]()
                    break
        return self.passed_ms < self.days * DAY_MS + 60000

    # what happens

    def after(self, ms, what):
        self.events.append((self.passed_ms + ms, what))

    def between(self, low, high):
        return low + self.random_.below(high - low)

    def midnight(self):
        gc.collect()
        print("H %d" % (self.passed_ms // DAY_MS))
        micropython.mem_info()
        self.after(DAY_MS, self.midnight)

    def open_call(self):
        hour = self.passed_ms % DAY_MS // HOUR_MS
        weekday = self.passed_ms // DAY_MS % 7
        if hour >= CLOSES_HOUR - 1 or weekday > 4:
            self.after(DAY_MS - self.passed_ms % DAY_MS + OPENS_HOUR * HOUR_MS, self.open_call)
            return
        self.calls += 1
        number, self.call = self.calls, ""
        for _ in range(16):
            self.call = BASE32[number % 32] + self.call
            number //= 32
        self.broker.call = CallOpened(self.call, self.now, self.now + 10 * MINUTE_MS)
        self.broker.tell("call", self.broker.call)
        if self.random_.below(100) < 90:
            self.after(self.between(1500, 40000), self.press)
        self.after(self.between(41000, 60000), self.close_call)

    def close_call(self):
        self.broker.call = CallClosed(self.call, self.now)
        self.broker.tell("call", self.broker.call)
        self.after(self.between(2000, 100000), self.open_call)

    def press(self):
        rating = 1 + self.random_.below(3)
        lit = [Pin.made[pin_id].level for pin_id in self.LAMP_IDS]
        if lit == [1, 1, 1]:
            armed_for = self.app._pad.call
            print("P %s %d" % (armed_for, rating))
            if armed_for != self.call:
                print("M %s" % self.call)  # cut off, the pad has not heard that this client's call was opened
        elif lit == [0, 0, 0]:
            print("D %s" % self.call)  # dark before a client: the call did not reach the pad
        Pin.made[rating].value(1)
        self.after(80, lambda: Pin.made[rating].value(0))

    def misfortune(self):
        """Something goes wrong with network, broker or collector, and is mended a while later."""
        if self.passed_ms < (self.days - 1) * DAY_MS + CLOSES_HOUR * HOUR_MS:
            self.after(self.between(1000, 2 * self.hostility), self.misfortune)
        else:
            self.mend()
            return
        happening = self.random_.below(10)
        lasts_ms = self.between(1000, 5 * MINUTE_MS)
        link, broker = self.link, self.broker
        if happening < 3 and link:
            link.ended = True
        elif happening == 3 and link:
            link.mute = True
        elif happening == 4:
            self.refuses = True
            if link:
                link.ended = True
        elif happening == 5:
            broker.collects = False
        elif happening == 6:
            broker.admits = False
            if link:
                link.ended = True
        elif happening == 7:
            broker.call = broker.ack = None  # wiped
            if link:
                link.ended = True
        elif happening == 8:
            broker.breaks_next = True
        elif link:
            link.room = self.between(1, 60)
            for payload in (b"", b"{", b"x" * 3000, b'{"v":9}'):
                broker.tell("call", payload)
            if broker.ack:
                broker.tell("ack", broker.ack)
        self.after(lasts_ms, self.mend)

    def mend(self):
        self.refuses = False
        self.broker.collects = self.broker.admits = True
        if self.link:
            self.link.room = 4096


def main():
    flash_image.mount(sys.argv[1])
    world = World(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]) * 1000)
    app = App(parse(CONFIG), world, Store(flash_image.ROOT, world.random_bytes))
    world.app = app
    app.run()
    print("E %d %d %d" % (app._journal.depth, app._link.connects, world.calls))


main()
