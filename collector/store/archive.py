"""``Store.archive``: takes whole months of calls and votes out of the database, once they are in files, and back.

A month goes through three states, each committed, so that one may die anywhere and begin again:

    frozen   its rows do not change any more; what still comes for it is kept with the reason "archived"
    filed    files of just these rows exist and were read back; ``digest`` is that of their manifest
    done     the rows are in the files only

Months are taken in the order of time, none is left out, so one call id divides what is archived from what is not: the
greatest ``before_call``. Roll-ups stay as they are. That nobody writes below that id lies, on SQLite, in that it is
read inside the writer's transaction; on PostgreSQL, in constraints on the partitions: who read it earlier fails there.
Whoever moves that id waits for those who count again under the locks of all calls (upkeep.repair), and they for it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, Table, delete, func, insert, select, update

from collector.errors import Declined
from collector.store import served
from collector.store.engine import reading, writing
from collector.store.ledger import lock_everything
from collector.store.partitions import TABLES, close, drop, keep_ahead, take_back
from schemas.fleet_tables import console_unavailable
from schemas.months import first_id, later, month_name, month_of_id
from schemas.tables import archived, call, call_service, vote, waiting

_AT_ONCE = 2_000
# What goes into files, under which name, and the column with the call. The ticket's pseudonym does not.
FILED: dict[str, tuple[Table, str]] = {
    "calls": (call, "id"),
    "votes": (vote, "call"),
    "unavailable": (console_unavailable, "call"),
    "services": (call_service, "call"),
}
LEFT_OUT = ("ticket",)


class Month(NamedTuple):
    """``month`` is ``yyyymm``; ``state``: open, frozen, filed or done. Counts are of the database, or of the files."""

    month: int
    state: str
    calls: int
    votes: int
    digest: str | None = None


def boundary(connection: Connection) -> str:
    """The least call id that is not archived; "" if nothing is."""
    return connection.execute(select(func.max(archived.c.before_call))).scalar() or ""


def columns_of(name: str) -> list[str]:
    """The columns of a file, in order."""
    return [column.name for column in FILED[name][0].c if column.name not in LEFT_OUT]


class Archive:
    """Made by Store only. Raises as Store's methods do."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def months(self, before: int) -> list[Month]:
        """Every month with calls or votes, or archived, up to ``before``, which is not included."""
        with reading(self._engine) as connection:
            known = {row.month: row for row in connection.execute(select(archived))}
            found = {month: _as_month(row) for month, row in known.items() if row.done_unix_ms is not None}
            for month in _with_rows(connection, before):
                if month not in found:
                    row, counts = known.get(month), _counts(connection, month)
                    if row is not None and row.digest is not None:
                        found[month] = _as_month(row)
                    else:
                        found[month] = Month(month, "frozen" if row is not None else "open", *counts)
            # Emptied, and died before that was written down.
            found |= {month: _as_month(row) for month, row in known.items() if month not in found}
        return [found[month] for month in sorted(found) if month < before]

    def waiting(self, month: int) -> int:
        """How many votes of the month still wait for their calls."""
        with reading(self._engine) as connection:
            return connection.execute(select(func.count()).select_from(waiting).where(_of_waiting(month))).scalar_one()

    def freeze(self, month: int, now_unix_ms: int) -> None:
        """Closes the month for good, and all before it."""
        bound = first_id(later(month))
        with writing(self._engine) as connection:
            lock_everything(connection)
            waits = connection.execute(select(func.count()).select_from(waiting).where(_of_waiting(month))).scalar_one()
            if waits:  # it has come since it was looked for
                raise Declined(
                    f"{month_name(month)}: {waits} votes wait for their calls, which could not come any more"
                )
            keep_ahead(connection, month)  # its strays come to their month
            connection.execute(
                insert(archived).values(month=month, before_call=bound, frozen_unix_ms=now_unix_ms, done_unix_ms=None)
            )
            close(connection, month, bound)

    def rows(self, month: int, name: str) -> Iterator[Sequence[Any]]:
        """The rows of a frozen month for one of FILED, in the order of their calls."""
        table, column = FILED[name]
        wanted = [table.c[each] for each in columns_of(name)]
        question = select(*wanted).where(_in_month(table, column, month)).order_by(*table.primary_key)
        with reading(self._engine) as connection:
            yield from connection.execute(question, execution_options={"yield_per": _AT_ONCE})

    def filed(self, month: Month) -> None:
        """Writes down that the files of ``month`` are good: from here on its rows may go."""
        assert month.digest
        values = {"calls": month.calls, "votes": month.votes, "digest": month.digest}
        with writing(self._engine) as connection:
            known = connection.execute(select(archived.c.digest).where(archived.c.month == month.month)).one_or_none()
            if known is None or known.digest is not None:
                raise Declined(f"{month_name(month.month)}: somebody else has archived it, or taken it back, meanwhile")
            if _counts(connection, month.month) != (month.calls, month.votes):
                raise Declined(f"{month_name(month.month)}: the files do not hold what the database holds")
            connection.execute(update(archived).where(archived.c.month == month.month).values(values))

    def empty(self, month: int, now_unix_ms: int) -> None:
        """Removes the rows of a filed month: a partition at once, elsewhere in small transactions."""
        for name in ("services", "unavailable", "votes", "calls"):  # a vote is never without its call
            table, column = FILED[name]
            if self._engine.dialect.name == "postgresql" and table.name in TABLES:
                continue
            while self._removed_some(table, column, month):
                pass
        with writing(self._engine) as connection:
            lock_everything(connection)
            drop(connection, month)
            connection.execute(update(archived).where(archived.c.month == month).values(done_unix_ms=now_unix_ms))

    def put_back(self, month: int, rows: Iterable[tuple[str, Sequence[Sequence[Any]]]]) -> None:
        """Takes a month back in, rows of FILED by name, in one transaction. The last archived month comes first."""
        with writing(self._engine) as connection:
            lock_everything(connection)
            newest = connection.execute(select(func.max(archived.c.month))).scalar()
            if newest != month:
                raise Declined(
                    f"{month_name(month)}: the month to be taken back first is {month_name(newest or month)}"
                )
            connection.execute(delete(archived).where(archived.c.month == month))
            take_back(connection, month, boundary(connection))
            for name, some in rows:
                table, columns = FILED[name][0], columns_of(name)
                connection.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in some])
            for each in (month, later(month)):
                served.complete(connection, each)

    def _removed_some(self, table: Table, column: str, month: int) -> bool:
        keys = list(table.primary_key)
        some = select(table.c[column]).where(_in_month(table, column, month)).order_by(*keys).limit(_AT_ONCE)
        with writing(self._engine) as connection:
            ids = [row[0] for row in connection.execute(some)]
            if ids:
                connection.execute(delete(table).where(table.c[column].between(ids[0], ids[-1])))
        return bool(ids)


