"""Figures by calendar month: made out of the daily ones by night, and kept right when a vote is late.

One day, the edge, divides: what is before it is in ``rollup_month``, the month under way with its days so far. Whoever
counts something into such a day adds it to the month in the same transaction, having read the edge there (``Ledger``).
The edge moves under the locks of all calls, so no batch is under way that has read the old one.
"""

from calendar import monthrange
from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Table,
    column,
    delete,
    func,
    insert,
    literal,
    select,
    update,
    values,
)

from collector.rollup import AMOUNTS, CUTS, Amounts, Key
from collector.store.ledger import lock_everything
from schemas.figure_tables import rollup_edge, rollup_month
from schemas.months import later, month_name
from schemas.periods import day_date, day_key
from schemas.tables import rollup_day

_DAYS = (rollup_day.c.cut, rollup_day.c.branch, rollup_day.c.key)
_MONTH = (rollup_day.c.day // 100).label("month")
_SUMS = tuple(func.sum(rollup_day.c[name]).label(name) for name in AMOUNTS)
# SQLite takes 999 parameters in older versions.
_WEEKS_AT_ONCE = 200
_KEPT = tuple(rollup_month.c[name] for name in ("cut", "branch", "key", "month", *AMOUNTS))
_KEPT_SUMS = tuple(func.sum(each) for each in _KEPT[4:])


def edge(connection: Connection) -> int:
    """The first day, ``yyyymmdd``, that is not in ``rollup_month``; 0 before the first was put there."""
    return connection.execute(select(rollup_edge.c.day)).scalar() or 0


def first_day(connection: Connection) -> int | None:
    """The first day that has figures."""
    days = [_first_day(connection, cut) for cut in CUTS]
    return min((day for day in days if day is not None), default=None)


def consolidate(connection: Connection, month: int, end: int) -> tuple[int, int] | None:
    """Takes the days of ``month`` before the day ``end`` in, all of before being in, and moves the edge behind them.

    Gives the first and last of these days; None if there were none.
    """
    lock_everything(connection)
    there = edge(connection)
    after = min(end, later(month) * 100 + 1)
    if there >= after:
        return None  # somebody else was faster
    make(connection, month, after)
    if there:
        connection.execute(update(rollup_edge).values(day=after))
    else:
        connection.execute(insert(rollup_edge).values(id=1, day=after))
    return max(there, month * 100 + 1), day_before(after)


def make(connection: Connection, month: int, end: int) -> None:
    """Makes the rows of ``month`` anew out of its days before ``end``; nobody else may write to them meanwhile."""
    connection.execute(delete(rollup_month).where(rollup_month.c.month == month))
    for cut in CUTS:  # a cut at once: its days are found by the index
        sums = select(*_DAYS, literal(month), *_SUMS).where(*_of_days(cut, month, end)).group_by(*_DAYS)
        connection.execute(insert(rollup_month).from_select([each.name for each in _KEPT], sums))


def wrong(connection: Connection, months: Collection[int]) -> dict[int, list[str]]:
    """A sentence for each row that is not the sum of its days before the edge, by month."""
    found: dict[int, list[str]] = {}
    end = edge(connection)
    for month in sorted(months):
        kept: dict[Key, Amounts] = {}
        for row in connection.execute(select(*_KEPT).where(rollup_month.c.month == month)):
            kept[row[0], row[1], row[2], month] = tuple(row[4:])
        for cut in CUTS:
            sums = select(*_DAYS, *_SUMS).where(*_of_days(cut, month, end)).group_by(*_DAYS)
            for row in connection.execute(sums):
                key, amounts = (row[0], row[1], row[2], month), tuple(map(int, row[3:]))
                if kept.pop(key, None) != amounts and any(amounts):
                    found.setdefault(month, []).append(_sentence(key))
        left = [_sentence(key) for key, amounts in kept.items() if any(amounts)]
        if left:
            found.setdefault(month, []).extend(left)
    return found


def covered(connection: Connection) -> list[int]:
    """Every month that has figures by month, or days before the edge."""
    end = edge(connection)
    first = first_day(connection)
    firsts = [first and first // 100, connection.execute(select(func.min(rollup_month.c.month))).scalar()]
    month = min((each for each in firsts if each), default=end // 100)
    found = []
    while month * 100 + 1 < end:
        found.append(month)
        month = later(month)
    return found


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


def rows_by_month(connection: Connection, wanted: Wanted) -> list[tuple[Any, ...]]:
    """(branch, key, month, amounts...) sorted by month, branch and key: whole months out of the monthly figures as far
    as they reach, what is left and what is newer out of the daily ones.
    """
    whole, beside = parted(connection, wanted.days)
    if whole is None:
        return list(_from_days(connection, wanted, beside))
    amounts = _KEPT_SUMS if wanted.everywhere else _KEPT[4:]
    question = select(*wanted.place(rollup_month), rollup_month.c.month, *amounts)
    question = question.where(*wanted.conditions(rollup_month), rollup_month.c.month.between(*whole))
    if wanted.everywhere:
        question = question.group_by(rollup_month.c.month, rollup_month.c.key)
    if not beside and not wanted.everywhere:
        # Nearly every question: nothing is left to do to the rows.
        ordered = question.order_by(rollup_month.c.month, rollup_month.c.branch, rollup_month.c.key)
        return list(map(tuple, connection.execute(ordered).all()))
    found = [(row[0], row[1], row[2], *map(int, row[3:])) for row in connection.execute(question).all()]
    return _added_up([*found, *_from_days(connection, wanted, beside)])


def parted(connection: Connection, days: tuple[int, int]) -> tuple[tuple[int, int] | None, list[tuple[int, int]]]:
    """Of these days the first and last month that are to be had as months, None if none is, and the days beside them:
    those before the first month, and those after the last or from the edge on.
    """
    end = edge(connection)
    first, last = _whole_months(*days, end)
    if first > last:
        return None, [days]
    rest = min(later(last) * 100 + 1, end)
    beside = ((days[0], day_before(first * 100 + 1)), (rest, days[1]))
    return (first, last), [each for each in beside if each[0] <= each[1]]


def rows_by_week(connection: Connection, wanted: Wanted) -> list[tuple[Any, ...]]:
    """(branch, key, first day of the ISO week, amounts...) sorted by week, branch and key.

    The weeks come in as a table of their own, so that each is a range of days that an index knows.
    """
    spans = list(_weeks(*wanted.days))
    grouped = wanted.grouped(rollup_day)
    found: list[tuple[Any, ...]] = []
    for some in (spans[begin : begin + _WEEKS_AT_ONCE] for begin in range(0, len(spans), _WEEKS_AT_ONCE)):
        columns = [column(name, Integer) for name in ("name", "first", "last")]
        week = values(*columns).data(some).cte("week")
        within = rollup_day.c.day.between(week.c.first, week.c.last)
        question = select(*wanted.place(rollup_day), week.c.name, *_SUMS).select_from(week).join(rollup_day, within)
        question = question.where(*wanted.conditions(rollup_day)).group_by(week.c.name, *grouped)
        rows = connection.execute(question.order_by(week.c.name, *grouped)).all()
        found += [(row[0], row[1], row[2], *map(int, row[3:])) for row in rows]
    return found


def _weeks(first_day: int, last_day: int) -> Iterator[tuple[int, int, int]]:
    """The Monday of each week and which of its days are meant."""
    day, last = day_date(first_day), day_date(last_day)
    while day <= last:
        monday = day - timedelta(days=day.weekday())
        sunday = min(monday + timedelta(days=6), last)
        yield day_key(monday), day_key(day), day_key(sunday)
        day = sunday + timedelta(days=1)


def _from_days(connection: Connection, wanted: Wanted, spans: list[tuple[int, int]]) -> Iterator[tuple[Any, ...]]:
    grouped = wanted.grouped(rollup_day)
    for span in spans:
        question = select(*wanted.place(rollup_day), _MONTH, *_SUMS).group_by(_MONTH, *grouped)
        question = question.where(*wanted.conditions(rollup_day), rollup_day.c.day.between(*span))
        for row in connection.execute(question.order_by(_MONTH, *grouped)).all():
            yield (row[0], row[1], row[2], *map(int, row[3:]))


def _added_up(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Sorted by month, branch and key; a month of which some days were read apart is one row."""
    rows.sort(key=lambda row: (row[2], row[0], row[1]))
    found: list[tuple[Any, ...]] = []
    for row in rows:
        if found and found[-1][:3] == row[:3]:
            found[-1] = (*row[:3], *map(sum, zip(found[-1][3:], row[3:], strict=True)))
        else:
            found.append(row)
    return found


def _whole_months(first_day: int, last_day: int, end: int) -> tuple[int, int]:
    """The first and last month of whose days before the edge ``end`` none lies outside these days."""
    first = first_day // 100 if first_day % 100 <= 1 else later(first_day // 100)
    last = min(last_day // 100, end // 100)
    its_last = min(last * 100 + monthrange(last // 100, last % 100)[1], day_before(end)) if last else 0
    return first, last if last * 100 + 1 < end and last_day >= its_last else later(last or 101, -1)


def day_before(day: int) -> int:
    """The day before a day, ``yyyymmdd``; 0 before none."""
    return day_key(day_date(day) - timedelta(days=1)) if day else 0


def _of_days(cut: str, month: int, end: int) -> tuple[ColumnElement[bool], ...]:
    return rollup_day.c.cut == cut, rollup_day.c.day >= month * 100, rollup_day.c.day < min(end, month * 100 + 100)


def _first_day(connection: Connection, cut: str) -> int | None:
    day: int | None = connection.execute(select(func.min(rollup_day.c.day)).where(rollup_day.c.cut == cut)).scalar()
    return day


def _sentence(key: Key) -> str:
    cut, branch, name, month = key
    whose = f"branch {branch}" if cut == "branch" else f"{cut} {name or '(not told)'} of branch {branch}"
    return f"{whose} in {month_name(month)}: the month is not the sum of its days"
