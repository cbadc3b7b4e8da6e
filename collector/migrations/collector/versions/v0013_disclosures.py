"""Requests for information and what came of them."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

# Each with what makes two of its rows the same.
_APPEND_ONLY = {
    "disclosure": "id = NEW.id OR (year = NEW.year AND number = NEW.number)",
    "disclosure_event": "disclosure = NEW.disclosure AND seq = NEW.seq",
    "disclosure_paper": "id = NEW.id",
}


def upgrade() -> None:
    _make_requests()
    _make_papers()
    for table in _APPEND_ONLY:
        _protect(table)


def _make_requests() -> None:
    op.create_table(
        "disclosure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("requester_class", sa.String(20), nullable=False),
        sa.Column("form", sa.String(10), nullable=False),
        sa.Column("language", sa.String(5), nullable=False),
        sa.Column("branch", sa.String(40)),
        sa.Column("received_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(2000), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("simple", sa.Boolean(), nullable=False),
        sa.Column("reasons", sa.String(1000)),
        sa.Column("legal_basis", sa.String(300)),
        sa.Column("due_unix_ms", sa.BigInteger()),
        sa.Column("registered_by", sa.String(80), nullable=False),
        sa.Column("registered_unix_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_disclosure"),
        sa.UniqueConstraint("year", "number", name="uq_disclosure_year_number"),
    )
    op.create_table(
        "disclosure_event",
        sa.Column("disclosure", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("what", sa.String(20), nullable=False),
        sa.Column("fields", sa.String(8000), nullable=False),
        sa.ForeignKeyConstraint(["disclosure"], ["disclosure.id"], name="fk_disclosure_event_disclosure"),
        sa.PrimaryKeyConstraint("disclosure", "seq", name="pk_disclosure_event"),
    )
    op.create_table(
        "disclosure_person",
        sa.Column("disclosure", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("contact", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(["disclosure"], ["disclosure.id"], name="fk_disclosure_person_disclosure"),
        sa.PrimaryKeyConstraint("disclosure", name="pk_disclosure_person"),
    )


def _make_papers() -> None:
    op.create_table(
        "disclosure_paper",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("disclosure", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("made_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.String(80), nullable=False),
        sa.Column("language", sa.String(5), nullable=False),
        sa.Column("figures", sa.LargeBinary()),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["disclosure"], ["disclosure.id"], name="fk_disclosure_paper_disclosure"),
        sa.PrimaryKeyConstraint("id", name="pk_disclosure_paper"),
    )
    op.create_index("ix_disclosure_paper_disclosure", "disclosure_paper", ["disclosure"])


def _protect(table: str) -> None:
    """The database itself refuses to change or delete what is only ever inserted into."""
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER keep_{table}_{what.lower()} BEFORE {what} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is never changed'); END"
            )
        # INSERT OR REPLACE removes the row in its way without asking a trigger for deletions.
        op.execute(
            f"CREATE TRIGGER keep_{table}_replace BEFORE INSERT ON {table}"
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {_APPEND_ONLY[table]})"
            f" BEGIN SELECT RAISE(ABORT, '{table} is never changed'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION keep_{table}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{table} is never changed'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER keep_{table} BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION keep_{table}()"
    )
