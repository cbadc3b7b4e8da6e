"""What the lamps of the whole pad show besides the vote: brightness, settings, the wink, a press that was none."""

from firmware.board.touch import TOGETHER_MS
from firmware.core.debounce import OPEN_MS
from firmware.core.wink import AFTER_MS, EVERY_MS
from firmware.core.wink import PCT as WINK_PCT
from protocol.messages import CallClosed, Command, Health, PadStatus, Settings
from tests.portable.app_bench import ONE, TWO
from tests.portable.app_bench import Bench as AppBench
from tests.portable.firmware_bench import NOW_UNIX_MS, Board, Pin


class Lamp:
    """Remembers how bright it is."""

    def __init__(self, board, pin_id):
        self.pin = board.Pin(pin_id, board.Pin.OUT, value=0)
        self.pct = 0
        board.made_lamps[pin_id] = self

    def light(self, pct):
        self.pct = pct
        self.pin.value(1 if pct else 0)

    def off(self):
        self.light(0)


class Bench(AppBench):
    @property
    def shown(self):
        return tuple([self.board.made_lamps[pin_id].pct for pin_id in self.board.LAMP_IDS])


def bench():
    before = Board.lamp
    Board.made_lamps = {}
    Board.lamp = lambda board, pin_id: Lamp(board, pin_id)  # noqa: PLW0108 - a class is not bound
    try:
        return Bench()
    finally:
        Board.lamp = before


def test_lamps_are_as_bright_as_the_settings_say():
    pad = bench()
    pad.hear("settings", Settings(armed_pct=40, chosen_pct=70))
    pad.call()
    assert pad.shown == (40, 40, 40)
    pad.turn(lambda: Pin.made[2].value(1))
    assert pad.shown == (0, 40, 0)  # from the interrupt, which only turns lamps off
    pad.after(TOGETHER_MS)
    assert pad.shown == (0, 70, 0)


def test_settings_that_come_while_armed_or_voted_are_obeyed_at_once():
    pad = bench().call()
    pad.hear("settings", Settings(armed_pct=40))
    assert pad.shown == (40, 40, 40)
    pad.press(2)
    pad.hear("settings", Settings(chosen_pct=10))
    assert pad.shown == (0, 10, 0)
    pad.press(1)
    assert pad.journal.depth == 1


def test_settings_that_come_between_a_press_and_its_judgement_do_not_light_the_others():
    pad = bench().call()
    pad.turn(lambda: Pin.made[2].value(1))
    pad.hear("settings", Settings(armed_pct=40))
    assert pad.shown == (0, 40, 0)
    pad.after(TOGETHER_MS)
    assert pad.journal.rating_of(ONE) == 2


def test_by_default_the_chosen_lamp_stays_lit_until_the_call_ends():
    pad = bench().call()
    pad.press(3)
    assert pad.after(300000).board.lamps == "L001"
    pad.hear("call", CallClosed(ONE, NOW_UNIX_MS))
    assert pad.board.lamps == "L000"


def test_the_chosen_lamp_goes_out_after_the_seconds_it_is_told_and_the_lock_stays():
    pad = bench()
    pad.hear("settings", Settings(chosen_s=5))
    pad.call()
    pad.press(3).after(4000)
    assert pad.board.lamps == "L001"
    pad.after(2000)
    assert (pad.board.lamps, pad.last(PadStatus).phase) == ("L000", "voted")
    pad.press(1)
    assert (pad.board.lamps, pad.journal.depth) == ("L000", 1)


def test_a_recall_does_not_light_a_chosen_lamp_that_has_gone_out():
    pad = bench()
    pad.hear("settings", Settings(chosen_s=2))
    pad.call()
    pad.press(3).after(3000)
    pad.call()
    assert pad.after(1000).board.lamps == "L000"
    pad.call(TWO)
    assert pad.board.lamps == "L111"


def test_a_restart_in_a_voted_call_shows_the_vote_once_more_for_as_long():
    pad = bench()
    pad.hear("settings", Settings(chosen_s=5))
    pad.call()
    pad.press(3).after(6000)
    pad.board.connector.streams[-1].closed = True
    pad.switch_on()
    pad.hear("settings", Settings(chosen_s=5))
    pad.call()
    assert pad.board.lamps == "L001"
    assert pad.after(6000).board.lamps == "L000"


def test_two_buttons_at_once_are_answered_and_taken_back():
    pad = bench().call().forget()
    pad.press(1, 3)
    assert pad.board.lamps == "L111"
    assert pad.shown == (100, 100, 100) and pad.journal.depth == 0
    pad.press(3)
    assert pad.journal.rating_of(ONE) == 3


def test_a_spark_is_answered_taken_back_and_counted_nowhere():
    pad = bench().call()

    def spark():
        Pin.made[1].value(1)
        Pin.made[1].value(0)
        assert pad.shown == (100, 0, 0)

    pad.turn(spark).after(OPEN_MS + 10)
    assert pad.shown == (100, 100, 100)
    pad.hear("command", Command("r", "report"), retained=False)
    health = pad.last(Health)
    assert (health.votes, health.repeats, health.no_call, health.late) == (0, 0, 0, 0)


def test_a_press_while_the_loop_was_blocked_is_as_old_as_it_is():
    pad = bench().call()
    pad.board.pass_ms(5000)

    def blocked():
        Pin.made[3].value(1)
        pad.board.pass_ms(40)
        Pin.made[3].value(0)
        Pin.made[1].value(1)
        pad.board.pass_ms(60)

    pad.turn(blocked).after(20)
    vote = pad.journal.oldest()
    assert (vote.rating, vote.after_ms) == (3, 5000)
    assert pad.app._pad.counts == {"vote": 1, "repeat": 1, "no_call": 0, "late": 0}


def out_of_touch():
    pad = bench()
    pad.board.connector.refuses = True
    pad.board.connector.streams[-1].ended = True
    return pad


def test_a_dark_pad_out_of_touch_winks_one_dim_lamp():
    pad = out_of_touch()
    pad.forget()
    for _ in range(400):
        pad.turn(None)
    winks = [line for line in pad.board.trace if line[0] == "L"]
    assert winks[:4] == ["L010", "L000"] * 2
    assert len(winks) % 2 == 0


def test_a_wink_is_dim_ends_when_the_broker_is_back_and_takes_no_vote():
    pad = out_of_touch()
    pad.after(AFTER_MS - 1000)
    while pad.board.lamps != "L010":
        pad.turn(None)
    assert pad.shown == (0, WINK_PCT, 0)
    pad.press(1)
    assert (pad.journal.depth, pad.board.lamps) == (0, "L000")
    pad.board.connector.refuses = False
    pad.reconnect()
    pad.forget().after(AFTER_MS + EVERY_MS)
    assert not [line for line in pad.board.trace if line[0] == "L"]


def test_a_pad_that_lost_its_broker_in_a_call_winks_only_when_it_is_dark_again():
    pad = bench().call()
    pad.board.connector.refuses = True
    pad.board.connector.streams[-1].ended = True
    pad.forget().after(50000)
    assert not [line for line in pad.board.trace if line[0] == "L"]
    pad.press(3)
    assert pad.board.lamps == "L001"
    pad.forget().after(3 * AFTER_MS)
    assert not [line for line in pad.board.trace if line[0] == "L"]
