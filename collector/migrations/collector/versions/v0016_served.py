"""How long the calls of a month took, and who was called for: kept by month, as the monthly figures are.

They are counted from the rows, for the days that are in the monthly figures. Of months that are in files there is
nothing here until they are counted again from the files (``python -m collector recount --archive FOLDER --repair``).
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

# As the rules were when they came (collector/served.py); a later change of them is another migration's.
_TOOK = "(ended_unix_ms - called_unix_ms)"
_TENTHS = f"(({_TOOK} + 50) / 100)"
_COUNTED = "day < (SELECT max(day) FROM rollup_edge) AND id >= COALESCE((SELECT max(before_call) FROM archived), '')"
_BEHIND = f"""
    INSERT INTO rollup_behind (month, branch, service, operator, calls)
    SELECT day / 100, branch, COALESCE(service, ''), COALESCE(operator, ''), count(*)
    FROM "call" WHERE {_COUNTED} GROUP BY 1, 2, 3, 4
"""
_SERVED = f"""
    INSERT INTO rollup_served (month, branch, service, served, served_ms, squares)
    SELECT day / 100, branch, COALESCE(service, ''), count(*), sum({_TOOK}), sum({_TENTHS} * {_TENTHS})
    FROM "call" WHERE {_COUNTED} AND outcome = 'finished' AND {_TOOK} BETWEEN 0 AND 86400000 GROUP BY 1, 2, 3
"""


def upgrade() -> None:
    op.create_table(
        "rollup_behind",
        *_place("branch", "service", "operator"),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", "branch", "service", "operator", name="pk_rollup_behind"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollup_served",
        *_place("branch", "service"),
        sa.Column("served", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("served_ms", "squares")),
        sa.PrimaryKeyConstraint("month", "branch", "service", name="pk_rollup_served"),
        sqlite_with_rowid=False,
    )
    op.execute(_BEHIND)
    op.execute(_SERVED)


def _place(*names: str) -> list[sa.Column[Any]]:
    month = sa.Column("month", sa.Integer(), nullable=False)
    return [month, *(sa.Column(name, sa.String(length=40), nullable=False) for name in names)]
