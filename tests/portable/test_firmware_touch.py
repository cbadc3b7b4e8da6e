"""What a button's interrupt does by itself: lamps, order, no memory. What the loop makes of it is the app's tests'."""

from firmware.board.lamps import PwmLamp
from firmware.board.touch import TOGETHER_MS, Touch
from firmware.core.debounce import OPEN_MS
from tests.portable.bounces import GLITCHES, PUSHES
from tests.portable.firmware_bench import Board, Pin

try:
    from micropython import heap_lock, heap_unlock
except ImportError:  # CPython allocates with every breath

    def heap_lock():
        pass

    heap_unlock = heap_lock


class SoftBoard(Board):
    """Its handlers may run when their edge is history."""

    HARD_IRQ = False


class Bench:
    def __init__(self, board=None):
        self.board = board or Board()
        self.touch = Touch(self.board)
        self.after(OPEN_MS)

    def arm(self):
        self.touch.show(100, 100, 100, True)
        return self

    def after(self, ms):
        self.board.pass_ms(ms)
        self.touch.look()
        return self

    def down(self, button):
        Pin.made[button].value(1)
        return self

    def up(self, button):
        Pin.made[button].value(0)
        return self

    @property
    def lamps(self):
        return tuple([Pin.made[pin_id].level for pin_id in (4, 5, 6)])

    def decide(self, final=False):
        self.touch.look()
        return self.touch.decide(final)


def test_a_press_leaves_only_its_own_lamp_at_once_without_any_turn_of_the_loop():
    for button, lamps in ((1, (1, 0, 0)), (2, (0, 1, 0)), (3, (0, 0, 1))):
        bench = Bench().arm().down(button)
        assert bench.lamps == lamps
        assert bench.touch.first == button


def test_an_interrupt_takes_no_memory():
    """On a chip the heap is locked in a hard interrupt: it would raise, and the button be dead until a restart."""
    for board in (Board(), SoftBoard()):
        bench = Bench(board).arm()
        pins = [Pin.made[button] for button in (1, 2, 3)]
        heap_lock()
        try:
            for pin in pins:
                pin.value(1)
                pin.value(0)
        finally:
            heap_unlock()
        assert bench.touch.first == 1


def test_a_pad_that_is_not_armed_answers_with_no_lamp():
    bench = Bench().down(2)
    assert (bench.lamps, bench.touch.first) == ((0, 0, 0), 0)
    assert bench.after(TOGETHER_MS).decide() == 2


def test_the_second_of_two_presses_changes_no_lamp_and_is_judged_second():
    bench = Bench().arm().down(3)
    bench.board.pass_ms(40)
    bench.down(1)
    bench.board.pass_ms(60)
    assert bench.lamps == (0, 0, 1)
    began = bench.board.ticks
    assert bench.decide() == 4 and bench.board.ticks_diff(began, bench.touch.decided_ticks) == 100
    assert bench.decide() == 1 and bench.board.ticks_diff(began, bench.touch.decided_ticks) == 60
    assert bench.decide() == 0


def test_presses_of_one_millisecond_keep_their_order_but_are_together():
    bench = Bench().arm().down(2).down(1)
    assert bench.lamps == (0, 1, 0)
    assert bench.decide() == 0
    assert bench.after(TOGETHER_MS).decide() == 3


def test_buttons_are_together_up_to_ten_milliseconds_and_not_after():
    for gap_ms, wanted in ((0, [5]), (TOGETHER_MS - 1, [5]), (TOGETHER_MS, [1, 4]), (TOGETHER_MS + 1, [1, 4])):
        bench = Bench().arm().down(1)
        bench.board.pass_ms(gap_ms)
        bench.down(3).after(TOGETHER_MS + 30)
        found = [bench.decide(), bench.decide()]
        assert [bits for bits in found if bits] == wanted, gap_ms


def test_without_time_to_wait_everything_is_judged_at_once():
    bench = Bench().arm().down(1)
    assert bench.decide() == 0
    assert bench.decide(final=True) == 1


def test_a_spark_before_a_press_does_not_spoil_it():
    bench = Bench().arm().down(1).up(1).after(4).down(2).after(30)
    assert bench.decide() == 2
    assert bench.touch.first == 1 and bench.touch.is_unsettled  # the machine's vote sets the lamps right


