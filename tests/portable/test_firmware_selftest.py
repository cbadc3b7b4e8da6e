"""What a pad finds out about itself, when it looks, and that IT hears of it."""

import os

from firmware.board import selftest
from firmware.board.app import App
from firmware.board.config import parse
from firmware.board.selftest import CLOCK_LIMIT_MS, NIGHT_MS, OVERDUE_MS, QUIET_MS, ROOM_BYTES, SelfTest
from firmware.core.journal import Journal
from protocol.messages import Ack, CallClosed, CallOpened, Command, Health, PadStatus
from tests.portable.firmware_bench import CONNACK, NOW_UNIX_MS, Board, Pin, inbound, outbound

CONFIG = b'{"desk":"desk-1","broker_host":"h","broker_port":1,"password":"pw","reconnect_max_s":1}'
ONE = "0000000000000001"


class Store:
    condition = "ok"
    refused = None

    def open(self):
        return Journal(b"abcd")

    def save(self, journal):
        return True


class Pad:
    """A connected pad on the bench."""

    def __init__(self):
        self.board = Board()
        self.app = App(parse(CONFIG), self.board, Store())
        while not self.said:
            self.turn(lambda: self.receive(CONNACK) if self.board.connector.streams else None)

    def turn(self, what=None):
        self.board.turns = [what, None]
        self.app.run()
        return self

    def receive(self, data):
        self.board.connector.streams[-1].inbox += data

    def hear(self, kind, message, retained=False):
        return self.turn(lambda: self.receive(inbound(kind, message, retained)))

    @property
    def said(self):
        return [message for stream in self.board.connector.streams for _, message, _, _ in outbound(stream.sent)]

    def last(self, kind):
        return [message for message in self.said if isinstance(message, kind)][-1]


class Lamps:
    """Three lamps of which some are broken, and the sensor of their current."""

    def __init__(self, board, broken=(), shorted=()):
        self._board = board
        self._broken = broken
        self._shorted = shorted
        self.shown = []
        self.lit = (0, 0, 0)
        board.sensed = self.sense

    def show(self, levels):
        self.shown.append(levels)
        self.lit = levels

    def sense(self, number):
        return number in self._shorted or (bool(self.lit[number]) and number not in self._broken)


def ignore(levels):
    raise AssertionError("no lamp may move")


def after_test(board, lamps=None):
    test = SelfTest(board)
    test.run(0, lamps.show if lamps else ignore)
    return test


def folder():
    name = "/tmp/zrazkovo-selftest-%d" % int.from_bytes(os.urandom(4), "big")
    os.mkdir(name)
    return name


def test_lamps_that_nothing_can_sense_stay_dark_and_are_unverified():
    assert after_test(Board()).lamps == "unverified"


def test_each_lamp_is_lit_alone_and_all_are_dark_afterwards():
    lamps = Lamps(Board())
    assert after_test(lamps._board, lamps).lamps == "ok"
    assert [shown for shown in lamps.shown if any(shown)] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert lamps.lit == (0, 0, 0)


def test_a_lamp_that_is_broken_or_never_goes_out_is_a_fault():
    for number in range(3):
        lamps = Lamps(Board(), broken=(number,))
        assert after_test(lamps._board, lamps).lamps == "fault"
        lamps = Lamps(Board(), shorted=(number,))
        assert after_test(lamps._board, lamps).lamps == "fault"


def test_too_little_memory_is_low_and_enough_is_ok_again():
    board = Board()
    board.free_bytes = ROOM_BYTES - 1
    test = after_test(board)
    assert test.memory == "low"
    board.free_bytes = ROOM_BYTES
    test.run(0, ignore)
    assert test.memory == "ok"
    test.note_free(ROOM_BYTES - 1)
    assert test.memory == "low"


def test_memory_that_is_enough_but_in_pieces_is_low():
    class Pieces:
        def __call__(self, size):
            raise MemoryError

    selftest.bytearray = Pieces()
    try:
        assert after_test(Board()).memory == "low"
    finally:
        del selftest.bytearray


def test_flash_is_written_and_read_back_but_not_at_the_start():
    board = Board()
    board.FLASH = folder()
    test = after_test(board)
    assert (os.listdir(board.FLASH), test.flash_failed) == ([], False)
    assert test.flash_free_bytes > 0
    test.run(0, ignore)
    assert (os.listdir(board.FLASH), test.flash_failed) == (["scratch"], False)
    os.remove(board.FLASH + "/scratch")
    os.rmdir(board.FLASH)


