"""A button's interrupt between any two steps of the pad's loop: every bytecode of the press path in turn.

The loop's turn is run again and again, and each time the interrupt comes one bytecode later; after each, the machine,
the lamps and the journal must tell one and the same story, and every press must be accounted for once.
"""

import sys
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from firmware.core import pad as machine
from firmware.core.journal import Journal
from protocol.messages import CallClosed, CallOpened, Settings
from tests.portable.app_bench import ONE, TWO, Bench, ack
from tests.portable.firmware_bench import NOW_UNIX_MS, TICKS_PERIOD, Board, Pin, inbound, ticks_diff

# Every bytecode of what shares something with an interrupt, every line of the rest of the pad and of the bench's flash
# and wire. What runs only while interrupts are held off (debounce.py, lamps.py) needs no steps of its own.
BY_BYTECODE = ("touch.py",)
BY_LINE = ("app.py", "panel.py", "pad.py", "keeper.py", "link.py", "courier.py", "test_firmware_app.py")


class Interrupt:
    """Runs ``action`` once, before the ``point``-th step of what it is wrapped around."""

    def __init__(self, point: int, action: Callable[[], None]):
        self.came = False
        self._left = point
        self._action = action

    def __enter__(self) -> "Interrupt":
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, _: object) -> object:
        name = frame.f_code.co_filename.rsplit("/", 1)[-1]
        if name in BY_BYTECODE:
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        elif name not in BY_LINE:
            return None
        if event in ("opcode", "line"):
            self._step()
        return self._trace

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0 and not self.came:
            self.came = True
            sys.settrace(None)
            self._action()


def every_point(
    prepare: Callable[[], Bench], happens: Callable[[Bench], None], interrupt: Callable[[Bench], None]
) -> Iterator[Bench]:
    """For each step of the loop's turn: a pad whose turn was interrupted there, and which then came to rest."""
    point = 0
    while True:
        bench = prepare()
        trap = Interrupt(point, lambda bench=bench: interrupt(bench))  # type: ignore[misc]
        with trap:
            bench.turn(lambda: happens(bench))  # noqa: B023 - used at once
        if not trap.came:
            assert point > 200, "the trap is broken: a turn has more steps than that"
            return
        rest(bench)
        yield bench
        point += 1 if Board.HARD_IRQ else 5  # a soft one differs in nothing but its handler


def rest(bench: Bench) -> None:
    """Time passes, fingers lift, and the loop turns often enough for everything to be judged."""
    for _ in range(4):
        bench.turn(lambda: bench.board.pass_ms(12))
    bench.turn(lambda: [Pin.made[button].value(0) for button in (1, 2, 3)])
    for _ in range(3):
        bench.turn(lambda: bench.board.pass_ms(30))


def down(button: int) -> None:
    Pin.made[button].value(1)


def tap(bench: Bench, button: int) -> None:
    """A whole push, in the middle of the loop's turn: its clock goes on.

    What the loop holds against interrupts lasts for less than a millisecond: there, the finger stays for longer.
    """
    down(button)
    if bench.app._panel._touch._held:
        return
    bench.board.pass_ms(20)
    Pin.made[button].value(0)


def check(bench: Bench) -> dict[str, int]:
    """Machine, lamps and journal agree; returns what became of the presses."""
    pad = bench.app._pad
    lamps = "L{}{}{}".format(*pad.lamps)
    assert bench.board.lamps == lamps
    assert tuple(Pin.made[pin_id].level for pin_id in Board.LAMP_IDS) == pad.lamps
    assert sum(pad.lamps) == {machine.DARK: 0, machine.ARMED: 3, machine.VOTED: 1}[pad.state]
    if pad.state == machine.VOTED:
        assert pad.lamps[bench.journal.rating_of(pad.call) - 1] == 1
    assert bench.journal.depth == pad.counts["vote"]
    assert bench.app._panel._touch.armed == (pad.state == machine.ARMED)
    assert not [line for line in bench.board.logged if line.startswith("error")]
    return {name: count for name, count in pad.counts.items() if count}


@pytest.fixture(params=[True, False], ids=["hard", "soft"], autouse=True)
def kind_of_interrupt(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Board, "HARD_IRQ", request.param)


def dark() -> Bench:
    return Bench()


def armed() -> Bench:
    return Bench().call()


def hear(kind: str, message: object) -> Callable[[Bench], None]:
    return lambda bench: bench.receive(inbound(kind, message, retained=kind != "call"))  # calls as they happen


OPENS = hear("call", CallOpened(ONE, NOW_UNIX_MS, NOW_UNIX_MS + 600000))
OPENS_NEXT = hear("call", CallOpened(TWO, NOW_UNIX_MS, NOW_UNIX_MS + 600000))
CLOSES = hear("call", CallClosed(ONE, NOW_UNIX_MS))


@pytest.mark.parametrize("push", [lambda bench: down(2), lambda bench: tap(bench, 2)], ids=["down", "tap"])
def test_a_press_while_the_call_opens_is_a_vote_or_came_too_early(push: Callable[[Bench], None]) -> None:
    seen = [tuple(check(bench).items()) for bench in every_point(dark, OPENS, push)]
    assert set(seen) == {(("vote", 1),), (("no_call", 1),)}
    assert seen == sorted(seen), "first too early, then in time, and never back"


