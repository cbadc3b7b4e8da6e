"""People who sign in, and what they may see; the access log says which person read, of whom, and by which order."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    _person()
    _sessions()
    _logs()
    _orders()
    for column in (
        sa.Column("person", sa.Integer()),
        sa.Column("role", sa.String(length=32)),
        sa.Column("reading_order", sa.Integer()),
        sa.Column("branch", sa.String(length=40)),
        sa.Column("about", sa.String(length=40)),
    ):
        op.add_column("access_log", column)
    op.add_column("api_token", sa.Column("limits", sa.String(length=4000)))
    op.add_column("api_token", sa.Column("created_by", sa.String(length=80)))


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("login", 80),
        _text("shown", 120),
        _text("role", 32),
        sa.Column("limits", sa.String(length=4000)),
        sa.Column("password", sa.String(length=200)),
        sa.Column("password_until_unix_ms", sa.BigInteger()),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("issuer", sa.String(length=255)),
        sa.Column("subject", sa.String(length=255)),
        _moment("created_unix_ms"),
        _text("created_by", 80),
        sa.Column("expires_unix_ms", sa.BigInteger()),
        sa.Column("disabled_unix_ms", sa.BigInteger()),
        sa.Column("signed_in_unix_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint("login", name="uq_person_login"),
    )
    op.create_index("ix_person_issuer_subject", "person", ["issuer", "subject"], unique=True)


def _sessions() -> None:
    op.create_table(
        "person_session",
        _text("digest", 64),
        sa.Column("person", sa.Integer(), nullable=False),
        _moment("created_unix_ms"),
        _moment("seen_unix_ms"),
        _moment("expires_unix_ms"),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_person_session_person"),
        sa.PrimaryKeyConstraint("digest", name="pk_person_session"),
    )
    op.create_index("ix_person_session_person", "person_session", ["person"])
    op.create_table(
        "known_browser",
        _text("digest", 64),
        sa.Column("person", sa.Integer(), nullable=False),
        _moment("seen_unix_ms"),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_known_browser_person"),
        sa.PrimaryKeyConstraint("digest", name="pk_known_browser"),
    )
    op.create_index("ix_known_browser_person", "known_browser", ["person"])


def _logs() -> None:
    op.create_table(
        "sign_in",
        sa.Column("id", sa.Integer(), nullable=False),
        _moment("at_unix_ms"),
        sa.Column("person", sa.Integer()),
        _text("how", 10),
        _text("outcome", 20),
        _text("address", 45),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in"),
    )
    op.create_index("ix_sign_in_at_unix_ms", "sign_in", ["at_unix_ms"])
    op.create_index("ix_sign_in_person", "sign_in", ["person"])
    op.create_table(
        "person_change",
        sa.Column("id", sa.Integer(), nullable=False),
        _moment("at_unix_ms"),
        _text("author", 80),
        _text("what", 20),
        _text("about", 80),
        _text("detail", 300),
        sa.PrimaryKeyConstraint("id", name="pk_person_change"),
    )


def _orders() -> None:
    op.create_table(
        "reading_order",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("number", 40),
        sa.Column("day", sa.Integer(), nullable=False),
        _text("ordered_by", 120),
        _text("about", 300),
        sa.Column("branch", sa.String(length=40)),
        sa.Column("operator", sa.String(length=40)),
        _text("recorded_by", 80),
        _moment("recorded_unix_ms"),
        sa.Column("last_day", sa.Integer(), nullable=False),
        sa.Column("withdrawn_unix_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_reading_order"),
    )


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=False)


def _moment(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)
