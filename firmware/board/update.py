"""Updates over the air: from an offer at the broker to a new version that has proven itself. It decides no call.

    none ──offer──► loading ──all verified──► waiting ──dark, nothing unsaved──► restart into the other slot
     ▲                │ ▲                                                          │
     │            call opens: pauses                                             trial
     └─withdrawn──────┘                          done ◄──online, no new fault──────┤
                                          rolled_back ◄──10 minutes, or 3 starts───┘
    refused     not signed by the fleet's key, for another board, or not what its manifest says
    no_space    the flash has no room

Rules
1. Nothing is written and nothing restarts but on a dark pad that has been dark for CALM_MS; a call that opens arms at
   once, and what was under way goes on after it.
2. One wish is at the broker at a time, repeated until it is answered. What is on flash already is not loaded again,
   also after a restart (install.py).
3. What was refused or rolled back is not tried again because the same retained offer comes with every connection; only
   an offer that is made anew (it arrives live), another one, or a withdrawal in between clears that.
4. A new version is committed when it has been online for STEADY_MS and finds no fault that the old one did not have.

What the signature protects against: whoever gets hold of the broker, of its password for IT, of the fleet service or of
the network between can offer, but not make an update; a stolen pad holds only the public key. What it does not protect
against: whoever has the fleet's private key; whoever has the pad in hands (USB writes anything, keys included); and an
*older* signed release may be offered again by whoever may publish offers. That is allowed on purpose: it is how IT goes
back. Keep the private key off the server that serves releases.
"""

import binascii
import hashlib
import os

from firmware.board.install import Refused, install
from firmware.boot import DONE, MANIFEST, REFUSED, ROLLED_BACK, SLOTS, read_record, save_record
from protocol.messages import Piece, UpdateOffered, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.board.contract import Board
    from firmware.board.install import Steps
    from protocol.messages import Message

# A start that lasted this long was a good one.
WORKED_MS = 60000
# The next client is called within seconds at a busy desk; no flash erase may stand in the way of the lamps.
CALM_MS = 3000
AGAIN_MS = 5000
# The fleet service knows no such file (yet).
MISSING_MS = 60000
TRIAL_MS = 600000
STEADY_MS = 20000


