"""The tables of the fleet: what is wrong with which pad, who was told, what IT asked of pads. No query lives here.

Rules of the file
1.  Moments as in schemas/tables.py. A row whose ``closed``, ``replaced`` or ``ended`` moment is null is the one that
    holds now; unique indexes keep it the only one, however many writers there are.
2.  ``console_unavailable`` names a call that may not be known yet. It is part of what a call counts for
    (collector/rollup.py), so it is written by collector/store/ledger.py only, under the locks of its call.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    text,
)

from schemas.tables import metadata

console_unavailable = Table(  # calls at which the client found no lit pad (order P3.4)
    "console_unavailable",
    metadata,
    Column("call", String(16), nullable=False),
    Column("desk", String(40), nullable=False),
    Column("since_unix_ms", BigInteger, nullable=False),
    Column("why", String(12), nullable=False),  # dark: the pad did not arm; reported: the operator said so
    PrimaryKeyConstraint("call", "desk"),
    sqlite_with_rowid=False,
)
pad_fault = Table(
    "pad_fault",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("desk", String(40), nullable=False),  # "" for what concerns a branch, or every desk: the broker
    Column("kind", String(12), nullable=False),  # see collector/store/faults.py
    Column("opened_unix_ms", BigInteger, nullable=False),
    Column("closed_unix_ms", BigInteger),
    Column("closed_by", String(80)),  # null: by itself
    Column("call", String(16)),  # at which it was noticed
    Column("reported_by", String(80)),
    Column("detail", String(200), nullable=False),
    Column("told_unix_ms", BigInteger),  # when its first recipient was told; 0: nobody yet; null: notices not made
    Column("closed_told_unix_ms", BigInteger),
    Column("branch", String(40)),  # of a branch's own fault
    Index(None, "desk", "opened_unix_ms"),
)
Index(
    "uq_pad_fault_open",
    pad_fault.c.desk,
    pad_fault.c.kind,
    unique=True,
    sqlite_where=text("closed_unix_ms IS NULL AND branch IS NULL"),
    postgresql_where=text("closed_unix_ms IS NULL AND branch IS NULL"),
)
Index(
    "uq_pad_fault_branch_open",
    pad_fault.c.branch,
    pad_fault.c.kind,
    unique=True,
    sqlite_where=text("closed_unix_ms IS NULL AND branch IS NOT NULL"),
    postgresql_where=text("closed_unix_ms IS NULL AND branch IS NOT NULL"),
)
fault_notice = Table(  # who is to be told what; a row is there until the recipient has it
    "fault_notice",
    metadata,
    Column("fault", Integer, ForeignKey("pad_fault.id"), nullable=False),
    Column("event", String(6), nullable=False),  # opened | closed
    Column("recipient", String(300), nullable=False),  # mail:ADDRESS | hook:URL
    Column("due_unix_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("fault", "event", "recipient"),
)
pad_credential = Table(  # which device stands at which desk, and since when (order P2.2a)
    "pad_credential",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("desk", String(40), nullable=False),
    Column("verifier", String(200), nullable=False),  # Mosquitto's $7$: PBKDF2 of the password, never the password
    Column("hardware", String(80), nullable=False),  # the chip's own id
    Column("board", String(40), nullable=False),
    Column("firmware", String(40), nullable=False),
    Column("registered_by", String(80), nullable=False),
    Column("registered_unix_ms", BigInteger, nullable=False),
    Column("replaced_unix_ms", BigInteger),
)
Index(
    "uq_pad_credential_desk",
    pad_credential.c.desk,
    unique=True,
    sqlite_where=text("replaced_unix_ms IS NULL"),
    postgresql_where=text("replaced_unix_ms IS NULL"),
)
pad_command = Table(
    "pad_command",
    metadata,
    Column("id", String(16), primary_key=True),  # the Command's own id on the wire
    Column("desk", String(40), nullable=False),
    Column("do", String(10), nullable=False),  # identify | restart | report | test | settings
    Column("settings", String(200)),  # JSON, for "settings"
    Column("asked_by", String(80), nullable=False),
    Column("asked_unix_ms", BigInteger, nullable=False),
    Column("sent_unix_ms", BigInteger),
    Column("ended_unix_ms", BigInteger),
    Column("outcome", String(12)),  # null: under way; done | sent | no_answer | offline
    Index(None, "desk", "asked_unix_ms"),
)
rollout = Table(
    "rollout",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", String(40), nullable=False),
    Column("stages", String(80), nullable=False),  # "1,10%,100%"
    Column("stage", SmallInteger, nullable=False),  # the one under way, from 0
    Column("state", String(10), nullable=False),  # running | paused | stopped | undone | done
    Column("active", Boolean, nullable=False),  # running or paused: at most one is
    Column("soak_s", Integer, nullable=False),  # how long a stage must be well before the next begins
    Column("limit_s", Integer, nullable=False),  # how long a pad may take from changing over to being back
    Column("allowed", Integer, nullable=False),  # failures that do not stop it yet
    Column("reason", String(200), nullable=False),  # why it is in this state, for people
    Column("asked_by", String(80), nullable=False),
    Column("started_unix_ms", BigInteger, nullable=False),
    Column("stage_done_unix_ms", BigInteger),  # since when every pad of the stage has been done
    Column("ended_unix_ms", BigInteger),
)
Index(
    "uq_rollout_active",
    rollout.c.active,
    unique=True,
    sqlite_where=text("active"),
    postgresql_where=text("active"),
)
rollout_pad = Table(
    "rollout_pad",
    metadata,
    Column("rollout", Integer, ForeignKey("rollout.id"), nullable=False),
    Column("desk", String(40), nullable=False),
    Column("stage", SmallInteger, nullable=False),
    Column("board", String(40), nullable=False),
    Column("before", String(40), nullable=False),  # the version it ran
    Column("state", String(12), nullable=False),  # see collector/fleet/rollout.py
    Column("changed_unix_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("rollout", "desk"),
)
