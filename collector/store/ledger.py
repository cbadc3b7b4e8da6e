"""Reads what a batch of messages is about and writes what comes of it. Decides nothing (see collector/ingest.py).

Several collectors may work on one database. SQLite lets one writer in at a time. On PostgreSQL every batch first takes
locks on what its call ids hash to, so that a call and its vote cannot pass each other unseen in two transactions.
Locks, tables, and rows within a table are always taken in the same order, so that no two batches wait in a ring.
"""

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple
from zlib import crc32

from sqlalchemy import Connection, Delete, Dialect, Insert, Row, Table, TextClause, bindparam, delete, text
from sqlalchemy.dialects import postgresql, sqlite

from collector.ingest import Batch, Changes, Known
from collector.model import KEPT_REASONS, Answer, Arrival, CallRow, KeptRow, Office, PadState, VoteRow
from collector.quarantine import bounded, day_begins
from collector.rollup import Joined, differences
from collector.served import moved as served_moved
from collector.store.levels import LEVELS
from schemas.figure_tables import rollup_behind, rollup_served
from schemas.fleet_tables import console_unavailable
from schemas.tables import call, call_service, kept, pad, pad_health, rollup_day, vote, vote_number, waiting

# The classid of our advisory locks, and how many there are: few enough for PostgreSQL's lock table, whatever the batch.
_LOCK_CLASS = 7_120_252
_LOCK_BUCKETS = 64
# How a list of values comes in as one parameter: a parameter for each value costs more than the look-up itself. On
# PostgreSQL as an array, by which the planner sees in which months the calls lie; of a JSON list it does not, and looks
# into every month there is (40 ms a statement with three years of them instead of 0.2).
_AMONG = {"sqlite": "IN (SELECT value FROM json_each(:wanted))", "postgresql": "= ANY(:wanted)"}
# The list leads and the votes are looked up: "(desk, journal, seq) IN (...)" makes SQLite use two columns of the index
# only, and read every vote that a pad ever gave (300 ms a batch at 146,000 votes instead of 0.5).
_NUMBERED = {
    "sqlite": (
        "json_each(:wanted) AS wanted CROSS JOIN vote_number ON vote_number.desk = json_extract(wanted.value, '$[0]')"
        " AND vote_number.journal = json_extract(wanted.value, '$[1]')"
        " AND vote_number.seq = json_extract(wanted.value, '$[2]')"
    ),
    "postgresql": (
        "jsonb_array_elements(CAST(:wanted AS jsonb)) AS wanted CROSS JOIN LATERAL (SELECT * FROM vote_number AS each"
        " WHERE each.desk = wanted ->> 0 AND each.journal = wanted ->> 1"
        " AND each.seq = CAST(wanted ->> 2 AS bigint)) AS vote_number"
    ),
}


class Mark(NamedTuple):
    """``desk`` had no lit pad in ``call``; or, not ``unavailable``, what was said so for this reason is taken back."""

    call: str
    desk: str
    why: str
    unavailable: bool


