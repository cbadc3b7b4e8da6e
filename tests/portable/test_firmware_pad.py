"""Every cell of the table at the head of firmware/core/pad.py."""

from firmware.core.journal import CAPACITY, Journal
from firmware.core.pad import (
    ARMED,
    BLINK_MS,
    BLINKS,
    DARK,
    FUTURE_LIMIT_MS,
    LAMPS,
    LATE_WINDOW_MS,
    SAVE,
    STATUS,
    TRUST_LIMIT_MS,
    VOTED,
    Pad,
    trusted_for_ms,
)
from protocol.messages import CallOpened
from tests.portable.firmware_bench import NOW_UNIX_MS, TICKS_PERIOD, ticks_diff

ONE, TWO = "0000000000000001", "0000000000000002"
FOR_MS = 600000


def opened(call=ONE, opened_ms=0, for_ms=FOR_MS):
    opened_unix_ms = NOW_UNIX_MS + opened_ms
    return CallOpened(call, opened_unix_ms, opened_unix_ms + for_ms)


class Bench:
    """A pad and its ticks, which wrap two seconds from now."""

    def __init__(self, journal=None):
        self.journal = journal or Journal(b"abcd")
        self.pad = Pad(self.journal, ticks_diff)
        self.ticks = TICKS_PERIOD - 2000

    def open(self, message=None, now_unix_ms=NOW_UNIX_MS, live=False):
        return self.pad.call_opened(message or opened(), now_unix_ms, live, self.ticks)

    def press(self, *buttons):
        return self.pad.press(buttons, self.ticks)

    def after(self, ms):
        self.ticks = (self.ticks + ms) % TICKS_PERIOD
        return self

    def tick(self):
        return self.pad.tick(self.ticks)

    def counts(self):
        return tuple([self.pad.counts[name] for name in ("vote", "repeat", "no_call", "late")])


def armed():
    bench = Bench()
    bench.open()
    return bench


def voted(button=2):
    bench = armed()
    bench.press(button)
    return bench


def test_a_pad_is_dark_and_deaf_without_a_call():
    bench = Bench()
    assert bench.pad.state == DARK
    assert bench.pad.lamps == (0, 0, 0)
    assert bench.press(2) == []
    assert bench.counts() == (0, 0, 1, 0)
    assert bench.journal.depth == 0


def test_a_call_lights_all_three_buttons():
    bench = Bench()
    assert bench.open() == [(LAMPS, (1, 1, 1)), (STATUS, None)]
    assert (bench.pad.state, bench.pad.call) == (ARMED, ONE)


def test_the_pressed_button_stays_lit_and_the_others_go_out_before_anything_is_written():
    for button, lamps in ((1, (1, 0, 0)), (2, (0, 1, 0)), (3, (0, 0, 1))):
        bench = armed()
        assert bench.press(button) == [(LAMPS, lamps), (SAVE, None), (STATUS, None)]
        assert bench.pad.state == VOTED
        assert bench.counts() == (1, 0, 0, 0)
        assert bench.journal.rating_of(ONE) == button


def test_a_vote_says_how_long_after_arming_it_came_even_across_the_wrap_of_ticks():
    bench = armed().after(5000)
    bench.press(3)
    assert bench.journal.oldest().after_ms == 5000


def test_second_press_in_same_call_is_a_repeat_not_a_vote():
    bench = voted(2)
    assert bench.press(1) == []
    assert bench.press(2) == []
    assert bench.counts() == (1, 2, 0, 0)
    assert (bench.journal.depth, bench.journal.rating_of(ONE), bench.pad.lamps) == (1, 2, (0, 1, 0))


def test_two_buttons_at_once_are_nobodys_vote_and_the_client_may_press_again():
    bench = armed()
    assert bench.press(1, 3) == []
    assert (bench.pad.lamps, bench.counts()) == ((1, 1, 1), (0, 0, 0, 0))
    assert bench.press(3)
    assert bench.journal.rating_of(ONE) == 3


def test_two_buttons_at_once_after_the_vote_are_two_repeats():
    bench = voted()
    bench.press(1, 3)
    assert bench.counts() == (1, 2, 0, 0)


def test_a_recall_changes_nothing_before_the_vote():
    bench = armed().after(1000)
    assert bench.open() == []
    bench.press(1)
    assert bench.journal.oldest().after_ms == 1000


def test_a_recall_changes_nothing_after_the_vote():
    bench = voted(3)
    assert bench.open() == []
    assert bench.pad.lamps == (0, 0, 1)


def test_the_end_of_the_call_turns_the_lamps_off():
    for bench in (armed(), voted()):
        assert bench.pad.call_closed(bench.ticks) == [(LAMPS, (0, 0, 0)), (STATUS, None)]
        assert (bench.pad.state, bench.pad.call) == (DARK, None)


