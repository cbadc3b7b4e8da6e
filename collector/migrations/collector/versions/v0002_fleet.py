"""What pads say of themselves since updates and self-tests, and the tables of the fleet. Rows of before stay as is."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _pads()
    _faults()
    _registration()
    _rollouts()


def _pads() -> None:
    for name, length in (("memory", 12), ("clock", 12), ("during", 12), ("update", 12), ("mode", 12), ("board", 40)):
        op.add_column("pad", sa.Column(name, sa.String(length=length)))
    for name in ("complaints_book", "complaints_book_en"):
        op.add_column("branch", sa.Column(name, sa.String(length=300)))
    # SQLite cannot widen a column: there the table is made anew, with its rows.
    with op.batch_alter_table("pad_health") as batch:
        batch.alter_column("fields", existing_type=sa.String(length=600), type_=sa.String(length=1000))


def _faults() -> None:
    op.create_table(
        "console_unavailable",
        sa.Column("call", sa.String(length=16), nullable=False),
        sa.Column("desk", sa.String(length=40), nullable=False),
        sa.Column("since_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("call", "desk", name="pk_console_unavailable"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pad_fault",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("desk", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("opened_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_unix_ms", sa.BigInteger()),
        sa.Column("closed_by", sa.String(length=80)),
        sa.Column("call", sa.String(length=16)),
        sa.Column("reported_by", sa.String(length=80)),
        sa.Column("detail", sa.String(length=200), nullable=False),
        sa.Column("told_unix_ms", sa.BigInteger()),
        sa.Column("closed_told_unix_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_pad_fault"),
    )
    op.create_index("ix_pad_fault_desk_opened_unix_ms", "pad_fault", ["desk", "opened_unix_ms"])
    _only_one("uq_pad_fault_open", "pad_fault", ["desk", "kind"], "closed_unix_ms IS NULL")
    op.create_table(
        "fault_notice",
        sa.Column("fault", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=6), nullable=False),
        sa.Column("recipient", sa.String(length=300), nullable=False),
        sa.Column("due_unix_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["fault"], ["pad_fault.id"], name="fk_fault_notice_fault"),
        sa.PrimaryKeyConstraint("fault", "event", "recipient", name="pk_fault_notice"),
    )


def _registration() -> None:
    op.create_table(
        "pad_credential",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("desk", sa.String(length=40), nullable=False),
        sa.Column("verifier", sa.String(length=200), nullable=False),
        sa.Column("hardware", sa.String(length=80), nullable=False),
        sa.Column("board", sa.String(length=40), nullable=False),
        sa.Column("firmware", sa.String(length=40), nullable=False),
        sa.Column("registered_by", sa.String(length=80), nullable=False),
        sa.Column("registered_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("replaced_unix_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_pad_credential"),
    )
    _only_one("uq_pad_credential_desk", "pad_credential", ["desk"], "replaced_unix_ms IS NULL")
    op.create_table(
        "pad_command",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("desk", sa.String(length=40), nullable=False),
        sa.Column("do", sa.String(length=10), nullable=False),
        sa.Column("settings", sa.String(length=200)),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column("asked_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("sent_unix_ms", sa.BigInteger()),
        sa.Column("ended_unix_ms", sa.BigInteger()),
        sa.Column("outcome", sa.String(length=12)),
        sa.PrimaryKeyConstraint("id", name="pk_pad_command"),
    )
    op.create_index("ix_pad_command_desk_asked_unix_ms", "pad_command", ["desk", "asked_unix_ms"])


def _rollouts() -> None:
    op.create_table(
        "rollout",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("stages", sa.String(length=80), nullable=False),
        sa.Column("stage", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("soak_s", sa.Integer(), nullable=False),
        sa.Column("limit_s", sa.Integer(), nullable=False),
        sa.Column("allowed", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column("started_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("stage_done_unix_ms", sa.BigInteger()),
        sa.Column("ended_unix_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_rollout"),
    )
    _only_one("uq_rollout_active", "rollout", ["active"], "active")
    op.create_table(
        "rollout_pad",
        sa.Column("rollout", sa.Integer(), nullable=False),
        sa.Column("desk", sa.String(length=40), nullable=False),
        sa.Column("stage", sa.SmallInteger(), nullable=False),
        sa.Column("board", sa.String(length=40), nullable=False),
        sa.Column("before", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("changed_unix_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["rollout"], ["rollout.id"], name="fk_rollout_pad_rollout"),
        sa.PrimaryKeyConstraint("rollout", "desk", name="pk_rollout_pad"),
    )


def _only_one(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, unique=True, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
