"""Keeps the register in the database: loads it from a file's shape, gives it back. Checks are the shape's own."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, insert, select, update

from collector.errors import StoreError
from collector.model import Office
from schemas.register import Branch, Desk, Organisation, Register, Service
from schemas.tables import branch, desk, organisation, rollup_day, service

# Before the first load.
_NO_ORGANISATION = Organisation(name="Zrazkovo", name_en="Zrazkovo")


def load(connection: Connection, register: Register, now_unix_ms: int) -> None:
    """Makes the database's register equal to ``register``. Raises StoreError if that would orphan figures."""
    _refuse_to_forget(connection, {each.id for each in register.branches})
    last = connection.execute(select(organisation.c.loaded_unix_ms)).scalar() or 0
    connection.execute(delete(organisation))
    connection.execute(
        insert(organisation),
        # Rising even if two loads fall into one millisecond: it is what tells copies that they are old.
        {"id": 1, **register.organisation.model_dump(), "loaded_unix_ms": max(now_unix_ms, last + 1)},
    )
    connection.execute(delete(desk).where(desk.c.id.not_in([each.id for each in register.desks])))
    for table, entries in ((service, register.services), (branch, register.branches), (desk, register.desks)):
        _write(connection, table, entries)
    connection.execute(delete(branch).where(branch.c.id.not_in([each.id for each in register.branches])))
    connection.execute(delete(service).where(service.c.id.not_in([each.id for each in register.services])))


def read(connection: Connection) -> Register:
    """The register as it was last loaded; empty if it never was."""
    names = connection.execute(select(organisation)).one_or_none()
    return Register(
        organisation=Organisation(name=names.name, name_en=names.name_en, simulated=names.simulated)
        if names
        else _NO_ORGANISATION,
        branches=tuple(Branch(**_fields(row)) for row in _in_order(connection, branch)),
        services=tuple(Service(**_fields(row)) for row in _in_order(connection, service)),
        desks=tuple(Desk(**_fields(row)) for row in _in_order(connection, desk)),
    )


def office(connection: Connection, last: Office | None) -> Office:
    """What ingesting needs of the register: ``last`` itself while nothing was loaded since."""
    revision = connection.execute(select(organisation.c.loaded_unix_ms)).scalar() or 0
    if last is not None and last.revision == revision:
        return last
    return Office(
        revision,
        {row.id: row.timezone for row in connection.execute(select(branch.c.id, branch.c.timezone))},
        {row.id: row.branch for row in connection.execute(select(desk.c.id, desk.c.branch))},
    )


def _refuse_to_forget(connection: Connection, branches: set[str]) -> None:
    counted = connection.execute(select(rollup_day.c.branch).where(rollup_day.c.cut == "branch").distinct()).scalars()
    lost = sorted(set(counted) - branches)
    if lost:
        raise StoreError(f"the register lacks a branch that has figures: {', '.join(lost)}")


def _write(connection: Connection, table: Table, entries: Sequence[Branch | Service | Desk]) -> None:
    present = set(connection.execute(select(table.c.id)).scalars())
    for position, entry in enumerate(entries):
        values = {**entry.model_dump(), "position": position}
        if entry.id in present:
            connection.execute(update(table).where(table.c.id == entry.id).values(values))
        else:
            connection.execute(insert(table), values)


def _in_order(connection: Connection, table: Table) -> Sequence[Row[Any]]:
    return connection.execute(select(table).order_by(table.c.position)).all()


def _fields(row: Row[Any]) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name != "position"}
