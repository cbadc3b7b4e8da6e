"""Every service of a visit that had several."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "call_service",
        sa.Column("call", sa.String(length=16), nullable=False),
        sa.Column("service", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("call", "service", name="pk_call_service"),
        sqlite_with_rowid=False,
    )
