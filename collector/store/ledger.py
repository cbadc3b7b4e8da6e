"""Reads what a batch of messages is about and writes what comes of it. Decides nothing (see collector/ingest.py).

Several collectors may work on one database. SQLite lets one writer in at a time. On PostgreSQL every batch first takes
locks on what its call ids hash to, so that a call and its vote cannot pass each other unseen in two transactions.
Locks, tables, and rows within a table are always taken in the same order, so that no two batches wait in a ring.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any
from zlib import crc32

from sqlalchemy import ColumnElement, Connection, Delete, Insert, Select, Table, bindparam, delete, select, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from collector.ingest import Batch, Changes, Known
from collector.model import Answer, Arrival, CallRow, Office, PadState, VoteRow
from collector.rollup import differences
from schemas.tables import call, kept, pad, pad_health, rollup_day, vote, waiting

# The classid of our advisory locks, and how many there are: few enough for PostgreSQL's lock table, whatever the batch.
_LOCK_CLASS = 7_120_252
_LOCK_BUCKETS = 64
# PostgreSQL takes 65,535 parameters a statement, SQLite half of that; a number is three of them.
_LOOKED_UP_AT_ONCE = 5000
_AMOUNTS = ("calls", "eligible", "bad", "good", "exemplary")


class Ledger:
    """The statements for one dialect, made once."""

    def __init__(self, dialect: str):
        self._insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        self._locks = dialect == "postgresql"
        self._read_calls = _among(call, call.c.id)
        self._read_votes = _among(vote, vote.c.call)
        self._read_numbers = _among(vote, tuple_(vote.c.desk, vote.c.journal, vote.c.seq))
        self._read_pads = _among(pad, pad.c.desk)
        self._write_call = self._replace(call)
        self._write_vote = self._insert(vote)
        self._write_waiting = self._insert(waiting).on_conflict_do_nothing()
        self._write_kept = self._count_again()
        self._write_rollup = self._add_up()
        self._write_pad = self._replace(pad)
        self._write_health = self._replace(pad_health)

    def take(self, connection: Connection, arrivals: Sequence[Arrival], office: Office) -> list[Answer]:
        """Joins and records ``arrivals`` within the transaction of ``connection``."""
        batch = Batch(arrivals)
        known = self._look_up(connection, batch)
        answers = batch.settle(known, office)
        self._write(connection, batch.changes, known)
        return answers

    # ---- reading
    def _look_up(self, connection: Connection, batch: Batch) -> Known:
        calls, known = sorted(batch.calls()), Known()
        if self._locks and calls:
            _lock(connection, calls)
        for row in _rows(connection, self._read_calls, calls):
            known.calls[row[0]] = CallRow(*row)
        for row in _rows(connection, self._read_votes, calls):
            known.add_vote(VoteRow(*row))
        # A number that was used for another call is not among the votes just read.
        missing = [number for number in batch.numbers() if number not in known.numbers]
        for row in _rows(connection, self._read_numbers, missing):
            numbered = VoteRow(*row)
            known.numbers[numbered.desk, numbered.journal, numbered.seq] = numbered
        for row in _rows(connection, self._read_pads, sorted(batch.desks())):
            known.pads[row[0]] = PadState(*row)
        return known

    # ---- writing
    def _write(self, connection: Connection, changes: Changes, known: Known) -> None:
        _many(connection, self._write_call, [row._asdict() for _, row in sorted(changes.calls.items())])
        _many(connection, self._write_vote, [row._asdict() for row in sorted(changes.votes)])
        _many(
            connection,
            self._write_waiting,
            [
                {"call": key[0], "desk": key[1], "since_unix_ms": since}
                for key, since in sorted(changes.waiting.items())
            ],
        )
        _many(connection, _ARRIVED, [{"of_call": key[0], "of_desk": key[1]} for key in sorted(changes.arrived)])
        _many(connection, self._write_kept, [row._asdict() for _, row in sorted(changes.kept.items())])
        moved = [(before, known.joined(call_id)) for call_id, before in changes.before.items()]
        _many(
            connection,
            self._write_rollup,
            [
                {
                    "cut": key[0],
                    "branch": key[1],
                    "key": key[2],
                    "day": key[3],
                    **dict(zip(_AMOUNTS, more, strict=True)),
                }
                for key, more in differences(moved)
            ],
        )
        _many(connection, self._write_pad, [row._asdict() for _, row in sorted(changes.pads.items())])
        _many(
            connection,
            self._write_health,
            [
                {"desk": desk, "fields": _health_fields(health), "received_unix_ms": at}
                for desk, (health, at) in sorted(changes.health.items())
            ],
        )

    def _replace(self, table: Table) -> Insert:
        statement = self._insert(table)
        others = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
        return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=others)

    def _add_up(self) -> Insert:
        statement = self._insert(rollup_day)
        sums = {name: rollup_day.c[name] + statement.excluded[name] for name in _AMOUNTS}
        return statement.on_conflict_do_update(index_elements=list(rollup_day.primary_key), set_=sums)

    def _count_again(self) -> Insert:
        statement = self._insert(kept)
        again = {"times": kept.c.times + statement.excluded.times, "last_unix_ms": statement.excluded.last_unix_ms}
        return statement.on_conflict_do_update(index_elements=list(kept.primary_key), set_=again)


_ARRIVED: Delete = delete(waiting).where(waiting.c.call == bindparam("of_call"), waiting.c.desk == bindparam("of_desk"))


def _among(table: Table, key: ColumnElement[Any]) -> Select[Any]:
    return select(table).where(key.in_(bindparam("wanted", expanding=True)))


def _rows(connection: Connection, statement: Select[Any], wanted: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for start in range(0, len(wanted), _LOOKED_UP_AT_ONCE):
        chunk = wanted[start : start + _LOOKED_UP_AT_ONCE]
        found.extend(connection.execute(statement, {"wanted": chunk}).all())
    return found


def _many(connection: Connection, statement: Insert | Delete, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)


def _lock(connection: Connection, calls: Collection[str]) -> None:
    buckets = sorted({crc32(each.encode()) % _LOCK_BUCKETS for each in calls})
    connection.execute(
        text("SELECT pg_advisory_xact_lock(:class, bucket) FROM unnest(CAST(:buckets AS integer[])) AS bucket"),
        {"class": _LOCK_CLASS, "buckets": buckets},
    )


def _health_fields(health: Any) -> str:
    return json.dumps({name: getattr(health, name) for name, _ in health.FIELDS})
