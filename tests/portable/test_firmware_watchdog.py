"""When the app feeds the watchdog, when it lets it starve, and what it marks on its way."""

from firmware.board.app import App
from firmware.board.config import parse
from firmware.core.journal import Journal
from protocol.messages import CallOpened, PadStatus
from tests.portable.firmware_bench import CONNACK, NOW_UNIX_MS, Board, Pin, inbound, outbound

CONFIG = b'{"desk":"desk-1","broker_host":"h","broker_port":1,"password":"pw","reconnect_max_s":1}'
ONE = "0000000000000001"


class Store:
    """firmware.board.store.Store that notes the step in which it was asked to save."""

    condition = "ok"
    refused = None

    def __init__(self, board):
        self._board = board
        self.steps = []

    def open(self):
        return Journal(b"abcd")

    def save(self, journal):
        self.steps.append(self._board.step)
        return True


class Pad:
    def __init__(self):
        self.board = Board()
        self.store = Store(self.board)
        self.app = App(parse(CONFIG), self.board, self.store)

    def turns(self, *turns):
        self.board.turns = list(turns)
        self.app.run()

    def hear(self, data):
        self.board.connector.streams[-1].inbox += data

    def connect(self):
        self.turns(None, None, None, lambda: self.hear(CONNACK))
        while not self.board.connector.streams[-1].sent:
            self.turns(None)
        return self


def test_every_turn_that_looked_after_buttons_and_network_feeds():
    pad = Pad().connect()
    fed = pad.board.fed
    pad.turns(None, None, None)
    assert pad.board.fed == fed + 4


def test_a_network_that_only_fails_by_surprise_starves_the_watchdog():
    pad = Pad().connect()

    def broken(ticks_ms):
        raise ValueError("surprise")

    pad.app._link.step = broken
    pad.turns(None)
    fed = pad.board.fed
    pad.turns(None, None)
    assert pad.board.fed == fed


def test_a_lost_connection_is_no_hang():
    pad = Pad().connect()
    pad.board.connector.streams[-1].ended = True
    pad.board.connector.refuses = True
    fed = pad.board.fed
    pad.turns(*[None] * 20)
    assert pad.board.fed == fed + 21


def test_what_a_turn_is_at_is_marked():
    pad = Pad().connect()
    seen = []
    pad.turns(lambda: seen.append(pad.board.step))
    assert seen == ["buttons"]  # waiting for one, too
    link_step = pad.app._link.step

    def spying(ticks_ms, armed):
        seen.append(pad.board.step)
        return link_step(ticks_ms, armed)

    pad.app._link.step = spying
    pad.turns(lambda: pad.hear(inbound("call", CallOpened(ONE, NOW_UNIX_MS, NOW_UNIX_MS + 600000))))
    assert set(seen[1:]) == {"network"}
    pad.turns(lambda: Pin.made[2].value(1), lambda: pad.board.pass_ms(20))
    assert pad.store.steps == ["storage"]


def test_the_status_says_what_the_last_start_ended_in():
    pad = Pad()
    pad.board.RESET, pad.board.DURING = "watchdog", "storage"
    pad.connect()
    sent = [message for stream in pad.board.connector.streams for _, message, _, _ in outbound(stream.sent)]
    status = next(message for message in sent if isinstance(message, PadStatus))
    assert (status.reset, status.during) == ("watchdog", "storage")
