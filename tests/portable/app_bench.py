"""The whole pad on the bench: firmware.board.app over a flash in a variable. Runs under both Pythons."""

from firmware.board.app import App
from firmware.board.config import parse
from firmware.core.journal import Journal
from protocol.messages import Ack, CallOpened
from tests.portable.firmware_bench import CONNACK, NOW_UNIX_MS, Board, Pin, inbound, outbound

CONFIG = b'{"desk":"desk-1","broker_host":"h","broker_port":1,"password":"pw","reconnect_max_s":1}'
ONE, TWO = "0000000000000001", "0000000000000002"


class Store:
    """firmware.board.store.Store over a variable."""

    def __init__(self, board, journal=None):
        self.condition = "ok"
        self.refused = None
        self.record = bytes((journal or Journal(b"abcd")).dump())
        self.failing = False
        self._trace = board.trace

    def open(self):
        journal = self.read()
        journal.start(b"rand")
        self.record = bytes(journal.dump())
        return journal

    def read(self):
        journal = Journal(b"none")

        def read_into(buffer):
            buffer[: len(self.record)] = self.record
            return len(self.record)

        journal.restore(read_into)
        return journal

    def save(self, journal):
        self._trace.append("save")
        if self.failing:
            raise RuntimeError("flash on fire")
        self.record = bytes(journal.dump())
        return True


class Bench:
    """A running pad. Every method is one turn of its loop, unless it says otherwise."""

    def __init__(self, journal=None):
        self.board = Board()
        self.store = Store(self.board, journal)
        self.ended = None
        self.switch_on()

    def switch_on(self):
        """Several turns, until the broker has taken the pad in."""
        self.app = App(parse(CONFIG), self.board, self.store)
        self.reconnect()

    def reconnect(self):
        streams = self.board.connector.streams
        while not streams or streams[-1].closed:
            self.turn(None)
        self.turn(None)
        self.turn(lambda: self.receive(CONNACK))

    def turn(self, what):
        self.board.turns = [what]
        self.ended = self.app.run()
        return self

    def receive(self, data):
        self.board.connector.streams[-1].inbox += data

    def hear(self, kind, message, retained=True):
        return self.turn(lambda: self.receive(inbound(kind, message, retained)))

    def call(self, call=ONE, for_ms=600000):
        now = self.board.now
        return self.hear("call", CallOpened(call, now, now + for_ms))

    def press(self, *buttons):
        """Two turns: down, and up again a little later."""

        def move(level):
            for button in buttons:
                Pin.made[button].value(level)

        self.turn(lambda: move(1))
        self.board.pass_ms(100)
        self.turn(lambda: move(0))
        self.board.pass_ms(100)
        return self

    def after(self, ms):
        """As many turns as a pad takes in that time, a minute at most in one."""
        while ms > 0:
            step = min(ms, 1000)
            self.turn(lambda: self.board.pass_ms(step))
            ms -= step
        return self

    @property
    def said(self):
        """Every message published on all connections so far."""
        return [message for stream in self.board.connector.streams for _, message, _, _ in outbound(stream.sent)]

    def last(self, kind):
        return [message for message in self.said if isinstance(message, kind)][-1]

    @property
    def journal(self):
        """What a power cut would leave."""
        return self.store.read()

    def forget(self):
        del self.board.trace[:]
        return self


def ack(bench, seq=1):
    return Ack(bench.journal.id, seq, NOW_UNIX_MS)
