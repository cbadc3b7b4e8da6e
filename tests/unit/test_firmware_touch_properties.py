"""The whole pad under any fingers, sparks and calls that hypothesis can think of: what must always hold, holds."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.core import pad as machine
from protocol.messages import CallClosed, CallOpened
from tests.portable.app_bench import Bench
from tests.portable.firmware_bench import NOW_UNIX_MS, Board, Pin

MOVES = st.one_of(
    st.tuples(st.just("move"), st.integers(1, 3), st.integers(0, 1)),
    st.tuples(st.just("spark"), st.integers(1, 3), st.just(0)),
    st.tuples(st.just("pass"), st.sampled_from([1, 2, 3, 9, 10, 24, 25, 26, 60]), st.just(0)),
    st.tuples(st.just("turn"), st.sampled_from([0, 1, 5, 30]), st.just(0)),
    st.tuples(st.just("open"), st.integers(1, 2), st.sampled_from([50, 200, 60000])),
    st.tuples(st.just("close"), st.just(0), st.just(0)),
)


class Story:
    def __init__(self) -> None:
        self.bench = Bench()
        self.downs = 0
        self.calls: set[str] = set()
        self.votes: dict[str, int] = {}
        self.number = 0

    def play(self, kind: str, what: int, more: int) -> None:
        bench = self.bench
        if kind == "move":
            self.downs += more
            Pin.made[what].value(more)
        elif kind == "spark":
            self.downs += 1
            level = Pin.made[what].level
            Pin.made[what].value(1 - level)
            Pin.made[what].value(level)
        elif kind == "pass":
            bench.board.pass_ms(what)
        elif kind == "turn":
            bench.turn(lambda: bench.board.pass_ms(what))
        elif kind == "open":
            self.number += what - 1  # 1: a recall of the last one
            now = bench.board.now
            bench.hear("call", CallOpened(f"{self.number:016d}", now, now + more))
        else:
            bench.hear("call", CallClosed(None, NOW_UNIX_MS))
        self.check()

    def check(self) -> None:
        """After every movement, even in mid-press."""
        pad, touch = self.bench.app._pad, self.bench.app._panel._touch
        lit = tuple(Pin.made[pin_id].level for pin_id in Board.LAMP_IDS)
        if touch.first:
            assert pad.state == machine.ARMED, "only an armed pad answers by itself"
            assert lit == tuple(int(touch.first == button) for button in (1, 2, 3))
        else:
            assert lit == pad.lamps, "what is lit is what the machine says"
        assert touch.armed == (pad.state == machine.ARMED)
        assert pad.counts["vote"] == self.bench.journal.depth
        if pad.state == machine.VOTED:
            rating = self.bench.journal.rating_of(pad.call)
            assert self.votes.setdefault(str(pad.call), rating) == rating, "a vote never changes"
        assert sum(pad.counts.values()) <= self.downs
        assert not [line for line in self.bench.board.logged if line.startswith("error")]

    def rest(self) -> None:
        """All fingers lift; after that nothing is uncertain."""
        for button in (1, 2, 3):
            Pin.made[button].value(0)
        for _ in range(4):
            self.bench.turn(lambda: self.bench.board.pass_ms(30))
        assert not self.bench.app._panel._touch.first
        self.check()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(MOVES, max_size=40))
def test_lamps_machine_and_journal_agree_whatever_happens(moves: list[tuple[str, int, int]]) -> None:
    story = Story()
    for kind, what, more in moves:
        story.play(kind, what, more)
    story.rest()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 120)), min_size=1, max_size=3, unique_by=lambda push: push[0]),
    st.integers(1, 150),
)
def test_of_any_pushes_the_first_alone_wins_however_late_the_loop_looks(
    pushes: list[tuple[int, int]], blocked_ms: int
) -> None:
    """Each button is pushed once, for 20 ms, at a moment of its own; the loop looks every ``blocked_ms`` only."""
    bench = Bench().call()
    began = bench.board.now
    edges = sorted((at, 1, button) for button, at in pushes) + sorted((at + 20, 0, button) for button, at in pushes)
    last_look = 0
    for at, level, button in sorted(edges):
        while last_look + blocked_ms <= at:
            last_look += blocked_ms
            bench.board.pass_ms(began + last_look - bench.board.now)
            bench.turn(lambda: None)
        bench.board.pass_ms(began + at - bench.board.now)
        Pin.made[button].value(level)
    for _ in range(4):
        bench.turn(lambda: bench.board.pass_ms(30))
    moments = sorted((at, button) for button, at in pushes)
    groups: list[list[tuple[int, int]]] = []
    for at, button in moments:
        if groups and at < groups[-1][0][0] + 10:
            groups[-1].append((at, button))
        else:
            groups.append([(at, button)])
    alone = next((group[0] for group in groups if len(group) == 1), None)
    assert bench.journal.depth == (1 if alone else 0)
    if alone:
        vote = bench.journal.oldest()
        assert (vote.rating, vote.after_ms) == (alone[1], alone[0])
        later = sum(len(group) for group in groups if group[0] > alone)
        assert bench.app._pad.counts["repeat"] == later