def test_a_spark_is_no_press_and_is_taken_back():
    for movements in (GLITCHES["a spark"], GLITCHES["a radio, 1 ms"]):
        bench = Bench().arm()
        play(bench, movements, 2)
        assert bench.touch.first == 2
        bench.after(OPEN_MS)
        assert bench.decide() == 0 and bench.touch.is_unsettled
        assert bench.arm().lamps == (1, 1, 1)


def test_every_bouncing_push_is_one_press_whose_lamp_never_wavers():
    for name, movements in PUSHES.items():
        for board in (Board(), SoftBoard()):
            bench = Bench(board).arm()
            found = play(bench, movements, 3, lamps=(0, 0, 1))
            bench.after(60)
            found.append(bench.decide())
            assert [bits for bits in found if bits] == [4], name


def play(bench, movements, button, lamps=None):
    """Moves the pin as in ``movements``, with a turn of the loop every 5 ms; returns what was decided in each."""
    found = []
    us = 0
    for at, closed in movements:
        while us // 1000 < at // 1000:
            us += 1000
            bench.board.pass_ms(1)
            if us % 5000 == 0:
                found.append(bench.decide())
        Pin.made[button].value(closed)
        assert lamps is None or bench.lamps == lamps
    return found


def test_a_late_interrupt_of_a_push_that_is_over_is_a_press_on_a_board_without_hard_ones():
    bench = Bench(SoftBoard()).arm()
    bench.touch._on_good(Pin.made[2])  # twice: for the closing and the opening, both in the past
    bench.touch._on_good(Pin.made[2])
    assert bench.lamps == (0, 1, 0)
    assert bench.after(TOGETHER_MS).decide() == 2
    assert bench.after(100).decide() == 0


def test_an_edge_that_got_lost_is_found_by_the_level_and_answered():
    bench = Bench().arm()
    Pin.made[2].level = 1  # no interrupt came
    bench.touch.look()
    assert bench.lamps == (0, 1, 0)
    assert bench.after(TOGETHER_MS).decide() == 2


def test_a_button_held_while_the_pad_is_armed_is_no_press_and_blocks_nobody():
    bench = Bench().down(1).after(500)
    assert bench.decide() == 1
    bench.arm().after(100)
    assert (bench.decide(), bench.lamps) == (0, (1, 1, 1))
    assert bench.down(3).lamps == (0, 0, 1)
    assert bench.after(TOGETHER_MS).decide() == 4


def test_a_stuck_button_neither_votes_nor_blocks_the_others():
    bench = Bench().down(1).after(TOGETHER_MS)
    bench.decide()
    for _ in range(31):
        bench.after(1000)
    assert bench.touch.contacts[0].is_stuck
    bench.arm().up(1).after(400).down(1).after(100)  # it comes and goes
    assert (bench.decide(), bench.lamps) == (0, (1, 1, 1))
    assert bench.down(2).lamps == (0, 1, 0)
    assert bench.after(TOGETHER_MS).decide() == 2


def test_what_moves_while_the_loop_holds_interrupts_off_is_made_up_for():
    bench = Bench().arm()
    bench.touch._hold()
    bench.down(1)
    assert bench.lamps == (1, 1, 1)
    bench.touch._release()
    assert bench.lamps == (1, 0, 0)


def test_a_press_that_comes_while_the_lamps_are_lit_is_answered_after_it():
    bench = Bench()

    class Lamp:
        def light(self, pct):
            bench.down(2)

        def off(self):
            pass

    lamps = bench.touch._lamps
    bench.touch._lamps = [Lamp(), lamps[1], lamps[2]]
    bench.arm()
    assert bench.touch.first == 2 and bench.lamps[2] == 0


def test_a_dimmed_lamp_has_its_share_of_the_current_and_is_off_at_once():
    class Pwm:
        def duty_u16(self, duty):
            self.duty = duty

    pwm = Pwm()
    lamp = PwmLamp(pwm)
    assert pwm.duty == 0
    for pct, duty in ((100, 65535), (50, 32767), (1, 655), (0, 0)):
        lamp.light(pct)
        assert pwm.duty == duty
    lamp.light(40)
    lamp.off()
    assert pwm.duty == 0


def test_the_next_look_is_due_when_something_can_be_judged():
    bench = Bench()
    assert bench.touch.due_ms(bench.board.ticks, 1000) == 1000
    bench.down(1)
    for _ in range(TOGETHER_MS):
        due_ms = bench.touch.due_ms(bench.board.ticks, 1000)
        assert 1 <= due_ms <= TOGETHER_MS
        bench.after(1)
    assert bench.decide() == 1
