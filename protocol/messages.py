"""The messages: plain classes with FIELDS, compared by value. What they mean; not how they are written (codec.py).

Units are part of the names: ``_unix_ms`` is wall-clock UTC in milliseconds, ``_ms`` and ``_s`` are durations.
"""

from protocol.fields import (
    CALL_ID,
    COUNT,
    DURATION_MS,
    EVENT_ID,
    JOURNAL_ID,
    NAME,
    RATING,
    SHA256,
    UNIX_MS,
    WORD,
    Base64,
    Int,
    Maybe,
    OneOf,
    Rule,
)
from protocol.words import CLOSE_REASONS, EVENT_TYPES, STEPS, UPDATE_STATES

BAD, GOOD, EXEMPLARY = 1, 2, 3  # order P2.1: Погано / Добре / Зразково
RATINGS = (BAD, GOOD, EXEMPLARY)

# Bytes in one Piece: with the topic around it, the packet fits a pad's receive buffer of 1 KB.
PIECE_BYTES = 504


class Message:
    """Equality and repr by FIELDS. A message is never changed once made."""

    KIND = ""
    TAG: "tuple[str, str] | None" = None  # (key, value) that tells apart two messages of one topic
    FIELDS: "tuple[tuple[str, Rule], ...]" = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return False
        for name, _ in self.FIELDS:
            if getattr(self, name) != getattr(other, name):
                return False
        return True

    def __hash__(self) -> int:
        return hash(tuple([getattr(self, name) for name, _ in self.FIELDS]))

    def __repr__(self) -> str:
        return "%s(%s)" % (
            type(self).__name__,
            ", ".join(["%s=%r" % (name, getattr(self, name)) for name, _ in self.FIELDS]),
        )


class CallOpened(Message):
    """A client was called to this desk: the pad may take one vote for ``call`` until ``until_unix_ms``."""

    KIND = "call"
    TAG = ("state", "open")
    FIELDS = (("call", CALL_ID), ("opened_unix_ms", UNIX_MS), ("until_unix_ms", UNIX_MS))

    def __init__(self, call: str, opened_unix_ms: int, until_unix_ms: int):
        self.call = call
        self.opened_unix_ms = opened_unix_ms
        self.until_unix_ms = until_unix_ms


class CallClosed(Message):
    """No call is open at this desk; ``call`` names the one that was, if any."""

    KIND = "call"
    TAG = ("state", "closed")
    FIELDS = (("call", Maybe(CALL_ID)), ("closed_unix_ms", UNIX_MS))

    def __init__(self, call: "str | None", closed_unix_ms: int):
        self.call = call
        self.closed_unix_ms = closed_unix_ms


class Vote(Message):
    """The first press in a call. ``after_ms`` runs from arming to the press; the pad needs no clock for it.

    ``journal`` and ``seq`` name this sending and may change when the pad starts again; ``boot`` is the start in which
    the button was pressed, and stays.
    """

    KIND = "vote"
    FIELDS = (
        ("call", CALL_ID),
        ("rating", RATING),
        ("after_ms", DURATION_MS),
        ("journal", JOURNAL_ID),
        ("boot", COUNT),
        ("seq", COUNT),
    )

    def __init__(self, call: str, rating: int, after_ms: int, journal: str, boot: int, seq: int):
        self.call = call
        self.rating = rating
        self.after_ms = after_ms
        self.journal = journal
        self.boot = boot
        self.seq = seq


class Ack(Message):
    """Everything of ``journal`` up to and with ``seq`` is committed. ``at_unix_ms`` is the collector's clock."""

    KIND = "ack"
    FIELDS = (("journal", JOURNAL_ID), ("seq", COUNT), ("at_unix_ms", UNIX_MS))

    def __init__(self, journal: str, seq: int, at_unix_ms: int):
        self.journal = journal
        self.seq = seq
        self.at_unix_ms = at_unix_ms


