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
Rating = Annotated[int, Field(ge=1, le=3, description="1 bad, 2 good, 3 exemplary (order P2.1).")]
EventType = Literal[
    "issued",
    "called",
    "recalled",
    "started",
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
    "end_of_day",
    "operator_closed",
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
    reset: Literal["power", "watchdog", "soft", "unknown"]
    lamps: Literal["ok", "fault", "unverified"]
    buttons: Literal["ok", "stuck", "unverified"]
    storage: Literal["ok", "full", "fault"]


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


class Command(WireModel):
    """Something IT asks of one pad."""

    id: EventId
    do: Literal["identify", "restart", "report"]


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


MODELS: dict[str, tuple[type[WireModel], ...]] = {
    "call": (CallOpened, CallClosed),
    "vote": (Vote,),
    "ack": (Ack,),
    "status": (PadStatus,),
    "health": (Health,),
    "command": (Command,),
    "event": (QueueEvent,),
}
