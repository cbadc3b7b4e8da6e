"""A press a millisecond before and after a call opens, closes or ends: its own moment decides, wherever ticks wrap.

The loop learns of all of it in one turn, too late, and must still tell the story in the order in which it happened.
"""

from firmware.board.touch import TOGETHER_MS
from firmware.core.journal import Journal
from firmware.core.pad import Pad
from protocol.messages import CallClosed, CallOpened, PadStatus, Vote
from tests.portable.app_bench import ONE, TWO, Bench
from tests.portable.firmware_bench import NOW_UNIX_MS, TICKS_PERIOD, Board, Pin, inbound, ticks_diff


def benches():
    """A pad with each kind of interrupt, some time before its ticks wrap."""
    for hard in (True, False):
        Board.HARD_IRQ = hard
        bench = Bench()
        bench.board.ticks = TICKS_PERIOD - 60000  # the days between are no part of this
        yield bench.after(10)
    Board.HARD_IRQ = True


def near_the_wrap(bench, before_ms):
    """Lets time pass in turns until ticks wrap in ``before_ms``."""
    left_ms = ticks_diff(TICKS_PERIOD - before_ms, bench.board.ticks)
    assert left_ms > 0
    return bench.after(left_ms)


def counts(bench):
    return {name: count for name, count in bench.app._pad.counts.items() if count}


def rest(bench):
    bench.after(TOGETHER_MS + 20)
    for button in (1, 2, 3):
        Pin.made[button].value(0)
    return bench.after(60)


def story(bench, *steps):
    """What happens within one wait of the loop: a number passes as many milliseconds, a word moves a button."""

    def happens():
        for step in steps:
            if isinstance(step, int):
                bench.board.pass_ms(step)
            else:
                bench.receive(step) if isinstance(step, bytes) else step()

    bench.turn(happens)
    return rest(bench)


def press(button):
    return lambda: Pin.made[button].value(1)


def release(button):
    return lambda: Pin.made[button].value(0)


def opens(call=ONE):
    return inbound("call", CallOpened(call, NOW_UNIX_MS, NOW_UNIX_MS + 6000000), False)


CLOSES = inbound("call", CallClosed(ONE, NOW_UNIX_MS))


def test_a_press_a_millisecond_before_the_pad_learns_of_the_call_is_no_vote():
    for bench in benches():
        story(near_the_wrap(bench, 1), press(2), 1, opens())
        assert (counts(bench), bench.board.lamps) == ({"no_call": 1}, "L111")


def test_a_press_a_millisecond_after_the_call_opened_is_a_vote():
    for bench in benches():
        near_the_wrap(bench, 1).turn(lambda: bench.receive(opens()))
        story(bench, 1, press(2))
        assert (counts(bench), bench.board.lamps) == ({"vote": 1}, "L010")
        assert bench.journal.oldest().after_ms == 1


def test_a_press_a_millisecond_before_the_pad_learns_of_the_end_is_a_vote():
    for bench in benches():
        bench.call()
        story(near_the_wrap(bench, 1), press(2), 1, CLOSES)
        assert (counts(bench), bench.board.lamps) == ({"vote": 1}, "L000")
        assert bench.last(Vote).call == ONE


def test_a_press_a_millisecond_after_the_end_is_late():
    for bench in benches():
        near_the_wrap(bench.call(), 1).turn(lambda: bench.receive(CLOSES))
        story(bench, 1, press(2))
        assert (counts(bench), bench.board.lamps) == ({"late": 1}, "L000")


def test_a_press_a_millisecond_before_the_next_call_is_for_the_one_before():
    for bench in benches():
        bench.call()
        story(near_the_wrap(bench, 1), press(2), 1, opens(TWO))
        assert (bench.last(Vote).call, bench.board.lamps) == (ONE, "L111")
        assert (bench.app._pad.state, bench.app._pad.call) == ("armed", TWO)


def test_a_press_before_and_one_after_the_end_of_trust_are_told_apart_in_one_turn():
    for bench in benches():
        bench.call(for_ms=59990)
        bench.after(59000).board.pass_ms(989)
        story(bench, press(2), 1, press(3))
        assert (counts(bench), bench.board.lamps) == ({}, "L000")  # within ten milliseconds: nobody's
    for bench in benches():
        bench.call(for_ms=59990)
        bench.after(59000).board.pass_ms(980)
        story(bench, press(2), 12, press(3))
        assert counts(bench)["vote"] == 1 and sum(counts(bench).values()) == 2


def test_a_tap_before_the_end_that_is_over_when_it_is_learnt_is_a_vote():
    for bench in benches():
        bench.call()
        story(near_the_wrap(bench, 10), press(1), 20, release(1), 80, CLOSES)
        assert counts(bench) == {"vote": 1}


def test_a_button_held_through_the_opening_is_no_press_and_the_next_push_of_it_is():
    for bench in benches():
        near_the_wrap(bench, 500).turn(press(1))
        bench.after(400)
        bench.call().after(1000)
        assert (counts(bench), bench.board.lamps) == ({"no_call": 1}, "L111")
        bench.turn(release(1)).after(50)
        story(bench, press(1))
        assert (counts(bench), bench.board.lamps) == ({"no_call": 1, "vote": 1}, "L100")


def test_a_button_stuck_through_the_opening_blocks_nobody():
    for bench in benches():
        bench.turn(press(1)).after(31000)
        bench.call()
        assert (bench.last(PadStatus).buttons, bench.board.lamps) == ("stuck", "L111")
        story(bench, press(2))
        assert bench.board.lamps == "L010"
        assert bench.journal.rating_of(ONE) == 2


def test_of_two_presses_while_the_loop_is_blocked_the_first_wins_and_keeps_its_time():
    for before_ms in (1, 29, 30, 31, 50, 99, 100, 101):
        for bench in benches():
            near_the_wrap(bench, 1000)
            bench.call()
            near_the_wrap(bench, before_ms)
            story(bench, 30, press(3), 20, press(1), 10, release(3), 40)
            assert counts(bench) == {"vote": 1, "repeat": 1}
            vote = bench.journal.oldest()
            assert (vote.rating, vote.after_ms) == (3, 1000 - before_ms + 30)


def test_the_machine_by_itself_takes_no_press_from_before_the_call():
    pad = Pad(Journal(b"abcd"), ticks_diff)
    pad.call_opened(CallOpened(ONE, NOW_UNIX_MS, NOW_UNIX_MS + 1000), NOW_UNIX_MS, True, 5)
    assert pad.press((1,), TICKS_PERIOD - 1) == []
    assert (pad.state, pad.counts["no_call"]) == ("armed", 1)
    assert pad.press((1,), 5)
