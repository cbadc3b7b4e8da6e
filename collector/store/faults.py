"""Faults of pads and who is still to be told of them. What a fault is, collector/fleet/watch.py decides.

kind        the pad ...
dark          had no lit buttons within two seconds of a call (order P3.3); its calls are flagged
reported      was reported by its operator; IT closes it
offline       has not been at the broker for too long
silent        is online but sends no health
lamps, buttons, storage, memory, clock    says so in its status
safe_mode     failed to start several times and only answers IT
restarts      crashes or is restarted by its watchdog again and again
update        refused an update or went back to the version before
broker        none: the fleet service itself has no broker; ``desk`` is ""
feed_silent   none: of a branch: no call came from its queue for too long while it was open, or its feed is gone

A fault stands at a desk. One of a branch stands at "@" and the branch's id (``at_branch``), which is no desk's name.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from collector.errors import NotThere
from collector.store.registry import holds_today, last_known
from schemas.fleet_tables import console_unavailable, fault_notice, pad_fault
from schemas.register_tables import branch, desk
from schemas.tables import call

KINDS = (
    "dark",
    "reported",
    "offline",
    "silent",
    "lamps",
    "buttons",
    "storage",
    "memory",
    "clock",
    "safe_mode",
    "restarts",
    "update",
    "broker",
    "feed_silent",
)
OPENED, CLOSED = "opened", "closed"
_DETAIL_CHARACTERS, _PERSON_CHARACTERS = 200, 80


# ---- what the service finds
class Opened(NamedTuple):
    """A fault; ``call`` is the one at which it was noticed."""

    desk: str
    kind: str
    call: str | None
    detail: str


class Closed(NamedTuple):
    """It ended by itself."""

    desk: str
    kind: str


class Flagged(NamedTuple):
    """No pad was lit in this call."""

    call: str
    desk: str


class Unflagged(NamedTuple):
    """It was, after all."""

    call: str
    desk: str


def at_branch(branch_id: str) -> str:
    """Where a branch's own fault stands."""
    return "@" + branch_id


def _is_at(place: str) -> Any:
    if place.startswith("@"):
        return pad_fault.c.branch == place[1:]
    return (pad_fault.c.desk == place) & pad_fault.c.branch.is_(None)