class PadStatus(Message):
    """What the pad is doing. The rating is never in it: nobody watches a single vote (order P3.2e)."""

    KIND = "status"
    FIELDS = (
        ("state", OneOf("online", "offline")),
        ("phase", OneOf("dark", "armed", "voted")),
        ("call", Maybe(CALL_ID)),
        ("journal", JOURNAL_ID),
        ("boot", COUNT),
        ("firmware", WORD),
        ("reset", OneOf("power", "watchdog", "soft", "crash", "update", "unknown")),
        ("lamps", OneOf("ok", "fault", "unverified")),
        ("buttons", OneOf("ok", "stuck", "unverified")),
        ("storage", OneOf("ok", "full", "fault")),  # full: no room for another vote; fault: lost, or being refused
        ("memory", OneOf("ok", "low")),
        ("clock", OneOf("ok", "unset", "wrong")),
        ("during", Maybe(OneOf(*STEPS))),  # the step that a watchdog or a crash ended
        ("update", OneOf(*UPDATE_STATES)),
        ("mode", OneOf("normal", "safe")),  # safe: answers IT, takes no votes
        ("board", WORD),
    )

    def __init__(
        self,
        state: str,
        phase: str,
        call: "str | None",
        journal: str,
        boot: int,
        firmware: str,
        reset: str,
        lamps: str,
        buttons: str,
        storage: str,
        memory: str = "ok",
        clock: str = "ok",
        during: "str | None" = None,
        update: str = "none",
        mode: str = "normal",
        board: str = "unix",
    ):
        self.state = state
        self.phase = phase
        self.call = call
        self.journal = journal
        self.boot = boot
        self.firmware = firmware
        self.reset = reset
        self.lamps = lamps
        self.buttons = buttons
        self.storage = storage
        self.memory = memory
        self.clock = clock
        self.during = during
        self.update = update
        self.mode = mode
        self.board = board


class Health(Message):
    """Counters since boot, for IT. Presses are counted by disposition: vote, repeat, no_call, late."""

    KIND = "health"
    FIELDS = (
        ("uptime_s", COUNT),
        ("heap_used_bytes", COUNT),
        ("heap_free_bytes", COUNT),
        ("signal_dbm", Maybe(Int(-127, 0))),
        ("stall_max_ms", COUNT),
        ("outbox", COUNT),
        ("votes", COUNT),
        ("repeats", COUNT),
        ("no_call", COUNT),
        ("late", COUNT),
        ("reconnects", COUNT),
        ("refused_messages", COUNT),
        ("flash_free_bytes", COUNT),
        (
            "clock_off_ms",
            Maybe(Int(-4102444800000, 4102444800000)),
        ),  # the pad's clock less the collector's; null: unknown
        ("self_tests", COUNT),
    )

    def __init__(
        self,
        uptime_s: int,
        heap_used_bytes: int,
        heap_free_bytes: int,
        signal_dbm: "int | None",
        stall_max_ms: int,
        outbox: int,
        votes: int,
        repeats: int,
        no_call: int,
        late: int,
        reconnects: int,
        refused_messages: int,
        flash_free_bytes: int = 0,
        clock_off_ms: "int | None" = None,
        self_tests: int = 0,
    ):
        self.uptime_s = uptime_s
        self.heap_used_bytes = heap_used_bytes
        self.heap_free_bytes = heap_free_bytes
        self.signal_dbm = signal_dbm
        self.stall_max_ms = stall_max_ms
        self.outbox = outbox
        self.votes = votes
        self.repeats = repeats
        self.no_call = no_call
        self.late = late
        self.reconnects = reconnects
        self.refused_messages = refused_messages
        self.flash_free_bytes = flash_free_bytes
        self.clock_off_ms = clock_off_ms
        self.self_tests = self_tests


class Command(Message):
    """Something IT asks of one pad. ``id`` lets the asker recognise the effect; unknown words are refused."""

    KIND = "command"
    FIELDS = (("id", EVENT_ID), ("do", OneOf("identify", "restart", "report", "test")))

    def __init__(self, id: str, do: str):
        self.id = id
        self.do = do


class Settings(Message):
    """How the lamps are to behave. Kept at the broker, so that a replaced pad behaves as the one before.

    ``chosen_s``: after so many seconds the chosen lamp goes out too; 0: it stays lit until the call ends (order P2.6).
    """

    KIND = "settings"
    FIELDS = (("armed_pct", Int(1, 100)), ("chosen_pct", Int(1, 100)), ("chosen_s", Int(0, 3600)))

    def __init__(self, armed_pct: int = 100, chosen_pct: int = 100, chosen_s: int = 0):
        self.armed_pct = armed_pct
        self.chosen_pct = chosen_pct
        self.chosen_s = chosen_s


