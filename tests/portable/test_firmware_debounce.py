"""A bouncing contact, a held one, a jammed one, a spark; each with ticks that wrap in the middle of it."""

from firmware.core.debounce import CLOSED_MS, GLITCH, HEALED_MS, OPEN_MS, PRESS, STUCK_MS, UNDECIDED, Contact
from tests.portable.bounces import COMES_FREE, GLITCHES, PUSHES
from tests.portable.firmware_bench import TICKS_PERIOD, ticks_diff

BEFORE_WRAP_MS = 5


def ticks(us):
    return (us // 1000 - BEFORE_WRAP_MS) % TICKS_PERIOD


class Finger:
    """A contact since a second before the first movement; remembers each verdict as (PRESS or GLITCH, began in ms)."""

    def __init__(self, is_down=False):
        self.contact = Contact(ticks_diff, is_down, ticks(-1000000))
        self.contact.look(ticks(0))
        self.verdicts = []

    def play(self, movements, every_us=500):
        """Plays the movements as interrupts and looks at the contact every ``every_us`` until 100 ms after them."""
        us = min(0, movements[0][0])
        after = [(movements[-1][0] + 100000, None)]
        for at, closed in list(movements) + after:
            while us < at:
                self.look(us)
                us += every_us
            if closed is not None:
                self.contact.edge(bool(closed), ticks(at))
        self.look(us)
        return self

    def look(self, us, final=False):
        self.contact.look(ticks(us))
        if self.contact.is_pending:
            verdict = self.contact.judge(ticks(us), final)
            if verdict != UNDECIDED:
                self.contact.is_pending = False
                self.verdicts.append((verdict, ticks_diff(self.contact.began_ticks, ticks(0))))


def test_every_bouncing_push_is_one_press_that_began_with_its_first_closing():
    for name, movements in PUSHES.items():
        for every_us in (300, 1000, 7000, 20000, 100000, 1000000):
            verdicts = Finger().play(movements, every_us).verdicts
            assert verdicts == [(PRESS, 0)], (name, every_us, verdicts)


def test_a_bouncing_push_is_one_press_whenever_the_ticks_wrap():
    global BEFORE_WRAP_MS
    try:
        for movements in PUSHES.values():
            for BEFORE_WRAP_MS in range(0, 170, 3):
                assert Finger().play(movements, 5000).verdicts == [(PRESS, 0)]
    finally:
        BEFORE_WRAP_MS = 5


def test_no_spark_is_a_press():
    for name, movements in GLITCHES.items():
        for every_us in (300, 1000, 7000, 50000):
            verdicts = Finger().play(movements, every_us).verdicts
            assert PRESS not in [verdict for verdict, _ in verdicts] and verdicts, (name, every_us, verdicts)


def test_a_push_right_after_a_spark_is_a_press():
    for gap_us in (2000, 10000, 24000, 26000, 60000):
        spark_then_push = ((0, 1), (1, 0), (gap_us, 1), (gap_us + 80000, 0))
        verdicts = Finger().play(spark_then_push).verdicts
        assert [verdict for verdict, _ in verdicts].count(PRESS) == 1, (gap_us, verdicts)


def test_a_press_is_certain_when_it_was_closed_for_long_enough_in_one_piece():
    finger = Finger()
    finger.contact.edge(True, ticks(0))
    assert finger.contact.judge(ticks(1000 * CLOSED_MS - 1), False) == UNDECIDED
    assert finger.contact.judge(ticks(1000 * CLOSED_MS), False) == PRESS


def test_without_time_to_wait_a_closed_contact_is_a_press_and_an_open_one_is_not():
    finger = Finger()
    finger.contact.edge(True, ticks(0))
    assert finger.contact.judge(ticks(0), True) == PRESS
    finger.contact.edge(False, ticks(1000))
    assert finger.contact.judge(ticks(1000), True) == GLITCH


def test_a_held_button_is_one_press():
    assert Finger().play(((0, 1), (20000000, 0)), 10000).verdicts == [(PRESS, 0)]


def test_two_pushes_are_two_presses_if_the_finger_lifts_for_long_enough():
    def twice(pause_us):
        finger = Finger().play(((0, 1), (60000, 0), (60000 + pause_us, 1), (120000 + pause_us, 0)), 1000)
        return [verdict for verdict, _ in finger.verdicts]

    assert twice(1000 * OPEN_MS) == [PRESS, PRESS]
    assert twice(1000 * OPEN_MS - 1000) == [PRESS]


def test_two_pushes_of_one_button_while_nobody_looks_are_one():
    assert Finger().play(((0, 1), (60000, 0), (160000, 1), (220000, 0)), 1000000).verdicts == [(PRESS, 0)]


def test_a_button_held_at_power_on_is_no_press_until_released():
    finger = Finger(is_down=True).play(((0, 0), (2000, 1), (3000, 0)))
    assert finger.verdicts == []
    finger = Finger(is_down=True).play(((0, 0), (50000, 1), (99000, 0)))
    assert finger.verdicts == [(PRESS, 50)]


def test_a_button_held_for_half_a_minute_is_stuck_until_it_has_been_open_for_a_second():
    contact = Finger().contact
    contact.edge(True, ticks(0))
    contact.look(ticks(1000 * STUCK_MS - 1000))
    assert not contact.is_stuck
    contact.look(ticks(1000 * STUCK_MS))
    assert contact.is_stuck
    contact.edge(False, ticks(40000000))
    contact.look(ticks(40000000 + 1000 * HEALED_MS - 1000))
    assert contact.is_stuck
    contact.look(ticks(40000000 + 1000 * HEALED_MS))
    assert not contact.is_stuck


def test_a_stuck_button_that_comes_and_goes_presses_nothing():
    assert Finger().play(COMES_FREE, 9000).verdicts == [(PRESS, 0)]


def test_a_stuck_button_presses_again_once_it_has_come_free():
    freed = ((0, 1), (40000000, 0), (41100000, 1), (41200000, 0))
    assert Finger().play(freed, 9000).verdicts == [(PRESS, 0), (PRESS, 41100)]


def test_months_open_or_closed_do_not_confuse_it():
    for is_down in (False, True):
        finger = Finger(is_down)
        for day in range(14):
            for hour in range(24):
                finger.contact.look((86400 * day + 3600 * hour) * 1000 % TICKS_PERIOD)
        now = 14 * 86400000 % TICKS_PERIOD
        assert finger.contact.is_stuck == is_down
        assert finger.contact.edge(not is_down, now) == (not is_down)


def test_a_tap_that_was_over_before_it_was_seen_is_a_press():
    contact = Finger().contact
    assert contact.tap(ticks(0)) and not contact.is_down
    assert contact.judge(ticks(0), False) == PRESS
    assert not contact.tap(ticks(2000))  # its bouncing


def test_it_asks_to_be_looked_at_again_as_long_as_it_is_uncertain():
    contact = Finger().contact
    assert contact.due_ms(ticks(0), 1000) == 1000
    contact.edge(True, ticks(0))
    assert contact.due_ms(ticks(1000), 1000) == CLOSED_MS - 1
    contact.edge(False, ticks(1000))
    assert contact.due_ms(ticks(2000), 1000) == OPEN_MS - 1
    contact.is_pending = False
    contact.edge(True, ticks(900000))
    assert contact.due_ms(ticks(900000), 1000) < 1000
