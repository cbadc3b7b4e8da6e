"""The values that the feed's rules work on: plain, frozen, of no library. What becomes of them is in calls.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time


@dataclass(frozen=True, slots=True)
class NoCall:
    """A service that is served without a client at the desk, in ``from_unix_ms <= moment < to_unix_ms``."""

    service: str
    from_unix_ms: int = 0
    to_unix_ms: int = 1 << 62


@dataclass(frozen=True, slots=True)
class Branch:
    """What the rules must know of a branch.

    day_ends: local time at which open calls are closed; counts for nothing in a branch with ``idle_ms``.
    idle_ms: of a branch open round the clock: a call is over when nothing was heard of it for so long.
    call_hours: how long a pad may trust a call, whatever happens.
    no_call_services, no_calls: services that never open a call: back office, and what needs no client at the desk.
    void_ms: a call superseded sooner than that, and not heard of since, was taken back by its queue system.
    absent_ms: likewise, but its client was called in vain: nobody comes to a desk so fast. 0: nobody is held absent.
    persons: operators who are one person each, as those of the register are: whoever of them calls at another desk has
        left the first. None: every operator is. A login that several desks share is no person.
    """

    id: str
    timezone: str
    day_ends: time
    call_hours: int = 4
    no_call_services: frozenset[str] = frozenset()
    no_calls: tuple[NoCall, ...] = ()
    idle_ms: int | None = None
    void_ms: int = 0
    absent_ms: int = 0
    persons: frozenset[str] | None = frozenset()

    def is_person(self, operator: str | None) -> bool:
        return operator is not None and (self.persons is None or operator in self.persons)

    def opens_a_call(self, service: str | None, at_unix_ms: int) -> bool:
        """Whether a client of ``service`` is called to a desk at all."""
        return service not in self.no_call_services and not any(
            each.service == service and each.from_unix_ms <= at_unix_ms < each.to_unix_ms for each in self.no_calls
        )


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
    """A call at a desk.

    ``changed_unix_ms``: the newest moment the desk knows of; of a closed call, its end. ``ending``: the event's type or
    our own reason, None while it is open. ``heard``: something was said of it since it was called.
    """

    call: str
    ticket_key: str
    ticket: str
    operator: str | None
    service: str | None
    called_unix_ms: int
    until_unix_ms: int
    changed_unix_ms: int
    open: bool
    ending: str | None = None
    heard: bool = False


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
class PastCall:
    """A closed call at whose desk another has been called since. Only its ending may still change."""

    desk: str
    call: DeskCall


@dataclass(frozen=True, slots=True)
class BranchState:
    """The last call at each desk of one branch; a desk without one was never called to.

    ``past``, by call id: earlier calls of the tickets that are spoken of now. It may hold more, and need not.
    """

    calls: Mapping[str, DeskCall] = field(default_factory=dict)
    past: Mapping[str, PastCall] = field(default_factory=dict)
