"""The register's rows in the database: written as a whole, read as a whole. What may be written, book.py decides."""

import time
import zlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Subquery,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from collector.model import Office
from schemas.periods import day_date, day_key, day_of
from schemas.register import (
    Assignment,
    Branch,
    CalendarDay,
    Desk,
    Direction,
    Entry,
    Hours,
    Operator,
    Organisation,
    Participant,
    Register,
    Service,
)
from schemas.register_tables import (
    ALWAYS,
    FOR_EVER,
    assignment,
    branch,
    calendar_day,
    desk,
    direction,
    opening_hours,
    operator,
    organisation,
    participant,
    service,
)
from schemas.tables import archived

# Before the first load.
NO_ORGANISATION = Organisation(name="Zrazkovo", name_en="Zrazkovo")
# The parts of a register: their tables and their shapes.
PARTS: Mapping[str, tuple[Table, type[Entry]]] = {
    "branches": (branch, Branch),
    "directions": (direction, Direction),
    "services": (service, Service),
    "desks": (desk, Desk),
    "participants": (participant, Participant),
    "operators": (operator, Operator),
    "assignments": (assignment, Assignment),
    "hours": (opening_hours, Hours),
    "calendar": (calendar_day, CalendarDay),
}
# Asked anew by every statement. UTC's day, for lists of pads: what changes at midnight changes there when all sleep.
TODAY = bindparam("today", callable_=lambda: day_of(time.time_ns() // 1_000_000, "UTC"), type_=Integer)
_DAYS = ("valid_from", "valid_to", "day")
_EMPTY_IN_KEYS = ("branch", "opens")  # of a calendar day: a key has no nulls


def write(connection: Connection, register: Register, revision: int, now_unix_ms: int) -> None:
    """Makes the rows equal to ``register``; touches only what differs."""
    connection.execute(delete(organisation))
    row = {"id": 1, **register.organisation.model_dump(), "loaded_unix_ms": now_unix_ms, "revision": revision}
    connection.execute(insert(organisation), row)
    for part, (table, _) in PARTS.items():
        _write_part(connection, table, [_row(each, n) for n, each in enumerate(getattr(register, part))])


def read(connection: Connection) -> Register:
    """The whole register; empty if none was ever loaded."""
    names = connection.execute(select(organisation)).one_or_none()
    parts: dict[str, Any] = {
        part: tuple(shape(**_fields(row)) for row in connection.execute(select(table).order_by(table.c.position)))
        for part, (table, shape) in PARTS.items()
    }
    # Every row was checked when it was written; only rows that somebody changed by hand could be wrong here.
    return Register.model_construct(
        organisation=Organisation(name=names.name, name_en=names.name_en, simulated=names.simulated)
        if names
        else NO_ORGANISATION,
        **parts,
    )


def revision(connection: Connection) -> int:
    """Of the register; 0 before the first load."""
    return connection.execute(select(organisation.c.revision)).scalar() or 0


def holds_today(table: Table) -> ColumnElement[bool]:
    """The condition that a row is valid today."""
    return (table.c.valid_from <= TODAY) & (table.c.valid_to >= TODAY)


def last_known(table: Table) -> Subquery:
    """One row a thing: the last that has begun, even if it has ended."""
    begun = select(table.c.id, func.max(table.c.valid_from).label("since")).where(table.c.valid_from <= TODAY)
    newest = begun.group_by(table.c.id).subquery()
    its = (newest.c.id == table.c.id) & (newest.c.since == table.c.valid_from)
    return select(table).join(newest, its).subquery(f"last_{table.name}")


def office(connection: Connection, last: Office | None) -> Office:
    """What ingesting needs of the register: ``last`` itself while it did not change since."""
    bound = select(func.max(archived.c.before_call)).scalar_subquery()
    row = connection.execute(select(select(organisation.c.revision).scalar_subquery(), bound)).one()
    current, closed = row[0] or 0, row[1] or ""
    if last is not None and (last.revision, last.archived) == (current, closed):
        return last
    timezones = {row.id: row.timezone for row in connection.execute(select(branch.c.id, branch.c.timezone))}
    places: dict[str, list[tuple[int, int, str]]] = {}
    for row in connection.execute(select(desk).order_by(desk.c.valid_from)):
        places.setdefault(row.id, []).append((row.valid_from, row.valid_to, row.branch))
    moved = {name: rows for name, rows in places.items() if len({each[2] for each in rows}) > 1}
    no_calls: dict[str, list[tuple[int, int]]] = {}
    for row in connection.execute(select(service).where(service.c.no_call.is_(True))):
        no_calls.setdefault(row.id, []).append((row.valid_from, row.valid_to))
    return Office(current, closed, timezones, {name: rows[-1][2] for name, rows in places.items()}, moved, no_calls)


def pack(register: Register) -> bytes:
    return zlib.compress(register.model_dump_json(by_alias=True, exclude_defaults=True).encode())


def unpack(snapshot: bytes) -> Register:
    return Register.model_validate_json(zlib.decompress(snapshot))


def _write_part(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    key = [column.name for column in table.primary_key]
    wanted = {tuple(row[name] for name in key): row for row in rows}
    present = {
        tuple(row._mapping[name] for name in key): dict(row._mapping) for row in connection.execute(select(table))
    }
    for name in present.keys() - wanted.keys():
        connection.execute(delete(table).where(*_named(table, key, name)))
    added = [wanted[name] for name in wanted if name not in present]
    if added:
        connection.execute(insert(table), added)
    for name in wanted.keys() & present.keys():
        if wanted[name] != present[name]:
            connection.execute(update(table).where(*_named(table, key, name)).values(wanted[name]))


def _named(table: Table, key: Sequence[str], values: Sequence[Any]) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in zip(key, values, strict=True)]


def _row(entry: Entry, position: int) -> dict[str, Any]:
    values = entry.model_dump()
    for name in _DAYS:
        if name in values:
            values[name] = _key_of(values[name], FOR_EVER if name == "valid_to" else ALWAYS)
    if isinstance(entry, CalendarDay):
        values |= {name: values[name] or "" for name in _EMPTY_IN_KEYS}
    return values | {"position": position}


def _fields(row: Row[Any]) -> dict[str, Any]:
    values = {str(name): value for name, value in row._mapping.items() if name != "position"}
    for name in _DAYS:
        if name in values:
            values[name] = None if values[name] in (ALWAYS, FOR_EVER) else day_date(values[name])
    if "as_day" in values:
        values |= {name: values[name] or None for name in _EMPTY_IN_KEYS}
    return values


def _key_of(day: date | None, otherwise: int) -> int:
    return otherwise if day is None else day_key(day)
