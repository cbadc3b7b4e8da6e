"""A partition a month for calls and votes, on PostgreSQL; nothing on SQLite. It never looks into a row.

Partitions are made ahead of time. A row of a month that has none lands in the table of strays (``call_other``), like
any other to whoever reads and writes; ``keep_ahead`` moves it to its month's partition as soon as there can be one.
What a wild clock has dated years ahead stays there, and is reported.
"""

from sqlalchemy import Connection, text

from schemas.months import first_id, later, month_of_id

# The tables kept so, and which of their columns holds the call.
TABLES = {"call": "id", "vote": "call"}
AHEAD = 2  # months after the present one
# Whoever reads or writes keeps us out, and we them: rather later than in anybody's way. Backups read for minutes.
_PATIENCE = "SET LOCAL lock_timeout = '2s'"
_CLOSED = "closed"  # the constraint by which a month that is being archived stays as it is


def partition(table: str, month: int) -> str:
    """The name of the partition of ``month`` (``yyyymm``)."""
    return f"{table}_{month // 100}_{month % 100:02}"


def strays(table: str) -> str:
    """The name of the partition of everything else."""
    return f"{table}_other"


def is_partition(name: str) -> bool:
    """Whether a table of this name is a part of one of the schema's."""
    table, _, rest = name.partition("_")
    return table in TABLES and (rest == "other" or rest.replace("_", "").isdigit())


def keep_ahead(connection: Connection, month: int) -> list[str]:
    """Makes what is missing for ``month``, the present one, and those ahead, and for strays of before.

    Gives a sentence for each table with strays that are dated too far ahead to be true. Raises the database's error if
    others are in the tables for longer than two seconds.
    """
    if connection.dialect.name != "postgresql":
        return []
    last = later(month, AHEAD)
    if not _work_to_do(connection, month, last):
        return []
    _lock(connection)
    complaints = []
    for table, column in TABLES.items():
        for ahead in range(AHEAD + 1):
            _make(connection, table, later(month, ahead))
        beyond = first_id(later(last))
        while (oldest := _oldest_stray(connection, table, column)) is not None and oldest < beyond:
            _make(connection, table, month_of_id(oldest))
        if oldest is not None:
            complaints.append(f"{table}: rows dated {month_of_id(oldest)} or later, which is too far ahead to be true")
    return complaints


def close(connection: Connection, month: int, bound: str) -> None:
    """From now on nobody adds or changes a call or vote with an id less than ``bound``, ``month`` being the last such.

    Constraints, not locks: whoever decided by what was true before fails, and decides again.
    """
    if connection.dialect.name != "postgresql":
        return
    _lock(connection)
    for table in TABLES:
        for name in _open_to(connection, table, month):
            connection.execute(text(f'ALTER TABLE "{name}" ADD CONSTRAINT "{_CLOSED}" CHECK (false) NOT VALID'))
        _let_in(connection, table, bound)


def drop(connection: Connection, month: int) -> None:
    """Removes the rows of a closed month, with the partition they are in."""
    if connection.dialect.name != "postgresql":
        return
    _lock(connection)
    for table in TABLES:
        connection.execute(text(f'DROP TABLE IF EXISTS "{partition(table, month)}"'))


def take_back(connection: Connection, month: int, bound: str) -> None:
    """Makes room for the rows of a month that was dropped; what is less than ``bound`` stays closed."""
    if connection.dialect.name != "postgresql":
        return
    _lock(connection)
    for table in TABLES:
        _let_in(connection, table, bound)
        _make(connection, table, month)


def _open_to(connection: Connection, table: str, month: int) -> list[str]:
    """The partitions of ``month`` and of those before it that are not closed."""
    closed = "EXISTS (SELECT FROM pg_constraint WHERE conrelid = inhrelid AND conname = :closed)"
    names = connection.execute(
        text(
            "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
            f" WHERE inhparent = to_regclass(:table) AND relname <= :last AND relname <> :strays AND NOT {closed}"
        ),
        {"table": _quoted(table), "last": partition(table, month), "strays": strays(table), "closed": _CLOSED},
    )
    return list(names.scalars())


def _let_in(connection: Connection, table: str, bound: str) -> None:
    """Strays less than ``bound`` are refused."""
    name, column = strays(table), TABLES[table]
    connection.execute(text(f'ALTER TABLE "{name}" DROP CONSTRAINT IF EXISTS "{_CLOSED}"'))
    if bound:
        # An id of ours: digits and letters.
        connection.execute(text(f"""ALTER TABLE "{name}" ADD CONSTRAINT "{_CLOSED}" CHECK ("{column}" >= '{bound}')"""))


def present(connection: Connection, table: str, month: int) -> bool:
    """Whether ``table`` has a partition for ``month``."""
    name = {"name": f'"{partition(table, month)}"'}
    return connection.execute(text("SELECT to_regclass(:name) IS NOT NULL"), name).scalar_one() is True


def _work_to_do(connection: Connection, month: int, last: int) -> bool:
    """Asked without any lock, as this is looked after every hour and nearly always done already."""
    made = all(present(connection, table, each) for table in TABLES for each in (month, last))
    return not made or any(_oldest_stray(connection, *each) is not None for each in TABLES.items())


def _lock(connection: Connection) -> None:
    connection.execute(text(_PATIENCE))
    # At once what is needed at last: to come to it by steps would be a deadlock with a collector that does the same.
    connection.execute(text(f"LOCK TABLE {', '.join(map(_quoted, TABLES))} IN ACCESS EXCLUSIVE MODE"))


def _quoted(name: str) -> str:
    return f'"{name}"'


def _oldest_stray(connection: Connection, table: str, column: str) -> str | None:
    oldest: str | None = connection.execute(text(f'SELECT min("{column}") FROM "{strays(table)}"')).scalar()
    return oldest


def _make(connection: Connection, table: str, month: int) -> None:
    """Makes the partition, with the strays that belong into it."""
    if present(connection, table, month):
        return
    name, column = partition(table, month), TABLES[table]
    low, high = first_id(month), first_id(later(month))
    # First a table of its own: a partition made at once would be refused while strays of its range lie elsewhere.
    connection.execute(text(f'CREATE TABLE "{name}" (LIKE "{table}" INCLUDING ALL)'))
    connection.execute(
        text(
            f'WITH moved AS (DELETE FROM "{strays(table)}" WHERE "{column}" >= :low AND "{column}" < :high RETURNING *)'
            f' INSERT INTO "{name}" SELECT * FROM moved'
        ),
        {"low": low, "high": high},
    )
    bounds = f"FROM ('{low}') TO ('{high}')"  # ids of ours: digits and letters
    connection.execute(text(f'ALTER TABLE "{table}" ATTACH PARTITION "{name}" FOR VALUES {bounds}'))
