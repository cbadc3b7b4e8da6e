"""Reads figures of longer periods: out of the coarsest level that holds them, what is left and newer out of finer ones.

A connection must see one moment throughout (``engine.snapshot``): the edge divides what is read from where.
"""

from collections.abc import Sequence
from itertools import chain
from operator import add, itemgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, func, literal, select

from collector.rollup import AMOUNTS, CUTS
from collector.store.levels import LEVELS, WEEK, Level, day_after, day_before, table_of, weeks
from collector.store.months import edge
from schemas.periods import Period
from schemas.tables import rollup_day

Row = Sequence[Any]  # branch, key, span, amounts...
_IN_ORDER = itemgetter(2, 0, 1)
_MONTH = (rollup_day.c.day // 100).label("month")
_SUMS = tuple(func.sum(rollup_day.c[name]) for name in AMOUNTS)
# SQLite takes 999 parameters in older versions.
_WEEKS_AT_ONCE = 200


class Wanted(NamedTuple):
    """Which figures are asked for: of a cut, from the first to the last of ``days``; ``everywhere``: all branches as
    one, which is called "" then. Raises ValueError for a cut that is none.
    """

    cut: str
    days: tuple[int, int]
    branch: str | None = None
    key: str | None = None
    everywhere: bool = False

    def place(self, table: Table) -> tuple[ColumnElement[str], ColumnElement[str]]:
        return literal("").label("branch") if self.everywhere else table.c.branch, table.c.key

    def grouped(self, table: Table) -> tuple[ColumnElement[str], ...]:
        return (table.c.key,) if self.everywhere else (table.c.branch, table.c.key)

    def conditions(self, table: Table) -> list[ColumnElement[bool]]:
        if self.cut not in CUTS:
            raise ValueError(f"no such cut: {self.cut!r}")
        found = [table.c.cut == self.cut]
        if self.branch is not None:
            found.append(table.c.branch == self.branch)
        if self.key is not None:
            found.append(table.c.key == self.key)
        return found


def rows(connection: Connection, wanted: Wanted, period: Period) -> list[Row]:
    """(branch, key, span, amounts...) sorted by span, branch and key; spans as collector/store/levels.py calls them."""
    level = LEVELS[period]
    whole, beside = parted(connection, level, wanted.days)
    if whole is None:
        return _from_finer(connection, level, wanted)
    found = _kept(connection, level, wanted, whole)
    more = [row for days in beside for row in _from_finer(connection, level, wanted._replace(days=days))]
    return _added_up(found, more) if more else found


def parted(
    connection: Connection, level: Level, days: tuple[int, int]
) -> tuple[tuple[int, int] | None, list[tuple[int, int]]]:
    """Of these days the first and last span that are kept whole, None if none is, and the days beside them: those
    before the first span, and those after the last or from the edge on.

    A span is whole if none of its days before the edge lies outside these days.
    """
    end = edge(connection)
    if end <= days[0]:
        return None, [days]
    before = day_before(end)
    first = level.span_of(days[0])
    if level.first_day(first) < days[0]:
        first = level.span_of(day_after(level.last_day(first)))
    last = level.span_of(min(days[1], before))
    if min(level.last_day(last), before) > days[1]:
        last = level.span_of(day_before(level.first_day(last)))
    if first > last:
        return None, [days]
    rest = day_after(min(level.last_day(last), before))
    beside = ((days[0], day_before(level.first_day(first))), (rest, days[1]))
    return (first, last), [each for each in beside if each[0] <= each[1]]


def _kept(connection: Connection, level: Level, wanted: Wanted, spans: tuple[int, int]) -> list[Row]:
    table, amounts = level.table, level.amounts
    order: tuple[ColumnElement[Any], ...] = (level.span, *wanted.grouped(table))
    if wanted.everywhere:
        question = select(*wanted.place(table), level.span, *map(func.sum, amounts)).group_by(*order)
    else:
        question = select(*wanted.place(table), level.span, *amounts)
    within = (*wanted.conditions(table), level.span.between(*spans))
    return list(connection.execute(question.where(*within).order_by(*order)).all())


def _from_finer(connection: Connection, level: Level, wanted: Wanted) -> list[Row]:
    if level.finer is None:
        return _weeks(connection, wanted) if level is WEEK else _months(connection, wanted)
    finer = LEVELS[level.finer]
    found = rows(connection, wanted, level.finer)
    return _added_up([], [(row[0], row[1], level.span_of(finer.first_day(row[2])), *row[3:]) for row in found])


def _months(connection: Connection, wanted: Wanted) -> list[Row]:
    order = (_MONTH, *wanted.grouped(rollup_day))
    question = select(*wanted.place(rollup_day), _MONTH, *_SUMS).group_by(*order).order_by(*order)
    within = (*wanted.conditions(rollup_day), rollup_day.c.day.between(*wanted.days))
    return list(connection.execute(question.where(*within)).all())


def _weeks(connection: Connection, wanted: Wanted) -> list[Row]:
    spans, found = list(weeks(*wanted.days)), list[Row]()
    for some in (spans[begin : begin + _WEEKS_AT_ONCE] for begin in range(0, len(spans), _WEEKS_AT_ONCE)):
        week = table_of(some)
        order = (week.c.span, *wanted.grouped(rollup_day))
        of_week = rollup_day.c.day.between(week.c.first, week.c.last)
        question = select(*wanted.place(rollup_day), week.c.span, *_SUMS).select_from(week).join(rollup_day, of_week)
        found += connection.execute(question.where(*wanted.conditions(rollup_day)).group_by(*order).order_by(*order))
    return found


def _added_up(found: list[Row], more: list[Row]) -> list[Row]:
    """Sorted by span, branch and key; a span of which some days were read apart is one row."""
    touched = {row[2] for row in more}
    sums: dict[Any, Row] = {}
    for row in chain((row for row in found if row[2] in touched), more):
        key = _IN_ORDER(row)
        there = sums.get(key)
        sums[key] = row if there is None else (*row[:3], *map(add, there[3:], row[3:]))
    return sorted([*(row for row in found if row[2] not in touched), *sums.values()], key=_IN_ORDER)
