"""One contact's movements -> its presses. It sees levels and ticks, no pins, and does not know whose press counts.

Rules for this file
1. ``edge`` and ``tap`` run in an interrupt: they allocate nothing.
2. A press *begins* with the first closing, at once; whether it *was* one is judged afterwards.
3. Ticks wrap: whatever must outlive a wrap is kept as a flag, by look().

    begins    a closing after the contact was open for OPEN_MS (less than that is its own bouncing)
    press     it stayed closed for CLOSED_MS in one piece, somewhere in the bouncing
    glitch    it did not, and has been open for OPEN_MS: static or a radio, not a finger
    stuck     closed for STUCK_MS; it takes HEALED_MS open until it may press again, as a worn contact comes and goes

Two presses of one button whose pause is shorter than OPEN_MS are one press: the second is lost, and would have been
a repeat. A button that is down at power-on, or when a call opens, presses only after it was let go.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Published bounces of push buttons last 1.5 ms on average and 6 to 20 ms at worst; a finger lifts for 50 and more.
OPEN_MS = 25
# The quickest taps stay closed for 20 ms, sparks and radios for microseconds. Ticks round: this is 2 ms at least.
CLOSED_MS = 3
# Nobody holds a button for half a minute: it is jammed, or something lies on it.
STUCK_MS = 30000
HEALED_MS = 1000
# A closed contact is looked at this often, in case the edge of its opening was lost.
_WATCH_MS = 50

UNDECIDED, PRESS, GLITCH = 0, 1, 2


class Contact:
    def __init__(self, ticks_diff: "Callable[[int, int], int]", is_down: bool, ticks_ms: int):
        """``is_down``: its level at power-on."""
        self.is_down = is_down
        self.is_stuck = False
        self.is_pending = False  # a press has begun and is not judged yet
        self.began_ticks = ticks_ms
        self._ticks_diff = ticks_diff
        self._changed_ticks = ticks_ms
        self._is_rested = not is_down  # open for long enough: the next closing begins a press
        self._is_solid = False  # the pending press was closed for CLOSED_MS in one piece

    def edge(self, is_down: bool, ticks_ms: int) -> bool:
        """The level is ``is_down`` now; whether a press begins with that."""
        if is_down == self.is_down:
            return False
        lasted_ms = self._ticks_diff(ticks_ms, self._changed_ticks)
        self.is_down = is_down
        self._changed_ticks = ticks_ms
        is_rested = self._is_rested or (lasted_ms >= OPEN_MS and not self.is_stuck)
        self._is_rested = False
        if not is_down:
            self._is_solid = self._is_solid or lasted_ms >= CLOSED_MS
            return False
        if self.is_pending or not is_rested:
            return False
        self.began_ticks = ticks_ms
        self._is_solid = False
        self.is_pending = True
        return True

    def tap(self, ticks_ms: int) -> bool:
        """It was closed and is open again, who knows for how long: such a board cannot tell a glitch."""
        begins = self.edge(True, ticks_ms)
        self._is_solid = True
        self.edge(False, ticks_ms)
        return begins

    def look(self, ticks_ms: int) -> None:
        """Time has passed. To be called at least once a second, and when due_ms() says so."""
        lasted_ms = self._ticks_diff(ticks_ms, self._changed_ticks)
        if self.is_down:
            self.is_stuck = self.is_stuck or lasted_ms >= STUCK_MS
        elif lasted_ms >= (HEALED_MS if self.is_stuck else OPEN_MS):
            self.is_stuck = False
            self._is_rested = True

    def judge(self, ticks_ms: int, final: bool) -> int:
        """What the pending press was. ``final``: no time is left, the benefit of the doubt goes to the finger."""
        lasted_ms = self._ticks_diff(ticks_ms, self._changed_ticks)
        if self._is_solid or (self.is_down and (final or lasted_ms >= CLOSED_MS)):
            return PRESS
        return GLITCH if final or (not self.is_down and lasted_ms >= OPEN_MS) else UNDECIDED

    def due_ms(self, ticks_ms: int, otherwise_ms: int) -> int:
        """In how many milliseconds it must be looked at again though nothing moved."""
        if self.is_pending:
            wanted_ms = CLOSED_MS if self.is_down else OPEN_MS
        elif self.is_down and not self.is_stuck:
            return min(otherwise_ms, _WATCH_MS)
        else:
            return otherwise_ms
        return max(0, min(otherwise_ms, wanted_ms - self._ticks_diff(ticks_ms, self._changed_ticks)))