class UpdateOffered(Message):
    """This pad is to run ``version``; ``manifest`` is the SHA-256 of the manifest that lists its files."""

    KIND = "update"
    TAG = ("state", "offered")
    FIELDS = (("version", WORD), ("manifest", SHA256))

    def __init__(self, version: str, manifest: str):
        self.version = version
        self.manifest = manifest


class UpdateWithdrawn(Message):
    """Nothing is on offer: a pad that has not yet changed over stays with what it runs."""

    KIND = "update"
    TAG = ("state", "withdrawn")


class Want(Message):
    """The pad asks for the bytes from ``offset`` on of the file with this SHA-256."""

    KIND = "want"
    FIELDS = (("sha256", SHA256), ("offset", COUNT))

    def __init__(self, sha256: str, offset: int):
        self.sha256 = sha256
        self.offset = offset


class Piece(Message):
    """At most PIECE_BYTES bytes of a file, base64; ``size`` is the whole file's, 0 if there is no such file."""

    KIND = "piece"
    FIELDS = (("sha256", SHA256), ("offset", COUNT), ("size", COUNT), ("data", Base64(PIECE_BYTES // 3 * 4)))

    def __init__(self, sha256: str, offset: int, size: int, data: str):
        self.sha256 = sha256
        self.offset = offset
        self.size = size
        self.data = data


class QueueEvent(Message):
    """One thing that happened in the queue, with a snapshot of the call it belongs to.

    ``event`` is the queue system's id of it, ``journal`` and ``seq`` are the feed's. Every event about a call repeats
    desk, operator, service and ``called_unix_ms``, so that any one of them is enough to know the call: order of
    arrival then does not matter, the highest ``seq`` wins field by field. ``ticket`` is a keyed pseudonym.
    """

    KIND = "event"
    FIELDS = (
        ("event", EVENT_ID),
        ("journal", JOURNAL_ID),
        ("seq", COUNT),
        ("type", OneOf(*EVENT_TYPES)),
        ("occurred_unix_ms", UNIX_MS),
        ("call", Maybe(CALL_ID)),
        ("called_unix_ms", Maybe(UNIX_MS)),
        ("desk", Maybe(NAME)),
        ("operator", Maybe(NAME)),
        ("service", Maybe(NAME)),
        ("ticket", Maybe(WORD)),
        ("reason", Maybe(OneOf(*CLOSE_REASONS))),
    )

    def __init__(
        self,
        event: str,
        journal: str,
        seq: int,
        type: str,
        occurred_unix_ms: int,
        call: "str | None" = None,
        called_unix_ms: "int | None" = None,
        desk: "str | None" = None,
        operator: "str | None" = None,
        service: "str | None" = None,
        ticket: "str | None" = None,
        reason: "str | None" = None,
    ):
        self.event = event
        self.journal = journal
        self.seq = seq
        self.type = type
        self.occurred_unix_ms = occurred_unix_ms
        self.call = call
        self.called_unix_ms = called_unix_ms
        self.desk = desk
        self.operator = operator
        self.service = service
        self.ticket = ticket
        self.reason = reason


class Pulse(Message):
    """A feed's word, every minute, that it is there for this branch; not kept by the broker.

    ``sources_down``: queue systems that do not answer it. ``unplaced``: who called to no known desk within a day.
    ``last_event_unix_ms``: when the feed last heard a new event of the branch, since it was started.
    """

    KIND = "pulse"
    FIELDS = (
        ("uptime_s", COUNT),
        ("outbox", COUNT),
        ("sources_down", COUNT),
        ("unplaced", COUNT),
        ("last_event_unix_ms", Maybe(UNIX_MS)),
    )

    def __init__(
        self, uptime_s: int, outbox: int, sources_down: int, unplaced: int, last_event_unix_ms: "int | None" = None
    ):
        self.uptime_s = uptime_s
        self.outbox = outbox
        self.sources_down = sources_down
        self.unplaced = unplaced
        self.last_event_unix_ms = last_event_unix_ms


_OF_CALLS = (CallOpened, CallClosed, Vote, Ack, QueueEvent, Pulse)
_OF_PADS = (PadStatus, Health, Command, Settings, UpdateOffered, UpdateWithdrawn, Want, Piece)
MESSAGES = _OF_CALLS + _OF_PADS
