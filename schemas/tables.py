"""The database: every table of the collector's store and of the feed's own store. No query lives here.

What is wrong with pads and what IT asks of them stands in schemas/fleet_tables.py, the office in register_tables.py.

Rules of the file
1.  Moments are integers, UTC milliseconds (``_unix_ms``); a local day is an integer ``yyyymmdd``.
2.  ``vote`` is only ever inserted into. What a vote counts for follows from joining it with ``call`` on
    (call, desk); nothing about it is ever changed or deleted (DESIGN section 3, point 7).
3.  Correctness lives in keys: one row a call, one vote a call and desk, one call a (desk, journal, seq).
4.  What is written for every message has no row number of its own (``sqlite_with_rowid``): its key is its place.
5.  On PostgreSQL ``call`` and ``vote`` are kept by month, in a partition each, named ``call_2026_11``
    (collector/store/partitions.py). Call ids sort by time, so a month is a range of them, and both primary keys hold.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    text,
)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)
feed_metadata = MetaData(naming_convention=NAMING)

# ---- what happened
call = Table(
    "call",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("branch", String(40), nullable=False),
    Column("desk", String(40), nullable=False),
    Column("operator", String(40)),
    Column("service", String(40)),
    Column("ticket", String(40)),  # keyed pseudonym
    Column("called_unix_ms", BigInteger, nullable=False),
    Column("day", Integer, nullable=False),  # local day of called_unix_ms
    Column("started_unix_ms", BigInteger),
    Column("ended_unix_ms", BigInteger),
    Column("outcome", String(20)),  # null while open; see collector/model.py
    Column("dims_seq", BigInteger, nullable=False),  # feed seq that last set operator and service
    Column("end_seq", BigInteger),  # feed seq that last set outcome and ended_unix_ms
    Column("unrated", Boolean),  # its service is one without calls, see collector/rollup.py; null in rows of before
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (id)",
)
Index(
    "ix_call_open",
    call.c.desk,
    sqlite_where=text("outcome IS NULL"),
    postgresql_where=text("outcome IS NULL"),
)
vote = Table(
    "vote",
    metadata,
    Column("call", String(16), nullable=False),
    Column("desk", String(40), nullable=False),
    Column("rating", SmallInteger, nullable=False),
    Column("after_ms", Integer, nullable=False),
    Column("journal", String(8), nullable=False),
    Column("boot", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("received_unix_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("call", "desk"),
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (call)",
)
# For which call a pad gave which number. A second vote under one number is a fault of the pad, and an acknowledgement
# of one would cover the other. It can only happen within one journal, and a pad begins a new one at every start: so
# numbers are kept for weeks, not for ever (collector/store/retention.py). A vote that comes again is known by its call.
vote_number = Table(
    "vote_number",
    metadata,
    Column("desk", String(40), nullable=False),
    Column("journal", String(8), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("call", String(16), nullable=False),
    PrimaryKeyConstraint("desk", "journal", "seq"),
    sqlite_with_rowid=False,
)
call_service = Table(  # every service of a call that had more than one; ``call.service`` is the one said last
    "call_service",
    metadata,
    Column("call", String(16), nullable=False),
    Column("service", String(40), nullable=False),
    PrimaryKeyConstraint("call", "service"),
    sqlite_with_rowid=False,
)
waiting = Table(  # votes whose call is not known yet: an index for people, not a second copy
    "waiting",
    metadata,
    Column("call", String(16), nullable=False),
    Column("desk", String(40), nullable=False),
    Column("since_unix_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("call", "desk"),
    sqlite_with_rowid=False,
)
kept = Table(  # everything that did not become a vote or a call, once, with its reason
    "kept",
    metadata,
    Column("reason", String(24), nullable=False),
    Column("digest", String(32), nullable=False),  # of what makes it one thing, see collector/ingest.py
    Column("topic", String(120), nullable=False),
    Column("payload", LargeBinary, nullable=False),  # the first 1,024 bytes
    Column("size", Integer, nullable=False),
    Column("problem", String(200), nullable=False),
    Column("first_unix_ms", BigInteger, nullable=False),
    Column("last_unix_ms", BigInteger, nullable=False),
    Column("times", BigInteger, nullable=False),
    PrimaryKeyConstraint("reason", "digest"),
    Index(None, "topic", "first_unix_ms"),
)
archived = Table(  # months whose calls and votes are in files, or on their way there; see collector/store/archive.py
    "archived",
    metadata,
    Column("month", Integer, primary_key=True, autoincrement=False),  # yyyymm, UTC
    Column("before_call", String(16), nullable=False),  # the least id of the month after: what is below is closed
    Column("frozen_unix_ms", BigInteger, nullable=False),  # since then the month's rows do not change
    Column("done_unix_ms", BigInteger),  # since then they are in the files only; null before
    Column("calls", BigInteger),
    Column("votes", BigInteger),
    Column("digest", String(64)),  # SHA-256 of the manifest
)
LEFT_OUT = ("unrated", "absent", "passed_on", "withdrawn", "unlit")
rollup_day = Table(
    "rollup_day",
    metadata,
    Column("cut", String(10), nullable=False),  # branch | service | operator | desk
    Column("branch", String(40), nullable=False),
    Column("key", String(40), nullable=False),  # "" for cut branch
    Column("day", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("eligible", Integer, nullable=False),
    Column("bad", Integer, nullable=False),
    Column("good", Integer, nullable=False),
    Column("exemplary", Integer, nullable=False),
    # Why the others are not eligible (collector/rollup.py): calls are eligible ones and these five. They are 0 in days
    # that were archived before there were these columns, until the days are counted again from their files.
    *(Column(name, Integer, nullable=False, server_default=text("0")) for name in LEFT_OUT),
    PrimaryKeyConstraint("cut", "branch", "key", "day"),
    Index(None, "cut", "day"),
    Index(None, "cut", "branch", "day"),  # without it some days of a branch are found among all days of it
    sqlite_with_rowid=False,
)

# ---- devices
pad = Table(
    "pad",
    metadata,
    Column("desk", String(40), primary_key=True),
    Column("state", String(10), nullable=False),
    Column("phase", String(10), nullable=False),
    Column("call", String(16)),
    Column("journal", String(8), nullable=False),
    Column("boot", BigInteger, nullable=False),
    Column("firmware", String(40), nullable=False),
    Column("reset", String(10), nullable=False),
    Column("lamps", String(12), nullable=False),
    Column("buttons", String(12), nullable=False),
    Column("storage", String(12), nullable=False),
    # Null in rows of before these words were on the wire.
    Column("memory", String(12)),
    Column("clock", String(12)),
    Column("during", String(12)),  # the step that a watchdog or a crash ended; null after any other start
    Column("update", String(12)),
    Column("mode", String(12)),
    Column("board", String(40)),
    Column("changed_unix_ms", BigInteger, nullable=False),  # when any of the above last became different
)
pad_health = Table(  # the last Health of each pad; it may come before the first status
    "pad_health",
    metadata,
    Column("desk", String(40), primary_key=True),
    Column("fields", String(1000), nullable=False),  # JSON
    Column("received_unix_ms", BigInteger, nullable=False),
)

# ---- people and programs that ask
api_token = Table(
    "api_token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(80), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256; the token has 256 random bits
    Column("scopes", String(200), nullable=False),
    Column("created_unix_ms", BigInteger, nullable=False),
    Column("expires_unix_ms", BigInteger),
    Column("revoked_unix_ms", BigInteger),
    Column("limits", String(4000)),  # JSON, see collector/store/limits.py; null: none
    Column("created_by", String(80)),  # null for one made at the command line
)
Index(  # a name may be given again once its token is revoked
    "uq_api_token_name",
    api_token.c.name,
    unique=True,
    sqlite_where=text("revoked_unix_ms IS NULL"),
    postgresql_where=text("revoked_unix_ms IS NULL"),
)
web_session = Table(
    "web_session",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("token", Integer, ForeignKey("api_token.id"), nullable=False),
    Column("created_unix_ms", BigInteger, nullable=False),
    Column("expires_unix_ms", BigInteger, nullable=False),
)
access_log = Table(  # every reading at the level of an operator or desk (order P4.7, P4.8)
    "access_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_unix_ms", BigInteger, nullable=False),
    Column("reader", String(80), nullable=False),
    Column("purpose", String(40)),
    Column("granted", Boolean, nullable=False),
    Column("question", String(300), nullable=False),
    # Of a person's reading; null for a program's, and in rows of before people signed in.
    Column("person", Integer),
    Column("role", String(32)),
    Column("reading_order", Integer),  # the recorded order behind it (order P4.3)
    Column("branch", String(40)),  # what it was narrowed to; null: not narrowed
    Column("about", String(40)),  # one operator or desk
)

# ---- the feed's own store, near the queue system; never shared with the collector
feed_journal = Table(
    "feed_journal",
    feed_metadata,
    Column("branch", String(40), primary_key=True),
    Column("journal", String(8), nullable=False),
    Column("next_seq", BigInteger, nullable=False),
)
feed_received = Table(  # ids of the events already taken: a repeated one is answered, not taken again
    "feed_received",
    feed_metadata,
    Column("branch", String(40), nullable=False),
    Column("event", String(64), nullable=False),
    Column("received_unix_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("branch", "event"),
)
feed_outbox = Table(
    "feed_outbox",
    feed_metadata,
    Column("branch", String(40), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    PrimaryKeyConstraint("branch", "seq"),
)
feed_call = Table(  # the last call at each desk, open or closed
    "feed_call",
    feed_metadata,
    Column("desk", String(40), primary_key=True),
    Column("branch", String(40), nullable=False),
    Column("call", String(16), nullable=False),
    Column("ticket_key", String(80), nullable=False),
    Column("ticket", String(40), nullable=False),
    Column("operator", String(40)),
    Column("service", String(40)),
    Column("called_unix_ms", BigInteger, nullable=False),
    Column("until_unix_ms", BigInteger, nullable=False),
    Column("changed_unix_ms", BigInteger, nullable=False),  # newest event of the call; of a closed one, its end
    Column("open", Boolean, nullable=False),
    Column("ending", String(20)),  # of a closed call: the event's type, or our own reason
    Column("heard", Boolean),  # null in rows of before this was kept
)
feed_past = Table(  # earlier calls, for a day or two: a better-informed word may still tell how they ended
    "feed_past",
    feed_metadata,
    Column("call", String(16), primary_key=True),
    *(Column(each.name, each.type, nullable=each.nullable) for each in feed_call.c if each.name != "call"),
    Index(None, "branch", "ticket_key"),
)
feed_clock = Table(  # how each branch's queue clock goes against ours, see collector/feed/clock.py
    "feed_clock",
    feed_metadata,
    Column("branch", String(40), primary_key=True),
    Column("base_ms", BigInteger, nullable=False),
    Column("behind_ms", BigInteger, nullable=False),
    Column("run", Integer, nullable=False),
    Column("run_least_ms", BigInteger, nullable=False),
    Column("run_most_ms", BigInteger, nullable=False),
    Column("run_since_unix_ms", BigInteger, nullable=False),
)
feed_unplaced = Table(  # who called clients to a desk that nobody could name: no pad was armed
    "feed_unplaced",
    feed_metadata,
    Column("branch", String(40), nullable=False),
    Column("operator", String(40), nullable=False),  # "" if not even that was said
    Column("times", BigInteger, nullable=False),
    Column("first_unix_ms", BigInteger, nullable=False),
    Column("last_unix_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("branch", "operator"),
)
feed_source = Table(  # what a polled queue system looked like when its events were last taken
    "feed_source",
    feed_metadata,
    Column("source", String(40), primary_key=True),
    Column("snapshot", LargeBinary, nullable=False),  # JSON
)
