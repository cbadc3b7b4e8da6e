"""The wire, mirrored in pydantic for documents and for servers written by others. Not the codec: protocol/ is.

``protocol`` is the one truth; tests/contract decodes every golden file with both and demands the same answer.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

UnixMs = Annotated[
    int, Field(ge=1577836800000, le=4102444800000, description="Wall clock, UTC, milliseconds since 1970.")
]
Count = Annotated[int, Field(ge=0, le=4294967295)]
Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=40,
        pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
        description="Lower-case letters, digits, hyphens.",
    ),
]
CallId = Annotated[
    str, Field(pattern=r"^[0-9abcdefghjkmnpqrstvwxyz]{16}$", description="One ticket summoned to one desk.")
]
JournalId = Annotated[
    str, Field(pattern=r"^[0-9a-f]{8}$", description="Born with the writer's storage; seq counts within it.")
]
EventId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:-]+$")]
Word = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9._:-]+$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Step = Literal["starting", "buttons", "network", "storage", "update", "self_test"]
UpdateState = Literal["none", "loading", "waiting", "trial", "done", "refused", "no_space", "rolled_back"]
Rating = Annotated[int, Field(ge=1, le=3, description="1 bad, 2 good, 3 exemplary (order P2.1).")]
EventType = Literal[
    "issued",
    "called",
    "recalled",
    "recovered",
    "started",
    "service_switched",
    "finished",
    "no_show",
    "left",
    "transferred",
    "held",
    "requeued",
    "removed",
    "closed",
    "operator_opened",
    "operator_closed",
    "operator_paused",
    "reset",
]
CloseReason = Literal[
    "next_call",
    "absent",
    "void",
    "end_of_day",
    "idle",
    "operator_closed",
    "operator_moved",
    "resumed",
    "called_elsewhere",
    "reset",
]


class WireModel(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    v: Annotated[int, Field(ge=1, le=1, description="Version of the wire.")]  # Literal[1] would take true


class CallOpened(WireModel):
    """A client was called to this desk: the pad may take one vote for the call until ``until_unix_ms``."""

    state: Literal["open"]
    call: CallId
    opened_unix_ms: UnixMs
    until_unix_ms: UnixMs


class CallClosed(WireModel):
    """No call is open at this desk."""

    state: Literal["closed"]
    call: CallId | None
    closed_unix_ms: UnixMs


class Vote(WireModel):
    """The first press in a call; published until an Ack of its journal covers its seq."""

    call: CallId
    rating: Rating
    after_ms: Annotated[int, Field(ge=0, le=86400000, description="From arming to the press.")]
    journal: JournalId
    boot: Count
    seq: Count


class Ack(WireModel):
    """Everything of the journal up to and with ``seq`` is committed."""

    journal: JournalId
    seq: Count
    at_unix_ms: UnixMs


class PadStatus(WireModel):
    """What the pad is doing; the rating is never in it (order P3.2e)."""

    state: Literal["online", "offline"]
    phase: Literal["dark", "armed", "voted"]
    call: CallId | None
    journal: JournalId
    boot: Count
    firmware: Word
    reset: Literal["power", "watchdog", "soft", "crash", "update", "unknown"]
    lamps: Literal["ok", "fault", "unverified"]
    buttons: Literal["ok", "stuck", "unverified"]
    storage: Literal["ok", "full", "fault"]
    memory: Literal["ok", "low"]
    clock: Literal["ok", "unset", "wrong"]
    during: Annotated[Step | None, Field(description="The step that a watchdog or a crash ended.")]
    update: UpdateState
    mode: Annotated[Literal["normal", "safe"], Field(description="safe: answers IT, takes no votes.")]
    board: Word


class Health(WireModel):
    """Counters since boot; presses by disposition."""

    uptime_s: Count
    heap_used_bytes: Count
    heap_free_bytes: Count
    signal_dbm: Annotated[int, Field(ge=-127, le=0)] | None
    stall_max_ms: Count
    outbox: Count
    votes: Count
    repeats: Count
    no_call: Count
    late: Count
    reconnects: Count
    refused_messages: Count
    flash_free_bytes: Count
    clock_off_ms: Annotated[
        Annotated[int, Field(ge=-4102444800000, le=4102444800000)] | None,
        Field(description="The pad's clock less the collector's; null: unknown."),
    ]
    self_tests: Count


class Command(WireModel):
    """Something IT asks of one pad."""

    id: EventId
    do: Literal["identify", "restart", "report", "test"]


class Settings(WireModel):
    """How the lamps are to behave."""

    armed_pct: Annotated[int, Field(ge=1, le=100)]
    chosen_pct: Annotated[int, Field(ge=1, le=100)]
    chosen_s: Annotated[
        int, Field(ge=0, le=3600, description="Then the chosen lamp goes out; 0: it stays until the call ends.")
    ]


class UpdateOffered(WireModel):
    """What this pad is to run: a version, and the SHA-256 of the manifest that lists its files."""

    state: Literal["offered"]
    version: Word
    manifest: Sha256


class UpdateWithdrawn(WireModel):
    """Nothing is on offer."""

    state: Literal["withdrawn"]


class Want(WireModel):
    """The pad asks for the bytes from ``offset`` on of the file with this SHA-256."""

    sha256: Sha256
    offset: Count


class Piece(WireModel):
    """Some bytes of a file; ``size`` is the whole file's, 0 if there is no such file."""

    sha256: Sha256
    offset: Count
    size: Count
    data: Annotated[str, Field(max_length=672, pattern=r"^(.{4})*$", description="Base64.")]


class QueueEvent(WireModel):
    """One thing that happened in the queue, with a snapshot of the call it belongs to."""

    event: EventId
    journal: JournalId
    seq: Count
    type: EventType
    occurred_unix_ms: UnixMs
    call: CallId | None
    called_unix_ms: UnixMs | None
    desk: Name | None
    operator: Name | None
    service: Name | None
    ticket: Annotated[Word, Field(description="A keyed pseudonym, never the number on the paper.")] | None
    reason: CloseReason | None


class Pulse(WireModel):
    """The feed is there for this branch; said every minute."""

    uptime_s: Count
    outbox: Annotated[Count, Field(description="Events that the collector has not acknowledged.")]
    sources_down: Annotated[Count, Field(description="Queue systems that do not answer.")]
    unplaced: Annotated[Count, Field(description="Who called to no known desk within a day.")]
    last_event_unix_ms: UnixMs | None


MODELS: dict[str, tuple[type[WireModel], ...]] = {
    "call": (CallOpened, CallClosed),
    "vote": (Vote,),
    "ack": (Ack,),
    "status": (PadStatus,),
    "health": (Health,),
    "command": (Command,),
    "settings": (Settings,),
    "update": (UpdateOffered, UpdateWithdrawn),
    "want": (Want,),
    "piece": (Piece,),
    "event": (QueueEvent,),
    "pulse": (Pulse,),
}