def _as_month(row: Row[Any]) -> Month:
    state = "done" if row.done_unix_ms is not None else "filed" if row.digest is not None else "frozen"
    return Month(row.month, state, row.calls or 0, row.votes or 0, row.digest)


def _of_waiting(month: int) -> Any:
    return (waiting.c.call >= first_id(month)) & (waiting.c.call < first_id(later(month)))


def _in_month(table: Table, column: str, month: int) -> Any:
    return (table.c[column] >= first_id(month)) & (table.c[column] < first_id(later(month)))


def _counts(connection: Connection, month: int) -> tuple[int, int]:
    calls, votes = (
        connection.execute(select(func.count()).select_from(table).where(_in_month(table, column, month))).scalar_one()
        for table, column in (FILED["calls"], FILED["votes"])
    )
    return calls, votes


def _with_rows(connection: Connection, before: int) -> Iterator[int]:
    """The months that have calls or votes, in order: a look at an index for each."""
    low, end = "", first_id(before)
    while True:
        firsts = [
            connection.execute(select(func.min(table.c[column])).where(table.c[column] >= low)).scalar()
            for table, column in (FILED["calls"], FILED["votes"])
        ]
        nearest = min((each for each in firsts if each is not None), default=end)
        if nearest >= end:
            return
        month = month_of_id(nearest)
        yield month
        low = first_id(later(month))
