"""The collector's database as the oracle reads it: by itself, and read only. It shares no code with the store."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psycopg

_ERRORS = (sqlite3.Error, psycopg.Error)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A call as the collector's database has it, with the rating of its vote or 0."""

    id: str
    branch: str
    desk: str
    operator: str | None
    service: str | None
    ticket: str | None
    called_unix_ms: int
    day: int
    outcome: str | None
    rating: int

    @property
    def name(self) -> tuple[str, int]:
        return self.desk, self.called_unix_ms


class Unreadable(Exception):
    """The database does not answer just now."""


class Ledger:
    """An open database: the path of an SQLite file, or an URL as the collector has it.

    Every method raises Unreadable when the database does not answer.
    """

    def __init__(self, where: Path | str):
        self._connection: Any
        try:
            if isinstance(where, str) and where.startswith("postgresql://"):
                self._connection = psycopg.connect(where, autocommit=True, connect_timeout=5)
            else:
                file = Path(str(where).removeprefix("sqlite:///")).absolute()
                self._connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=5)
        except _ERRORS as error:
            raise Unreadable(str(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def counts(self) -> tuple[int, int, int]:
        """Calls, calls with an outcome, and votes."""
        return (self._count("call"), self._count("call", "outcome is not null"), self._count("vote"))

    def recorded(self) -> list[Recorded]:
        rows = self._rows(
            "select c.id, c.branch, c.desk, c.operator, c.service, c.ticket, c.called_unix_ms, c.day, c.outcome,"
            " coalesce(v.rating, 0) from call c left join vote v on v.call = c.id and v.desk = c.desk"
        )
        return [Recorded(*row) for row in rows]

    def strays(self) -> list[tuple[str, str]]:
        """Votes that belong to no call: (call, desk)."""
        return self._rows(
            "select v.call, v.desk from vote v left join call c on c.id = v.call and c.desk = v.desk where c.id is null"
        )

    def kept(self) -> list[tuple[str, str, str]]:
        """What was kept apart: (reason, topic, problem)."""
        return self._rows("select reason, topic, problem from kept")

    def unavailable(self) -> set[tuple[str, int]]:
        """The calls, by name, that are held to have been without a lit pad."""
        rows = self._rows(
            "select c.desk, c.called_unix_ms from console_unavailable u"
            " join call c on c.id = u.call and c.desk = u.desk"
        )
        return {(row[0], row[1]) for row in rows}

    def rollups(self) -> dict[tuple[str, str, str, int], tuple[int, ...]]:
        """(calls, eligible, bad, good, exemplary, and five reasons of not being so) by (cut, branch, key, day)."""
        rows = self._rows(
            "select cut, branch, key, day, calls, eligible, bad, good, exemplary,"
            " unrated, absent, passed_on, withdrawn, unlit from rollup_day"
        )
        return {row[:4]: row[4:] for row in rows if any(row[4:])}

    def voted(self) -> set[tuple[str, int]]:
        """The calls, by name, whose vote is here."""
        rows = self._rows(
            "select c.desk, c.called_unix_ms from vote v join call c on c.id = v.call and c.desk = v.desk"
        )
        return {(row[0], row[1]) for row in rows}

    def _count(self, table: str, where: str = "true") -> int:
        return int(self._rows(f'select count(*) from "{table}" where {where}')[0][0])

    def _rows(self, question: str) -> list[Any]:
        try:
            return list(self._connection.execute(question).fetchall())
        except _ERRORS as error:
            raise Unreadable(str(error)) from error