class Ledger:
    """The statements for one dialect, made once."""

    def __init__(self, dialect: Dialect):
        # By position, so that rows go in as the tuples they are.
        by_position: type[Any] = type(dialect)
        self._dialect = by_position(paramstyle={"sqlite": "qmark", "postgresql": "format"}[dialect.name])
        self._insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
        self._locks = dialect.name == "postgresql"
        among = _AMONG[dialect.name]
        self._as_list: Callable[[list[str]], Any] = list if self._locks else json.dumps
        self._read_calls = _select(call, f"id {among}")
        self._read_votes = _select(vote, f"call {among}")
        self._read_numbers = text(f"SELECT {_columns(vote_number)} FROM {_NUMBERED[dialect.name]}")
        self._read_unavailable = _select(console_unavailable, f"call {among}")
        self._count_kept = text(
            f"SELECT topic, count(*) AS number FROM kept WHERE topic {among} AND first_unix_ms >= :since GROUP BY topic"
        )
        reasons = ", ".join(f"'{reason}'" for reason in KEPT_REASONS)
        self._read_kept = text(f"SELECT reason, digest FROM kept WHERE reason IN ({reasons}) AND digest {among}")
        self._read_pads = _select(pad, f"desk {among}")
        self._write_call = self._compiled(self._replace(call))
        self._write_service = self._compiled(self._insert(call_service).on_conflict_do_nothing())
        self._write_vote = self._compiled(self._insert(vote))
        self._write_number = self._compiled(self._insert(vote_number))
        self._write_waiting = self._compiled(self._insert(waiting).on_conflict_do_nothing())
        self._delete_waiting = self._compiled(
            delete(waiting).where(waiting.c.call == bindparam("of_call"), waiting.c.desk == bindparam("of_desk"))
        )
        self._write_unavailable = self._compiled(self._insert(console_unavailable).on_conflict_do_nothing())
        self._write_kept = self._compiled(self._count_again())
        self._write_rollup = self._compiled(self._add_up(rollup_day))
        self._write_levels = [(level, self._compiled(self._add_up(level.table))) for level in LEVELS.values()]
        self._write_behind = self._compiled(self._add_up(rollup_behind))
        self._write_served = self._compiled(self._add_up(rollup_served))
        self._read_edge = text("SELECT day FROM rollup_edge")
        self._write_pad = self._compiled(self._replace(pad))
        self._write_health = self._compiled(self._replace(pad_health))

    def take(self, connection: Connection, arrivals: Sequence[Arrival], office: Office) -> list[Answer]:
        """Joins and records ``arrivals`` within the transaction of ``connection``."""
        batch = Batch(arrivals)
        known = self._look_up(connection, batch)
        answers = batch.settle(known, office)
        self._write(connection, batch.changes, known)
        return answers

    def mark(self, connection: Connection, marks: Sequence[Mark], now_unix_ms: int) -> None:
        """Records in which calls, known already or not, a desk had no lit pad, or that it had one after all."""
        known = self._calls_and_votes(connection, sorted({each.call for each in marks}))
        moved = []
        table = console_unavailable
        for each in marks:
            before = known.joined(each.call)
            if each.unavailable:
                known.unavailable.add((each.call, each.desk))
                _many(connection, self._write_unavailable, [(each.call, each.desk, now_unix_ms, each.why)])
            else:
                its = (table.c.call == each.call) & (table.c.desk == each.desk) & (table.c.why == each.why)
                if connection.execute(delete(table).where(its)).rowcount:
                    known.unavailable.discard((each.call, each.desk))
            moved.append((before, known.joined(each.call)))
        self._count(connection, moved)

    # ---- reading
    def _calls_and_votes(self, connection: Connection, calls: list[str]) -> Known:
        """What is known of ``calls``, which stay locked to the end of the transaction."""
        known = Known()
        if not calls:
            return known
        if self._locks:
            _lock(connection, calls)
        wanted = self._as_list(calls)
        for row in _rows(connection, self._read_calls, wanted):
            known.calls[row[0]] = CallRow._make(row)
        for row in _rows(connection, self._read_votes, wanted):
            known.add_vote(VoteRow._make(row))
        for flag in _rows(connection, self._read_unavailable, wanted):
            known.unavailable.add((flag[0], flag._mapping["desk"]))
        return known

    def _look_up(self, connection: Connection, batch: Batch) -> Known:
        known = self._calls_and_votes(connection, sorted(batch.calls))
        # A number used for another call is not among the votes just read; that call is all we then know of its vote.
        missing = [number for number in batch.numbers if number not in known.numbers]
        if missing:
            for row in _rows(connection, self._read_numbers, json.dumps(missing)):
                given: tuple[str, str, int, str] = tuple(row)
                known.numbers[given[:3]] = _numbered(*given)
        if batch.desks:
            for row in _rows(connection, self._read_pads, self._as_list(sorted(batch.desks))):
                known.pads[row[0]] = PadState._make(row)
        return known

    # ---- writing
    def _write(self, connection: Connection, changes: Changes, known: Known) -> None:
        moved = [(before, known.joined(call_id)) for call_id, before in changes.before.items()]
        health = [
            (desk, _health_fields(message), received_unix_ms)
            for desk, (message, received_unix_ms) in sorted(changes.health.items())
        ]
        _many(connection, self._write_call, [row for _, row in sorted(changes.calls.items())])
        _many(connection, self._write_service, sorted(changes.services))
        _many(connection, self._write_vote, sorted(changes.votes))
        numbers = [(each.desk, each.journal, each.seq, each.call) for each in changes.votes]
        _many(connection, self._write_number, sorted(numbers))
        _many(connection, self._write_waiting, [(*key, since) for key, since in sorted(changes.waiting.items())])
        _many(connection, self._delete_waiting, sorted(changes.arrived))
        _many(connection, self._write_kept, self._bounded(connection, list(changes.kept.values())))
        _many(connection, self._write_pad, [row for _, row in sorted(changes.pads.items())])
        _many(connection, self._write_health, health)
        # Last: two collectors meet in the rows of one branch and day, and the second waits for the first one's commit.
        self._count(connection, moved)

    def _bounded(self, connection: Connection, rows: list[KeptRow]) -> list[KeptRow]:
        """What is to be kept of ``rows``."""
        if not rows:
            return []
        since = day_begins(min(row.first_unix_ms for row in rows))
        of_topics = {"wanted": self._as_list(sorted({row.topic for row in rows})), "since": since}
        examples = {row.topic: row.number for row in connection.execute(self._count_kept, of_topics)}
        digests = self._as_list(sorted({row.digest for row in rows}))
        present = [(row.reason, row.digest) for row in _rows(connection, self._read_kept, digests)]
        return bounded(rows, examples, present)

    def _count(self, connection: Connection, moved: Sequence[tuple[Joined, Joined]]) -> None:
        """Into the days, and into the longer periods of those that are in these by now: the edge is read in here, for
        it moves only while nobody counts (collector/store/months.py).
        """
        found = differences(moved)
        _many(connection, self._write_rollup, [(*key, *more) for key, more in found])
        if not found and all(before.call == after.call for before, after in moved):
            return
        edge_day = connection.execute(self._read_edge).scalar() or 0
        late = [(key, more) for key, more in found if key[3] < edge_day]
        for level, statement in self._write_levels:
            _many(connection, statement, [(*key[:3], level.span_of(key[3]), *more) for key, more in late])
        sums = served_moved(moved, edge_day)
        _many(connection, self._write_behind, [(*place, calls) for place, calls in sums.behind().items()])
        _many(connection, self._write_served, [(*place, *took) for place, took in sums.served().items()])

    def _compiled(self, statement: Insert | Delete) -> str:
        """The statement's text, made once: it takes rows as they are, in the order of the table's columns."""
        compiled = statement.compile(dialect=self._dialect)
        if isinstance(statement, Insert):
            columns = [column.name for column in statement.table.columns]
            assert compiled.positiontup == columns, compiled.positiontup
        return str(compiled)

    def _replace(self, table: Table) -> Insert:
        statement = self._insert(table)
        others = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
        return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=others)

    def _add_up(self, table: Table) -> Insert:
        statement = self._insert(table)
        sums = {each.name: each + statement.excluded[each.name] for each in table.c if not each.primary_key}
        return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=sums)

    def _count_again(self) -> Insert:
        statement = self._insert(kept)
        again = {"times": kept.c.times + statement.excluded.times, "last_unix_ms": statement.excluded.last_unix_ms}
        return statement.on_conflict_do_update(index_elements=list(kept.primary_key), set_=again)