class Updater:
    """One for each start of the application. ``state`` is PadStatus.update."""

    def __init__(self, root: str, board: "Board", is_safe: bool = False):
        """``is_safe``: safe mode runs, so however long this start lasts, it proves nothing."""
        self.state = "none"
        self.is_switching = False  # the restart asked for is into the other slot
        self._root = root
        self._board = board
        self._record = read_record(root)
        self._slot = self._record.trial or self._record.active
        self._offer: UpdateOffered | None = None
        self._steps: Steps | None = None
        self._wish: tuple[str, int] | None = None
        self._answer: tuple[int, bytes] | None = None
        self._pause_ms = 0
        ticks_ms = board.ticks_ms()
        self._started_ticks = self._dark_ticks = self._online_ticks = self._wished_ticks = ticks_ms
        self._was_dark = self._was_online = self._is_tidy = self._is_unsaved = False
        self._has_worked = is_safe
        if self._record.trial:
            self.state = "trial"
        elif self._record.verdict in (DONE, ROLLED_BACK, REFUSED):
            self.state = self._record.verdict

    def take(self, message: "Message", retained: bool, ticks_ms: int) -> None:
        """An UpdateOffered, UpdateWithdrawn or Piece has arrived."""
        if isinstance(message, Piece):
            self._take_piece(message, ticks_ms)
        elif isinstance(message, UpdateOffered):
            if self._record.trial:
                self._offer = message  # looked at once the trial is over
            elif self._offer != message or not retained:
                self._consider(message, retained)
        elif self._record.trial:
            self._offer = None
        else:
            self._stop()
            self._offer = None
            self.state = "none"
            if self._record.verdict in (REFUSED, ROLLED_BACK):
                self._record.subject = bytes(32)
                self._is_unsaved = True

    def _take_piece(self, piece: Piece, ticks_ms: int) -> None:
        if self._wish != (piece.sha256, piece.offset):
            return  # an answer that came twice, or too late
        try:
            data = binascii.a2b_base64(piece.data)
        except ValueError:
            return
        if piece.size:
            self._answer = piece.size, data
        else:
            self._pause_ms = MISSING_MS
            self._wished_ticks = ticks_ms

    def step(
        self,
        ticks_ms: int,
        dark: bool,
        settled: bool,
        online: bool,
        condition: "tuple[str, ...] | None",
        say: "Callable[[Want], object]",
    ) -> bool:
        """To be called in every turn; whether the pad is to restart now.

        Args:
            settled: flash holds everything that memory does.
            condition: what the self-test found, in the words and order of PadStatus from storage to clock; None: it has
                not run, so a trial goes on.
            say: publishes a wish.
        """
        if dark and not self._was_dark:
            self._dark_ticks = ticks_ms
        if online and not self._was_online:
            self._online_ticks = ticks_ms
        self._was_dark, self._was_online = dark, online
        if not dark or self._since(self._dark_ticks, ticks_ms) < CALM_MS:
            return False
        if self._record.trial:
            return self._try(ticks_ms, online, condition)
        self._note_that_it_works(ticks_ms)
        self._tidy()
        if self._is_unsaved:
            self._is_unsaved = False
            save_record(self._root, self._record)
        if self._steps:
            self._advance(ticks_ms, online, say)
        return self.state == "waiting" and settled and self._switch_over(_faults(condition or ()))

    def due_ms(self, ticks_ms: int, otherwise_ms: int) -> int:
        """In how many milliseconds step() has something to do even if nothing arrives."""
        if self._steps and self._was_dark and (self._wish is None or self._answer):
            return max(0, min(CALM_MS - self._since(self._dark_ticks, ticks_ms), otherwise_ms))
        return otherwise_ms

    def _consider(self, offer: UpdateOffered, retained: bool) -> None:
        self._stop()
        self._offer = offer
        if not self._slot:
            self.state = "refused"
            self._board.log("update: this pad has no slots")
        elif offer.manifest == self._running():
            self.state = DONE
        elif retained and self._record.verdict in (REFUSED, ROLLED_BACK) and self._record.subject == _subject(offer):
            self.state = self._record.verdict
        else:
            self._board.log("update: %s offered" % offer.version)
            self.state = "loading"
            wanted = offer.version, offer.manifest
            self._steps = install(self._root, self._other(), self._slot, wanted, self._board.NAME)

    def _advance(self, ticks_ms: int, online: bool, say: "Callable[[Want], object]") -> None:
        if self._wish is not None and self._answer is None:
            if online and self._since(self._wished_ticks, ticks_ms) >= self._pause_ms:
                self._say(ticks_ms, say)
            return
        answer, self._answer = self._answer, None
        assert self._steps and self._offer
        self._board.mark("update")
        try:
            self._wish = self._steps.send(answer)  # type: ignore[arg-type]  # a generator begins with None
            if self._wish is not None and online:
                self._say(ticks_ms, say)
        except StopIteration:
            self._stop()
            self.state = "waiting"
            self._board.log("update: %s is on flash" % self._offer.version)
        except Refused as problem:
            self._give_up(problem.word, str(problem))
            if problem.word == REFUSED:
                self._record.refuse(_subject(self._offer))
                save_record(self._root, self._record)
        except (OSError, MemoryError) as error:
            self._give_up("no_space" if getattr(error, "errno", 0) == 28 else REFUSED, repr(error))
        self._board.mark("network")

    def _say(self, ticks_ms: int, say: "Callable[[Want], object]") -> None:
        assert self._wish
        self._wished_ticks = ticks_ms
        self._pause_ms = AGAIN_MS
        say(Want(self._wish[0], self._wish[1]))

    def _switch_over(self, faults: int) -> bool:
        assert self._offer
        self._record.begin_trial(self._other(), _subject(self._offer), faults)
        if save_record(self._root, self._record):
            self.is_switching = True
            return True
        self._record = read_record(self._root)
        self._give_up(REFUSED, "the flash does not take the boot record")
        return False

    def _try(self, ticks_ms: int, online: bool, condition: "tuple[str, ...] | None") -> bool:
        new_faults = condition is None or _faults(condition) & ~self._record.faults
        if online and not new_faults and self._since(self._online_ticks, ticks_ms) >= STEADY_MS:
            self._record.commit()
            save_record(self._root, self._record)
            self._has_worked = True
            self.state = DONE
            self._board.log("update: committed")
            offer, self._offer = self._offer, None
            if offer:
                self._consider(offer, True)
        elif self._since(self._started_ticks, ticks_ms) >= TRIAL_MS:
            self._board.log("update: back to the version before, %s" % ("faults" if new_faults else "not online"))
            self._record.tries = 0
            save_record(self._root, self._record)
            self.is_switching = True
            return True
        return False

    def _note_that_it_works(self, ticks_ms: int) -> None:
        if not self._has_worked and self._since(self._started_ticks, ticks_ms) >= WORKED_MS:
            self._has_worked = True
            if self._record.worked(self._slot):
                save_record(self._root, self._record)

    def _tidy(self) -> None:
        """What was rolled back must not be what a damaged slot is replaced by."""
        if not self._is_tidy:
            self._is_tidy = True
            if self._record.verdict == ROLLED_BACK and self._digest(self._other()) == self._record.subject:
                os.remove(self._root + "/" + self._other() + MANIFEST)

    def _give_up(self, word: str, why: str) -> None:
        self._stop()
        self.state = word
        self._board.log("update: %s: %s" % (word, why))

    def _stop(self) -> None:
        if self._steps:
            self._steps.close()
        self._steps = self._wish = self._answer = None

    def _other(self) -> str:
        return SLOTS[1 - SLOTS.index(self._slot)]

    def _running(self) -> str:
        return binascii.hexlify(self._digest(self._slot)).decode()

    def _digest(self, slot: str) -> bytes:
        """Of the slot's manifest; nothing if it has none."""
        try:
            with open(self._root + "/" + slot + MANIFEST, "rb") as file:
                return hashlib.sha256(file.read()).digest()
        except OSError:
            return b""

    def _since(self, ticks: int, now_ticks: int) -> int:
        return self._board.ticks_diff(now_ticks, ticks)


def _faults(condition: "tuple[str, ...]") -> int:
    """One bit for each word that names a fault; the clock is the network's business, and the journal's room."""
    found = 0
    for bit, word in enumerate(condition):
        if word in ("fault", "stuck", "low"):
            found |= 1 << bit
    return found


def _subject(offer: UpdateOffered) -> bytes:
    return binascii.unhexlify(offer.manifest)
