"""How calls ended, earlier calls, the queue's clock, and calls to a desk that nobody could name."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("feed_call", sa.Column("ending", sa.String(length=20), nullable=True))
    op.add_column("feed_call", sa.Column("heard", sa.Boolean(), nullable=True))
    _past()
    op.create_table(
        "feed_clock",
        sa.Column("branch", sa.String(length=40), nullable=False),
        sa.Column("base_ms", sa.BigInteger(), nullable=False),
        sa.Column("behind_ms", sa.BigInteger(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("run_least_ms", sa.BigInteger(), nullable=False),
        sa.Column("run_most_ms", sa.BigInteger(), nullable=False),
        sa.Column("run_since_unix_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("branch", name="pk_feed_clock"),
    )
    op.create_table(
        "feed_unplaced",
        sa.Column("branch", sa.String(length=40), nullable=False),
        sa.Column("operator", sa.String(length=40), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("first_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_unix_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("branch", "operator", name="pk_feed_unplaced"),
    )


def _past() -> None:
    op.create_table(
        "feed_past",
        sa.Column("call", sa.String(length=16), nullable=False),
        sa.Column("desk", sa.String(length=40), nullable=False),
        sa.Column("branch", sa.String(length=40), nullable=False),
        sa.Column("ticket_key", sa.String(length=80), nullable=False),
        sa.Column("ticket", sa.String(length=40), nullable=False),
        sa.Column("operator", sa.String(length=40), nullable=True),
        sa.Column("service", sa.String(length=40), nullable=True),
        sa.Column("called_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("ending", sa.String(length=20), nullable=True),
        sa.Column("heard", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("call", name="pk_feed_past"),
    )
    op.create_index("ix_feed_past_branch_ticket_key", "feed_past", ["branch", "ticket_key"])
