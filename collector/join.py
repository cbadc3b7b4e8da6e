"""How events and votes come together: by call id, never by time. Pure functions over rows.

Rules of the file
1.  Events of one call may come in any order and any number of times; the row they leave is the same.
        operator, service, ticket   from the event with the highest feed number
        started                     the earliest "started"
        outcome, ended              from the ending event with the highest feed number
        branch, desk, called        the same in every event; one that says otherwise is refused
2.  Of the votes of one call at its desk the first to arrive counts; a pad sends its next vote only when the one before
    is acknowledged, so this is the first press too.
3.  A vote may come before its call. It is recorded and waits; what it counts for is settled when the call comes.
"""

from collector.model import KNOWN, REPEAT, REUSED_NUMBER, TAKEN, WAITING, WRONG_DESK, CallRow, VoteRow
from protocol.messages import QueueEvent

# "closed" ends a call too; its outcome is its reason.
_ENDINGS = frozenset({"finished", "no_show", "left", "transferred", "held", "removed"})
# By these outcomes the client never sat at the desk: who pressed there?
_NOBODY_THERE = frozenset({"no_show", "absent", "void", "removed", "called_elsewhere"})


def problem_of(event: QueueEvent) -> str | None:
    """What is missing in an event that names a call, or None."""
    if event.desk is None:
        return "names a call but no desk"
    if event.called_unix_ms is None:
        return "names a call but not when it was called"
    if event.type == "closed" and event.reason is None:
        return "closes a call without a reason"
    return None


def first_word(event: QueueEvent, branch: str, day: int) -> CallRow:
    """The row of a call of which ``event`` is the first that is heard; ``problem_of(event)`` must be None."""
    assert event.call and event.desk and event.called_unix_ms
    outcome = _outcome(event)
    return CallRow(
        event.call,
        branch,
        event.desk,
        event.operator,
        event.service,
        event.ticket,
        event.called_unix_ms,
        day,
        event.occurred_unix_ms if event.type == "started" else None,
        event.occurred_unix_ms if outcome else None,
        outcome,
        event.seq,
        event.seq if outcome else None,
    )


def contradiction(call: CallRow, event: QueueEvent, branch: str) -> str | None:
    """Why ``event`` cannot be about ``call``, or None."""
    if branch != call.branch:
        return f"the call belongs to the branch {call.branch}"
    if event.desk != call.desk:
        return f"the call is at the desk {call.desk}"
    if event.called_unix_ms != call.called_unix_ms:
        return f"the call was called at {call.called_unix_ms}"
    return None


def merge(call: CallRow, event: QueueEvent) -> CallRow:
    """``call`` with what ``event`` adds to it; ``call`` itself if that is nothing."""
    operator, service, ticket, dims_seq = call.operator, call.service, call.ticket, call.dims_seq
    if event.seq > dims_seq:
        operator, service, ticket, dims_seq = event.operator, event.service, event.ticket, event.seq
    started, ended, outcome, end_seq = call.started_unix_ms, call.ended_unix_ms, call.outcome, call.end_seq
    if event.type == "started" and (started is None or event.occurred_unix_ms < started):
        started = event.occurred_unix_ms
    ending = _outcome(event)
    if ending and (end_seq is None or event.seq > end_seq):
        outcome, ended, end_seq = ending, event.occurred_unix_ms, event.seq
    if dims_seq == call.dims_seq and started == call.started_unix_ms and end_seq == call.end_seq:
        return call
    return CallRow(
        call.id,
        call.branch,
        call.desk,
        operator,
        service,
        ticket,
        call.called_unix_ms,
        call.day,
        started,
        ended,
        outcome,
        dims_seq,
        end_seq,
        call.unrated,
    )


def judge(vote: VoteRow, call: CallRow | None, first: VoteRow | None, numbered: VoteRow | None) -> str:
    """What becomes of ``vote``: a disposition of collector/model.py.

    ``first`` is the recorded vote of the same call and desk, ``numbered`` the one with this desk, journal and number.
    """
    if numbered is not None:
        same = numbered.call == vote.call and numbered.rating == vote.rating
        return KNOWN if same else REUSED_NUMBER
    if call is not None and call.desk != vote.desk:
        return WRONG_DESK
    if first is not None:
        return KNOWN if is_copy(vote, first) else REPEAT
    return WAITING if call is None else TAKEN


def phase(call: CallRow, vote: VoteRow) -> str | None:
    """When in its call ``vote`` was given: "called" before service began, "serving", or "after" the call's end (a pad
    that could not be told of it). None where the queue does not say. A pad arms within two seconds of the call (order
    P3.3), so the press is dated by it.
    """
    pressed_unix_ms = call.called_unix_ms + vote.after_ms
    if call.ended_unix_ms is not None and pressed_unix_ms > call.ended_unix_ms:
        return "after"
    if call.started_unix_ms is None:
        return None
    return "serving" if pressed_unix_ms >= call.started_unix_ms else "called"


def is_doubtful(call: CallRow) -> bool:
    """Whether a vote in ``call`` is to be looked at: by its outcome nobody was served there. It counts all the same."""
    return call.outcome in _NOBODY_THERE


def is_copy(vote: VoteRow, other: VoteRow) -> bool:
    """Whether both are one press: a pad numbers what it still holds in a new journal whenever it starts."""
    if vote.journal == other.journal:
        return False
    return vote._replace(journal="", seq=0, received_unix_ms=0) == other._replace(journal="", seq=0, received_unix_ms=0)


def _outcome(event: QueueEvent) -> str | None:
    if event.type == "closed":
        return event.reason
    return event.type if event.type in _ENDINGS else None
