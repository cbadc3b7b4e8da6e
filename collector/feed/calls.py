"""Which call is open at which desk: a pure function of what was and what the queue says. No clock, no input, no output.

Rules of the file
1.  Every change of a call happens here. The state is the last call at each desk of one branch, open or closed; a closed
    one stays known until the next, so that a late word about it is recognised as late.
2.  At most one call is open at a desk, and a ticket is open at one desk at most.
3.  A call is opened once and closed once: one fact with its id ends it, never a second.
4.  What is older than what the desk already knows changes nothing. It goes on as history: a fact without a call.
5.  A call that has reached its ``until`` is over, before anything later is looked at.
6.  A call belongs to the operator who called (order P2.2b). A later event may name one only where none was, or a vote
    could be moved to a colleague after it was given. The service is the one that was said last.

What an event does, by the situation it meets ("its" call: same ticket; T: this ticket, U: another; law: the study of
queue systems, section 5.1)

    event                       meets                                effect
    called, started, recalled,  T open at this desk                  the same call goes on: a recall, no new vote
      recovered (a summons: of  U open at this desk                  U closed "next_call", T opened
      a queue that leaves out   T open at another desk               closed there "called_elsewhere", opened here
      "called" any of them      T closed here, or nothing known      T opened: a return is a new call
      opens)
                                newer word of the desk or of T       history
                                a service that is never called       closes U or T elsewhere, opens nothing; history
                                no desk named                        a recall of T where it is open; "called": history
    service_switched            T open (at the desk, if one named)   the same call goes on, with another service
                                T not open                           history
    finished, no_show, left,    T open (at the desk, if one named)   T closed by this event
      transferred, held,        T not open, or called since          history
      removed
    operator_closed             open at the desk or of the operator  closed "operator_closed"
    reset                       any open                             all closed "reset"
    issued, requeued,           anything                             history
      operator_opened, _paused
    the clock (expire)          ``until`` reached                    closed "end_of_day"
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from collector.feed.model import Branch, BranchState, DeskCall, Event, Fact
from protocol.fields import CALL_ID
from protocol.messages import CallClosed, CallOpened

SUMMONS = ("called", "recalled", "recovered", "started")
ENDINGS = ("finished", "no_show", "left", "transferred", "held", "removed")


@dataclass(frozen=True, slots=True)
class Step:
    state: BranchState
    facts: tuple[Fact, ...] = ()

    def closing(self, desk: str, reason: str, at_unix_ms: int) -> "Step":
        """This step and one more fact: the call open at ``desk`` was closed by us, for ``reason``."""
        over = _ended(self.state.calls[desk], at_unix_ms)
        fact = _about(
            over, desk, event=f"closed:{over.call}", type="closed", at_unix_ms=over.changed_unix_ms, reason=reason
        )
        return Step(_with(self.state, desk, over), (*self.facts, fact))


def take(branch: Branch, state: BranchState, event: Event) -> Step:
    """The state after ``event`` and the facts it makes, oldest first."""
    return _RULES.get(event.type, _history)(branch, expire(state, event.occurred_unix_ms), event)


def expire(state: BranchState, now_unix_ms: int) -> Step:
    """Closes every call that may not be trusted any longer, as of the moment it was promised to end."""
    step = Step(state)
    for desk, call in sorted(state.calls.items(), key=lambda item: item[1].until_unix_ms):
        if call.open and call.until_unix_ms <= now_unix_ms:
            step = step.closing(desk, "end_of_day", call.until_unix_ms)
    return step


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


def call_id(branch: str, desk: str, ticket_key: str, called_unix_ms: int) -> str:
    """16 characters that sort by time: 9 of the millisecond, 7 of a hash of all four. The same call, the same id."""
    named = "\0".join((branch, desk, ticket_key, str(called_unix_ms)))
    hashed = int.from_bytes(hashlib.sha256(named.encode()).digest())
    return _base32(called_unix_ms, 9) + _base32(hashed, 7)


def pseudonym(secret: str, branch: str, ticket_key: str) -> str:
    """The name under which a ticket leaves the feed: 24 hex digits, the same for the same ticket, keyed."""
    key = hashlib.sha256(secret.encode()).digest()
    return hashlib.blake2b(f"{branch}\0{ticket_key}".encode(), digest_size=12, key=key).hexdigest()


def until(branch: Branch, called_unix_ms: int) -> int:
    """How long a call may be trusted: ``call_hours``, but never past the end of the branch's day."""
    zone = ZoneInfo(branch.timezone)
    called = datetime.fromtimestamp(called_unix_ms / 1000, zone)
    ends_unix_ms = called_unix_ms
    for days in range(3):  # called after hours: the next day's end bounds it
        ends = datetime.combine(called.date() + timedelta(days=days), branch.day_ends, zone)
        ends_unix_ms = int(ends.timestamp() * 1000)
        if ends_unix_ms > called_unix_ms:  # compared as moments: at a change of clocks local times go back
            break
    return min(called_unix_ms + branch.call_hours * 3_600_000, ends_unix_ms)


def _summons(branch: Branch, before: Step, event: Event) -> Step:
    desk, ticket_key = event.desk, event.ticket_key
    if desk is None or ticket_key is None:
        return _without_desk(branch, before, event)
    here = before.state.calls.get(desk)
    if here is not None and here.open and here.ticket_key == ticket_key:
        return _recall(before, desk, event)
    if _is_late(before.state, desk, event):
        return _history(branch, before, event)
    step = before
    for other in _open_desks(before.state):
        if other == desk:
            step = step.closing(desk, "next_call", event.occurred_unix_ms)
        elif before.state.calls[other].ticket_key == ticket_key:
            step = step.closing(other, "called_elsewhere", event.occurred_unix_ms)
    if event.service in branch.no_call_services:
        return _history(branch, step, event)
    opened = _opened(branch, desk, ticket_key, event)
    if here is not None:  # the desk's clock never goes back, or what is late would stop being late
        opened = replace(opened, changed_unix_ms=max(opened.changed_unix_ms, here.changed_unix_ms))
    return _noting(step, desk, opened, event, event.type)


