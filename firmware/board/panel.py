"""Three buttons and three lamps: what the loop asks of them. It does not know what a press means.

What a finger is answered within the press itself is in touch.py; this asks touch.py what came of it, and knows how
bright a lamp is to be.
"""

from firmware.board.touch import Touch
from firmware.core.wink import PCT as WINK_PCT
from protocol.messages import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.board.contract import Board

    Levels = tuple[int, int, int]
    # The buttons (1..3) that began a press together, and when they did.
    Press = tuple[tuple[int, ...], int]


class Panel:
    def __init__(self, board: "Board"):
        self.settings = Settings()
        self._touch = Touch(board)

    def show(self, levels: "Levels", armed: bool) -> None:
        """Sets the lamps: bad, good, exemplary. ``armed``: a press is answered at once from now on."""
        pct = self.settings.chosen_pct if sum(levels) == 1 else self.settings.armed_pct
        self._touch.show(levels[0] * pct, levels[1] * pct, levels[2] * pct, armed)

    def wink(self) -> None:
        """One lamp, dim, until show(); only for a dark pad."""
        self._touch.show(0, WINK_PCT, 0, False)

    def presses(self, final: bool = False) -> "list[Press]":
        """The presses since the last time, oldest first. ``final``: what is not certain yet is judged now."""
        self._touch.look()
        found: list[Press] = []
        while True:
            bits = self._touch.decide(final)
            if not bits:
                return found
            found.append((tuple([k + 1 for k in range(3) if bits >> k & 1]), self._touch.decided_ticks))

    def settle(self, levels: "Levels", armed: bool) -> None:
        """Puts the lamps back if what was answered turned out to be no vote."""
        if self._touch.is_unsettled:
            self.show(levels, armed)

    def is_stuck(self) -> bool:
        """Whether a button has been down for longer than any finger stays."""
        return any([contact.is_stuck for contact in self._touch.contacts])

    def due_ms(self, ticks_ms: int, otherwise_ms: int) -> int:
        """In how many milliseconds presses() must be asked again even if no button moves."""
        return self._touch.due_ms(ticks_ms, otherwise_ms)
