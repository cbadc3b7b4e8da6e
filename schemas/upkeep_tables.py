"""The table of what people and timers did to keep the collector's database well. No query lives here.

Rows are only ever added: who counted again, saved, put back or corrected figures, when, and with what result.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table

from schemas.tables import metadata

upkeep = Table(
    "upkeep",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_unix_ms", BigInteger, nullable=False),
    Column("what", String(12), nullable=False),  # backup | restore | recount | repair
    Column("who", String(80), nullable=False),  # user name of whoever asked on the command line
    Column("ok", Boolean, nullable=False),
    Column("amount", BigInteger, nullable=False),  # bytes saved; differences found; rows corrected; votes restored
    Column("detail", String(400), nullable=False),
    Index(None, "what", "at_unix_ms"),
)
