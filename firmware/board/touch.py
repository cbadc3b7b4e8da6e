"""What happens within a press, before the pad's loop knows of it. It answers with lamps and decides no vote.

A finger is answered here, in the button's interrupt: the two other lamps go out. The loop asks ``decide`` later, lets
the machine (core/pad.py) judge the press by the moment at which it began, and shows what the machine says: if that is
not a vote, all three lamps come back. So the interrupt may be ahead of the machine for some milliseconds, and never
contradicts it for longer.

Interrupt and loop
1. An interrupt runs as a whole between two steps of the loop: a hard one at any instant (rp2), a soft one between two
   bytecodes (ESP32), one from a thread while it holds ``lock`` (unix). It allocates nothing.
2. The loop changes what is shared only between _hold() and _release(). An interrupt that comes in between notes in
   ``_waiting`` which button moved, and _release() makes up for it; estimated 0.3 ms on a chip at most, and no
   section of the loop allocates (a collection within one would keep a finger waiting).
3. Who writes what:

    field                      interrupt                              loop, between _hold() and _release()
    contacts                   edge()                                 edge() by the level, look(), is_pending off
    first                      0 -> the button, while armed           0, when the lamps are set anew
    armed                      reads                                  with the lamps: off before they are touched
    lamps                      the two others off, while armed        all of them, in show()
    _orders, _count            the next number when a press begins    the same, for an edge that it found by the level

    a press begins ...         what becomes of it
    while not armed            no lamp moves; the machine judges it by its moment
    while armed, first         the two others go out; later a vote, or the lamps come back
    while armed, second        no lamp moves; within TOGETHER_MS of the first: nobody's, the lamps come back;
                               later: a repeat
    within show()              as if it had come right after it
    a glitch                   as any press until it is judged, at most OPEN_MS after it ended; then the lamps come back

Nothing is imported but the contact's rules, so that this file alone can be measured on a chip.
"""

from firmware.core.debounce import GLITCH, UNDECIDED, Contact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.board.contract import Board, BoardPin

# A palm or two fingers close two buttons within this; a person who changes his mind takes ten times as long.
TOGETHER_MS = 10