def test_a_flash_that_refuses_or_gives_back_something_else_is_a_fault_until_it_works_again():
    board = Board()
    board.FLASH = folder()
    test = after_test(board)
    os.mkdir(board.FLASH + "/scratch")  # nothing can be written there
    test.run(0, ignore)
    assert test.flash_failed
    os.rmdir(board.FLASH + "/scratch")
    test.run(0, ignore)
    assert not test.flash_failed
    os.remove(board.FLASH + "/scratch")
    os.rmdir(board.FLASH)
    test.run(0, ignore)
    assert test.flash_failed


def test_the_clock_is_judged_by_the_collectors():
    board = Board()
    test = SelfTest(board)
    assert (test.clock, test.clock_off_ms) == ("ok", None)
    for off_ms, said in (
        (0, "ok"),
        (CLOCK_LIMIT_MS, "ok"),
        (CLOCK_LIMIT_MS + 1, "wrong"),
        (-CLOCK_LIMIT_MS - 1, "wrong"),
    ):
        test.note_time(board.now - off_ms)
        assert (test.clock, test.clock_off_ms) == (said, off_ms)
    board.now = None
    assert test.clock == "unset"
    test.note_time(NOW_UNIX_MS)
    assert test.clock_off_ms is None


def test_it_is_due_at_the_start_when_asked_and_in_a_quiet_night():
    test = SelfTest(Board())
    assert test.is_due(0)
    test.run(0, ignore)
    assert not test.is_due(NIGHT_MS - 1)
    assert test.is_due(NIGHT_MS)
    test.note_call(NIGHT_MS - QUIET_MS + 1)
    assert not test.is_due(NIGHT_MS)
    assert test.is_due(NIGHT_MS + 1)
    test.run(NIGHT_MS + 1, ignore)
    assert not test.is_due(NIGHT_MS + 2)
    test.ask()
    assert test.is_due(NIGHT_MS + 2)


def test_a_desk_that_never_rests_is_tested_after_three_days():
    test = SelfTest(Board())
    test.run(0, ignore)
    test.note_call(OVERDUE_MS - 1000)
    assert not test.is_due(OVERDUE_MS - 1)
    assert test.is_due(OVERDUE_MS)


def test_a_pad_has_tested_itself_before_it_first_speaks():
    pad = Pad()
    status = pad.last(PadStatus)
    assert (status.lamps, status.memory, status.clock, status.storage) == ("unverified", "ok", "ok", "ok")
    assert pad.app._selftest.runs == 1


def test_a_test_that_it_asks_for_waits_for_the_end_of_the_call_and_is_answered():
    pad = Pad()
    pad.hear("call", CallOpened(ONE, NOW_UNIX_MS, NOW_UNIX_MS + 600000))
    pad.board.free_bytes = 5
    pad.hear("command", Command("t", "test"))
    assert pad.last(PadStatus).memory == "ok"
    Pin.made[2].value(1)
    pad.turn()
    Pin.made[2].value(0)
    pad.turn()
    assert (pad.board.lamps, pad.last(PadStatus).memory) == ("L010", "ok")  # the lamp still says what was chosen
    pad.hear("call", CallClosed(ONE, NOW_UNIX_MS))
    assert (pad.last(PadStatus).memory, pad.last(Health).self_tests) == ("low", 2)


def test_a_live_ack_tells_how_far_the_clock_is_off_and_a_kept_one_does_not():
    pad = Pad()
    at_unix_ms = pad.board.now - 90000
    pad.hear("ack", Ack("abcdabcd", 1, at_unix_ms), retained=True)
    assert pad.last(PadStatus).clock == "ok"
    pad.hear("ack", Ack("abcdabcd", 1, at_unix_ms))
    assert pad.last(PadStatus).clock == "wrong"
    pad.hear("command", Command("r", "report"))
    assert 89000 < pad.last(Health).clock_off_ms < 92000


def test_a_clock_that_is_not_set_is_said():
    pad = Pad()
    pad.board.now = None
    assert pad.turn().last(PadStatus).clock == "unset"
