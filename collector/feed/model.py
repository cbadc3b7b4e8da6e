"""The values that the feed's rules work on: plain, frozen, of no library. What becomes of them is in calls.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time


@dataclass(frozen=True, slots=True)
class Branch:
    """What the rules must know of a branch: when its day ends (local), how long a call may be trusted.

    Tickets of ``no_call_services`` are served without a client at the desk, so they never open a call.
    """

    id: str
    timezone: str
    day_ends: time
    call_hours: int = 4
    no_call_services: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Event:
    """One thing the queue system said, checked, in our names. ``ticket`` is the pseudonym of ``ticket_key``."""

    event: str
    type: str
    occurred_unix_ms: int
    desk: str | None = None
    ticket_key: str | None = None
    ticket: str | None = None
    operator: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class DeskCall:
    """The last call at a desk. ``changed_unix_ms``: the newest moment the desk knows of; of a closed call, its end."""

    call: str
    ticket_key: str
    ticket: str
    operator: str | None
    service: str | None
    called_unix_ms: int
    until_unix_ms: int
    changed_unix_ms: int
    open: bool


@dataclass(frozen=True, slots=True)
class Fact:
    """A queue event as it goes to the collector, before it is numbered."""

    event: str
    type: str
    occurred_unix_ms: int
    call: str | None = None
    called_unix_ms: int | None = None
    desk: str | None = None
    operator: str | None = None
    service: str | None = None
    ticket: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class BranchState:
    """The last call at each desk of one branch; a desk without one was never called to."""

    calls: Mapping[str, DeskCall] = field(default_factory=dict)
