"""The first tables of the collector."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _register()
    _calls()
    _votes()
    _kept()
    _figures()
    _pads()
    _readers()


def _register() -> None:
    """The office."""
    op.create_table(
        "organisation",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("loaded_unix_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organisation"),
    )
    op.create_table(
        "branch",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("timezone", sa.String(length=60), nullable=False),
        sa.Column("day_ends", sa.String(length=5), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_branch"),
    )
    op.create_table(
        "service",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("name_en", sa.String(length=160), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_service"),
    )
    op.create_table(
        "desk",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("branch", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["branch"], ["branch.id"], name="fk_desk_branch"),
        sa.PrimaryKeyConstraint("id", name="pk_desk"),
    )


def _calls() -> None:
    """What happened."""
    op.create_table(
        "call",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("branch", sa.String(length=40), nullable=False),
        sa.Column("desk", sa.String(length=40), nullable=False),
        sa.Column("operator", sa.String(length=40), nullable=True),
        sa.Column("service", sa.String(length=40), nullable=True),
        sa.Column("ticket", sa.String(length=40), nullable=True),
        sa.Column("called_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("started_unix_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_unix_ms", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("dims_seq", sa.BigInteger(), nullable=False),
        sa.Column("end_seq", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_call"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_call_open",
        "call",
        ["desk"],
        unique=False,
        sqlite_where=sa.text("outcome IS NULL"),
        postgresql_where=sa.text("outcome IS NULL"),
    )


def _votes() -> None:
    """What was pressed."""
    op.create_table(
        "vote",
        sa.Column("call", sa.String(length=16), nullable=False),
        sa.Column("desk", sa.String(length=40), nullable=False),
        sa.Column("rating", sa.SmallInteger(), nullable=False),
        sa.Column("after_ms", sa.Integer(), nullable=False),
        sa.Column("journal", sa.String(length=8), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("received_unix_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("call", "desk", name="pk_vote"),
        sa.UniqueConstraint("desk", "journal", "seq", name="uq_vote_desk_journal_seq"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "waiting",
        sa.Column("call", sa.String(length=16), nullable=False),
        sa.Column("desk", sa.String(length=40), nullable=False),
        sa.Column("since_unix_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("call", "desk", name="pk_waiting"),
        sqlite_with_rowid=False,
    )


def _kept() -> None:
    """What could not be joined."""
    op.create_table(
        "kept",
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("topic", sa.String(length=120), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(length=200), nullable=False),
        sa.Column("first_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reason", "digest", name="pk_kept"),
    )


def _figures() -> None:
    """The daily roll-up."""
    op.create_table(
        "rollup_day",
        sa.Column("cut", sa.String(length=10), nullable=False),
        sa.Column("branch", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("eligible", sa.Integer(), nullable=False),
        sa.Column("bad", sa.Integer(), nullable=False),
        sa.Column("good", sa.Integer(), nullable=False),
        sa.Column("exemplary", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("cut", "branch", "key", "day", name="pk_rollup_day"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_rollup_day_cut_day", "rollup_day", ["cut", "day"], unique=False)


def _pads() -> None:
    """The devices."""
    op.create_table(
        "pad",
        sa.Column("desk", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("call", sa.String(length=16), nullable=True),
        sa.Column("journal", sa.String(length=8), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.Column("firmware", sa.String(length=40), nullable=False),
        sa.Column("reset", sa.String(length=10), nullable=False),
        sa.Column("lamps", sa.String(length=12), nullable=False),
        sa.Column("buttons", sa.String(length=12), nullable=False),
        sa.Column("storage", sa.String(length=12), nullable=False),
        sa.Column("changed_unix_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("desk", name="pk_pad"),
    )
    op.create_table(
        "pad_health",
        sa.Column("desk", sa.String(length=40), nullable=False),
        sa.Column("fields", sa.String(length=600), nullable=False),
        sa.Column("received_unix_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("desk", name="pk_pad_health"),
    )


def _readers() -> None:
    """Who asks."""
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.String(length=200), nullable=False),
        sa.Column("created_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_unix_ms", sa.BigInteger(), nullable=True),
        sa.Column("revoked_unix_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
        sa.UniqueConstraint("digest", name="uq_api_token_digest"),
    )
    op.create_index(
        "uq_api_token_name",
        "api_token",
        ["name"],
        unique=True,
        sqlite_where=sa.text("revoked_unix_ms IS NULL"),
        postgresql_where=sa.text("revoked_unix_ms IS NULL"),
    )
    op.create_table(
        "web_session",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("created_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_unix_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["token"], ["api_token.id"], name="fk_web_session_token"),
        sa.PrimaryKeyConstraint("digest", name="pk_web_session"),
    )
    op.create_table(
        "access_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("reader", sa.String(length=80), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=True),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("question", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_log"),
    )
