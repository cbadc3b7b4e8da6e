"""Figures by week, month, quarter and year: made out of the daily ones by night, and kept right when a vote is late.

One day, the edge, divides: what is before it is in all levels (collector/store/levels.py), a span under way with its
days so far. Whoever counts something into such a day adds it to them in the same transaction, having read the edge
there (``Ledger``). The edge moves under the locks of all calls, so no batch is under way that has read the old one.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, literal, select, update

from collector.rollup import AMOUNTS, CUTS, NOTHING, Amounts, Key
from collector.store.ledger import lock_everything
from collector.store.levels import LEVELS, MONTH, QUARTER, WEEK, YEAR, Level, Week, day_before, table_of, weeks
from schemas.figure_tables import rollup_edge
from schemas.months import later
from schemas.periods import day_date, period_name
from schemas.tables import rollup_day

_PLACE = ("cut", "branch", "key")
_DAYS = tuple(rollup_day.c[name] for name in _PLACE)
_SUMS = tuple(func.sum(rollup_day.c[name]).label(name) for name in AMOUNTS)
_Sums = dict[Key, Amounts]  # the last of each key is a span


def edge(connection: Connection) -> int:
    """The first day, ``yyyymmdd``, that is not in the coarser levels; 0 before the first was put there."""
    return connection.execute(select(rollup_edge.c.day)).scalar() or 0


def first_day(connection: Connection) -> int | None:
    """The first day that has figures."""
    days = [connection.execute(select(func.min(rollup_day.c.day)).where(rollup_day.c.cut == cut)) for cut in CUTS]
    return min((day for each in days if (day := each.scalar()) is not None), default=None)


def consolidate(connection: Connection, month: int, end: int) -> tuple[int, int] | None:
    """Takes the days of ``month`` before the day ``end`` in, all of before being in, and moves the edge behind them.

    Gives the first and last of these days; None if there were none.
    """
    lock_everything(connection)
    there = edge(connection)
    after = min(end, later(month) * 100 + 1)
    if there >= after:
        return None  # somebody else was faster
    make(connection, month, after, since=there)
    if there:
        connection.execute(update(rollup_edge).values(day=after))
    else:
        connection.execute(insert(rollup_edge).values(id=1, day=after))
    return max(there, MONTH.first_day(month)), day_before(after)


def make(connection: Connection, month: int, end: int, since: int = 0) -> None:
    """Makes the rows of ``month`` anew out of its days before ``end``, and those of its weeks, its quarter and its
    year; nobody else may write to them meanwhile. Weeks that are over by the day ``since`` are left as they are.
    """
    its_weeks = [week for week in _weeks_of(month, end) if week.last >= since]
    connection.execute(delete(WEEK.table).where(WEEK.span.in_([each.span for each in its_weeks])))
    connection.execute(delete(MONTH.table).where(MONTH.span == month))
    for cut in CUTS:  # a cut at once: its days are found by the index
        _put(connection, MONTH, _of_month(cut, month, end))
        if its_weeks:
            _put(connection, WEEK, _of_weeks(cut, its_weeks))
    for level in (QUARTER, YEAR):
        span = level.span_of(MONTH.first_day(month))
        connection.execute(delete(level.table).where(level.span == span))
        _put(connection, level, _of_finer(level, span))


def wrong(connection: Connection) -> dict[int, list[str]]:
    """A sentence for each row that is not the sum of its days before the edge, by a month whose ``make`` mends it."""
    end, last_week = edge(connection), 0
    months, said = covered(connection), {}
    longer: dict[Level, _Sums] = {QUARTER: {}, YEAR: {}}
    for month in months:
        counted = _counted(connection, *(_of_month(cut, month, end) for cut in CUTS))
        found = _differing(connection, MONTH, month, counted)
        for week in _weeks_of(month, end):
            if week.span > last_week:
                of_week = _counted(connection, *(_of_weeks(cut, [week]) for cut in CUTS))
                found += _differing(connection, WEEK, week.span, of_week)
                last_week = week.span
        for level, sums in longer.items():
            span = level.span_of(MONTH.first_day(month))
            _add(sums, counted, span)
            if month == months[-1] or level.span_of(MONTH.first_day(later(month))) != span:
                found += _differing(connection, level, span, sums)
                sums.clear()
        if found:
            said[month] = found
    return said


def covered(connection: Connection) -> list[int]:
    """Every month that has figures by a coarser level, or days before the edge."""
    end = edge(connection)
    begins = [first_day(connection), *(_first_of(connection, level) for level in LEVELS.values())]
    month = min((day // 100 for day in begins if day is not None), default=end // 100)
    found = []
    while MONTH.first_day(month) < end:
        found.append(month)
        month = later(month)
    return found


def _first_of(connection: Connection, level: Level) -> int | None:
    """The first day of the first span there is."""
    spans = [connection.execute(select(func.min(level.span)).where(level.table.c.cut == cut)) for cut in CUTS]
    return min((level.first_day(span) for each in spans if (span := each.scalar()) is not None), default=None)


def _weeks_of(month: int, end: int) -> list[Week]:
    """The weeks that have a day in ``month``, with their days before ``end``."""
    first = WEEK.span_of(MONTH.first_day(month))
    last = WEEK.last_day(WEEK.span_of(MONTH.last_day(month)))
    return list(weeks(first, min(last, day_before(end))))


# ---- the sums
def _of_month(cut: str, month: int, end: int) -> Select[Any]:
    within = (rollup_day.c.day >= month * 100, rollup_day.c.day < min(end, month * 100 + 100))
    return select(*_DAYS, literal(month), *_SUMS).where(rollup_day.c.cut == cut, *within).group_by(*_DAYS)


def _of_weeks(cut: str, some: Iterable[Week]) -> Select[Any]:
    week = table_of(some)
    of_week = rollup_day.c.day.between(week.c.first, week.c.last)
    question = select(*_DAYS, week.c.span, *_SUMS).select_from(week).join(rollup_day, of_week)
    return question.where(rollup_day.c.cut == cut).group_by(week.c.span, *_DAYS)


def _of_finer(level: Level, span: int) -> Select[Any]:
    assert level.finer
    finer = LEVELS[level.finer]
    place = [finer.table.c[name] for name in _PLACE]
    within = finer.span.between(span, level.last_day(span) // 100)
    return select(*place, literal(span), *map(func.sum, finer.amounts)).where(within).group_by(*place)


def _put(connection: Connection, level: Level, sums: Select[Any]) -> None:
    connection.execute(insert(level.table).from_select([*_PLACE, str(level.period), *AMOUNTS], sums))


def _counted(connection: Connection, *questions: Select[Any]) -> _Sums:
    rows = (row for question in questions for row in connection.execute(question))
    return {(row[0], row[1], row[2], row[3]): tuple(row[4:]) for row in rows}


def _add(sums: _Sums, more: _Sums, span: int) -> None:
    for (cut, branch, name, _), amounts in more.items():
        there = sums.get((cut, branch, name, span), NOTHING)
        sums[cut, branch, name, span] = tuple(one + other for one, other in zip(there, amounts, strict=True))


def _differing(connection: Connection, level: Level, span: int, counted: _Sums) -> list[str]:
    """A sentence for each row of a span that is not what was counted."""
    place = [level.table.c[name] for name in _PLACE]
    kept = _counted(connection, select(*place, level.span, *level.amounts).where(level.span == span))
    keys = [key for key in counted.keys() | kept.keys() if counted.get(key, NOTHING) != kept.get(key, NOTHING)]
    return [_sentence(level, key) for key in sorted(keys)]


def _sentence(level: Level, key: Key) -> str:
    cut, branch, name, span = key
    whose = f"branch {branch}" if cut == "branch" else f"{cut} {name or '(not told)'} of branch {branch}"
    when = period_name(day_date(level.first_day(span)), level.period)
    return f"{whose} in {when}: the {level.period} is not the sum of its days"
