"""The body of a webhook request: canonical queue events in JSON, checked field by field. It knows no HTTP.

``POST /v1/queue-events`` takes one object or a list of them:

    {"event": "q-81723", "type": "called", "occurred_at": "2026-11-22T09:30:00+02:00", "branch": "centre",
     "desk": "centre-3", "ticket": {"key": "A17/2026-11-22", "label": "A17"}, "operator": "op-12",
     "service": "passport"}

``event`` is the queue system's own id of this happening: sent again with the same id it changes nothing.
``ticket.key`` must name one client's visit and no other's: a number that comes back tomorrow needs its day in the key.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from collector.feed.calls import ENDINGS, SUMMONS, pseudonym
from collector.feed.model import Event
from protocol.fields import UNIX_MS
from schemas.wire import EventId, Name

MOST_EVENTS = 500
MOST_AHEAD_MS = 86_400_000
# Every type of protocol.messages.EVENT_TYPES but "closed", which is the feed's own word.
SaidType = Literal[
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
    "operator_opened",
    "operator_closed",
    "operator_paused",
    "reset",
]
ABOUT_TICKETS = frozenset(("issued", "requeued", *SUMMONS, *ENDINGS))
ABOUT_OPERATORS = frozenset(("operator_opened", "operator_closed", "operator_paused"))
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


class Said(_Body):
    """One canonical queue event as a queue system sends it."""

    event: EventId
    type: SaidType
    occurred_at: Annotated[str, AfterValidator(_moment)]
    branch: Name
    desk: Name | None = None
    ticket: Ticket | None = None
    operator: Name | None = None
    service: Name | None = None

    @property
    def occurred_unix_ms(self) -> int:
        return int(datetime.fromisoformat(self.occurred_at).timestamp() * 1000)


_MANY = TypeAdapter(list[Said])


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one place of the body; ``pointer`` is a JSON pointer (RFC 6901)."""

    pointer: str
    detail: str


class NotJson(ValueError):
    """The bytes are not JSON at all."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Turns bodies into events of this feed's branches and desks."""

    desks: Mapping[str, str]
    branches: frozenset[str]
    ticket_secret: str

    def read(self, body: bytes, now_unix_ms: int) -> dict[str, list[Event]] | list[Fault]:
        """The events by branch, or everything that is wrong with them; then none is to be taken. Raises NotJson."""
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise NotJson(str(error)) from None
        single = isinstance(value, dict)
        if not single and not (isinstance(value, list) and 1 <= len(value) <= MOST_EVENTS):
            return [Fault("", f"must be an event or a list of 1 to {MOST_EVENTS} events")]
        try:
            said = _MANY.validate_python([value] if single else value)
        except ValidationError as error:
            return [_fault(each["loc"], each["msg"], single) for each in error.errors(include_url=False)]
        faults = [
            _fault((place, *where), detail, single)
            for place, event in enumerate(said)
            for where, detail in self._faults(event, now_unix_ms)
        ]
        return faults or self._by_branch(said)

    def _faults(self, said: Said, now_unix_ms: int) -> list[tuple[tuple[str, ...], str]]:
        found: list[tuple[tuple[str, ...], str]] = []
        if UNIX_MS.problem(said.occurred_unix_ms) or said.occurred_unix_ms > now_unix_ms + MOST_AHEAD_MS:
            found.append((("occurred_at",), "is before 2020 or more than a day ahead"))
        if said.branch not in self.branches:
            found.append((("branch",), f"no branch is called {said.branch}"))
        elif said.desk is not None and self.desks.get(said.desk) != said.branch:
            found.append((("desk",), f"no desk of {said.branch} is called {said.desk}"))
        if said.type in ABOUT_TICKETS and said.ticket is None:
            found.append((("ticket",), f"is missing: {said.type} is about a ticket"))
        if said.type in ABOUT_OPERATORS and said.operator is None and said.desk is None:
            found.append((("operator",), f"is missing, and so is desk: {said.type} is about one of them"))
        return found

    def _by_branch(self, said: list[Said]) -> dict[str, list[Event]]:
        events: dict[str, list[Event]] = {}
        for each in said:
            key = each.ticket.key if each.ticket else None
            event = Event(
                event=each.event,
                type=each.type,
                occurred_unix_ms=each.occurred_unix_ms,
                desk=each.desk,
                ticket_key=key,
                ticket=pseudonym(self.ticket_secret, each.branch, key) if key else None,
                operator=each.operator,
                service=each.service,
            )
            events.setdefault(each.branch, []).append(event)
        return events


def _fault(place: tuple[Any, ...], detail: str, single: bool) -> Fault:
    steps = place[1:] if single else place
    return Fault("".join("/" + str(step).replace("~", "~0").replace("/", "~1")[:80] for step in steps), detail)
