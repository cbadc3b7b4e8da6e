"""Calls and votes by month on PostgreSQL, numbers of votes in a table of their own, and which months are archived.

On PostgreSQL every row is copied once into its month's partition; that needs as much room again while it runs, and
about a minute for ten million calls. On SQLite the table of votes is written anew, without its second key.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_NUMBERS_FOR_MS = 60 * 86_400_000


def upgrade() -> None:
    op.create_table(
        "vote_number",
        sa.Column("desk", sa.String(length=40), nullable=False),
        sa.Column("journal", sa.String(length=8), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("call", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("desk", "journal", "seq", name="pk_vote_number"),
        sqlite_with_rowid=False,
    )
    _numbers()
    if op.get_bind().dialect.name == "postgresql":
        _partitioned("call", "id", "pk_call", ["id"])
        op.create_index("ix_call_open", "call", ["desk"], postgresql_where=sa.text("outcome IS NULL"))
        _partitioned("vote", "call", "pk_vote", ["call", "desk"])
    else:
        _vote_anew()
    op.create_table(
        "archived",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("before_call", sa.String(length=16), nullable=False),
        sa.Column("frozen_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("done_unix_ms", sa.BigInteger()),
        sa.Column("calls", sa.BigInteger()),
        sa.Column("votes", sa.BigInteger()),
        sa.Column("digest", sa.String(length=64)),
        sa.PrimaryKeyConstraint("month", name="pk_archived"),
    )


def _numbers() -> None:
    """Those of the last weeks before the newest vote; older ones cannot be given again."""
    newest = op.get_bind().execute(sa.text("SELECT max(call) FROM vote")).scalar()
    since = _id(max(_unix_ms(newest) - _NUMBERS_FOR_MS, 0)) if newest else ""
    copy = "INSERT INTO vote_number SELECT desk, journal, seq, call FROM vote WHERE call >= :since"
    op.get_bind().execute(sa.text(copy), {"since": since})


def _vote_anew() -> None:
    op.create_table(
        "vote_anew",
        sa.Column("call", sa.String(length=16), nullable=False),
        sa.Column("desk", sa.String(length=40), nullable=False),
        sa.Column("rating", sa.SmallInteger(), nullable=False),
        sa.Column("after_ms", sa.Integer(), nullable=False),
        sa.Column("journal", sa.String(length=8), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("received_unix_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("call", "desk", name="pk_vote"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO vote_anew SELECT * FROM vote ORDER BY call, desk")
    op.drop_table("vote")
    op.rename_table("vote_anew", "vote")


def _partitioned(table: str, by: str, key: str, columns: list[str]) -> None:
    """``table`` under its name, its rows in a partition a month; of strays there is a partition too."""
    connection = op.get_bind()
    low, high = connection.execute(sa.text(f'SELECT min("{by}"), max("{by}") FROM "{table}"')).one()
    op.rename_table(table, "before")
    # The index of before keeps no name that the new table wants.
    for index in connection.execute(sa.text("SELECT indexname FROM pg_indexes WHERE tablename = 'before'")).scalars():
        if index != key:
            op.execute(
                f'DROP INDEX "{index}"' if index.startswith("ix_") else f'ALTER TABLE before DROP CONSTRAINT "{index}"'
            )
    op.execute(f'ALTER TABLE before DROP CONSTRAINT "{key}"')
    op.execute(f'CREATE TABLE "{table}" (LIKE before INCLUDING DEFAULTS) PARTITION BY RANGE ("{by}")')
    op.create_primary_key(key, table, columns)
    op.execute(f'CREATE TABLE "{table}_other" PARTITION OF "{table}" DEFAULT')
    for month in _months(low, high):
        bounds = f"FROM ('{_id(_month_unix_ms(month))}') TO ('{_id(_month_unix_ms(_next(month)))}')"
        op.execute(f'CREATE TABLE "{table}_{month[0]}_{month[1]:02}" PARTITION OF "{table}" FOR VALUES {bounds}')
    op.execute(f'INSERT INTO "{table}" SELECT * FROM before ORDER BY "{by}"')
    op.drop_table("before")


def _months(low: str | None, high: str | None) -> Iterator[tuple[int, int]]:
    """From the first to the last of which there may be rows, as long as that is no more than a wrong clock explains."""
    if low is None or high is None:
        return
    first, last = (datetime.fromtimestamp(_unix_ms(each) / 1000, UTC) for each in (low, high))
    month = (max(first.year, 2015), first.month if first.year >= 2015 else 1)
    while month <= (last.year, last.month) and month[0] < 2040:
        yield month
        month = _next(month)


def _next(month: tuple[int, int]) -> tuple[int, int]:
    return (month[0] + month[1] // 12, month[1] % 12 + 1)


def _month_unix_ms(month: tuple[int, int]) -> int:
    return int(datetime(*month, 1, tzinfo=UTC).timestamp() * 1000)


def _id(unix_ms: int) -> str:
    return "".join(_ALPHABET[unix_ms >> 5 * place & 31] for place in reversed(range(9))) + "0000000"


def _unix_ms(call: str) -> int:
    value = 0
    for character in call[:9]:
        value = value * 32 + _ALPHABET.index(character)
    return min(value, 32_503_679_999_999)  # the end of 2999: datetime reaches that far
