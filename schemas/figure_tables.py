"""The tables of the night's work: what was done, and who is at it. No query lives here.

Several api processes share one database, and the night's work is done once: whoever holds the lease does it.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, SmallInteger, String, Table, Text

from schemas.tables import metadata

nightly_run = Table(
    "nightly_run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("what", String(40), nullable=False),  # the chore's name, see api/nightly.py
    Column("night", Integer, nullable=False),  # yyyymmdd in the office's time zone
    Column("started_unix_ms", BigInteger, nullable=False),
    Column("ended_unix_ms", BigInteger),  # null while it runs, and for ever if its process died
    Column("ok", Boolean),
    Column("sentences", Text, nullable=False),  # JSON list: what is worth reading, or why it failed
    Index(None, "what", "started_unix_ms"),
)
nightly_lease = Table(  # one row
    "nightly_lease",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("night", Integer, nullable=False),  # the last night that somebody began
    Column("done", Boolean, nullable=False),  # and whether it came to its end
    Column("holder", String(40), nullable=False),
    Column("until_unix_ms", BigInteger, nullable=False),
)
