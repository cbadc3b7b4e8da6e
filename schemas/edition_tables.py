"""The tables of editions: what was published, byte by byte, and the counts it was made of. No query lives here.

Rules of the file
1.  Both tables are only ever inserted into. Triggers of the database itself refuse to change or remove a row, for
    every program and person who comes through SQL (migration 0012).
2.  ``edition`` holds what everybody may read, ``edition_basis`` what nobody may: counts that were withheld, by
    operator. The public routes ask for the first only; the second is read when the next edition is decided, for that
    must not give away what an earlier one withheld.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table, UniqueConstraint

from schemas.tables import metadata

edition = Table(
    "edition",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("period", String(8), nullable=False),  # 2026-11, 2026-Q4, 2026
    Column("number", Integer, nullable=False),  # from 1; of a period the highest is the one that holds
    Column("made_unix_ms", BigInteger, nullable=False),
    Column("made_by", String(80), nullable=False),  # "" for the work of the night
    Column("reason", String(300), nullable=False),  # why an earlier one was not right; "" of the first
    Column("revision", Integer, nullable=False),  # of the register
    Column("ruleset", String(40), nullable=False),  # the order in force (order O1)
    Column("method", String(20), nullable=False),  # the version of counting and withholding
    Column("digest", String(64), nullable=False),  # SHA-256 of the content
    Column("content", LargeBinary, nullable=False),  # JSON, see api/publication/contents.py
    UniqueConstraint("period", "number"),
)
edition_basis = Table(
    "edition_basis",
    metadata,
    Column("edition", Integer, ForeignKey("edition.id"), primary_key=True, autoincrement=False),
    Column("basis", LargeBinary, nullable=False),  # JSON, zlib, see api/publication/basis.py
)
