"""Recorded instructions of the city's leadership to read by operator (order P4.3), and the log of what was read."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from collector.errors import Declined, NotThere
from schemas.people_tables import reading_order
from schemas.tables import access_log


@dataclass(frozen=True, slots=True)
class ReadingOrder:
    """``day`` is the paper's; ``last_day`` the last on which figures may be read by it, both yyyymmdd."""

    number: str
    day: int
    ordered_by: str
    about: str
    branch: str | None
    operator: str | None
    recorded_by: str
    last_day: int
    recorded_unix_ms: int = 0
    withdrawn_unix_ms: int | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class LoggedReading:
    """One line of the access log; ``person``, ``role`` and what follows are null where a program asked."""

    id: int
    at_unix_ms: int
    reader: str
    purpose: str | None
    granted: bool
    question: str
    person: int | None
    role: str | None
    reading_order: int | None
    branch: str | None
    about: str | None


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What the log is narrowed to; None narrows nothing. ``reader`` is a login or a token's name."""

    reader: str | None = None
    about: str | None = None
    branch: str | None = None
    purpose: str | None = None
    granted: bool | None = None
    from_unix_ms: int | None = None
    before_unix_ms: int | None = None


def record(connection: Connection, new: ReadingOrder, now: int) -> int:
    """The new order's id. Raises Declined for what is no order."""
    for name, most in (("number", 40), ("ordered_by", 120), ("about", 300)):
        value: str = getattr(new, name)
        if not 1 <= len(value) <= most or not value.isprintable():
            raise Declined(f"{name} has 1 to {most} printable characters")
    if new.last_day < new.day:
        raise Declined("it ends before its day")
    values = {
        "number": new.number,
        "day": new.day,
        "ordered_by": new.ordered_by,
        "about": new.about,
        "branch": new.branch,
        "operator": new.operator,
        "recorded_by": new.recorded_by[:80],
        "recorded_unix_ms": now,
        "last_day": new.last_day,
    }
    made: int = connection.execute(insert(reading_order).returning(reading_order.c.id), values).scalar_one()
    return made


def withdraw(connection: Connection, order: int, now: int) -> None:
    """Nobody reads by it any more. Raises NotThere."""
    its = (reading_order.c.id == order) & reading_order.c.withdrawn_unix_ms.is_(None)
    if not connection.execute(update(reading_order).where(its).values(withdrawn_unix_ms=now)).rowcount:
        raise NotThere("there is no such order in force")


def orders(connection: Connection, order: int | None, limit: int) -> list[ReadingOrder]:
    """The newest first."""
    question = select(reading_order).order_by(reading_order.c.id.desc()).limit(limit)
    if order is not None:
        question = question.where(reading_order.c.id == order)
    return [_order(row) for row in connection.execute(question)]


def readings(connection: Connection, wanted: LogFilter, offset: int, limit: int) -> list[LoggedReading]:
    """The newest first."""
    columns = [access_log.c[name] for name in LoggedReading.__slots__]
    question = select(*columns).where(*_clauses(wanted)).order_by(access_log.c.id.desc()).offset(offset).limit(limit)
    return [LoggedReading(*row) for row in connection.execute(question)]


def count_readings(connection: Connection, wanted: LogFilter) -> int:
    return connection.execute(select(func.count()).select_from(access_log).where(*_clauses(wanted))).scalar_one()


def _clauses(wanted: LogFilter) -> list[Any]:
    same = ("reader", "about", "branch", "purpose", "granted")
    found = [access_log.c[name] == value for name in same if (value := getattr(wanted, name)) is not None]
    if wanted.from_unix_ms is not None:
        found.append(access_log.c.at_unix_ms >= wanted.from_unix_ms)
    if wanted.before_unix_ms is not None:
        found.append(access_log.c.at_unix_ms < wanted.before_unix_ms)
    return found


def _order(row: Row[Any]) -> ReadingOrder:
    return ReadingOrder(
        number=row.number,
        day=row.day,
        ordered_by=row.ordered_by,
        about=row.about,
        branch=row.branch,
        operator=row.operator,
        recorded_by=row.recorded_by,
        last_day=row.last_day,
        recorded_unix_ms=row.recorded_unix_ms,
        withdrawn_unix_ms=row.withdrawn_unix_ms,
        id=row.id,
    )
