"""Figures by week, quarter and year beside those by month, of the same days: the ones before the edge.

Quarters and years are the months added up; weeks are added up out of days, which takes some seconds for a million of
their rows. Months are written anew, for their rows of one time to lie together. No figure of before is changed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_PLACE = {"cut": 10, "branch": 40, "key": 40}
_RATED = ("bad", "good", "exemplary")
_REASONS = ("unrated", "absent", "passed_on", "withdrawn", "unlit")
# A span by its beginning: the Monday's yyyymmdd, or the first month's yyyymm.
_QUARTER = "month - (month % 100 - 1) % 3"
_YEAR = "month / 100 * 100 + 1"
_MONDAY = {
    "sqlite": (
        "CAST(strftime('%Y%m%d', substr(day, 1, 4) || '-' || substr(day, 5, 2) || '-' || substr(day, 7, 2),"
        " 'weekday 0', '-6 days') AS INTEGER)"
    ),
    "postgresql": "CAST(to_char(date_trunc('week', to_date(CAST(day AS text), 'YYYYMMDD')), 'YYYYMMDD') AS integer)",
}


_AMOUNTS = ("calls", "eligible", *_RATED, *_REASONS)


def upgrade() -> None:
    op.execute("CREATE TEMPORARY TABLE by_month AS SELECT * FROM rollup_month")
    op.drop_table("rollup_month")
    monday = _MONDAY[op.get_bind().dialect.name]
    _make("week", monday, "rollup_day WHERE day < (SELECT COALESCE(max(day), 0) FROM rollup_edge)")
    _make("month", "month", "by_month")
    _make("quarter", _QUARTER, "by_month")
    _make("year", _YEAR, "by_month")
    op.execute("DROP TABLE by_month")


def _make(span: str, called: str, source: str) -> None:
    """The table of a level, and in it what ``source`` adds up to."""
    op.create_table(
        f"rollup_{span}",
        *(sa.Column(name, sa.String(length=size), nullable=False) for name, size in _PLACE.items()),
        sa.Column(span, sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("calls", "eligible", *_RATED)),
        *(sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text("0")) for name in _REASONS),
        sa.PrimaryKeyConstraint("cut", span, "branch", "key", name=f"pk_rollup_{span}"),
        sqlite_with_rowid=False,
    )
    op.execute(
        f"INSERT INTO rollup_{span} (cut, branch, key, {span}, {', '.join(_AMOUNTS)})"
        f" SELECT cut, branch, key, {called}, {', '.join(f'sum({name})' for name in _AMOUNTS)}"
        f" FROM {source} GROUP BY 1, 4, 2, 3"
    )
    op.create_index(f"ix_rollup_{span}_cut_branch_{span}", f"rollup_{span}", ["cut", "branch", span])
