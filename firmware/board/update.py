"""What the running application tells the loader about itself, and what becomes of an update."""

from firmware.boot import DONE, ROLLED_BACK, read_record, save_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# A start that lasted this long was a good one.
_WORKED_MS = 60000


class Updater:
    """One for each start. ``state`` is PadStatus.update."""

    def __init__(self, root: str, ticks_ms: int, ticks_diff: "Callable[[int, int], int]"):
        self._root = root
        self._ticks_diff = ticks_diff
        self._record = read_record(root)
        self._started_ticks: int | None = ticks_ms
        self.state = self._record.verdict if self._record.verdict in (DONE, ROLLED_BACK) else "none"

    def step(self, ticks_ms: int, calm: bool) -> None:
        """To be called in every turn. ``calm``: flash may be written now."""
        if calm and self._started_ticks is not None and self._ticks_diff(ticks_ms, self._started_ticks) >= _WORKED_MS:
            self._started_ticks = None
            if self._record.worked(self._record.trial or self._record.active):
                save_record(self._root, self._record)
