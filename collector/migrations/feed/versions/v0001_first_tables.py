"""The first tables of the feed."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _outbox()
    _calls()


def _outbox() -> None:
    """Numbers, events taken, events to deliver."""
    op.create_table(
        "feed_journal",
        sa.Column("branch", sa.String(length=40), nullable=False),
        sa.Column("journal", sa.String(length=8), nullable=False),
        sa.Column("next_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("branch", name="pk_feed_journal"),
    )
    op.create_table(
        "feed_received",
        sa.Column("branch", sa.String(length=40), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("received_unix_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("branch", "event", name="pk_feed_received"),
    )
    op.create_table(
        "feed_outbox",
        sa.Column("branch", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("branch", "seq", name="pk_feed_outbox"),
    )


def _calls() -> None:
    """What is open, and what a polled source looked like."""
    op.create_table(
        "feed_call",
        sa.Column("desk", sa.String(length=40), nullable=False),
        sa.Column("branch", sa.String(length=40), nullable=False),
        sa.Column("call", sa.String(length=16), nullable=False),
        sa.Column("ticket_key", sa.String(length=80), nullable=False),
        sa.Column("ticket", sa.String(length=40), nullable=False),
        sa.Column("operator", sa.String(length=40), nullable=True),
        sa.Column("service", sa.String(length=40), nullable=True),
        sa.Column("called_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("desk", name="pk_feed_call"),
    )
    op.create_table(
        "feed_source",
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("snapshot", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_feed_source"),
    )
