"""The journal's file on a file system the board has mounted. Knows nothing of what is in it.

LittleFS replaces what lies in a file at one stroke when the file is closed: a power cut leaves the old record or the
new one. So a record is written over the last one, in place. Opening the file anew ("wb") would be as safe from power
cuts, but not from what can happen between two bytecodes, a keyboard interrupt or a full heap: whoever closes an emptied
file commits it. A temporary file and a rename would cost three commits instead of one; that is how the first record is
made, and how the file gets short again after the line was cut for long.

Wear, at 300 votes a day with 60 % of the flash full of files that never change (tests/bench/bench_flash_wear.py): two
commits a vote, each one program; 0.06 (ESP32) to 0.13 (RP2040) erases a vote; the hottest block of the smallest part, a
Pico W's 212 blocks, reaches 100,000 erases after 180 years. If the line were cut all day, every day: after 32.
"""

import os

from firmware.core import journal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_FOLDER = "/state"
_FILE = "/journal"
_ENOENT, _EEXIST, _ENOSPC = 2, 17, 28
# Longer files take a block of their own on an ESP32, and each commit an erase (on an RP2040: from 513 bytes on).
_INLINE_BYTES = 128


class Store:
    """Where the journal is kept, and how the flash behaves."""

    def __init__(self, root: str, random_bytes: "Callable[[int], bytes]", lost: bool = False):
        """``root``: the pad's file system. ``lost``: the board has had to make it anew."""
        self.lost = lost  # what was kept was damaged; true until the next start, so that somebody sees it
        self.refused: int | None = None  # the errno with which the last save failed
        self._folder = root + _FOLDER
        self._path = root + _FOLDER + _FILE
        self._random_bytes = random_bytes
        self._file_bytes = 0  # 0: there is no file that could be written over

    @property
    def condition(self) -> str:
        """A word for PadStatus.storage: "fault" if something was lost or is being refused, "full" if there is no room.

        Once a record is committed again it holds everything that memory does, so the trouble is over.
        """
        if self.lost or self.refused not in (None, _ENOSPC):
            return "fault"
        return "full" if self.refused else "ok"

    def open(self) -> journal.Journal:
        """The stored journal, or an empty one if there is none or it cannot be read; counts this start."""
        found = journal.Journal()
        try:
            with open(self._path, "rb") as file:
                found.restore(file.readinto)
            self._file_bytes = os.stat(self._path)[6]
        except OSError as error:
            if error.errno != _ENOENT:  # else none yet: the pad's first start
                self._put_aside()
        except journal.BadRecord:
            self._put_aside()
        found.start(self._random_bytes(4))
        self.save(found)
        return found

    def save(self, changed: journal.Journal) -> bool:
        """Commits the journal; False if the flash refuses, and then the record of before is still there."""
        record = changed.dump()
        try:
            if self._file_bytes and (self._file_bytes <= _INLINE_BYTES or len(record) > _INLINE_BYTES):
                self._write_over(record)
            else:
                self._write_anew(record)
            self.refused = None
        except OSError as error:
            self.refused = error.errno
        return self.refused is None

    def _write_over(self, record: memoryview) -> None:
        with open(self._path, "r+b") as file:
            file.write(record)
        self._file_bytes = max(self._file_bytes, len(record))

    def _write_anew(self, record: memoryview) -> None:
        try:
            os.mkdir(self._folder)
        except OSError as error:
            if error.errno != _EEXIST:
                raise
        fresh = self._path + ".new"
        with open(fresh, "wb") as file:
            file.write(record)
        os.rename(fresh, self._path)
        self._file_bytes = len(record)

    def _put_aside(self) -> None:
        """Keeps a record that cannot be read for whoever wants to look at it; nothing reads it again."""
        self.lost = True
        try:
            os.rename(self._path, self._path + ".bad")
        except OSError:
            pass  # then it is written over
