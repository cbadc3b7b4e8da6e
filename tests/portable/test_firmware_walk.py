"""Every sequence of inputs up to a length, against what DESIGN section 3 says in plain words; then a long random walk.

The rules are written down a second time here, as simply as they can be, and know nothing of the machine's states.
"""

import sys

from firmware.core.journal import Journal
from firmware.core.pad import Pad
from protocol.messages import CallOpened
from tests.portable.firmware_bench import NOW_UNIX_MS, TICKS_PERIOD, ticks_diff

CALLS = ("000000000000000a", "000000000000000b")
TRUSTED_MS = 5000
CHOSEN_MS = 2000
# Every sequence of so many inputs; the walk behind it is the same on both.
LENGTH = 3 if sys.implementation.name == "micropython" else 5
WALK = 5000


class Rules:
    """DESIGN section 3, points 1, 2 and 4, for one desk."""

    def __init__(self):
        self.votes = {}
        self.call = None
        self.until = self.voted_at = 0
        self.counted = 0

    def at(self, now):
        """Time goes on until ``now``."""
        if self.call is not None and now >= self.until:
            self.call = None

    def opens(self, call, now, until):
        self.at(now)
        if call == self.call:
            return
        self.call = call if until > now else None
        self.until = until
        self.voted_at = now

    def press(self, buttons, now):
        self.at(now)
        if self.call is not None and self.call not in self.votes:
            if len(buttons) > 1:
                return
            self.votes[self.call] = buttons[0]
            self.voted_at = now
        self.counted += len(buttons)

    def lamps(self, now, chosen_ms):
        if self.call is None:
            return (0, 0, 0)
        vote = self.votes.get(self.call)
        if vote is None:
            return (1, 1, 1)
        if chosen_ms and now >= self.voted_at + chosen_ms:
            return (0, 0, 0)
        return tuple([int(vote == button) for button in (1, 2, 3)])


class Walk:
    def __init__(self, chosen_ms=0):
        self.journal = Journal(b"walk")
        self.pad = Pad(self.journal, ticks_diff)
        self.pad.chosen_s = chosen_ms // 1000
        self.chosen_ms = chosen_ms
        self.rules = Rules()
        self.now = 0
        self.seen = (0, 0, 0)

    def ticks(self):
        return (self.now + TICKS_PERIOD - 3000) % TICKS_PERIOD  # they wrap early in each walk

    def do(self, step):
        kind, value = step
        if kind == "open" or kind == "stale":
            until = self.now + TRUSTED_MS if kind == "open" else self.now
            message = CallOpened(CALLS[value], NOW_UNIX_MS + self.now - 1, NOW_UNIX_MS + until)
            self.carry_out(self.pad.call_opened(message, NOW_UNIX_MS + self.now, True, self.ticks()))
            self.rules.opens(CALLS[value], self.now, until)
        elif kind == "close":
            self.carry_out(self.pad.call_closed(self.ticks()))
            self.rules.call = None
        elif kind == "press":
            self.carry_out(self.pad.press(value, self.ticks()))
            self.rules.press(value, self.now)
        else:
            self.now += value
            self.carry_out(self.pad.tick(self.ticks()))
            self.rules.at(self.now)

    def carry_out(self, effects):
        for effect, lamps in effects:
            if effect == "lamps":
                self.seen = lamps

    def check(self):
        self.carry_out(self.pad.tick(self.ticks()))
        self.rules.at(self.now)
        wanted = self.rules.lamps(self.now, self.chosen_ms)
        assert self.pad.lamps == wanted
        assert self.seen == wanted
        assert self.pad.call == self.rules.call
        assert self.journal.depth == len(self.rules.votes) == self.pad.counts["vote"]
        for call, rating in self.rules.votes.items():
            assert self.journal.rating_of(call) == rating
        assert sum(self.pad.counts.values()) == self.rules.counted


STEPS = (
    ("open", 0),
    ("open", 1),
    ("stale", 0),
    ("close", None),
    ("press", (1,)),
    ("press", (3,)),
    ("press", (1, 2)),
    ("wait", 0),
    ("wait", CHOSEN_MS),
    ("wait", TRUSTED_MS - 1),
    ("wait", 1),
)


def test_every_short_sequence_keeps_the_rules():
    for chosen_ms in (0, CHOSEN_MS):
        for choice in range(len(STEPS) ** LENGTH):
            number = choice
            walk = Walk(chosen_ms)
            steps = []
            for _ in range(LENGTH):
                steps.append(STEPS[number % len(STEPS)])
                number //= len(STEPS)
            try:
                for step in steps:
                    walk.do(step)
                    walk.check()
            except AssertionError:
                print(chosen_ms, steps)
                raise


def test_a_long_walk_keeps_the_rules():
    seed = 20260101
    for chosen_ms in (0, CHOSEN_MS):
        walk = Walk(chosen_ms)
        for number in range(WALK):
            seed = (seed * 1103515245 + 12345) % (1 << 31)
            if number % 300 == 299:  # the journal is not to fill: that has tests of its own
                walk = Walk(chosen_ms)
            walk.do(STEPS[(seed >> 8) % len(STEPS)])
            walk.check()
