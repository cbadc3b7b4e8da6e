"""One contact's level -> its presses: act at once on the edge, then ignore the contact while it bounces.

Not a driver: it sees levels and ticks, no pins.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Contacts of illuminated push buttons settle within 5 to 20 ms, and no finger presses twice within 50.
IGNORE_MS = 50
# Nobody holds a button for half a minute: it is jammed, or something lies on it.
STUCK_MS = 30000


class Debounce:
    def __init__(self, ticks_diff: "Callable[[int, int], int]"):
        self._ticks_diff = ticks_diff
        self._down: bool | None = None  # unknown until the first look: a button held at power-on is no press
        self._changed_ticks = 0
        self._ignoring = False
        self.stuck = False

    def update(self, down: bool, ticks_ms: int) -> bool:
        """Whether the button went down just now. To be called at least once a second, and when due_ms() says so."""
        since_ms = self._ticks_diff(ticks_ms, self._changed_ticks)
        if self._ignoring and since_ms < IGNORE_MS:
            return False
        self._ignoring = False
        if down != self._down:
            return self._change(down, ticks_ms)
        if down and since_ms >= STUCK_MS:
            self.stuck = True
        return False

    def due_ms(self, ticks_ms: int) -> "int | None":
        """In how many milliseconds the level must be looked at again though nothing moved; None: need not."""
        if not self._ignoring:
            return None
        return max(0, IGNORE_MS - self._ticks_diff(ticks_ms, self._changed_ticks))

    def _change(self, down: bool, ticks_ms: int) -> bool:
        pressed = down and self._down is False
        self._ignoring = self._down is not None
        self._down = down
        self._changed_ticks = ticks_ms
        self.stuck = False
        return pressed
