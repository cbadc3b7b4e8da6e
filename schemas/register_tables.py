"""The tables of the register: every row of schemas/register.py as a row here, its revisions, and operators' names.

Rules of the file
1.  ``valid_from`` and ``valid_to`` are local days ``yyyymmdd``, both inside; 0 and 99991231 where the register says
    nothing. Rules across rows are schemas/register_rules.py's; no program but the register's own writes here.
2.  ``operator_name`` is the one table with names of persons. Nothing but collector/store/names.py reads it; everything
    else knows operators by their ids, which are pseudonyms.
3.  ``register_revision`` holds every register there was, packed: what an import or a mistake can be undone with.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
)
from sqlalchemy.schema import SchemaItem

from schemas.tables import metadata

ALWAYS, FOR_EVER = 0, 99991231


def _dated(name: str, *columns: SchemaItem, key: tuple[str, ...] = ("id",)) -> Table:
    return Table(
        name,
        metadata,
        *columns,
        Column("valid_from", Integer, nullable=False),
        Column("valid_to", Integer, nullable=False),
        Column("position", Integer, nullable=False),  # in the office's own order
        PrimaryKeyConstraint(*key, "valid_from"),
    )


def _id(name: str = "id") -> Column[str]:
    return Column(name, String(40), nullable=False)


organisation = Table(
    "organisation",
    metadata,
    Column("id", SmallInteger, primary_key=True),  # always 1
    Column("name", String(120), nullable=False),
    Column("name_en", String(120), nullable=False),
    Column("simulated", Boolean, nullable=False),  # the pages then say so on every figure
    Column("loaded_unix_ms", BigInteger, nullable=False),  # when it last changed
    Column("revision", Integer, nullable=False),  # of the register: whoever keeps a copy asks
)
branch = _dated(
    "branch",
    _id(),
    Column("name", String(120), nullable=False),
    Column("name_en", String(120), nullable=False),
    Column("timezone", String(60), nullable=False),
    Column("day_ends", String(5), nullable=False),  # local HH:MM
    Column("complaints_book", String(300)),  # where it lies (order P3.4)
    Column("complaints_book_en", String(300)),
    Column("merged_into", String(40)),
)
direction = _dated(
    "direction",
    _id(),
    Column("name", String(120), nullable=False),
    Column("name_en", String(120), nullable=False),
)
service = _dated(
    "service",
    _id(),
    Column("name", String(160), nullable=False),
    Column("name_en", String(160), nullable=False),
    Column("direction", String(40)),
    Column("no_call", Boolean, nullable=False),
)
desk = _dated(
    "desk",
    _id(),
    _id("branch"),
    Column("label", String(40), nullable=False),  # what stands on the desk: "7"
)
participant = _dated(
    "participant",
    _id(),
    Column("name", String(120), nullable=False),
    Column("name_en", String(120), nullable=False),
)
operator = _dated(
    "operator",
    _id(),
    Column("kind", String(20), nullable=False),
    Column("participant", String(40)),  # who employs them; null: the centre
)
assignment = _dated("assignment", _id("operator"), _id("desk"), key=("operator", "desk"))
opening_hours = _dated(
    "opening_hours",
    _id("branch"),
    Column("days", String(40), nullable=False),
    Column("opens", String(5), nullable=False),
    Column("closes", String(5), nullable=False),
    key=("branch", "days", "opens"),
)
calendar_day = Table(
    "calendar_day",
    metadata,
    Column("day", Integer, nullable=False),
    _id("branch"),  # "": all of them
    Column("opens", String(5), nullable=False),  # "": closed, or as another weekday
    Column("closes", String(5)),
    Column("kind", String(10), nullable=False),
    Column("as_day", String(3)),
    Column("note", String(120)),
    Column("position", Integer, nullable=False),
    PrimaryKeyConstraint("day", "branch", "opens"),
)
operator_name = Table(
    "operator_name",
    metadata,
    Column("operator", String(40), primary_key=True),
    Column("name", String(160), nullable=False),
)
register_revision = Table(
    "register_revision",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at_unix_ms", BigInteger, nullable=False),
    Column("author", String(80), nullable=False),
    Column("how", String(10), nullable=False),  # file | import | edit | revert | found
    Column("note", String(300), nullable=False),
    Column("snapshot", LargeBinary, nullable=False),  # the register as JSON, zlib; never a name of a person
)
