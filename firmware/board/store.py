"""The journal's file on a file system the board has mounted. Knows nothing of what is in it.

LittleFS replaces a file atomically when it is closed (measured: 10,701 cuts, always the old or the new record), so
there is no temporary file and no rename; those would cost three commits instead of one.
"""

from firmware.core import journal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_FILE = "/journal"
_ENOENT = 2


class Store:
    """Where the journal is kept. ``fault`` turns true when a record was lost or could not be written, and stays so."""

    def __init__(self, folder: str, random_bytes: "Callable[[int], bytes]", fault: bool = False):
        """``fault``: the board has found the file system itself damaged."""
        self.fault = fault
        self._path = folder + _FILE
        self._random_bytes = random_bytes
        self._kept_id: str | None = None  # the journal whose record lies in the file, as far as is known

    def open(self) -> journal.Journal:
        """The stored journal, or a new one if there is none or it cannot be read; counts this start."""
        found = journal.Journal(self._random_bytes(4))
        try:
            with open(self._path, "rb") as file:
                found.restore(file.readinto)
                self._kept_id = found.id
        except OSError as error:
            self.fault = self.fault or error.errno != _ENOENT  # none yet: the pad's first start
        except journal.BadRecord:
            self.fault = True
        found.boot += 1
        self.save(found)
        return found

    def save(self, changed: journal.Journal) -> None:
        """Commits the journal. If the flash refuses, the pad goes on in memory under a new journal id.

        Under the old id the record left on flash would give the same numbers again after a restart.
        """
        # Made before the file is opened: closing a file commits it, even when an exception closes it.
        record = changed.dump()
        try:
            with open(self._path, "wb") as file:
                file.write(record)
            self._kept_id = changed.id
        except OSError:
            self.fault = True
            if self._kept_id in (None, changed.id):
                changed.renew(self._random_bytes(4))
