"""When the journal is written: a vote at once, an acknowledgement when no client may press, what was refused once more.

It does not know how (store.py), and decides no vote.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.board.contract import Board
    from firmware.board.store import Store
    from firmware.core.journal import Journal

# What flash does not have yet, by urgency.
_NOTHING, _REFUSED, _ACK, _VOTE = 0, 1, 2, 3
# A worn flash takes long to refuse, and a full one is emptied by people.
_AGAIN_MS = 60000
# While a long outbox empties, an ack comes every few milliseconds; a record of many votes costs an erase or more.
_DRAINING_MS = 10000


class Keeper:
    def __init__(self, store: "Store", board: "Board"):
        """``store`` has been opened."""
        self._store = store
        self._board = board
        self._unsaved = _NOTHING if store.refused is None else _REFUSED
        self._tried_ticks = board.ticks_ms()

    @property
    def holds_back(self) -> bool:
        """Whether a vote has not been offered to the flash yet: until then the world must not hear of it."""
        return self._unsaved == _VOTE

    @property
    def is_settled(self) -> bool:
        """Whether flash holds everything that memory does."""
        return self._unsaved == _NOTHING

    def vote_taken(self) -> None:
        self._unsaved = _VOTE

    def acknowledged(self) -> None:
        self._unsaved = max(self._unsaved, _ACK)

    def step(self, journal: "Journal", armed: bool, ticks_ms: int) -> None:
        """Saves what is due. Raises what save() raises beside a refusal: then it is due still."""
        # That votes were acknowledged may wait: after a power cut they go out again.
        if self._unsaved == _NOTHING or (armed and self._unsaved != _VOTE):
            return
        since_ms = self._board.ticks_diff(ticks_ms, self._tried_ticks)
        if self._unsaved == _REFUSED and since_ms < _AGAIN_MS:
            return
        if self._unsaved == _ACK and journal.depth and since_ms < _DRAINING_MS:
            return
        self._board.mark("storage")
        self._unsaved = _NOTHING if self._store.save(journal) else _REFUSED
        self._board.mark("network")
        self._tried_ticks = ticks_ms
