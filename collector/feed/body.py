"""The body of a webhook request: canonical queue events in JSON, checked field by field. It knows no HTTP.

Its shape is schemas/webhook.py; what is checked here needs the register and the clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from collector.feed.calls import ENDINGS, SUMMONS, pseudonym
from collector.feed.model import Event
from collector.feed.seats import Seats
from protocol.fields import UNIX_MS
from schemas.webhook import MOST_EVENTS, QueueNews

WEBHOOK = "webhook"  # the name of this source
MOST_AHEAD_MS = 86_400_000
ABOUT_TICKETS = frozenset(("issued", "requeued", "service_switched", *SUMMONS, *ENDINGS))
ABOUT_OPERATORS = frozenset(("operator_opened", "operator_closed", "operator_paused"))
_MANY = TypeAdapter(list[QueueNews])


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
    ticket_secret: str = field(repr=False)
    seats: Seats = field(default_factory=Seats)

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

    def _faults(self, said: QueueNews, now_unix_ms: int) -> list[tuple[tuple[str, ...], str]]:
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

    def _seat(self, said: QueueNews) -> str | None:
        """Where the operator sits who calls a client and names no desk; a desk of that branch, or none."""
        if said.operator is None or said.type not in SUMMONS:
            return None
        desk = self.seats.desk_of(WEBHOOK, said.operator, said.occurred_unix_ms)
        return desk if desk is not None and self.desks.get(desk) == said.branch else None

    def _by_branch(self, said: list[QueueNews]) -> dict[str, list[Event]]:
        events: dict[str, list[Event]] = {}
        for each in said:
            key = each.ticket.key if each.ticket else None
            event = Event(
                event=each.event,
                type=each.type,
                occurred_unix_ms=each.occurred_unix_ms,
                desk=each.desk or self._seat(each),
                ticket_key=key,
                ticket=pseudonym(self.ticket_secret, each.branch, key) if key else None,
                operator=each.operator,
                service=each.service,
            )
            events.setdefault(each.branch, []).append(event)
        return events


def _rfc_3339(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _fault(place: tuple[Any, ...], detail: str, single: bool) -> Fault:
    steps = place[1:] if single else place
    return Fault("".join("/" + str(step).replace("~", "~0").replace("/", "~1")[:80] for step in steps), detail)


def in_words(fault: Fault) -> str:
    """What is wrong, without the place in its request: that differs from one to the next."""
    return f"{fault.pointer.rpartition('/')[2]} {fault.detail}".strip()


def recordable(events: Mapping[str, Sequence[Event]]) -> list[dict[str, object]]:
    """The events as a body that ``Reader`` reads again, with pseudonyms in the place of tickets' keys."""
    return [
        {
            "event": event.event,
            "type": event.type,
            "occurred_at": _rfc_3339(event.occurred_unix_ms),
            "branch": branch,
            "desk": event.desk,
            "ticket": {"key": event.ticket} if event.ticket else None,
            "operator": event.operator,
            "service": event.service,
        }
        for branch, said in events.items()
        for event in said
    ]
