"""The pad's behaviour in one table. It owns no clock, no pin, no file and no socket; app.py carries out its effects.

Rules for this file
1. Every change of state happens in ``_enter`` and is listed here.
2. Time comes in as ``ticks_ms`` and is compared only by the ``ticks_diff`` given to the constructor, because a
   board's ticks wrap (2**30 ms on most). A tick value that must outlive a wrap is dropped by ``tick`` in time.
3. Inputs return effects, in the order in which they must be carried out: lamps, then flash, then the network.

                  DARK                     ARMED                       VOTED
    lamps         none                     all three                   the one that was pressed; none after chosen_s
    call_opened   ARMED, if the call is    same call: nothing (recall) same call: nothing (recall)
                  to be trusted; VOTED,    other, trusted: ARMED anew  other, trusted: ARMED
                  if already voted for     other, not trusted: DARK    other, not trusted: DARK
    call_closed   nothing                  DARK                        DARK
    press         late, no_call            one button: vote, VOTED     repeat
                                           several at once: nothing
                                           before it was armed: no_call
    tick          (blinks when asked to)   DARK when the trust ends    DARK when the trust ends
    out of touch  nothing                  DARK after LOST_MS          nothing

A press is judged by the moment at which it began, however late the loop learns of it: the caller brings the presses
that it knows of before it brings anything else that has happened since.

A pad that the broker cannot reach does not learn that its call is over, and the next client would rate the one before:
it stays armed for LOST_MS only. The broker keeps the call; if that is open when the line is back, the pad arms again.

A broker that comes back from a crash may keep an older call than the one that the pad has heard of, until the feed has
found it again: what comes out of its store does not open a call that is older than the newest known, nor one that was
closed. A call's moment never goes back at a desk (collector/feed/calls.py, rule 4), and a closed one stays closed.

A recall does not light a chosen lamp that has gone out: an operator could read it then by calling again.

Order 19/01-03-13/551: active only after a call (P2.4), the pressed button stays lit and the others go out (P2.6),
dark when the work with the client ends (P2.7).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.core.journal import Journal
    from protocol.messages import CallOpened

    Lamps = tuple[int, int, int]
    Effect = tuple[str, Lamps | None]

# States; also the phases of PadStatus.
DARK, ARMED, VOTED = "dark", "armed", "voted"
# Effects. LAMPS carries the three levels (bad, good, exemplary); SAVE: write the journal; STATUS: tell the world.
LAMPS, SAVE, STATUS = "lamps", "save", "status"
# Dispositions of a press; also counters of Health.
VOTE, REPEAT, NO_CALL, LATE = "vote", "repeat", "no_call", "late"

# A client who is a little too late is not a client who plays with a dark pad: counted apart.
LATE_WINDOW_MS = 10000
# Feed and pad keep time by NTP; a call from further ahead than this means that one of the clocks is wrong.
FUTURE_LIMIT_MS = 300000
# Vote.after_ms ends at one day, and ticks may wrap after six: no call is trusted for longer than this.
TRUST_LIMIT_MS = 86400000
# Most clients press within this; hardly any is served and the next one seated in it.
LOST_MS = 60000
BLINK_MS = 300
BLINKS = 4

_ALL: "Lamps" = (1, 1, 1)
_NONE: "Lamps" = (0, 0, 0)


def trusted_for_ms(message: "CallOpened", now_unix_ms: "int | None", live: bool) -> int:
    """For how long from now the call in ``message`` may be trusted; 0 if a pad must not arm on it.

    Args:
        now_unix_ms: the pad's clock, or None while it is unknown.
        live: the message came as it was published, not out of the broker's store.
    """
    if now_unix_ms is None:
        left_ms = message.until_unix_ms - message.opened_unix_ms if live else 0
    elif message.opened_unix_ms > now_unix_ms + FUTURE_LIMIT_MS:
        left_ms = 0
    else:
        left_ms = message.until_unix_ms - now_unix_ms
    return max(0, min(left_ms, TRUST_LIMIT_MS))


class Pad:
    """One desk's pad. Reads and appends to the journal given to it; writing that to flash is the effect SAVE."""

    def __init__(self, journal: "Journal", ticks_diff: "Callable[[int, int], int]"):
        self.state = DARK
        self.call: str | None = None
        self._over: str | None = None  # the call that was last said to be closed
        self._newest_unix_ms = 0  # when the newest call known was opened
        self.counts = {VOTE: 0, REPEAT: 0, NO_CALL: 0, LATE: 0}
        self.chosen_s = 0  # after so long the chosen lamp goes out; 0: it stays lit until the call ends (P2.6)
        self._journal = journal
        self._ticks_diff = ticks_diff
        self._rating = 0
        self._entered_ticks = 0
        self._trusted_ms = 0
        self._missed_ticks: int | None = None  # when a call ended without a vote, while that is news
        self._blink_ticks: int | None = None
        self._blink_lit = False
        self._is_chosen_out = False

    @property
    def lamps(self) -> "Lamps":
        """What the lamps must show by the state alone (a blinking pad may differ for a moment)."""
        if self.state == VOTED and not self._is_chosen_out:
            return (int(self._rating == 1), int(self._rating == 2), int(self._rating == 3))
        return _ALL if self.state == ARMED else _NONE

    @property
    def is_blinking(self) -> bool:
        """Whether it shows somebody which pad it is."""
        return self._blink_ticks is not None

    def call_opened(
        self, message: "CallOpened", now_unix_ms: "int | None", live: bool, ticks_ms: int
    ) -> "list[Effect]":
        effects = self._expire(ticks_ms)
        if message.call == self.call:
            return effects  # a recall: the client has the same one chance
        trusted_ms = trusted_for_ms(message, now_unix_ms, live)
        rating = self._journal.rating_of(message.call)
        if not trusted_ms or (not rating and self._journal.is_full):
            return self._darken(ticks_ms) or effects
        if not live and (message.call == self._over or message.opened_unix_ms < self._newest_unix_ms):
            return effects  # the broker has come back from a crash, and the feed has not yet
        self._newest_unix_ms = message.opened_unix_ms
        self.call = message.call
        self._trusted_ms = trusted_ms
        self._rating = rating
        return self._enter(VOTED if rating else ARMED, ticks_ms)

    def call_closed(self, ticks_ms: int, call: "str | None" = None) -> "list[Effect]":
        """No call is open at this desk, whichever it was that ended; ``call``: the last one, if there was any."""
        self._over = call
        return self._darken(ticks_ms)

    def out_of_touch(self, ticks_ms: int) -> "list[Effect]":
        """The broker has not been there for LOST_MS: whoever presses now may be the next client."""
        return self._darken(ticks_ms) if self.state == ARMED else []

    def press(self, buttons: "tuple[int, ...]", ticks_ms: int) -> "list[Effect]":
        """``buttons`` (1..3) went down together, at ``ticks_ms``."""
        effects = self._expire(ticks_ms)
        if self.state == ARMED and self._ticks_diff(ticks_ms, self._entered_ticks) < 0:
            self.counts[NO_CALL] += len(buttons)
        elif self.state == ARMED:
            # Of two at once nobody can say which was meant; the lamps stay, so the client may press again.
            if len(buttons) == 1:
                effects = self._vote(buttons[0], ticks_ms)
        elif self.state == VOTED:
            self.counts[REPEAT] += len(buttons)
        else:
            self.counts[LATE if self._is_late(ticks_ms) else NO_CALL] += len(buttons)
        return effects

    def tick(self, ticks_ms: int) -> "list[Effect]":
        """Time has passed. To be called at least once a second, and when due_ms() says so."""
        if self._missed_ticks is not None and not self._is_late(ticks_ms):
            self._missed_ticks = None
        return self._expire(ticks_ms) or self._put_out_chosen(ticks_ms) or self._blink(ticks_ms)

    def identify(self, ticks_ms: int) -> "list[Effect]":
        """Blinks a few times to show a person which pad this is. Only if dark: otherwise the lamps say something."""
        if self.state != DARK:
            return []
        self._blink_ticks = ticks_ms
        return self._blink(ticks_ms)

    def due_ms(self, ticks_ms: int) -> int:
        """In how many milliseconds tick() will have something to do."""
        if self._blink_ticks is not None:
            return BLINK_MS - self._ticks_diff(ticks_ms, self._blink_ticks) % BLINK_MS
        if self.state == DARK:
            return TRUST_LIMIT_MS
        lasted_ms = self._ticks_diff(ticks_ms, self._entered_ticks)
        due_ms = self._trusted_ms - lasted_ms
        if self._chosen_will_go_out:
            due_ms = min(due_ms, 1000 * self.chosen_s - lasted_ms)
        return max(0, due_ms)

    @property
    def _chosen_will_go_out(self) -> bool:
        return self.state == VOTED and self.chosen_s > 0 and not self._is_chosen_out

    def _vote(self, button: int, ticks_ms: int) -> "list[Effect]":
        after_ms = min(max(0, self._ticks_diff(ticks_ms, self._entered_ticks)), TRUST_LIMIT_MS)
        assert self.call is not None
        self._journal.add(self.call, button, after_ms)
        self.counts[VOTE] += 1
        self._rating = button
        self._trusted_ms -= after_ms
        lamps, status = self._enter(VOTED, ticks_ms)
        return [lamps, (SAVE, None), status]

    def _expire(self, ticks_ms: int) -> "list[Effect]":
        if self.state == DARK or self._ticks_diff(ticks_ms, self._entered_ticks) < self._trusted_ms:
            return []
        return self._darken(ticks_ms)

    def _put_out_chosen(self, ticks_ms: int) -> "list[Effect]":
        lasted_ms = self._ticks_diff(ticks_ms, self._entered_ticks)
        if not self._chosen_will_go_out or lasted_ms < 1000 * self.chosen_s:
            return []
        self._is_chosen_out = True
        return [(LAMPS, self.lamps)]

    def _darken(self, ticks_ms: int) -> "list[Effect]":
        if self.state == DARK:
            return []
        if self.state == ARMED:
            self._missed_ticks = ticks_ms
        self.call = None
        self._rating = 0
        return self._enter(DARK, ticks_ms)

    def _enter(self, state: str, ticks_ms: int) -> "list[Effect]":
        self.state = state
        self._entered_ticks = ticks_ms
        self._blink_ticks = None
        self._blink_lit = False
        self._is_chosen_out = False
        return [(LAMPS, self.lamps), (STATUS, None)]

    def _is_late(self, ticks_ms: int) -> bool:
        return self._missed_ticks is not None and self._ticks_diff(ticks_ms, self._missed_ticks) < LATE_WINDOW_MS

    def _blink(self, ticks_ms: int) -> "list[Effect]":
        if self._blink_ticks is None:
            return []
        step = self._ticks_diff(ticks_ms, self._blink_ticks) // BLINK_MS
        if step >= 2 * BLINKS:
            self._blink_ticks = None
        lit = self._blink_ticks is not None and step % 2 == 0
        if lit == self._blink_lit:
            return []
        self._blink_lit = lit
        return [(LAMPS, _ALL if lit else _NONE)]