@pytest.mark.parametrize("push", [lambda bench: down(2), lambda bench: tap(bench, 2)], ids=["down", "tap"])
def test_a_press_while_the_call_closes_is_a_vote_or_came_too_late(push: Callable[[Bench], None]) -> None:
    seen = [tuple(check(bench).items()) for bench in every_point(armed, CLOSES, push)]
    assert set(seen) == {(("vote", 1),), (("late", 1),)}
    assert seen == sorted(seen, reverse=True), "first in time, then too late, and never back"


@pytest.mark.parametrize("push", [lambda bench: down(2), lambda bench: tap(bench, 2)], ids=["down", "tap"])
def test_a_press_while_one_call_follows_another_is_one_vote_for_one_of_them(push: Callable[[Bench], None]) -> None:
    calls = []
    for bench in every_point(armed, OPENS_NEXT, push):
        assert check(bench) == {"vote": 1}
        calls.append(bench.journal.oldest().call)
    assert calls == sorted(calls) and set(calls) == {ONE, TWO}


def test_a_press_while_a_call_follows_one_whose_lamp_has_gone_out_is_a_repeat_or_a_vote() -> None:
    """A vote's lamp may come out of the dark, where the press fell between the machine's arming and the lamps'."""

    def voted_and_out() -> Bench:
        bench = Bench().hear("settings", Settings(chosen_s=1)).call()
        return bench.press(1).after(2000).forget()

    seen = []
    for bench in every_point(voted_and_out, OPENS_NEXT, lambda bench: tap(bench, 3)):
        seen.append((tuple(check(bench).items()), bench.app._pad.state))
        told = [line for line in bench.board.trace if line.startswith("L")]
        is_vote = bench.app._pad.state == machine.VOTED
        assert told in ([["L111", "L001"], ["L001"]] if is_vote else [["L111"]])
    assert set(seen) == {((("vote", 1), ("repeat", 1)), machine.ARMED), ((("vote", 2),), machine.VOTED)}
    assert seen == sorted(seen, key=lambda each: each[1]), "first a repeat, then a vote, and never back"


def test_a_second_button_later_never_wins_wherever_it_comes() -> None:
    def pressed_long_ago() -> Bench:
        bench = armed()
        down(1)
        bench.board.pass_ms(50)
        return bench

    for bench in every_point(pressed_long_ago, lambda bench: None, lambda bench: down(3)):
        assert check(bench) == {"vote": 1, "repeat": 1}
        assert bench.board.lamps == "L100"


def test_two_buttons_in_one_instant_are_nobodys_wherever_the_second_comes() -> None:
    for bench in every_point(armed, lambda bench: down(1), lambda bench: down(3)):
        assert check(bench) == {}
        assert bench.board.lamps == "L111"
        tap(bench, 2)
        rest(bench)
        assert check(bench) == {"vote": 1}


def test_a_press_at_the_end_of_trust_is_a_vote_before_it_and_late_after_it() -> None:
    def shortly_before() -> Bench:
        bench = dark().call(ONE, for_ms=5000)
        bench.ends_ticks = (bench.board.ticks + 5000) % TICKS_PERIOD
        bench.board.pass_ms(4990)
        return bench

    def push(bench: Bench) -> None:
        bench.pressed_ticks = bench.board.ticks
        down(3)

    for ms in (9, 10):
        seen = set()
        for bench in every_point(shortly_before, lambda bench, ms=ms: bench.board.pass_ms(ms), push):  # type: ignore[misc]
            is_in_time = ticks_diff(bench.pressed_ticks, bench.ends_ticks) < 0
            assert check(bench) == ({"vote": 1} if is_in_time else {"late": 1})
            seen.add(is_in_time)
        assert seen == ({True} if ms == 9 else {True, False})


def test_a_press_while_flash_is_written_is_not_lost() -> None:
    def voted() -> Bench:
        bench = armed()
        bench.press(1)
        return bench

    def opens_and_acks(bench: Bench) -> None:
        CLOSES(bench)
        bench.receive(inbound("ack", ack(bench)))
        OPENS_NEXT(bench)

    for bench in every_point(voted, opens_and_acks, lambda bench: tap(bench, 3)):
        counts = bench.app._pad.counts
        assert counts["vote"] + counts["repeat"] + counts["no_call"] + counts["late"] == 2
        assert bench.board.lamps == ("L001" if counts["vote"] == 2 else "L111")


def test_a_press_while_a_glitch_is_taken_back_is_not_lost() -> None:
    def sparked() -> Bench:
        bench = armed()
        down(1)
        Pin.made[1].value(0)
        bench.turn(lambda: None)
        return bench

    for bench in every_point(sparked, lambda bench: bench.board.pass_ms(26), lambda bench: tap(bench, 2)):
        assert check(bench) == {"vote": 1}
        assert bench.board.lamps == "L010"


def test_a_press_while_a_pad_with_a_full_journal_is_called_lights_nothing() -> None:
    def full() -> Bench:
        journal = Journal(b"abcd")
        for number in range(400):
            journal.add(f"c000000000{number:06d}", 1, 0)
        return Bench(journal)

    for bench in every_point(full, OPENS, lambda bench: down(2)):
        assert bench.app._pad.state == machine.DARK and bench.app._pad.counts["no_call"] == 1
        assert bench.board.lamps == "L000"