def _opened(branch: Branch, desk: str, ticket_key: str, event: Event) -> DeskCall:
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


def _without_desk(branch: Branch, before: Step, event: Event) -> Step:
    desk = _desk_of(before.state, event)
    if desk is None or event.type == "called":  # called to a desk nobody can name: never to a random pad
        return _history(branch, before, event)
    return _recall(before, desk, event)


def _recall(before: Step, desk: str, event: Event) -> Step:
    call = before.state.calls[desk]
    if event.occurred_unix_ms >= call.changed_unix_ms:
        call = replace(
            call,
            operator=call.operator or event.operator,
            service=event.service or call.service,
            changed_unix_ms=event.occurred_unix_ms,
        )
    return _noting(before, desk, call, event, "recalled" if event.type in ("called", "recovered") else event.type)


def _switched(branch: Branch, before: Step, event: Event) -> Step:
    desk = _desk_of(before.state, event)
    return _history(branch, before, event) if desk is None else _recall(before, desk, event)


def _ending(branch: Branch, before: Step, event: Event) -> Step:
    desk = _desk_of(before.state, event)
    if desk is None or event.occurred_unix_ms < before.state.calls[desk].called_unix_ms:
        return _history(branch, before, event)
    over = replace(
        _ended(before.state.calls[desk], event.occurred_unix_ms),
        operator=before.state.calls[desk].operator or event.operator,
        service=event.service or before.state.calls[desk].service,
    )
    return _noting(before, desk, over, event, event.type)


def _operator_closed(branch: Branch, before: Step, event: Event) -> Step:
    def goes(desk: str) -> bool:
        operator = before.state.calls[desk].operator
        if event.desk is None:
            return event.operator is not None and operator == event.operator
        return desk == event.desk and (event.operator is None or operator in (None, event.operator))

    return _closing_all(branch, before, event, goes)


def _reset(branch: Branch, before: Step, event: Event) -> Step:
    return _closing_all(branch, before, event, lambda desk: True)


def _closing_all(branch: Branch, before: Step, event: Event, goes: Callable[[str], bool]) -> Step:
    step = _history(branch, before, event)
    for desk in _open_desks(before.state):
        if goes(desk) and before.state.calls[desk].called_unix_ms <= event.occurred_unix_ms:
            step = step.closing(desk, event.type, event.occurred_unix_ms)
    return step


def _history(branch: Branch, before: Step, event: Event) -> Step:
    fact = Fact(
        event=event.event,
        type=event.type,
        occurred_unix_ms=event.occurred_unix_ms,
        desk=event.desk,
        operator=event.operator,
        service=event.service,
        ticket=event.ticket,
    )
    return Step(before.state, (*before.facts, fact))


_RULES: dict[str, Callable[[Branch, Step, Event], Step]] = {
    **dict.fromkeys(SUMMONS, _summons),
    **dict.fromkeys(ENDINGS, _ending),
    "service_switched": _switched,
    "operator_closed": _operator_closed,
    "reset": _reset,
}


def _is_late(state: BranchState, desk: str, event: Event) -> bool:
    """Whether the desk, or the ticket at another desk, is known to have moved on since ``event``.

    Queue systems that count whole seconds end one ticket and call the next within one: so another ticket's end at
    this very moment, or this ticket's at another desk, does not make a summons late.
    """
    at = event.occurred_unix_ms
    here = state.calls.get(desk)
    if here is not None:
        mine = here.open or here.ticket_key == event.ticket_key
        if (at, at) < (here.called_unix_ms, here.changed_unix_ms) or (mine and at <= here.changed_unix_ms):
            return True
    return any(
        at < call.changed_unix_ms
        for other, call in state.calls.items()
        if other != desk and call.ticket_key == event.ticket_key
    )


def _open_desks(state: BranchState) -> Iterable[str]:
    return [desk for desk, call in state.calls.items() if call.open]


def _desk_of(state: BranchState, event: Event) -> str | None:
    """Where the event's ticket is open: at the event's desk if it names one, else wherever it is."""
    for desk in _open_desks(state):
        if state.calls[desk].ticket_key == event.ticket_key and event.desk in (None, desk):
            return desk
    return None


def _with(state: BranchState, desk: str, call: DeskCall) -> BranchState:
    return BranchState({**state.calls, desk: call})


def _ended(call: DeskCall, at_unix_ms: int) -> DeskCall:
    return replace(call, open=False, changed_unix_ms=max(call.changed_unix_ms, at_unix_ms))


def _noting(before: Step, desk: str, call: DeskCall, event: Event, type: str) -> Step:  # noqa: A002 - the wire's name
    fact = _about(call, desk, event=event.event, type=type, at_unix_ms=event.occurred_unix_ms)
    return Step(_with(before.state, desk, call), (*before.facts, fact))


def _about(
    call: DeskCall,
    desk: str,
    *,
    event: str,
    type: str,  # noqa: A002 - the wire's name
    at_unix_ms: int,
    reason: str | None = None,
) -> Fact:
    return Fact(
        event=event,
        type=type,
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
