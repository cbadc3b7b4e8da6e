"""``Store.reports``: reports as they were made, and targets as they were set. Both are only ever added.

What a report is made of beyond the roll-ups, which need no row of a single call, is asked here too: how many operators
stand behind a cell, how long clients waited, and at how many calls no pad was lit. Never a rating of one call.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Engine, func, insert, select

from collector.errors import NotThere, OutOfTurn
from collector.store import served
from collector.store.engine import reading, writing
from collector.store.served import Times
from schemas.fleet_tables import console_unavailable
from schemas.register_tables import desk as desk_table
from schemas.report_tables import measure_target, report, report_file

Format = Literal["pdf", "xlsx", "csv"]
FORMATS: tuple[Format, ...] = ("pdf", "xlsx", "csv")
Direction = Literal["at_least", "at_most"]


@dataclass(frozen=True, slots=True)
class NewReport:
    """What is known of a report besides its files; days are ``yyyymmdd``, both inside."""

    made_by: str
    cut: str
    key: str
    period: str
    first_day: int
    last_day: int
    figures_end: int
    language: str
    title: str
    revision: int
    program: str
    parameters: str
    ordered_by: str = ""
    instruction: str = ""
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A file of a report without its bytes; ``digest`` is their SHA-256."""

    format: Format
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Report:
    id: int
    made_unix_ms: int
    about: NewReport
    files: tuple[ReportFile, ...]


@dataclass(frozen=True, slots=True)
class NewTarget:
    """A value that a measure is to reach in a period; ``set_on`` is the day since when that is known."""

    measure: str
    first_day: int
    last_day: int
    value: float
    direction: Direction
    set_on: int
    set_by: str


@dataclass(frozen=True, slots=True)
class Target:
    id: int
    about: NewTarget