def test_the_end_of_a_call_means_nothing_to_a_dark_pad():
    bench = Bench()
    assert bench.pad.call_closed(bench.ticks) == []


def test_the_next_call_closes_the_old_one_and_arms_again():
    for bench in (armed(), voted()):
        assert bench.open(opened(TWO)) == [(LAMPS, (1, 1, 1)), (STATUS, None)]
        bench.press(1)
        assert bench.journal.rating_of(TWO) == 1


def test_an_untrusted_call_still_closes_the_one_before_it():
    for bench in (armed(), voted()):
        assert bench.open(opened(TWO, -FOR_MS))[0] == (LAMPS, (0, 0, 0))
        assert bench.pad.state == DARK


def test_a_call_already_voted_for_shows_the_vote_after_a_restart():
    journal = voted(3).journal
    bench = Bench(journal)
    assert bench.open() == [(LAMPS, (0, 0, 1)), (STATUS, None)]
    assert bench.pad.state == VOTED
    bench.press(1)
    assert bench.counts() == (0, 1, 0, 0)
    assert journal.depth == 1


def test_a_press_soon_after_a_call_without_a_vote_is_late():
    bench = armed()
    bench.pad.call_closed(bench.ticks)
    bench.after(LATE_WINDOW_MS - 1).press(1)
    assert bench.counts() == (0, 0, 0, 1)
    bench.after(1).press(1)
    assert bench.counts() == (0, 0, 1, 1)


def test_a_press_soon_after_a_call_with_a_vote_has_no_call():
    bench = voted()
    bench.pad.call_closed(bench.ticks)
    bench.after(100).press(1)
    assert bench.counts() == (1, 0, 1, 0)


def test_late_is_forgotten_before_ticks_come_round_again():
    bench = armed()
    bench.pad.call_closed(bench.ticks)
    bench.after(LATE_WINDOW_MS).tick()
    bench.after(TICKS_PERIOD - LATE_WINDOW_MS).press(1)
    assert bench.counts() == (0, 0, 1, 0)


def test_an_armed_call_ends_when_its_trust_does():
    bench = armed()
    assert bench.after(FOR_MS - 1).tick() == []
    assert bench.after(1).tick() == [(LAMPS, (0, 0, 0)), (STATUS, None)]
    bench.press(1)
    assert bench.counts() == (0, 0, 0, 1)


def test_a_press_at_the_end_of_trust_is_late_even_if_no_tick_came_between():
    bench = armed().after(FOR_MS)
    assert bench.press(1) == [(LAMPS, (0, 0, 0)), (STATUS, None)]
    assert bench.counts() == (0, 0, 0, 1)
    assert bench.journal.depth == 0


def test_a_vote_is_shown_no_longer_than_its_call_is_trusted():
    bench = armed().after(1000)
    bench.press(2)
    assert bench.after(FOR_MS - 1001).tick() == []
    assert bench.after(1).tick() == [(LAMPS, (0, 0, 0)), (STATUS, None)]


def test_an_untrusted_call_at_the_very_end_of_trust_still_puts_the_lamps_out():
    for voted in (False, True):
        bench = armed()
        if voted:
            bench.press(2)
        bench.after(FOR_MS)
        effects = bench.open(opened(TWO, opened_ms=-2 * FOR_MS))
        assert (bench.pad.state, effects) == (DARK, [(LAMPS, (0, 0, 0)), (STATUS, None)])


def test_an_expired_call_does_not_arm_again_when_it_is_repeated():
    bench = armed().after(FOR_MS)
    bench.tick()
    assert bench.open(now_unix_ms=NOW_UNIX_MS + FOR_MS) == []
    assert bench.pad.state == DARK


def test_due_ms_says_when_the_trust_ends():
    assert armed().after(1000).pad.due_ms(1000 - 2000 + TICKS_PERIOD) == FOR_MS - 1000
    assert Bench().pad.due_ms(0) == TRUST_LIMIT_MS


def test_trust_with_a_clock_depends_on_the_time_alone():
    for live in (True, False):
        assert trusted_for_ms(opened(), NOW_UNIX_MS + 1, live) == FOR_MS - 1
        assert trusted_for_ms(opened(), NOW_UNIX_MS + FOR_MS, live) == 0
        assert trusted_for_ms(opened(), NOW_UNIX_MS + 10 * FOR_MS, live) == 0


def test_trust_without_a_clock_needs_a_live_message():
    assert trusted_for_ms(opened(), None, True) == FOR_MS
    assert trusted_for_ms(opened(), None, False) == 0
    assert trusted_for_ms(opened(for_ms=-1), None, True) == 0


