"""What a rule may do to a branch: its state after an event, and the facts that the event leaves. When is in calls.py.

Pure, like the rules. A call's desk, ticket and moment never change; its operator is set once at most.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from collector.feed.model import Branch, BranchState, DeskCall, Event, Fact, PastCall
from protocol.fields import CALL_ID
from protocol.messages import CallClosed, CallOpened


@dataclass(frozen=True, slots=True)
class Step:
    state: BranchState
    facts: tuple[Fact, ...] = ()

    def history(self, event: Event) -> "Step":
        """The event goes on without a call."""
        fact = Fact(
            event=event.event,
            type=event.type,
            occurred_unix_ms=event.occurred_unix_ms,
            desk=event.desk,
            operator=event.operator,
            service=event.service,
            ticket=event.ticket,
        )
        return Step(self.state, (*self.facts, fact))

    def noting(self, desk: str, call: DeskCall, event: Event, kind: str, *, at_unix_ms: int | None = None) -> "Step":
        """``call`` stands at ``desk`` now, or once stood there, and ``event`` is a word about it, of type ``kind``."""
        at = event.occurred_unix_ms if at_unix_ms is None else at_unix_ms
        fact = _about(call, desk, event=event.event, kind=kind, at_unix_ms=at)
        return Step(_with(self.state, desk, call), (*self.facts, fact))

    def closing(self, desk: str, reason: str, at_unix_ms: int) -> "Step":
        """The call open at ``desk`` is closed by us, for ``reason``."""
        return self.reclosing(desk, ended(self.state.calls[desk], reason, at_unix_ms))

    def reclosing(self, desk: str, over: DeskCall) -> "Step":
        """A closed call gets an ending of ours: ``over.ending``."""
        fact = _about(
            over,
            desk,
            event=f"closed:{over.call}",
            kind="closed",
            at_unix_ms=over.changed_unix_ms,
            reason=over.ending,
        )
        return Step(_with(self.state, desk, over), (*self.facts, fact))


def on_desk(call: DeskCall) -> CallOpened | CallClosed:
    """What the pad at the desk is told, retained."""
    if call.open:
        return CallOpened(call.call, call.called_unix_ms, call.until_unix_ms)
    return CallClosed(call.call, call.changed_unix_ms)


def desks_changed(before: BranchState, after: BranchState) -> tuple[str, ...]:
    """The desks whose pads must be told something new."""
    return tuple(
        desk
        for desk, call in after.calls.items()
        if desk not in before.calls or on_desk(before.calls[desk]) != on_desk(call)
    )


def open_desks(state: BranchState) -> list[str]:
    return [desk for desk, call in state.calls.items() if call.open]


def desk_of(state: BranchState, event: Event) -> str | None:
    """Where the event's ticket is open: at the event's desk if it names one, else wherever it is."""
    for desk in open_desks(state):
        if state.calls[desk].ticket_key == event.ticket_key and event.desk in (None, desk):
            return desk
    return None


def closed_calls_of(state: BranchState, event: Event) -> Iterator[tuple[str, DeskCall]]:
    """Calls of the event's ticket that are over, at the event's desk if it names one; those called last come first."""
    last = state.calls.items()
    earlier = ((each.desk, each.call) for each in state.past.values())
    mine = [
        (desk, call)
        for desk, call in (*last, *earlier)
        if not call.open and call.ticket_key == event.ticket_key and event.desk in (None, desk)
    ]
    return iter(sorted(mine, key=lambda each: each[1].called_unix_ms, reverse=True))


def opened(branch: Branch, desk: str, ticket_key: str, event: Event) -> DeskCall:
    at = event.occurred_unix_ms
    return DeskCall(
        call=call_id(branch.id, desk, ticket_key, at),
        ticket_key=ticket_key,
        ticket=event.ticket or "",
        operator=event.operator,
        service=event.service,
        called_unix_ms=at,
        until_unix_ms=until(branch, at),
        changed_unix_ms=at,
        open=True,
    )


def ended(call: DeskCall, ending: str, at_unix_ms: int) -> DeskCall:
    return replace(call, open=False, ending=ending, changed_unix_ms=max(call.changed_unix_ms, at_unix_ms))


def until(branch: Branch, called_unix_ms: int) -> int:
    """How long a call may be trusted: ``call_hours``, but never past the end of the branch's day, if it has one."""
    at_most_unix_ms = called_unix_ms + branch.call_hours * 3_600_000
    if branch.idle_ms is not None:
        return at_most_unix_ms
    zone = ZoneInfo(branch.timezone)
    called = datetime.fromtimestamp(called_unix_ms / 1000, zone)
    ends_unix_ms = called_unix_ms
    for days in range(3):  # called after hours: the next day's end bounds it
        ends = datetime.combine(called.date() + timedelta(days=days), branch.day_ends, zone)
        ends_unix_ms = int(ends.timestamp() * 1000)
        if ends_unix_ms > called_unix_ms:  # compared as moments: at a change of clocks local times go back
            break
    return min(at_most_unix_ms, ends_unix_ms)


def call_id(branch: str, desk: str, ticket_key: str, called_unix_ms: int) -> str:
    """16 characters that sort by time: 9 of the millisecond, 7 of a hash of all four. The same call, the same id."""
    named = "\0".join((branch, desk, ticket_key, str(called_unix_ms)))
    hashed = int.from_bytes(hashlib.sha256(named.encode()).digest())
    return _base32(called_unix_ms, 9) + _base32(hashed, 7)


def _with(state: BranchState, desk: str, call: DeskCall) -> BranchState:
    last = state.calls.get(desk)
    if last is None or last.call == call.call:
        return BranchState({**state.calls, desk: call}, state.past)
    if call.call in state.past:
        return BranchState(state.calls, {**state.past, call.call: PastCall(desk, call)})
    return BranchState({**state.calls, desk: call}, {**state.past, last.call: PastCall(desk, last)})


def _about(call: DeskCall, desk: str, *, event: str, kind: str, at_unix_ms: int, reason: str | None = None) -> Fact:
    return Fact(
        event=event,
        type=kind,
        occurred_unix_ms=at_unix_ms,
        call=call.call,
        called_unix_ms=call.called_unix_ms,
        desk=desk,
        operator=call.operator,
        service=call.service,
        ticket=call.ticket,
        reason=reason,
    )


def _base32(number: int, characters: int) -> str:
    """The lowest ``5 * characters`` bits, most significant first."""
    return "".join(CALL_ID.alphabet[number >> 5 * place & 31] for place in reversed(range(characters)))
