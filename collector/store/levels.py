"""The levels at which figures are kept beside days: weeks, months, quarters and years of every cut, each in a table.

A year of a thousand operators is 300,000 rows by days and a thousand by years. All levels hold just the days before the
edge (collector/store/months.py), the span under way with its days so far. A span is called by its beginning: an ISO
week ``yyyymmdd`` of its Monday, the others ``yyyymm`` of their first month. Only tables and the calendar here.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import CTE, ColumnElement, Integer, Table, column, values

from collector.rollup import AMOUNTS
from schemas.figure_tables import rollup_month, rollup_quarter, rollup_week, rollup_year
from schemas.periods import Period, bounds, day_date, day_key

_LAST_MONTH = 999_999


class Level(NamedTuple):
    """``finer``: what adds up to it, and is read where it does not reach; None: days."""

    period: Period
    table: Table
    finer: Period | None = None

    @property
    def span(self) -> ColumnElement[int]:
        return self.table.c[str(self.period)]

    @property
    def amounts(self) -> tuple[ColumnElement[int], ...]:
        return tuple(self.table.c[name] for name in AMOUNTS)

    def span_of(self, day: int) -> int:
        """The span that holds a day, ``yyyymmdd``. Raises ValueError if there is no such day."""
        return _span(day, self.period)[0]

    def first_day(self, span: int) -> int:
        return span if span > _LAST_MONTH else span * 100 + 1

    def last_day(self, span: int) -> int:
        return _span(self.first_day(span), self.period)[1]


WEEK = Level(Period.WEEK, rollup_week)
MONTH = Level(Period.MONTH, rollup_month)
QUARTER = Level(Period.QUARTER, rollup_quarter, Period.MONTH)
YEAR = Level(Period.YEAR, rollup_year, Period.QUARTER)
# In the order in which they are written, always: no two writers wait for each other in a ring.
LEVELS = {each.period: each for each in (WEEK, MONTH, QUARTER, YEAR)}


class Week(NamedTuple):
    """An ISO week, and which of its days are meant; all ``yyyymmdd``."""

    span: int
    first: int
    last: int


def weeks(first_day: int, last_day: int) -> Iterator[Week]:
    """The weeks of some days."""
    day = first_day
    while day <= last_day:
        monday = WEEK.span_of(day)
        last = min(WEEK.last_day(monday), last_day)
        yield Week(monday, day, last)
        day = day_after(last)


def table_of(some: Iterable[Week]) -> CTE:
    """Weeks as a table of its own, so that each is a range of days that an index knows."""
    columns = [column(name, Integer) for name in Week._fields]
    return values(*columns).data([tuple(each) for each in some]).cte("weeks")


def day_after(day: int) -> int:
    return day_key(day_date(day) + timedelta(days=1))


def day_before(day: int) -> int:
    return day_key(day_date(day) - timedelta(days=1))


@lru_cache(maxsize=8192)
def _span(day: int, period: Period) -> tuple[int, int]:
    """What the span with ``day`` is called, and its last day."""
    first, last = (day_key(each) for each in bounds(day_date(day), period))
    return first if period is Period.WEEK else first // 100, last
