"""Reports as they were made, and targets as they were set."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

# Each with what makes two of its rows the same.
_ONLY_ADDED = {
    "report": "id = NEW.id",
    "report_file": "report = NEW.report AND format = NEW.format",
    "measure_target": "id = NEW.id",
}


def upgrade() -> None:
    _report()
    op.create_table(
        "report_file",
        sa.Column("report", sa.Integer(), nullable=False),
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["report"], ["report.id"], name="fk_report_file_report"),
        sa.PrimaryKeyConstraint("report", "format", name="pk_report_file"),
    )
    op.create_table(
        "measure_target",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("measure", sa.String(length=40), nullable=False),
        sa.Column("first_day", sa.Integer(), nullable=False),
        sa.Column("last_day", sa.Integer(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("set_on", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.String(length=80), nullable=False),
        sa.Column("set_unix_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_measure_target"),
    )
    op.create_index("ix_measure_target_measure_first_day", "measure_target", ["measure", "first_day"])
    for table in _ONLY_ADDED:
        _protect(table)


def _report() -> None:
    op.create_table(
        "report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("made_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.String(length=80), nullable=False),
        sa.Column("cut", sa.String(length=10), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("first_day", sa.Integer(), nullable=False),
        sa.Column("last_day", sa.Integer(), nullable=False),
        sa.Column("figures_end", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("ordered_by", sa.String(length=120), nullable=False),
        sa.Column("instruction", sa.String(length=200), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("program", sa.String(length=40), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_report"),
    )
    columns = ["cut", "key", "period", "first_day", "language"]
    op.create_index("ix_report_cut_key_period_first_day_language", "report", columns)


def _protect(table: str) -> None:
    """The database itself refuses to change or remove what was handed over, or set as a target."""
    refusal = f"{table} is never changed"
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER keep_{table}_{what.lower()} BEFORE {what} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
            )
        # INSERT OR REPLACE removes the row in its way without asking a trigger for deletions.
        op.execute(
            f"CREATE TRIGGER keep_{table}_replace BEFORE INSERT ON {table}"
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {_ONLY_ADDED[table]})"
            f" BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION keep_{table}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{refusal}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER keep_{table} BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION keep_{table}()"
    )
