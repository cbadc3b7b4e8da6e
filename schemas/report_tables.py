"""The tables of reports: what was made, byte by byte, and what the office set itself as a target. No query lives here.

Rules of the file
1.  A report is only ever inserted, and the database itself refuses anything else (migration 0015). What was handed over
    stays what it was; a later one of the same cut is another row.
2.  A target is only ever inserted, too: ``set_on`` says since when it is known, and a target that was set after the
    period it judges has begun is refused by whoever writes it (domain study 3.4).
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from schemas.tables import metadata

report = Table(
    "report",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("made_unix_ms", BigInteger, nullable=False),
    Column("made_by", String(80), nullable=False),  # "" for the nightly chore
    Column("cut", String(10), nullable=False),  # centre | branch | direction | operator
    Column("key", String(40), nullable=False),  # branch or direction; "" for the whole centre
    Column("period", String(8), nullable=False),  # day | week | month | quarter | year
    Column("first_day", Integer, nullable=False),  # yyyymmdd, both inside
    Column("last_day", Integer, nullable=False),
    Column("figures_end", Integer, nullable=False),  # the last day that was counted
    Column("language", String(8), nullable=False),
    Column("title", String(400), nullable=False),
    Column("ordered_by", String(120), nullable=False),  # on whose instruction (order P4.3); "" if on nobody's
    Column("instruction", String(200), nullable=False),  # its number and day
    Column("purpose", String(40)),  # of P4.7, of a report about operators
    Column("revision", Integer, nullable=False),  # of the register
    Column("program", String(40), nullable=False),  # version of what made it
    Column("parameters", Text, nullable=False),  # JSON: everything that was asked
    Index(None, "cut", "key", "period", "first_day", "language"),
)
report_file = Table(
    "report_file",
    metadata,
    Column("report", Integer, ForeignKey("report.id"), nullable=False),
    Column("format", String(8), nullable=False),  # pdf | xlsx | csv
    Column("digest", String(64), nullable=False),  # SHA-256 of the body
    Column("size", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("report", "format"),
)
measure_target = Table(
    "measure_target",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("measure", String(40), nullable=False),  # an id of api/evidence/measures.py
    Column("first_day", Integer, nullable=False),  # of the period that it judges, yyyymmdd
    Column("last_day", Integer, nullable=False),
    Column("value", Float, nullable=False),
    Column("direction", String(8), nullable=False),  # at_least | at_most
    Column("set_on", Integer, nullable=False),  # yyyymmdd
    Column("set_by", String(80), nullable=False),
    Column("set_unix_ms", BigInteger, nullable=False),
    Index(None, "measure", "first_day"),
)
