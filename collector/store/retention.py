"""Forgets what has served its purpose: tickets' pseudonyms, old numbers of votes, the log of readings. In small steps.

No vote and no figure is touched. A step is a transaction of a thousand rows at most, so that no message waits for it;
how far tickets are forgotten stands in the book of upkeep, for a look at every call there is would take minutes.
"""

import time
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from collector.store.archive import boundary
from schemas.months import first_id_at
from schemas.tables import access_log, call, vote_number
from schemas.upkeep_tables import upkeep

_AT_ONCE = 1_000
_DAY_MS = 86_400_000
# A pad gives a number twice within one journal at most, and begins a new one whenever it starts. What it has kept over
# weeks without a line has its number in a new journal, or is known by its call.
NUMBER_DAYS = 60
TICKETS = "tickets"


class Periods(NamedTuple):
    """How long what may be traced to a person is kept, in days."""

    tickets: int
    access_log: int


def forget_some(connection: Connection, periods: Periods, now_unix_ms: int) -> bool:
    """One step; whether there may be more to do at once."""
    steps = (
        _tickets(connection, now_unix_ms - periods.tickets * _DAY_MS),
        _readings(connection, now_unix_ms - periods.access_log * _DAY_MS),
    )
    return any(steps)


def forget_numbers(connection: Connection, after_desk: str, now_unix_ms: int) -> str | None:
    """Forgets the old numbers of the desk after ``after_desk`` in the alphabet, and gives it; None after the last."""
    desk: str | None = connection.execute(
        select(func.min(vote_number.c.desk)).where(vote_number.c.desk > after_desk)
    ).scalar()
    if desk is not None:
        old = vote_number.c.call < first_id_at(max(now_unix_ms - NUMBER_DAYS * _DAY_MS, 0))
        connection.execute(delete(vote_number).where(vote_number.c.desk == desk, old))
    return desk


def _tickets(connection: Connection, before_unix_ms: int) -> bool:
    bound = first_id_at(max(before_unix_ms, 0))
    last = select(upkeep.c.detail).where(upkeep.c.what == TICKETS).order_by(upkeep.c.id.desc()).limit(1)
    begin = max(connection.execute(last).scalar() or "", boundary(connection))  # archived months have no tickets
    if begin >= bound:
        return False
    some = select(call.c.id).where(call.c.id >= begin, call.c.id < bound).order_by(call.c.id).limit(_AT_ONCE)
    ids = list(connection.execute(some).scalars())
    if ids:
        within = call.c.id.between(ids[0], ids[-1]) & call.c.ticket.is_not(None)
        connection.execute(update(call).where(within).values(ticket=None))
    more = len(ids) == _AT_ONCE
    # The next step begins with the last call of this one, which by then has no ticket.
    _note(connection, ids[-1] if more else bound)
    return more


def _note(connection: Connection, end: str) -> None:
    """One entry that moves on, not one for each step."""
    # Two collectors that begin at once leave two: the newest is the one that is read.
    newest = select(func.max(upkeep.c.id)).where(upkeep.c.what == TICKETS)
    there = connection.execute(newest).scalar()
    values = {"at_unix_ms": time.time_ns() // 1_000_000, "who": "collector", "ok": True, "amount": 0, "detail": end}
    if there is None:
        connection.execute(insert(upkeep).values(what=TICKETS, **values))
    else:
        connection.execute(update(upkeep).where(upkeep.c.id == there).values(values))


def _readings(connection: Connection, before_unix_ms: int) -> bool:
    """The log grows at one end: the oldest entries have the least ids."""
    oldest = connection.execute(
        select(access_log.c.id, access_log.c.at_unix_ms).order_by(access_log.c.id).limit(_AT_ONCE)
    ).all()
    old = [row.id for row in oldest if row.at_unix_ms < before_unix_ms]
    if old:
        connection.execute(delete(access_log).where(access_log.c.id.in_(old)))
    return len(old) == _AT_ONCE
