"""What a pad must know before its application runs: the record ``state/boot``, and what is in a slot.

Both the loader, which no update replaces, and the application in a slot have this module, each its own copy: the
record's bytes are what they agree on. loader.py decides by it; update.py writes it.

Record, little-endian: magic, places in SLOTS + 1 of active and trial slot (0: none), tries left, bad starts in a row,
the slots that have worked (bits), flags, verdict (its place in VERDICTS), faults before the update (bits), SHA-256 of
the manifest that the verdict is about, CRC-32. LittleFS replaces it atomically. A record that cannot be read counts
as a new one: the slots tell the rest.
"""

import binascii
import json
import os
import struct

SLOTS = ("a", "b")
NORMAL, SAFE = "normal", "safe"
# What main(root, mode) of a slot returns to be started again; anything else is the exit code of the unix build.
RESTART = "restart"
NONE, DONE, REFUSED, ROLLED_BACK = VERDICTS = ("none", "done", "refused", "rolled_back")
TRIES = 3
BAD_LIMIT = 3
STATE, RECORD, MANIFEST = "/state", "/state/boot", "/manifest.json"

_MAGIC = b"ZPB\x01"
_LAYOUT = "<4sBBBBBBBB32s"
_BYTES = struct.calcsize(_LAYOUT)
_FELL_BACK, _ANNOUNCED = 1, 2
_NOTHING = bytes(32)


class BootRecord:
    """What must be known before the application runs. An attribute changed is on flash only after save()."""

    def __init__(self) -> None:
        self.active = ""
        self.trial = ""
        self.tries = 0
        self.bad = 0  # starts in a row that ended badly
        self.fell_back = False  # to the other slot, since a start last worked
        self.announced = False  # the restart that is to follow is meant
        self.verdict = NONE
        self.faults = 0
        self.subject = _NOTHING
        self._worked = 0

    def has_worked(self, slot: str) -> bool:
        return bool(self._worked & _bit(slot))

    def begin_trial(self, slot: str, subject: bytes, faults: int) -> None:
        """The next start is to try ``slot``. ``faults``: what the pad has already, so is not the update's doing."""
        self.trial = slot
        self.tries = TRIES
        self.verdict = NONE
        self.subject = subject
        self.faults = faults
        self._worked &= ~_bit(slot)

    def commit(self) -> None:
        """The slot on trial is the pad's from now on."""
        self.active, self.trial = self.trial, ""
        self.verdict = DONE
        self.worked(self.active)

    def roll_back(self) -> None:
        self.trial = ""
        self.tries = self.bad = 0
        self.verdict = ROLLED_BACK

    def refuse(self, subject: bytes) -> None:
        self.verdict = REFUSED
        self.subject = subject

    def worked(self, slot: str) -> bool:
        """This start was a good one. Whether that is news, so worth a write."""
        before = self.dump()
        self.bad = 0
        self.fell_back = False
        self._worked |= _bit(slot)
        return self.dump() != before

    def dump(self) -> bytes:
        flags = (_FELL_BACK if self.fell_back else 0) | (_ANNOUNCED if self.announced else 0)
        places = _place(self.active), _place(self.trial), self.tries, self.bad, self._worked, flags
        body = struct.pack(_LAYOUT, _MAGIC, *places, VERDICTS.index(self.verdict), self.faults, self.subject)
        return body + struct.pack("<I", binascii.crc32(body))

    def restore(self, data: bytes) -> bool:
        """Becomes the record in ``data``; False, and unchanged, if that is none."""
        if len(data) != _BYTES + 4 or data[:4] != _MAGIC:
            return False
        if struct.unpack("<I", data[_BYTES:])[0] != binascii.crc32(data[:_BYTES]):
            return False
        _, active, trial, tries, bad, worked, flags, verdict, faults, subject = struct.unpack(_LAYOUT, data[:_BYTES])
        if active > len(SLOTS) or trial > len(SLOTS) or verdict >= len(VERDICTS):
            return False
        self.active = SLOTS[active - 1] if active else ""
        self.trial = SLOTS[trial - 1] if trial else ""
        self.tries, self.bad, self.faults, self.subject = tries, bad, faults, subject
        self.fell_back, self.announced = bool(flags & _FELL_BACK), bool(flags & _ANNOUNCED)
        self.verdict = VERDICTS[verdict]
        self._worked = worked
        return True


def read_record(root: str) -> BootRecord:
    """The record of the pad whose files are under ``root``; a new one if there is none to read."""
    record = BootRecord()
    try:
        with open(root + RECORD, "rb") as file:
            record.restore(file.read())
    except OSError:
        pass
    return record


def save_record(root: str, record: BootRecord) -> bool:
    """False if the flash refuses."""
    try:
        try:
            os.stat(root + STATE)
        except OSError:
            os.mkdir(root + STATE)
        data = record.dump()
        with open(root + RECORD, "wb") as file:
            file.write(data)
        return True
    except OSError:
        return False


def read_manifest(folder: str) -> "list[tuple[str, int, str]]":
    """(path, size, SHA-256) of each file of the slot in ``folder``; none if it has no manifest that can be read."""
    try:
        with open(folder + MANIFEST, "rb") as file:
            return [(path, size, sha256) for path, size, sha256 in json.loads(file.readline())["files"]]
    except (OSError, ValueError, KeyError, TypeError, RuntimeError):
        return []


def _place(slot: str) -> int:
    return SLOTS.index(slot) + 1 if slot else 0


def _bit(slot: str) -> int:
    return 1 << SLOTS.index(slot) if slot else 0