class Reports:
    """Made by Store only. Every method is one transaction and raises as Store's do."""

    def __init__(self, engine: Engine):
        self._engine = engine

    # ---- reports
    def add(self, new: NewReport, files: Mapping[Format, bytes]) -> Report:
        """Keeps a report with its files; nothing ever changes it."""
        now = _now_unix_ms()
        with writing(self._engine) as connection:
            values = {name: getattr(new, name) for name in NewReport.__slots__} | {"made_unix_ms": now}
            number = int(connection.execute(insert(report).returning(report.c.id), values).scalar_one())
            rows = [_file_row(number, kind, body) for kind, body in files.items()]
            connection.execute(insert(report_file), rows)
        return Report(number, now, new, tuple(ReportFile(row["format"], row["digest"], row["size"]) for row in rows))

    def reports(
        self,
        *,
        cut: str | None = None,
        key: str | None = None,
        period: str | None = None,
        first_day: int | None = None,
        language: str | None = None,
        limit: int = 500,
    ) -> list[Report]:
        """The newest first; all filters must fit."""
        asked = {"cut": cut, "key": key, "period": period, "first_day": first_day, "language": language}
        question = select(report).order_by(report.c.id.desc()).limit(limit)
        for name, value in asked.items():
            if value is not None:
                question = question.where(report.c[name] == value)
        with reading(self._engine) as connection:
            rows = connection.execute(question).mappings().all()
            files = _files(connection, [row["id"] for row in rows])
        return [_report(row, files.get(row["id"], ())) for row in rows]

    def report(self, number: int) -> Report:
        """The report of that number. Raises NotThere."""
        with reading(self._engine) as connection:
            row = connection.execute(select(report).where(report.c.id == number)).mappings().first()
            if row is None:
                raise NotThere(f"there is no report {number}")
            return _report(row, _files(connection, [number]).get(number, ()))

    def body(self, number: int, kind: str) -> bytes:
        """A report's file as it was made. Raises NotThere."""
        its = (report_file.c.report == number) & (report_file.c.format == kind)
        with reading(self._engine) as connection:
            found: bytes | None = connection.execute(select(report_file.c.body).where(its)).scalar()
        if found is None:
            raise NotThere(f"report {number} has no file of the kind {kind!r}")
        return bytes(found)

    # ---- targets
    def set_target(self, new: NewTarget) -> Target:
        """Enters a target. Raises OutOfTurn if it was set after the period that it judges had begun (study 3.4)."""
        if new.set_on >= new.first_day:
            raise OutOfTurn("a target is set before the period that it judges begins")
        with writing(self._engine) as connection:
            values = {name: getattr(new, name) for name in NewTarget.__slots__} | {"set_unix_ms": _now_unix_ms()}
            made = connection.execute(insert(measure_target).returning(measure_target.c.id), values)
            return Target(int(made.scalar_one()), new)

    def targets(self, measure: str | None = None) -> list[Target]:
        """In the order in which they were set; of two for one period the later one holds."""
        question = select(measure_target).order_by(measure_target.c.set_on, measure_target.c.id)
        if measure is not None:
            question = question.where(measure_target.c.measure == measure)
        with reading(self._engine) as connection:
            return [_target(row) for row in connection.execute(question).mappings()]

    # ---- what a report says besides the roll-ups
    def operators_behind(
        self, first_day: int, last_day: int, branch: str | None = None
    ) -> dict[int, dict[tuple[str, str], set[str]]]:
        """Which operators called for (branch, service) on these days, by month (``yyyymm``); the service is "" where
        the queue did not say it. Of more than two operators two are named, and served.OTHERS stands for the rest.

        As kept by month (collector/store/served.py): nothing of months that were in files only before that was kept.
        """
        found: dict[int, dict[tuple[str, str], set[str]]] = {}
        with reading(self._engine) as connection:
            for month, place, service, who in served.behind(connection, first_day, last_day, branch):
                found.setdefault(month, {}).setdefault((place, service), set()).update(who)
        return found

    def times(self, first_day: int, last_day: int, branch: str | None = None) -> list[Times]:
        """How long the finished calls of these days took, by service; kept as above."""
        with reading(self._engine) as connection:
            return served.times(connection, first_day, last_day, branch)

    def dark_calls(self, first_unix_ms: int, last_unix_ms: int) -> dict[tuple[str, str], int]:
        """How many calls between these moments met no lit pad (order P3.4), by (branch, why): dark or reported."""
        flag = console_unavailable
        place = select(desk_table.c.id, func.min(desk_table.c.branch).label("branch")).group_by(desk_table.c.id)
        of_desk = place.subquery()
        question = (
            select(of_desk.c.branch, flag.c.why, func.count())
            .join_from(flag, of_desk, of_desk.c.id == flag.c.desk)
            .where(flag.c.since_unix_ms.between(first_unix_ms, last_unix_ms))
            .group_by(of_desk.c.branch, flag.c.why)
        )
        with reading(self._engine) as connection:
            return {(branch, why): n for branch, why, n in connection.execute(question)}


def _file_row(number: int, kind: Format, body: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(body).hexdigest()
    return {"report": number, "format": kind, "digest": digest, "size": len(body), "body": body}


def _files(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[ReportFile, ...]]:
    of_file = (report_file.c.report, report_file.c.format, report_file.c.digest, report_file.c.size)
    question = select(*of_file).where(report_file.c.report.in_(numbers)).order_by(report_file.c.report)
    found: dict[int, tuple[ReportFile, ...]] = {}
    for number, kind, digest, size in connection.execute(question):
        found[number] = (*found.get(number, ()), ReportFile(kind, digest, size))
    return {number: tuple(sorted(each, key=lambda file: FORMATS.index(file.format))) for number, each in found.items()}


def _report(row: Mapping[Any, Any], files: tuple[ReportFile, ...]) -> Report:
    about = NewReport(**{name: row[name] for name in NewReport.__slots__})
    return Report(row["id"], row["made_unix_ms"], about, files)


def _target(row: Mapping[Any, Any]) -> Target:
    return Target(row["id"], NewTarget(**{name: row[name] for name in NewTarget.__slots__}))


def _now_unix_ms() -> int:
    return time.time_ns() // 1_000_000
