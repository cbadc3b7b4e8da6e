"""Roll-ups that the night makes out of the daily one, what it compares, and the night's work itself. No query here.

Several narrow roll-ups instead of a wide one: a question reads the coarsest that answers it. What is here can be made
anew from ``rollup_day`` and the rows. Several api processes share one database, and the night's work is done once:
whoever holds the lease does it.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from schemas.tables import LEFT_OUT, metadata

RATED = ("bad", "good", "exemplary")


def _coarser(span: str) -> Table:
    """``rollup_day`` added up, of the days before the edge; see collector/store/levels.py."""
    return Table(
        f"rollup_{span}",
        metadata,
        Column("cut", String(10), nullable=False),
        Column("branch", String(40), nullable=False),
        Column("key", String(40), nullable=False),
        Column(span, Integer, nullable=False),
        *(Column(name, Integer, nullable=False) for name in ("calls", "eligible", *RATED)),
        *(Column(name, Integer, nullable=False, server_default=text("0")) for name in LEFT_OUT),
        # Most questions are about all places of some spans: these lie together, in the order of the answer.
        PrimaryKeyConstraint("cut", span, "branch", "key"),
        Index(None, "cut", "branch", span),
        sqlite_with_rowid=False,
    )


rollup_week = _coarser("week")  # ISO weeks, yyyymmdd of the Monday
rollup_month = _coarser("month")  # yyyymm, of local days
rollup_quarter = _coarser("quarter")  # yyyymm of its first month
rollup_year = _coarser("year")  # yyyymm of its January
rollup_edge = Table(  # one row: the days before this one are in all coarser ones, and every writer keeps them there
    "rollup_edge",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, nullable=False),
)
rollup_mix = Table(  # what was rated how, by operator, service and hour, for case-mix standardisation
    "rollup_mix",
    metadata,
    Column("month", Integer, nullable=False),
    Column("branch", String(40), nullable=False),
    Column("operator", String(40), nullable=False),  # "" where the queue did not say
    Column("service", String(40), nullable=False),
    Column("hour", SmallInteger, nullable=False),  # 0 to 23, of the call, in the branch's time zone
    *(Column(name, Integer, nullable=False) for name in ("eligible", *RATED)),
    PrimaryKeyConstraint("month", "branch", "operator", "service", "hour"),
    sqlite_with_rowid=False,
)
rollup_behind = Table(  # who was called for: calls by month, service and operator; collector/store/served.py
    "rollup_behind",
    metadata,
    Column("month", Integer, nullable=False),  # yyyymm, of local days; of the days before the edge
    Column("branch", String(40), nullable=False),
    Column("service", String(40), nullable=False),  # "" where the queue did not say, as in all roll-ups
    Column("operator", String(40), nullable=False),
    Column("calls", Integer, nullable=False),
    PrimaryKeyConstraint("month", "branch", "service", "operator"),
    sqlite_with_rowid=False,
)
rollup_served = Table(  # how long finished calls of these months took, of nobody in particular
    "rollup_served",
    metadata,
    Column("month", Integer, nullable=False),
    Column("branch", String(40), nullable=False),
    Column("service", String(40), nullable=False),
    Column("served", Integer, nullable=False),  # of how many calls it is known
    Column("served_ms", BigInteger, nullable=False),  # altogether
    Column("squares", BigInteger, nullable=False),  # the sum of the squares of each one's tenths of a second
    PrimaryKeyConstraint("month", "branch", "service"),
    sqlite_with_rowid=False,
)
reconciliation = Table(  # what sums of the roll-ups did not agree when they were compared
    "reconciliation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_unix_ms", BigInteger, nullable=False),
    Column("took_ms", Integer, nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("checks", Text, nullable=False),  # JSON: by check how many sums were compared, and how many differ
    Column("differences", Text, nullable=False),  # JSON list of sentences, as many as are worth keeping
)

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
