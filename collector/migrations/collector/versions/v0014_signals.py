"""Signals of integrity, who looked at them, and what pads counted by day."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    _months()
    _signals()
    _counts()


def _months() -> None:
    op.create_table(
        "signal_month",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("computed_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("operators", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("log_only", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("month", name="pk_signal_month"),
    )
    op.create_table(
        "signal_rate",
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("tests", sa.Integer(), nullable=False),
        sa.Column("below_5_percent", sa.Integer(), nullable=False),
        sa.Column("stand_out", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", "kind", name="pk_signal_rate"),
    )


def _signals() -> None:
    op.create_table(
        "signal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("operator", sa.String(length=40), nullable=False),
        sa.Column("branch", sa.String(length=40), nullable=False),
        sa.Column("desk", sa.String(length=40), nullable=False),
        sa.Column("statistic", sa.Float(), nullable=False),
        sa.Column("expected", sa.Float(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("p", sa.Float(), nullable=False),
        sa.Column("q", sa.Float(), nullable=False),
        sa.Column("marked_bad", sa.Integer(), nullable=False),
        sa.Column("marked_good", sa.Integer(), nullable=False),
        sa.Column("marked_exemplary", sa.Integer(), nullable=False),
        sa.Column("numbers", sa.String(length=400), nullable=False),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("reviewed_by", sa.String(length=80), nullable=True),
        sa.Column("reviewed_unix_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_signal"),
        sa.UniqueConstraint("month", "kind", "operator", "desk", name="uq_signal_month_kind_operator_desk"),
    )
    op.create_table(
        "signal_marked",
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("operator", sa.String(length=40), nullable=False),
        sa.Column("bad", sa.Integer(), nullable=False),
        sa.Column("good", sa.Integer(), nullable=False),
        sa.Column("exemplary", sa.Integer(), nullable=False),
        sa.Column("marked_bad", sa.Integer(), nullable=False),
        sa.Column("marked_good", sa.Integer(), nullable=False),
        sa.Column("marked_exemplary", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", "operator", name="pk_signal_marked"),
    )


def _counts() -> None:
    op.create_table(
        "pad_count",
        sa.Column("desk", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("journal", sa.String(length=8), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.Column("votes", sa.Integer(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("no_call", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("desk", "day", name="pk_pad_count"),
    )