class Touch:
    def __init__(self, board: "Board"):
        self.armed = False
        self.first = 0  # the button (1..3) that this pad has answered since it was armed
        self.decided_ticks = 0
        self._lamps = [board.lamp(pin_id) for pin_id in board.LAMP_IDS]
        self._settle_lamps = board.settle_lamps
        self._ticks_ms = board.ticks_ms
        self._ticks_diff = board.ticks_diff
        self._lock = board.irq_lock
        self._is_late = not board.HARD_IRQ
        self._pressed_level = board.PRESSED_LEVEL
        self._held = False
        self._waiting = bytearray(3)
        self._orders = [0, 0, 0]
        self._count = 0
        pull = board.Pin.PULL_DOWN if board.PRESSED_LEVEL else board.Pin.PULL_UP
        self._pins = [board.Pin(pin_id, board.Pin.IN, pull) for pin_id in board.BUTTON_IDS]
        now = board.ticks_ms()
        self.contacts = [Contact(board.ticks_diff, self._is_down(k), now) for k in range(3)]
        self._listen(board)

    def show(self, bad_pct: int, good_pct: int, exemplary_pct: int, armed: bool) -> None:
        """Sets the lamps. ``armed``: from now on the next press is answered at once."""
        self._hold()
        self.armed = False
        self.first = 0
        self._lamps[0].light(bad_pct)
        self._lamps[1].light(good_pct)
        self._lamps[2].light(exemplary_pct)
        self.armed = armed
        earliest = self._earliest() if armed else -1
        if earliest >= 0:
            self._answer(earliest)
        self._release()

    def look(self) -> None:
        """Looks at the levels, in case an edge was lost, and at how long they have lasted."""
        ticks_ms = self._ticks_ms()
        for k in range(3):
            self._hold()
            self._see(k, False)
            self.contacts[k].look(ticks_ms)
            self._release()

    def decide(self, final: bool) -> int:
        """The oldest press that can be judged, as bits (1 bad, 2 good, 4 exemplary) that were set together; 0: none.

        ``decided_ticks`` is when it began. ``final``: everything is to be judged now, by what is known.
        """
        self._hold()
        ticks_ms = self._ticks_ms()
        for contact in self.contacts:
            if contact.is_pending and contact.judge(ticks_ms, final) == GLITCH:
                contact.is_pending = False
        earliest = self._earliest()
        bits = self._bits_with(earliest, ticks_ms, final) if earliest >= 0 else 0
        for k in range(3):
            if bits >> k & 1:
                self.contacts[k].is_pending = False
        self._release()
        return bits

    @property
    def is_unsettled(self) -> bool:
        """Whether the lamps show an answer that turned out to be none: show() is due."""
        return self.first != 0 and self._earliest() < 0

    def due_ms(self, ticks_ms: int, otherwise_ms: int) -> int:
        """In how many milliseconds look() and decide() must be called again though no button moves."""
        for contact in self.contacts:
            otherwise_ms = contact.due_ms(ticks_ms, otherwise_ms)
            if contact.is_pending and otherwise_ms == 0:  # long enough by itself: it waits for a second button
                left_ms = TOGETHER_MS - self._ticks_diff(ticks_ms, contact.began_ticks)
                otherwise_ms = max(1, left_ms)
        return otherwise_ms

    def _on_bad(self, pin: "BoardPin") -> None:
        self._moved(0)

    def _on_good(self, pin: "BoardPin") -> None:
        self._moved(1)

    def _on_exemplary(self, pin: "BoardPin") -> None:
        self._moved(2)

    def _moved(self, k: int) -> None:
        """The interrupt of a button, for both of its edges."""
        if self._held:
            self._waiting[k] = 1
        else:
            self._see(k, self._is_late)

    def _see(self, k: int, is_late: bool) -> None:
        contact = self.contacts[k]
        is_down = self._is_down(k)
        if is_late and not is_down and not contact.is_down:
            begins = contact.tap(self._ticks_ms())
        else:
            begins = contact.edge(is_down, self._ticks_ms())
        if begins:
            self._count += 1
            self._orders[k] = self._count
            if self.armed and not self.first:
                self._answer(k)

    def _answer(self, k: int) -> None:
        self.first = k + 1
        self._lamps[k - 1].off()  # -1 and -2 are the other two of three
        self._lamps[k - 2].off()

    def _is_down(self, k: int) -> bool:
        return self._pins[k].value() == self._pressed_level

    def _earliest(self) -> int:
        """The button (0..2) whose pending press began first, -1 for none."""
        found = -1
        for k in range(3):
            if self.contacts[k].is_pending and (found < 0 or self._orders[k] < self._orders[found]):
                found = k
        return found

    def _bits_with(self, earliest: int, ticks_ms: int, final: bool) -> int:
        began_ticks = self.decided_ticks = self.contacts[earliest].began_ticks
        if not final and self._ticks_diff(ticks_ms, began_ticks) < TOGETHER_MS:
            return 0
        bits = 0
        for k in range(3):
            contact = self.contacts[k]
            if contact.is_pending and self._ticks_diff(contact.began_ticks, began_ticks) < TOGETHER_MS:
                if contact.judge(ticks_ms, final) == UNDECIDED:
                    return 0
                bits |= 1 << k
        return bits

    def _hold(self) -> None:
        if self._lock:
            self._lock.acquire()
        self._held = True

    def _release(self) -> None:
        self._held = False
        for k in range(3):
            if self._waiting[k]:
                self._waiting[k] = 0
                self._see(k, self._is_late)
        self._settle_lamps()
        if self._lock:
            self._lock.release()

    def _listen(self, board: "Board") -> None:
        trigger = board.Pin.IRQ_RISING | board.Pin.IRQ_FALLING
        for k, handler in enumerate((self._on_bad, self._on_good, self._on_exemplary)):
            if board.HARD_IRQ:
                self._pins[k].irq(handler, trigger, hard=True)
            else:
                self._pins[k].irq(handler, trigger)