def _select(table: Table, condition: str) -> TextClause:
    return text(f'SELECT {_columns(table)} FROM "{table.name}" WHERE {condition}')


def _columns(table: Table) -> str:
    return ", ".join(f'"{table.name}"."{column.name}"' for column in table.columns)


def _rows(connection: Connection, statement: TextClause, wanted: str | list[str]) -> Sequence[Row[Any]]:
    return connection.execute(statement, {"wanted": wanted}).all()


def _numbered(desk: str, journal: str, seq: int, of_call: str) -> VoteRow:
    return VoteRow(of_call, desk, 0, 0, journal, 0, seq, 0)


def _many(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        connection.exec_driver_sql(statement, list(rows))


def _lock(connection: Connection, calls: Collection[str]) -> None:
    buckets = sorted({crc32(each.encode()) % _LOCK_BUCKETS for each in calls})
    connection.execute(
        text("SELECT pg_advisory_xact_lock(:class, bucket) FROM unnest(CAST(:buckets AS integer[])) AS bucket"),
        {"class": _LOCK_CLASS, "buckets": buckets},
    )


def lock_everything(connection: Connection) -> None:
    """Keeps every collector from writing to the end of the transaction, once those at work have committed."""
    if connection.dialect.name == "postgresql":
        for bucket in range(_LOCK_BUCKETS):
            parameters = {"class": _LOCK_CLASS, "bucket": bucket}
            connection.execute(text("SELECT pg_advisory_xact_lock(:class, :bucket)"), parameters)


def _health_fields(health: Any) -> str:
    return json.dumps({name: getattr(health, name) for name, _ in health.FIELDS})