def test_a_call_from_the_far_future_is_not_trusted():
    assert trusted_for_ms(opened(opened_ms=FUTURE_LIMIT_MS), NOW_UNIX_MS, True) > 0
    assert trusted_for_ms(opened(opened_ms=FUTURE_LIMIT_MS + 1), NOW_UNIX_MS, True) == 0


def test_no_call_is_trusted_for_more_than_a_day():
    assert trusted_for_ms(opened(for_ms=TRUST_LIMIT_MS * 30), NOW_UNIX_MS, True) == TRUST_LIMIT_MS
    assert trusted_for_ms(opened(for_ms=TRUST_LIMIT_MS * 30), None, True) == TRUST_LIMIT_MS


def test_a_full_journal_does_not_arm_and_so_misleads_nobody():
    journal = Journal(b"abcd")
    for number in range(CAPACITY):
        journal.add("c000000000%06d" % number, 1, 0)
    bench = Bench(journal)
    assert bench.open(opened(TWO)) == []
    assert bench.pad.state == DARK
    assert bench.open(opened("c000000000000005")) == [(LAMPS, (1, 0, 0)), (STATUS, None)]


def test_identify_blinks_a_few_times_and_ends_dark():
    bench = Bench()
    seen = bench.pad.identify(bench.ticks)
    for _ in range(4 * BLINKS):
        seen = seen + bench.after(BLINK_MS).tick()
    assert seen == [(LAMPS, (1, 1, 1)), (LAMPS, (0, 0, 0))] * BLINKS


def test_identify_does_nothing_while_the_lamps_mean_something():
    for bench in (armed(), voted()):
        assert bench.pad.identify(bench.ticks) == []
        assert bench.after(BLINK_MS).tick() == []


def test_a_call_ends_the_blinking():
    bench = Bench()
    bench.pad.identify(bench.ticks)
    bench.after(BLINK_MS).tick()
    assert bench.open() == [(LAMPS, (1, 1, 1)), (STATUS, None)]
    assert bench.after(BLINK_MS).tick() == []
    bench.pad.call_closed(bench.ticks)
    assert bench.pad.identify(bench.ticks) == [(LAMPS, (1, 1, 1))]


def test_a_press_while_blinking_is_no_vote():
    bench = Bench()
    bench.pad.identify(bench.ticks)
    bench.press(1)
    assert (bench.counts(), bench.journal.depth) == ((0, 0, 1, 0), 0)


def test_any_sequence_of_inputs_keeps_one_vote_a_call_and_lamps_true():
    seed = 12345
    bench = Bench()
    votes = {}
    now = NOW_UNIX_MS
    for _ in range(3000):
        seed = (seed * 1103515245 + 12345) % (1 << 31)
        pick, value = (seed >> 8) % 6, (seed >> 16) % 5
        before = bench.pad.state
        if pick == 0:
            call = "%016d" % (now // 20000 % 100000 * 5 + value)
            bench.open(CallOpened(call, now, now + 3000), now, bool(seed & 1))
        elif pick == 1 and value == 0:
            bench.pad.call_closed(bench.ticks)
        elif pick in (2, 3):
            depth = bench.journal.depth
            call = bench.pad.call
            bench.press(value % 3 + 1)
            if bench.journal.depth > depth:
                assert before == ARMED and call not in votes
                votes[call] = value % 3 + 1
        else:
            bench.after(value * 400).tick()
            now += value * 400
        lit = sum(bench.pad.lamps)
        assert lit == {DARK: 0, ARMED: 3, VOTED: 1}[bench.pad.state]
        assert lit != 1 or bench.pad.lamps[votes[bench.pad.call] - 1] == 1
    assert len(votes) > 100
    assert sum(bench.counts()) > 500


def test_a_broker_back_from_a_crash_opens_no_older_call():
    for state in (armed(), voted()):
        state.open(opened(TWO, 1000), live=True)
        assert state.open(opened(ONE, 0)) == []
        assert state.pad.call == TWO


def test_a_broker_back_from_a_crash_opens_no_call_that_was_closed():
    bench = armed()
    bench.pad.call_closed(bench.ticks, ONE)
    assert bench.open() == []
    assert bench.pad.state == DARK


def test_a_call_that_was_not_closed_opens_again_out_of_the_store():
    bench = armed()
    bench.pad.out_of_touch(bench.ticks)
    bench.open()
    assert (bench.pad.state, bench.pad.call) == (ARMED, ONE)
    bench.pad.call_closed(bench.ticks, ONE)
    bench.open(opened(TWO, 1000))
    assert (bench.pad.state, bench.pad.call) == (ARMED, TWO)


def test_what_is_said_now_is_believed_however_old_its_call_is():
    bench = armed()
    bench.open(opened(TWO, -1000), live=True)
    assert bench.pad.call == TWO
