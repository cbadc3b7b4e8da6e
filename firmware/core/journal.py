"""The pad's lock and outbox as one record: what it holds, and its bytes. It neither reads nor writes a file.

Both live in one record that is always written whole, so a power cut can never make them disagree: whoever finds the
lock of a call finds its vote, too, or has already been told that it is committed.

Every start begins a journal of its own: a new id, while the numbers go on. So an ack that the broker kept can only be
about votes of this very start. Were the id to outlive it, an old image of the flash put back would give numbers again
that are acknowledged already, and votes would be dropped unsent. What was waiting goes out again under the new id; the
collector knows a copy of a vote by its call.

Layout, little-endian; a record of up to 18 votes is stored inline by LittleFS (one program per commit)

    4s  magic            "ZPJ" and the version of this layout
    4s  journal id       of the start that wrote this; the next one's is made of it
    I   boot             counts the starts of this pad; after 4294967295 comes 1
    I   next seq         the number the next vote gets; the outbox ends just below it
    16s voted call       the last call that was voted for, zeros if none
    B   voted rating     what it was given, 0 if none
    H   count            votes in the outbox
    25s count times      call 16s, rating B, after_ms I, boot I; oldest first, numbers are consecutive
    I   CRC-32           of everything before it; what follows in the file is of a longer record, and means nothing

The buffer for the largest record is taken once, at the start: a heap in pieces must not cost a vote in the evening.
"""

import binascii
import struct

from protocol.messages import RATINGS, Vote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from protocol.messages import Ack

# A week of 80 votes a day and a desk with the line cut: 10 KB of a pad's heap.
CAPACITY = 400

_MAGIC = b"ZPJ\x01"
_HEAD = "<4s4sII16sBH"
_HEAD_BYTES = struct.calcsize(_HEAD)
_ENTRY = "<16sBII"
_ENTRY_BYTES = struct.calcsize(_ENTRY)
_CRC_BYTES = 4
_NO_CALL = bytes(16)

# The highest number there is; it is never given to a vote, so that "the next number" always has one.
_LAST = 4294967295

# What acknowledge() found.
IGNORED, DROPPED, AHEAD = "ignored", "dropped", "ahead"


class BadRecord(ValueError):
    """The bytes are no journal; str() says why."""


class Journal:
    """The last call voted for, and every vote the collector has not confirmed."""

    def __init__(self, id4: bytes = b"\0\0\0\0"):
        """A new, empty journal."""
        self.boot = 0
        self.depth = 0  # how many votes wait for the collector
        self._id4 = id4
        self._next_seq = 1
        self._voted_call = _NO_CALL
        self._voted_rating = 0
        self._record = memoryview(bytearray(_HEAD_BYTES + CAPACITY * _ENTRY_BYTES + _CRC_BYTES))

    @property
    def id(self) -> str:
        return binascii.hexlify(self._id4).decode()

    @property
    def is_full(self) -> bool:
        return self.depth >= CAPACITY

    @property
    def oldest_seq(self) -> "int | None":
        return self._next_seq - self.depth if self.depth else None

    def start(self, random4: bytes) -> None:
        """The pad starts: its votes stay, under a new id. ``random4`` need not be good: ids do not repeat anyway."""
        self.boot = self.boot % _LAST + 1
        mixed = binascii.crc32(self._id4 + random4 + struct.pack("<I", self.boot))
        self._id4 = struct.pack("<I", mixed)

    def oldest(self) -> "Vote | None":
        """The vote to publish: the oldest that is not confirmed, or None."""
        if not self.depth:
            return None
        call, rating, after_ms, boot = struct.unpack_from(_ENTRY, self._record, _HEAD_BYTES)
        return Vote(call.decode(), rating, after_ms, self.id, boot, self._next_seq - self.depth)

    def rating_of(self, call: str) -> int:
        """The rating given in ``call`` as far as this record remembers, 0 if none."""
        wanted = call.encode()
        if wanted == self._voted_call:
            return self._voted_rating
        for number in range(self.depth):
            entry = struct.unpack_from(_ENTRY, self._record, _HEAD_BYTES + number * _ENTRY_BYTES)
            if entry[0] == wanted:
                return int(entry[1])
        return 0

    def add(self, call: str, rating: int, after_ms: int) -> None:
        """Takes a vote. The caller has seen that the journal is not full."""
        if self._next_seq == _LAST:
            self.renew(struct.pack("<I", binascii.crc32(self._id4)))
        self._voted_call = call.encode()
        self._voted_rating = rating
        end = _HEAD_BYTES + self.depth * _ENTRY_BYTES
        struct.pack_into(_ENTRY, self._record, end, self._voted_call, rating, after_ms, self.boot)
        self.depth += 1
        self._next_seq += 1

    def acknowledge(self, ack: "Ack") -> str:
        """Forgets what ``ack`` confirms: DROPPED, or IGNORED if that is nothing of ours.

        AHEAD: the collector has numbers that this journal has not given yet, so another pad has used its id. Going on
        would give used numbers to new votes, and those would be taken for copies: call renew().
        """
        if ack.journal != self.id:
            return IGNORED
        if ack.seq >= self._next_seq:
            return AHEAD
        confirmed = ack.seq - (self._next_seq - self.depth) + 1
        if confirmed <= 0:
            return IGNORED
        end = _HEAD_BYTES + self.depth * _ENTRY_BYTES
        start = _HEAD_BYTES + confirmed * _ENTRY_BYTES
        self._record[_HEAD_BYTES : _HEAD_BYTES + end - start] = self._record[start:end]
        self.depth -= confirmed
        return DROPPED

    def renew(self, id4: bytes) -> None:
        """Continues as a new journal: same votes, numbered afresh. The collector knows a vote's copies by its call."""
        self._id4 = id4
        self._next_seq = self.depth + 1

    def dump(self) -> memoryview:
        """The record to store; valid until the journal changes."""
        end = _HEAD_BYTES + self.depth * _ENTRY_BYTES
        head = (_MAGIC, self._id4, self.boot, self._next_seq, self._voted_call, self._voted_rating, self.depth)
        struct.pack_into(_HEAD, self._record, 0, *head)
        struct.pack_into("<I", self._record, end, binascii.crc32(self._record[:end]))
        return self._record[: end + _CRC_BYTES]

    def restore(self, read_into: "Callable[[memoryview], int | None]") -> None:
        """Becomes the stored record that ``read_into`` puts into a buffer. Raises BadRecord, and is empty then."""
        length = read_into(self._record) or 0
        if length < _HEAD_BYTES or bytes(self._record[:4]) != _MAGIC:
            raise BadRecord("not a journal of this version")
        _, id4, boot, next_seq, voted_call, voted_rating, depth = struct.unpack_from(_HEAD, self._record, 0)
        end = _HEAD_BYTES + depth * _ENTRY_BYTES
        if end + _CRC_BYTES > length:
            raise BadRecord("the record is cut off")
        if struct.unpack_from("<I", self._record, end)[0] != binascii.crc32(self._record[:end]):
            raise BadRecord("the checksum is wrong")
        if next_seq <= depth:
            raise BadRecord("the outbox does not fit the record")
        if voted_rating not in RATINGS and (voted_rating or voted_call != _NO_CALL):
            raise BadRecord("the lock is out of range")
        self._id4 = id4
        self.boot = boot
        self.depth = depth
        self._next_seq = next_seq
        self._voted_call = voted_call
        self._voted_rating = voted_rating
