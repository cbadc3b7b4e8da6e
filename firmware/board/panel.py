"""Three buttons and three lamps on the board's pins. It does not know what a press means or which lamp is right.

A button's interrupt only latches the edge (it may come while flash or a packet keeps the loop busy, and may allocate
nothing); scan() does the rest.
"""

from firmware.core.debounce import Debounce

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.board.contract import Board, BoardPin


class Panel:
    def __init__(self, board: "Board"):
        self._buttons = [_Button(board, pin_id) for pin_id in board.BUTTON_IDS]
        self._lamps = [board.Pin(pin_id, board.Pin.OUT, value=0) for pin_id in board.LAMP_IDS]
        self._settle_lamps = board.settle_lamps

    def show(self, levels: "tuple[int, int, int]") -> None:
        """Sets the lamps: bad, good, exemplary."""
        for i, pin in enumerate(self._lamps):
            pin.value(levels[i])
        self._settle_lamps()

    def scan(self, ticks_ms: int) -> "tuple[int, ...]":
        """The buttons (1..3) that went down since the last scan."""
        return tuple([i + 1 for i, button in enumerate(self._buttons) if button.scan(ticks_ms)])

    def is_stuck(self) -> bool:
        """Whether a button has been down for longer than any finger stays."""
        return any([button.contact.stuck for button in self._buttons])

    def due_ms(self, ticks_ms: int, otherwise_ms: int) -> int:
        """In how many milliseconds scan() must be called again even if no button moves."""
        for button in self._buttons:
            due_ms = button.contact.due_ms(ticks_ms)
            if due_ms is not None:
                otherwise_ms = min(otherwise_ms, due_ms)
        return otherwise_ms


class _Button:
    def __init__(self, board: "Board", pin_id: int):
        high = board.PRESSED_LEVEL
        self.contact = Debounce(board.ticks_diff)
        self._went_down = False
        self._pressed_level = high
        self._pin = board.Pin(pin_id, board.Pin.IN, board.Pin.PULL_DOWN if high else board.Pin.PULL_UP)
        self._pin.irq(self._on_edge, board.Pin.IRQ_RISING if high else board.Pin.IRQ_FALLING)

    def scan(self, ticks_ms: int) -> bool:
        """Whether it was pressed since the last scan."""
        down = self._went_down or self._pin.value() == self._pressed_level
        self._went_down = False
        return self.contact.update(down, ticks_ms)

    def _on_edge(self, pin: "BoardPin") -> None:
        self._went_down = True
