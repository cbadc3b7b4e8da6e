"""A fault may be a branch's: its queue has fallen silent."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("pad_fault", sa.Column("branch", sa.String(length=40), nullable=True))
    op.drop_index("uq_pad_fault_open", "pad_fault")
    _one_open_fault("uq_pad_fault_open", ["desk", "kind"], "branch IS NULL")
    _one_open_fault("uq_pad_fault_branch_open", ["branch", "kind"], "branch IS NOT NULL")


def _one_open_fault(name: str, columns: list[str], where: str) -> None:
    condition = sa.text(f"closed_unix_ms IS NULL AND {where}")
    op.create_index(name, "pad_fault", columns, unique=True, sqlite_where=condition, postgresql_where=condition)
