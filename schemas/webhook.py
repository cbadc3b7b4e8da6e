"""The body of ``POST /v1/queue-events``: canonical queue events as any queue system can send them.

    {"event": "q-81723", "type": "called", "occurred_at": "2026-11-22T09:30:00+02:00", "branch": "centre",
     "desk": "centre-3", "ticket": {"key": "A17/2026-11-22", "label": "A17"}, "operator": "op-12",
     "service": "passport"}

``event`` is the queue system's own id of this happening: sent again with the same id it changes nothing.
``ticket.key`` must name one client's visit and no other's: a number that comes back tomorrow needs its day in the key.
What depends on the register or the clock is checked by the feed (collector/feed/body.py), not here.
"""

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from schemas.wire import EventId, Name

MOST_EVENTS = 500  # in one request
# Every type of protocol.words.EVENT_TYPES but "closed", which is the feed's own word.
NewsType = Literal[
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
    "operator_opened",
    "operator_closed",
    "operator_paused",
    "reset",
]
# RFC 3339 section 5.6, with the T in upper case; a leap second is not a time that our clocks know.
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def _moment(text: str) -> str:
    if not _RFC_3339.fullmatch(text):
        raise ValueError("must be an RFC 3339 time with its offset, as 2026-11-22T09:30:00+02:00")
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is no moment of any calendar") from None
    return text


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has a character that cannot be printed")
    return text


Line = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_printable)]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Ticket(_Body):
    """``key`` tells visits apart and leaves the feed only as a keyed pseudonym; ``label`` is for people, not kept."""

    key: Line
    label: Annotated[str, Field(max_length=80), AfterValidator(_printable)] | None = None


class QueueNews(_Body):
    """One canonical queue event as a queue system sends it."""

    event: EventId
    type: NewsType
    occurred_at: Annotated[
        str,
        AfterValidator(_moment),
        Field(json_schema_extra={"format": "date-time"}, description="RFC 3339, with its offset."),
    ]
    branch: Name
    desk: Name | None = None
    ticket: Ticket | None = None
    operator: Name | None = None
    service: Name | None = None

    @property
    def occurred_unix_ms(self) -> int:
        return int(datetime.fromisoformat(self.occurred_at).timestamp() * 1000)


class Receipt(BaseModel):
    """Everything of the request is on disk: ``accepted`` events are new, ``repeated`` ones were known already."""

    accepted: int
    repeated: int


class Problem(BaseModel):
    """RFC 9457; nothing of the request was taken. ``errors`` points at what is wrong (RFC 6901)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] = Field(default_factory=list)
