"""What figures stand on beyond a day: what was left out and why, months, and the work of the night.

The reasons are counted from the rows. Of months that are in files there are none here; of these days the reasons stay
0 until they are counted again from the files (``python -m collector recount --archive FOLDER --repair``).
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


_PLACE = {"cut": 10, "branch": 40, "key": 40}
_RATED = ("bad", "good", "exemplary")
_REASONS = ("unrated", "absent", "passed_on", "withdrawn", "unlit")
# As the rules were when they came (collector/rollup.py); a later change of them is another migration's.
_LEFT_OUT = """
    CREATE TEMPORARY TABLE left_out AS
    SELECT c.branch, COALESCE(c.service, '') AS service, COALESCE(c.operator, '') AS operator, c.desk, c.day,
        CASE WHEN c.outcome IN ('no_show', 'absent') THEN 'absent'
            WHEN c.outcome IN ('transferred', 'held', 'resumed', 'called_elsewhere') THEN 'passed_on'
            WHEN c.outcome IN ('void', 'removed') THEN 'withdrawn'
            ELSE 'unlit' END AS reason,
        count(*) AS number
    FROM "call" AS c LEFT JOIN vote AS v ON v.call = c.id AND v.desk = c.desk
    LEFT JOIN console_unavailable AS u ON u.call = c.id AND u.desk = c.desk
    WHERE (u.call IS NOT NULL OR c.outcome IN
            ('no_show', 'absent', 'transferred', 'held', 'resumed', 'called_elsewhere', 'void', 'removed'))
        AND (v.call IS NULL OR (c.outcome IN ('next_call', 'absent', 'void') AND c.ended_unix_ms >= c.called_unix_ms
            AND c.called_unix_ms + v.after_ms > c.ended_unix_ms + 15000))
    GROUP BY 1, 2, 3, 4, 5, 6
"""


def upgrade() -> None:
    _reasons()
    _months()
    _mix()
    _nights()


def _reasons() -> None:
    op.add_column("call", sa.Column("unrated", sa.Boolean(), nullable=True))
    for name in _REASONS:
        op.add_column("rollup_day", sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.execute(_LEFT_OUT)
    columns = ", ".join(_REASONS)
    sums = ", ".join(f"sum(CASE reason WHEN '{name}' THEN number ELSE 0 END)" for name in _REASONS)
    changes = ", ".join(f"{name} = excluded.{name}" for name in _REASONS)
    for cut, key in {"branch": "''", "service": "service", "operator": "operator", "desk": "desk"}.items():
        # A row that is not there is one that was spoilt before: recount says so.
        op.execute(
            f"INSERT INTO rollup_day (cut, branch, key, day, calls, eligible, bad, good, exemplary, {columns})"
            f" SELECT '{cut}', branch, {key}, day, 0, 0, 0, 0, 0, {sums} FROM left_out WHERE true"
            f" GROUP BY branch, {'day' if cut == 'branch' else key}, day"
            f" ON CONFLICT (cut, branch, key, day) DO UPDATE SET {changes}"
        )
    op.execute("DROP TABLE left_out")
    op.create_index("ix_rollup_day_cut_branch_day", "rollup_day", ["cut", "branch", "day"])


def _months() -> None:
    op.create_table(
        "rollup_month",
        *(sa.Column(name, sa.String(length=size), nullable=False) for name, size in _PLACE.items()),
        sa.Column("month", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("calls", "eligible", *_RATED)),
        *(sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text("0")) for name in _REASONS),
        sa.PrimaryKeyConstraint("cut", "branch", "key", "month", name="pk_rollup_month"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_rollup_month_cut_month", "rollup_month", ["cut", "month"])
    op.create_table(
        "rollup_edge",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rollup_edge"),
    )


def _mix() -> None:
    op.create_table(
        "rollup_mix",
        sa.Column("month", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.String(length=40), nullable=False) for name in ("branch", "operator", "service")),
        sa.Column("hour", sa.SmallInteger(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("eligible", *_RATED)),
        sa.PrimaryKeyConstraint("month", "branch", "operator", "service", "hour", name="pk_rollup_mix"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reconciliation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("checks", sa.Text(), nullable=False),
        sa.Column("differences", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reconciliation"),
    )


def _nights() -> None:
    op.create_table(
        "nightly_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("night", sa.Integer(), nullable=False),
        sa.Column("started_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_unix_ms", sa.BigInteger(), nullable=True),
        sa.Column("ok", sa.Boolean(), nullable=True),
        sa.Column("sentences", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nightly_run"),
    )
    op.create_index("ix_nightly_run_what_started_unix_ms", "nightly_run", ["what", "started_unix_ms"])
    op.create_table(
        "nightly_lease",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("night", sa.Integer(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=False),
        sa.Column("until_unix_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nightly_lease"),
    )
