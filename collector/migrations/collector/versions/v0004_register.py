"""The register with its validity: every row keeps what it said, as valid always. Revisions begin with the next one."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ALWAYS, _FOR_EVER = 0, 99991231


def upgrade() -> None:
    # The desks' key to their branch goes first: a branch's id is no key of its own any more.
    desks = _rows("desk")
    op.drop_table("desk")
    _organisation()
    _remade("branch", _rows("branch"), _branch())
    _remade("service", _rows("service"), _service(), no_call=False)
    _dated("desk", _id(), _id("branch"), _text("label", 40))
    _fill("desk", desks)
    _dated("direction", _id(), _text("name", 120), _text("name_en", 120))
    _dated("participant", _id(), _text("name", 120), _text("name_en", 120))
    _dated("operator", _id(), _text("kind", 20), sa.Column("participant", sa.String(length=40)))
    _dated("assignment", _id("operator"), _id("desk"), key=("operator", "desk"))
    hours = (_id("branch"), _text("days", 40), _text("opens", 5), _text("closes", 5))
    _dated("opening_hours", *hours, key=("branch", "days", "opens"))
    _calendar()
    _names_and_revisions()


def _organisation() -> None:
    rows = _rows("organisation")
    op.drop_table("organisation")
    op.create_table(
        "organisation",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        _text("name", 120),
        _text("name_en", 120),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("loaded_unix_ms", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organisation"),
    )
    _insert("organisation", [row | {"simulated": bool(row["simulated"]), "revision": 1} for row in rows])


def _branch() -> tuple[sa.Column[Any], ...]:
    return (
        _id(),
        _text("name", 120),
        _text("name_en", 120),
        _text("timezone", 60),
        _text("day_ends", 5),
        sa.Column("complaints_book", sa.String(length=300)),
        sa.Column("complaints_book_en", sa.String(length=300)),
        sa.Column("merged_into", sa.String(length=40)),
    )


def _service() -> tuple[sa.Column[Any], ...]:
    return (
        _id(),
        _text("name", 160),
        _text("name_en", 160),
        sa.Column("direction", sa.String(length=40)),
        sa.Column("no_call", sa.Boolean(), nullable=False),
    )


def _calendar() -> None:
    op.create_table(
        "calendar_day",
        sa.Column("day", sa.Integer(), nullable=False),
        _id("branch"),
        _text("opens", 5),
        sa.Column("closes", sa.String(length=5)),
        _text("kind", 10),
        sa.Column("as_day", sa.String(length=3)),
        sa.Column("note", sa.String(length=120)),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "branch", "opens", name="pk_calendar_day"),
    )


def _names_and_revisions() -> None:
    op.create_table(
        "operator_name",
        _id("operator"),
        _text("name", 160),
        sa.PrimaryKeyConstraint("operator", name="pk_operator_name"),
    )
    op.create_table(
        "register_revision",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("at_unix_ms", sa.BigInteger(), nullable=False),
        _text("author", 80),
        _text("how", 10),
        _text("note", 300),
        sa.Column("snapshot", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_register_revision"),
    )


def _id(name: str = "id") -> sa.Column[Any]:
    return _text(name, 40)


def _text(name: str, length: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length=length), nullable=False)


def _dated(name: str, *columns: sa.Column[Any], key: Sequence[str] = ("id",)) -> None:
    op.create_table(
        name,
        *columns,
        sa.Column("valid_from", sa.Integer(), nullable=False),
        sa.Column("valid_to", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(*key, "valid_from", name=f"pk_{name}"),
    )


def _remade(name: str, rows: list[dict[str, Any]], columns: Sequence[sa.Column[Any]], **more: Any) -> None:
    op.drop_table(name)
    _dated(name, *columns)
    _fill(name, [row | more for row in rows])


def _rows(name: str) -> list[dict[str, Any]]:
    return [dict(row) for row in op.get_bind().execute(sa.text(f"SELECT * FROM {name}")).mappings()]


def _fill(name: str, rows: list[dict[str, Any]]) -> None:
    _insert(name, [row | {"valid_from": _ALWAYS, "valid_to": _FOR_EVER} for row in rows])


def _insert(name: str, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        places = ", ".join(f":{column}" for column in row)
        op.get_bind().execute(sa.text(f"INSERT INTO {name} ({', '.join(row)}) VALUES ({places})"), row)
