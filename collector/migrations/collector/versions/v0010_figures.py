"""What figures stand on beyond a day: what was left out and why, months, and the work of the night."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    _nights()


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
