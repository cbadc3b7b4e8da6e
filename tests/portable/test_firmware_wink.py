"""A dark pad that is out of touch winks, seldom and briefly; nothing else does."""

from firmware.core.wink import AFTER_MS, EVERY_MS, LIT_MS, Wink
from tests.portable.firmware_bench import TICKS_PERIOD, ticks_diff

START = TICKS_PERIOD - 70000


def changes(wink, may_wink, ms, step_ms=10):
    """(ms, lit) of every change while ``may_wink(ms)`` says whether it may."""
    found = []
    for at in range(0, ms, step_ms):
        if wink.step(may_wink(at), (START + at) % TICKS_PERIOD):
            found.append((at, wink.is_lit))
    return found


def test_it_winks_after_a_minute_and_then_every_twenty_seconds():
    found = changes(Wink(ticks_diff, True), lambda at: True, AFTER_MS + 2 * EVERY_MS + 1000)
    once = EVERY_MS + LIT_MS
    wanted = [(AFTER_MS + k * once + lit, not lit) for k in range(3) for lit in (0, LIT_MS)]
    assert found == wanted


def test_it_lights_a_thousandth_of_the_time():
    found = changes(Wink(ticks_diff, True), lambda at: True, 3600000)
    lit_ms = sum([found[k + 1][0] - found[k][0] for k in range(0, len(found) - 1, 2)])
    assert 0 < lit_ms < 3600000 // 500


def test_an_end_of_the_reason_ends_the_wink_at_once_and_the_minute_begins_anew():
    wink = Wink(ticks_diff, True)
    found = changes(wink, lambda at: at != AFTER_MS + 10, AFTER_MS * 2)
    assert found == [(AFTER_MS, True), (AFTER_MS + 10, False)]


def test_a_pad_told_not_to_never_winks():
    assert changes(Wink(ticks_diff, False), lambda at: True, 10 * AFTER_MS, 1000) == []


def test_due_ms_ends_a_wink_in_time():
    wink = Wink(ticks_diff, True)
    assert wink.due_ms(START, 1000) == 1000
    wink.step(True, START)
    assert wink.due_ms(START, 1000000) == AFTER_MS
    wink.step(True, (START + AFTER_MS) % TICKS_PERIOD)
    assert wink.due_ms((START + AFTER_MS + 10) % TICKS_PERIOD, 1000) == LIT_MS - 10
