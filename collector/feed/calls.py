"""Which call is open at which desk: a pure function of what was and what the queue says. No clock, no input, no output.

Rules of the file
1.  Every change of a call happens here. The state is the last call at each desk of one branch, open or closed; a closed
    one stays known, so that a late word about it is recognised as late.
2.  At most one call is open at a desk, and a ticket is open at one desk at most. An operator who serves several clients
    at once has one open call: of whoever was called or resumed last.
3.  A call is opened once, and ended by the queue once. Where we closed it by implication, the queue's own word may
    still come and corrects the ending: never the desk, the operator, the vote, or what the pad is told.
4.  What is older than what the desk already knows opens nothing. It goes on as history: a fact without a call.
5.  A call that has reached its ``until``, or its branch's idle time, is over before anything later is looked at.
6.  A call belongs to the operator who called (order P2.2b). A later event may name one only where none was, or a vote
    could be moved to a colleague after it was given. The service is the one that was said last.

What an event does, by the situation it meets ("its" call: same ticket; T: this ticket, U: another; O: its operator;
law: the study of queue systems, section 5.1)

    event                       meets                                effect
    called, started, recalled,  T open at this desk                  the same call goes on: a recall, no new vote
      recovered (a summons: of  U open at this desk                  U closed "next_call", T opened
      a queue that leaves out     ... called less than void_ms ago   U closed "void": taken back by its queue
      "called" any of them        ... less than absent_ms ago        U closed "absent": called in vain
      opens)                      (both: and nothing heard of it)
                                T open at another desk               closed there "called_elsewhere", opened here
                                O's call open at another desk        closed there "operator_moved", T opened here
                                T closed here, or nothing known      T opened: a return is a new call
                                T closed before by implication only  ... and that one's ending becomes "resumed": its
                                                                     client went on waiting, and counts once
                                newer word of desk, T or O           history; "started" still tells T's call when
                                a service that is never called       closes U or T elsewhere, opens nothing; history
                                no desk named                        a recall of T where it is open; "called": history
    service_switched            T open (at the desk, if one named)   the same call goes on, with another service
                                T not open                           history
    finished, no_show, left,    T open (at the desk, if one named)   T closed by this event
      transferred, held,        T closed by implication, later       T's ending corrected; the pad hears nothing
      removed                   T not called before, or ended        history
    operator_opened             O's call open at another desk        closed there "operator_moved"
                                another's call open at this desk     closed "operator_closed": the login was taken over
    operator_closed             open at the desk or of the operator  closed "operator_closed"
    reset                       any open                             all closed "reset"
    issued, requeued,           anything                             history
      operator_paused
    the clock (expire)          ``until`` reached                    closed "end_of_day"
                                nothing heard for ``idle_ms``        closed "idle"
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace

from collector.feed.model import Branch, BranchState, DeskCall, Event
from collector.feed.steps import Step, closed_calls_of, desk_of, ended, open_desks, opened

SUMMONS = ("called", "recalled", "recovered", "started")
ENDINGS = ("finished", "no_show", "left", "transferred", "held", "removed")
# Endings of which a client may come back to be served: until then nobody knew that the call was not the last.
_UNFINISHED = ("next_call", "operator_closed", "operator_moved", "idle")


def take(branch: Branch, state: BranchState, event: Event) -> Step:
    """The state after ``event`` and the facts it makes, oldest first."""
    return _RULES.get(event.type, _history)(branch, expire(branch, state, event.occurred_unix_ms), event)


def expire(branch: Branch, state: BranchState, now_unix_ms: int) -> Step:
    """Closes every call that may not be trusted any longer, as of the moment it was promised to end."""
    step = Step(state)
    due = sorted((*_end_of(branch, call), desk) for desk, call in state.calls.items() if call.open)
    for at_unix_ms, reason, desk in due:
        if at_unix_ms <= now_unix_ms:
            step = step.closing(desk, reason, at_unix_ms)
    return step


def pseudonym(secret: str, branch: str, ticket_key: str) -> str:
    """The name under which a ticket leaves the feed: 24 hex digits, the same for the same ticket, keyed."""
    key = hashlib.sha256(secret.encode()).digest()
    return hashlib.blake2b(f"{branch}\0{ticket_key}".encode(), digest_size=12, key=key).hexdigest()


# ---- the rules
def _summons(branch: Branch, before: Step, event: Event) -> Step:
    desk, ticket_key = event.desk, event.ticket_key
    if desk is None or ticket_key is None:
        return _without_desk(before, event)
    here = before.state.calls.get(desk)
    if here is not None and here.open and here.ticket_key == ticket_key:
        return _recall(before, desk, event)
    if _is_late(branch, before.state, desk, event):
        return _late_word(before, event)
    step = before
    for other in open_desks(before.state):
        reason = _why_superseded(branch, other, before.state.calls[other], event)
        if reason is not None:
            step = step.closing(other, reason, event.occurred_unix_ms)
    if not branch.opens_a_call(event.service, event.occurred_unix_ms):
        return step.history(event)
    step = _resumed(step, event)
    call = opened(branch, desk, ticket_key, event)
    if here is not None:  # the desk's clock never goes back, or what is late would stop being late
        call = replace(call, changed_unix_ms=max(call.changed_unix_ms, _heard_unix_ms(here)))
    return step.noting(desk, call, event, event.type)


def _without_desk(before: Step, event: Event) -> Step:
    desk = desk_of(before.state, event)
    if desk is None or event.type == "called":  # called to a desk nobody can name: never to a random pad
        return before.history(event)
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
    kind = "recalled" if event.type in ("called", "recovered") else event.type
    heard = call.heard or event.occurred_unix_ms > call.called_unix_ms
    return before.noting(desk, replace(call, heard=heard), event, kind)


def _switched(branch: Branch, before: Step, event: Event) -> Step:
    desk = desk_of(before.state, event)
    return before.history(event) if desk is None else _recall(before, desk, event)


def _late_word(before: Step, event: Event) -> Step:
    """Opens nothing. Of a call that is over by implication it may still be told that its client did come."""
    at = event.occurred_unix_ms
    if event.type == "started":
        for desk, call in closed_calls_of(before.state, event):
            if not call.called_unix_ms < at <= call.changed_unix_ms:
                continue
            step = before.noting(desk, replace(call, heard=True), event, "started")
            came = call.ending in ("void", "absent")
            return step.reclosing(desk, replace(call, heard=True, ending="next_call")) if came else step
    return before.history(event)


def _resumed(step: Step, event: Event) -> Step:
    """The ticket is called again: so its last call, if only we ended it, was not the one that finished it."""
    for desk, call in closed_calls_of(step.state, replace(event, desk=None)):
        if call.ending in _UNFINISHED and call.until_unix_ms > event.occurred_unix_ms:
            return step.reclosing(desk, replace(call, ending="resumed"))
        break
    return step


def _ending(branch: Branch, before: Step, event: Event) -> Step:
    at, desk = event.occurred_unix_ms, desk_of(before.state, event)
    if desk is None or at < before.state.calls[desk].called_unix_ms:
        return _corrected(before, event)
    call = before.state.calls[desk]
    over = replace(
        ended(call, event.type, at),
        operator=call.operator or event.operator,
        service=event.service or call.service,
    )
    return before.noting(desk, over, event, event.type)


def _corrected(before: Step, event: Event) -> Step:
    """An ending that comes after ours: it says how the call ended, and if it is older than ours, when."""
    at = event.occurred_unix_ms
    for desk, call in closed_calls_of(before.state, event):
        if call.called_unix_ms > at:
            continue
        elsewhere = call.ending == "called_elsewhere" and at > call.changed_unix_ms  # it is about the call there
        if call.ending in ENDINGS or elsewhere:
            break
        right = replace(
            call,
            ending=event.type,
            operator=call.operator or event.operator,
            service=call.service or event.service,
            changed_unix_ms=min(at, call.changed_unix_ms) if call.ending == "end_of_day" else call.changed_unix_ms,
        )
        return before.noting(desk, right, event, event.type, at_unix_ms=min(at, call.changed_unix_ms))
    return before.history(event)


def _operator_opened(branch: Branch, before: Step, event: Event) -> Step:
    def reason(desk: str, call: DeskCall) -> str | None:
        if desk == event.desk:
            return "operator_closed" if call.operator and event.operator not in (None, call.operator) else None
        moved = event.desk is not None and branch.is_person(event.operator) and call.operator == event.operator
        return "operator_moved" if moved else None

    return _closing_all(before, event, reason)


def _operator_closed(branch: Branch, before: Step, event: Event) -> Step:
    def goes(desk: str, call: DeskCall) -> bool:
        if event.desk is None:
            return event.operator is not None and call.operator == event.operator
        return desk == event.desk and (event.operator is None or call.operator in (None, event.operator))

    return _closing_all(before, event, lambda desk, call: "operator_closed" if goes(desk, call) else None)


def _reset(branch: Branch, before: Step, event: Event) -> Step:
    return _closing_all(before, event, lambda desk, call: "reset")


def _closing_all(before: Step, event: Event, reason: Callable[[str, DeskCall], str | None]) -> Step:
    step = before.history(event)
    for desk in open_desks(before.state):
        call = before.state.calls[desk]
        why = reason(desk, call)
        if why is not None and call.called_unix_ms <= event.occurred_unix_ms:
            step = step.closing(desk, why, event.occurred_unix_ms)
    return step


def _history(branch: Branch, before: Step, event: Event) -> Step:
    return before.history(event)


_RULES: dict[str, Callable[[Branch, Step, Event], Step]] = {
    **dict.fromkeys(SUMMONS, _summons),
    **dict.fromkeys(ENDINGS, _ending),
    "service_switched": _switched,
    "operator_opened": _operator_opened,
    "operator_closed": _operator_closed,
    "reset": _reset,
}


# ---- what the rules ask
def _why_superseded(branch: Branch, desk: str, call: DeskCall, event: Event) -> str | None:
    """Why the call open at ``desk`` is over when this summons comes; None if it is not."""
    if desk == event.desk:
        lasted_ms = 1 << 62 if call.heard else event.occurred_unix_ms - call.called_unix_ms
        if lasted_ms < branch.void_ms:
            return "void"
        return "absent" if lasted_ms < branch.absent_ms else "next_call"
    if call.ticket_key == event.ticket_key:
        return "called_elsewhere"
    return "operator_moved" if branch.is_person(event.operator) and call.operator == event.operator else None


def _is_late(branch: Branch, state: BranchState, desk: str, event: Event) -> bool:
    """Whether the desk, or the ticket or the operator at another desk, is known to have moved on since ``event``.

    Queue systems that count whole seconds end one ticket and call the next within one: so another ticket's end at
    this very moment, or this ticket's at another desk, does not make a summons late.
    """
    at = event.occurred_unix_ms
    here = state.calls.get(desk)
    if here is not None:
        mine = here.open or here.ticket_key == event.ticket_key
        if (at, at) < (here.called_unix_ms, here.changed_unix_ms) or (mine and at <= here.changed_unix_ms):
            return True
    for other, call in state.calls.items():
        if other == desk:
            continue
        if call.ticket_key == event.ticket_key and at < _heard_unix_ms(call):
            return True
        if branch.is_person(event.operator) and call.operator == event.operator and at < call.called_unix_ms:
            return True
    return False


def _heard_unix_ms(call: DeskCall) -> int:
    """The newest moment that the queue has spoken of. An end that only our clock knows may lie in its future: ours may
    have been hours ahead for a minute, and what the queue says then must not be late until those hours are over.
    """
    return call.called_unix_ms if call.ending == "end_of_day" else call.changed_unix_ms


def _end_of(branch: Branch, call: DeskCall) -> tuple[int, str]:
    """When an open call is over by itself, and why."""
    if branch.idle_ms is not None and call.changed_unix_ms + branch.idle_ms < call.until_unix_ms:
        return call.changed_unix_ms + branch.idle_ms, "idle"
    return call.until_unix_ms, "end_of_day"
