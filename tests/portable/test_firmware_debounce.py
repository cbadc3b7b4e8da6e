"""A bouncing contact, a held one, a jammed one."""

from firmware.core.debounce import IGNORE_MS, STUCK_MS, Debounce
from tests.portable.firmware_bench import TICKS_PERIOD, ticks_diff


def contact():
    found = Debounce(ticks_diff)
    found.update(False, TICKS_PERIOD - 20)
    return found


def presses(levels, found=None):
    """How many presses are seen in [(ms, level), ...], with ticks that wrap after 20 ms."""
    found = found or contact()
    return sum([found.update(level, (ms - 20) % TICKS_PERIOD) for ms, level in levels])


def test_an_edge_is_a_press_at_once():
    assert contact().update(True, TICKS_PERIOD - 20)


def test_bounces_of_one_push_are_one_press():
    assert presses([(0, True), (1, False), (3, True), (4, False), (9, True), (60, True), (200, True)]) == 1


def test_a_held_button_is_one_press():
    assert presses([(ms, True) for ms in range(0, 3000, 10)]) == 1


def test_a_release_lets_the_next_push_count():
    assert presses([(0, True), (100, False), (200, True)]) == 2


def test_bounces_of_the_release_are_no_press():
    assert presses([(0, True), (100, False), (102, True), (105, False), (170, False)]) == 1


def test_a_push_shorter_than_the_window_is_one_press_and_lets_the_next_count():
    assert presses([(0, True), (10, False), (60, False), (120, True)]) == 2


def test_a_button_held_at_power_on_is_no_press_until_released():
    found = Debounce(ticks_diff)
    assert presses([(0, True), (100, True), (300, True)], found) == 0
    assert presses([(400, False), (500, True)], found) == 1


def test_a_button_held_for_half_a_minute_is_stuck_until_released():
    found = contact()
    presses([(0, True), (1000, True)], found)
    assert not found.stuck
    presses([(STUCK_MS + 1000, True)], found)
    assert found.stuck
    presses([(STUCK_MS + 1500, False)], found)
    assert not found.stuck


def test_it_asks_to_be_looked_at_again_only_while_it_ignores():
    found = contact()
    assert found.due_ms(TICKS_PERIOD - 20) is None
    found.update(True, TICKS_PERIOD - 20)
    assert found.due_ms(TICKS_PERIOD - 10) == IGNORE_MS - 10
    found.update(True, IGNORE_MS - 20)
    assert found.due_ms(IGNORE_MS - 20) is None
