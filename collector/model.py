"""The values the collector works on: calls, votes, what arrives and what is answered. No library, no database.

Rows are named tuples: thousands are made a second, and they go to the database as they are.

What became of a message (``Answer.disposition``)

    taken            recorded: something is known that was not known before
    waiting          a vote whose call is not known yet; it counts as soon as the call comes
    known            had before, changes nothing: a redelivery (perhaps under a later journal of the same pad), or an
                     event that an equal or newer one has overtaken
    repeat           kept: the call has its vote already, and this is another (order P2.6)
    wrong_desk       kept: the call is at another desk
    reused_number    kept: the pad gave the same number to another vote (a fault of its storage)
    rejected_event   kept: well-formed, but contradicts itself or what is known of the call
    unknown_desk     kept: not in the register. No receipt: its writer keeps it until the register knows the desk
    unknown_branch   kept: likewise
    archived         kept: about a call whose month is closed and in files, so that no figure changes any more
    topic, malformed, version    kept: not one of our messages
    failed           not stored: a fault of this program met with this message; see the log

Kept things are in the table ``kept``, once each (so many a topic and day: collector/quarantine.py), and in no figure.
"""

from typing import NamedTuple

from protocol.messages import Ack

TAKEN, WAITING, KNOWN, FAILED = "taken", "waiting", "known", "failed"
REPEAT, WRONG_DESK, REUSED_NUMBER, REJECTED_EVENT = "repeat", "wrong_desk", "reused_number", "rejected_event"
UNKNOWN_DESK, UNKNOWN_BRANCH, ARCHIVED = "unknown_desk", "unknown_branch", "archived"
TOPIC, MALFORMED, VERSION = "topic", "malformed", "version"
KEPT_REASONS = (
    REPEAT,
    WRONG_DESK,
    REUSED_NUMBER,
    REJECTED_EVENT,
    UNKNOWN_DESK,
    UNKNOWN_BRANCH,
    ARCHIVED,
    TOPIC,
    MALFORMED,
    VERSION,
)


class Arrival(NamedTuple):
    """A message as the broker delivered it."""

    topic: str
    payload: bytes
    received_unix_ms: int


class Answer(NamedTuple):
    """What became of one arrival; ``ack`` is the topic and receipt to publish once the batch is committed."""

    disposition: str
    ack: tuple[str, Ack] | None


class CallRow(NamedTuple):
    """One ticket summoned to one desk. ``outcome`` is null while it is open."""

    id: str
    branch: str
    desk: str
    operator: str | None
    service: str | None
    ticket: str | None
    called_unix_ms: int
    day: int
    started_unix_ms: int | None
    ended_unix_ms: int | None
    outcome: str | None
    dims_seq: int
    end_seq: int | None
    unrated: bool | None = False  # its service is one without calls, see collector/rollup.py; null in older rows


class VoteRow(NamedTuple):
    call: str
    desk: str
    rating: int
    after_ms: int
    journal: str
    boot: int
    seq: int
    received_unix_ms: int


class KeptRow(NamedTuple):
    """Something that became neither vote nor call. The same thing again only raises ``times``."""

    reason: str
    digest: str
    topic: str
    payload: bytes
    size: int
    problem: str
    first_unix_ms: int
    last_unix_ms: int
    times: int


class PadState(NamedTuple):
    """What a pad last said of itself, and when that last became different."""

    desk: str
    state: str
    phase: str
    call: str | None
    journal: str
    boot: int
    firmware: str
    reset: str
    lamps: str
    buttons: str
    storage: str
    memory: str | None  # this and what follows: null in rows of before these words were on the wire
    clock: str | None
    during: str | None
    update: str | None
    mode: str | None
    board: str | None
    changed_unix_ms: int


class Office(NamedTuple):
    """What ingesting needs of the register; ``revision`` changes when it is loaded anew."""

    revision: int
    archived: str  # calls with ids less than this are in files: nothing is added to them; "" if there are none
    timezones: dict[str, str]  # by branch, of every branch there ever was
    desks: dict[str, str]  # the last known branch by desk
    # (first day, last day, branch) by desk, of desks that were in more than one branch: nearly none.
    moved: dict[str, list[tuple[int, int, str]]]
    # (first day, last day) by service, of services that open no call: nothing is rated there.
    no_calls: dict[str, list[tuple[int, int]]]

    def branch_of(self, desk: str, day: int) -> str | None:
        """Where the desk stood on a local day; its last known branch where the register says nothing of that day."""
        for first, last, branch in self.moved.get(desk, ()):
            if first <= day <= last:
                return branch
        return self.desks.get(desk)

    def is_unrated(self, service: str | None, day: int) -> bool:
        """Whether the service is one that opens no call on a local day."""
        return any(first <= day <= last for first, last in self.no_calls.get(service or "", ()))