Change = Opened | Closed | Flagged | Unflagged


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one desk; ``branch``, ``branch_name`` and ``label`` are None where the register knows no such desk.
    Of a branch's own fault ``desk`` is "" and ``label`` None.

    ``closed_by`` is None if it closed by itself. ``told_unix_ms`` is when the first recipient had it: 0 as
    long as none has, None until its notices are made; ``closed_told_unix_ms`` likewise for its end.
    """

    id: int
    desk: str
    branch: str | None
    branch_name: str | None
    label: str | None
    kind: str
    opened_unix_ms: int
    closed_unix_ms: int | None
    closed_by: str | None
    call: str | None
    reported_by: str | None
    detail: str
    told_unix_ms: int | None
    closed_told_unix_ms: int | None

    @property
    def place(self) -> str:
        """Where it stands, as ``Opened`` has it."""
        return at_branch(self.branch) if self.branch and not self.desk else self.desk


@dataclass(frozen=True, slots=True)
class Notice:
    """That ``fault`` opened or closed (``event``), still to be told to ``recipient``: mail:ADDRESS or hook:URL."""

    fault: Fault
    event: str
    recipient: str
    due_unix_ms: int


_DESK, _BRANCH = last_known(desk), last_known(branch)
# The desk's, or that of a branch's own fault.
_ITS_BRANCH = func.coalesce(_DESK.c.branch, pad_fault.c.branch)
_OF_FAULT = (
    pad_fault.c.id,
    pad_fault.c.desk,
    _ITS_BRANCH,
    _BRANCH.c.name,
    _DESK.c.label,
    pad_fault.c.kind,
    pad_fault.c.opened_unix_ms,
    pad_fault.c.closed_unix_ms,
    pad_fault.c.closed_by,
    pad_fault.c.call,
    pad_fault.c.reported_by,
    pad_fault.c.detail,
    pad_fault.c.told_unix_ms,
    pad_fault.c.closed_told_unix_ms,
)


def open_fault(
    connection: Connection, at_desk: str, kind: str, *, call_id: str | None, detail: str, by: str | None, now: int
) -> int | None:
    """The id of a new fault; None if one of this kind is open there already."""
    if kind not in KINDS:
        raise ValueError(f"no such kind of fault: {kind!r}")
    is_open = _is_at(at_desk) & (pad_fault.c.kind == kind) & pad_fault.c.closed_unix_ms.is_(None)
    if connection.execute(select(pad_fault.c.id).where(is_open)).first():
        return None
    values = {
        "desk": "" if at_desk.startswith("@") else at_desk,
        "branch": at_desk[1:] if at_desk.startswith("@") else None,
        "kind": kind,
        "opened_unix_ms": now,
        "call": call_id,
        "reported_by": by and by[:_PERSON_CHARACTERS],
        "detail": detail[:_DETAIL_CHARACTERS],
    }
    made = connection.execute(insert(pad_fault).returning(pad_fault.c.id), values)
    return int(made.scalar_one())


def close_fault(connection: Connection, fault: int, by: str | None, now: int) -> bool:
    """False if it is closed already. Raises NotThere if there is no such fault."""
    if not connection.execute(select(pad_fault.c.id).where(pad_fault.c.id == fault)).first():
        raise NotThere(f"there is no fault {fault}")
    still_open = (pad_fault.c.id == fault) & pad_fault.c.closed_unix_ms.is_(None)
    values = {"closed_unix_ms": now, "closed_by": by and by[:_PERSON_CHARACTERS]}
    return bool(connection.execute(update(pad_fault).where(still_open).values(values)).rowcount)


def close_open(connection: Connection, at_desk: str, kind: str, now: int) -> None:
    """The fault of this kind that is open there, if there is one, has ended by itself."""
    is_open = _is_at(at_desk) & (pad_fault.c.kind == kind) & pad_fault.c.closed_unix_ms.is_(None)
    connection.execute(update(pad_fault).where(is_open).values(closed_unix_ms=now))


def faults(
    connection: Connection, *, fault: int | None, is_open: bool | None, at_desk: str | None, since: int, limit: int
) -> list[Fault]:
    """The newest ones first; open ones whenever they began, closed ones that closed at ``since`` or later."""
    question = _faults().where(or_(pad_fault.c.closed_unix_ms.is_(None), pad_fault.c.closed_unix_ms >= since))
    if fault is not None:
        question = question.where(pad_fault.c.id == fault)
    if is_open is not None:
        question = question.where(pad_fault.c.closed_unix_ms.is_(None) == is_open)
    if at_desk is not None:
        question = question.where(pad_fault.c.desk == at_desk)
    question = question.order_by(pad_fault.c.opened_unix_ms.desc(), pad_fault.c.id.desc()).limit(limit)
    return [Fault(*row) for row in connection.execute(question)]


def require_desk(connection: Connection, name: str) -> None:
    """Raises NotThere if the register has no such desk."""
    if not connection.execute(select(desk.c.id).where(desk.c.id == name, holds_today(desk))).first():
        raise NotThere(f"there is no desk {name!r} in the register")


def open_call(connection: Connection, at_desk: str) -> str | None:
    """The call called last there, if it is open: one of long ago that never got its end is not meant."""
    question = select(call.c.id, call.c.outcome).where(call.c.desk == at_desk)
    last = connection.execute(question.order_by(call.c.called_unix_ms.desc()).limit(1)).first()
    return last[0] if last and last[1] is None else None


def unavailable(connection: Connection, since: int) -> list[tuple[str, str, int, str]]:
    """(call, desk, since, why) of the calls flagged at ``since`` or later, oldest first."""
    flag = console_unavailable
    question = select(flag.c.call, flag.c.desk, flag.c.since_unix_ms, flag.c.why).where(flag.c.since_unix_ms >= since)
    return [
        (each[0], each[1], each[2], each[3]) for each in connection.execute(question.order_by(flag.c.since_unix_ms))
    ]


# ---- telling
def announce(connection: Connection, recipients: Callable[[Fault], Iterable[str]], now: int) -> int:
    """Makes a notice a recipient of everything that opened or closed since the last time; how many notices there are.

    The moment 0 marks as announced what nobody is to be told of, or nobody was told of yet.
    """
    for event, moment, since in (
        (OPENED, pad_fault.c.told_unix_ms, pad_fault.c.opened_unix_ms),
        (CLOSED, pad_fault.c.closed_told_unix_ms, pad_fault.c.closed_unix_ms),
    ):
        fresh = [Fault(*row) for row in connection.execute(_faults().where(moment.is_(None), since.is_not(None)))]
        for fault in fresh:
            for recipient in sorted(set(recipients(fault))):
                row = {"fault": fault.id, "event": event, "recipient": recipient, "due_unix_ms": now}
                connection.execute(insert(fault_notice), row)
            connection.execute(update(pad_fault).where(pad_fault.c.id == fault.id).values({moment: 0}))
    return connection.execute(select(func.count()).select_from(fault_notice)).scalar_one()


def notices(connection: Connection) -> list[Notice]:
    """What is still to be told, oldest first."""
    question = (
        select(fault_notice.c.event, fault_notice.c.recipient, fault_notice.c.due_unix_ms, *_OF_FAULT)
        .join_from(fault_notice, pad_fault, pad_fault.c.id == fault_notice.c.fault)
        .outerjoin(_DESK, _DESK.c.id == pad_fault.c.desk)
        .outerjoin(_BRANCH, _BRANCH.c.id == _ITS_BRANCH)
        .order_by(pad_fault.c.id, fault_notice.c.event.desc())
    )
    return [_notice(*row) for row in connection.execute(question)]


def told(connection: Connection, done: Sequence[Notice], now: int) -> None:
    """``done`` are told and need not be told again."""
    for each in done:
        its = (fault_notice.c.fault == each.fault.id) & (fault_notice.c.event == each.event)
        connection.execute(delete(fault_notice).where(its, fault_notice.c.recipient == each.recipient))
        column = pad_fault.c.told_unix_ms if each.event == OPENED else pad_fault.c.closed_told_unix_ms
        first = (pad_fault.c.id == each.fault.id) & (column == 0)
        connection.execute(update(pad_fault).where(first).values({column: now}))


def put_off(connection: Connection, recipient: str, due_unix_ms: int) -> None:
    """Nothing is told to ``recipient`` before that moment: it could not be reached."""
    connection.execute(
        update(fault_notice).where(fault_notice.c.recipient == recipient).values(due_unix_ms=due_unix_ms)
    )


def _faults() -> Any:
    return (
        select(*_OF_FAULT)
        .outerjoin_from(pad_fault, _DESK, _DESK.c.id == pad_fault.c.desk)
        .outerjoin(_BRANCH, _BRANCH.c.id == _ITS_BRANCH)
    )


def _notice(event: str, recipient: str, due_unix_ms: int, *fault: Any) -> Notice:
    return Notice(Fault(*fault), event, recipient, due_unix_ms)
