"""The tables of integrity signals: what stood out in a closed month, who looked at it, and what pads counted by day.

Rules of the file
1.  Nothing here is part of any figure, and no table of figures or votes refers to it.
2.  ``signal`` keeps what a person said of it for ever: a month that is computed again leaves reviews alone.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from schemas.tables import metadata

signal_month = Table(  # months that were computed
    "signal_month",
    metadata,
    Column("month", Integer, primary_key=True, autoincrement=False),  # yyyymm, of local days
    Column("computed_unix_ms", BigInteger, nullable=False),
    Column("digest", String(32), nullable=False),  # of the roll-up that it was computed from
    Column("operators", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("log_only", Boolean, nullable=False),  # one of the first two months: for learning base rates
)
signal_rate = Table(  # how often each signal was tested, and what came of it
    "signal_rate",
    metadata,
    Column("month", Integer, nullable=False),
    Column("kind", String(24), nullable=False),
    Column("tests", Integer, nullable=False),
    Column("below_5_percent", Integer, nullable=False),
    Column("stand_out", Integer, nullable=False),
    PrimaryKeyConstraint("month", "kind"),
)
signal = Table(  # what stood out
    "signal",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("month", Integer, nullable=False),
    Column("kind", String(24), nullable=False),  # api/integrity/registry.py
    Column("operator", String(40), nullable=False),
    Column("branch", String(40), nullable=False),
    Column("desk", String(40), nullable=False),  # of a signal about pads the one that showed most of it, else ""
    Column("statistic", Float, nullable=False),
    Column("expected", Float, nullable=False),
    Column("n", Integer, nullable=False),
    Column("p", Float, nullable=False),
    Column("q", Float, nullable=False),
    Column("marked_bad", Integer, nullable=False),  # the votes that it is about
    Column("marked_good", Integer, nullable=False),
    Column("marked_exemplary", Integer, nullable=False),
    Column("numbers", String(400), nullable=False),  # JSON
    Column("stands", Boolean, nullable=False),  # false: reviewed, and no longer found when computed again
    Column("outcome", String(12)),  # explained | watch | system_fault; null: nobody has looked yet
    Column("note", String(500)),
    Column("reviewed_by", String(80)),
    Column("reviewed_unix_ms", BigInteger),
    UniqueConstraint("month", "kind", "operator", "desk"),
)
signal_marked = Table(  # an operator's votes of a month, and those of them that signals are about, each counted once
    "signal_marked",
    metadata,
    Column("month", Integer, nullable=False),
    Column("operator", String(40), nullable=False),
    Column("bad", Integer, nullable=False),
    Column("good", Integer, nullable=False),
    Column("exemplary", Integer, nullable=False),
    Column("marked_bad", Integer, nullable=False),
    Column("marked_good", Integer, nullable=False),
    Column("marked_exemplary", Integer, nullable=False),
    PrimaryKeyConstraint("month", "operator"),
)
pad_count = Table(  # a pad's counters as they stood each night; they begin at zero with each start of the pad
    "pad_count",
    metadata,
    Column("desk", String(40), nullable=False),
    Column("day", Integer, nullable=False),  # the local day that was ending
    Column("journal", String(8), nullable=False),
    Column("boot", BigInteger, nullable=False),
    Column("votes", Integer, nullable=False),
    Column("repeats", Integer, nullable=False),
    Column("no_call", Integer, nullable=False),
    PrimaryKeyConstraint("desk", "day"),
)
