"""When a dark pad winks because it cannot reach the broker. It owns no clock, no lamp and no link.

For IT with a phone in hand, not for clients: one lamp, dim, for 30 ms every 20 s, and only while the pad is dark, long
out of touch and not blinking for somebody. A taken vote stays lit and an armed pad shows three lamps, so a wink can be
neither. pad.json can switch it off (``wink``).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

AFTER_MS = 60000  # a broker's restart is over by then
EVERY_MS = 20000
LIT_MS = 30
PCT = 5


class Wink:
    def __init__(self, ticks_diff: "Callable[[int, int], int]", is_wanted: bool):
        self.is_lit = False
        self._ticks_diff = ticks_diff
        self._is_wanted = is_wanted
        self._since_ticks: int | None = None  # of what is waited for: the first wink, the next one, or its end
        self._wait_ms = AFTER_MS

    def step(self, may_wink: bool, ticks_ms: int) -> bool:
        """Whether ``is_lit`` has changed. ``may_wink``: dark, out of touch, and the lamps mean nothing else."""
        was_lit = self.is_lit
        if not (may_wink and self._is_wanted):
            self._since_ticks = None
            self.is_lit = False
        elif self._since_ticks is None:
            self._wait(AFTER_MS, ticks_ms)
        elif self._ticks_diff(ticks_ms, self._since_ticks) >= self._wait_ms:
            self.is_lit = not self.is_lit
            self._wait(LIT_MS if self.is_lit else EVERY_MS, ticks_ms)
        return self.is_lit != was_lit

    def due_ms(self, ticks_ms: int, otherwise_ms: int) -> int:
        """In how many milliseconds step() must be called again."""
        if self._since_ticks is None:
            return otherwise_ms
        return max(0, min(otherwise_ms, self._wait_ms - self._ticks_diff(ticks_ms, self._since_ticks)))

    def _wait(self, wait_ms: int, ticks_ms: int) -> None:
        self._since_ticks = ticks_ms
        self._wait_ms = wait_ms
