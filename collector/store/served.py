"""How long the calls of a month took, and who was called for: kept by month, so that no answer reads years of rows.

As with the monthly figures (collector/store/months.py) one day, the edge, divides: days before it are in here, and
whoever changes a call of such a day changes what is kept in the same transaction (``Ledger``). Days from the edge on
are read from their rows: that is the running day, and a little more until the night has come.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Insert, Select, Table, case, delete, func, insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from collector.served import FINISHED, LONGEST_MS, Served, Sums
from collector.store import months
from collector.store.coarse import parted
from collector.store.levels import MONTH, day_before
from schemas.figure_tables import rollup_behind, rollup_month, rollup_served
from schemas.months import first_id, first_id_at, later, month_name
from schemas.periods import day_date
from schemas.tables import call, rollup_day

# Whoever called for a service besides two operators who are named; no operator's name.
OTHERS = "*"
_DAY = timedelta(days=1)
_FEW = 200_000
_PLACE = (call.c.branch, func.coalesce(call.c.service, ""))
_TOOK = call.c.ended_unix_ms - call.c.called_unix_ms
_TENTHS = (_TOOK + 50) // 100
_KNOWN = (call.c.outcome == FINISHED) & _TOOK.between(0, LONGEST_MS)
_SUMS = tuple(func.coalesce(func.sum(case((_KNOWN, each))), 0) for each in (literal(1), _TOOK, _TENTHS * _TENTHS))


class Times(NamedTuple):
    """How long finished calls of a service took: of how many it is known, and seconds altogether.

    ``served`` runs from the call to its end; ``served_s2`` is of the seconds squared, for an interval.
    """

    service: str
    served: int
    served_s: float
    served_s2: float


# ---- asking
def times(connection: Connection, first_day: int, last_day: int, branch: str | None = None) -> list[Times]:
    """By service, of all branches or one; services without a finished call are left out."""
    whole, beside = parted(connection, MONTH, (first_day, last_day))
    found: dict[str, Served] = {}
    kept = rollup_served.c
    sums = (func.sum(kept.served), func.sum(kept.served_ms), func.sum(kept.squares))
    questions = [
        select(_PLACE[1], *_SUMS).where(_of_rows(connection, *days), *_in(call, branch)).group_by(_PLACE[1])
        for days in beside
    ]
    if whole is not None:
        in_months = (kept.month.between(*whole), *_in(rollup_served, branch))
        questions.append(select(kept.service, *sums).where(*in_months).group_by(kept.service))
    for question in questions:
        for service, *more in connection.execute(question):
            n, took_ms, squares = found.get(service, (0, 0, 0))
            found[service] = n + int(more[0]), took_ms + int(more[1]), squares + int(more[2])
    return [
        Times(service, n, took_ms / 1000, squares / 100)
        for service, (n, took_ms, squares) in sorted(found.items())
        if n
    ]


def behind(
    connection: Connection, first_day: int, last_day: int, branch: str | None = None
) -> Iterator[tuple[int, str, str, frozenset[str]]]:
    """Month, branch, service and who called for it on these days, one place perhaps twice; "" where the queue did not
    say the service. Of more than two operators two, and OTHERS: nobody asks for all names, and there may be thousands.
    """
    whole, beside = parted(connection, MONTH, (first_day, last_day))
    kept, month = rollup_behind.c, (call.c.day // 100).label("month")
    if whole is not None:
        place = (kept.month, kept.branch, kept.service)
        in_months = (kept.month.between(*whole), kept.calls > 0, kept.operator != "", *_in(rollup_behind, branch))
        who = (func.min(kept.operator), func.max(kept.operator), func.count())
        yield from _few(connection, select(*place, *who).where(*in_months).group_by(*place))
    named = call.c.operator
    who = (func.min(named), func.max(named), func.count(named.distinct()))
    for days in beside:
        question = select(month, *_PLACE, *who).where(_of_rows(connection, *days), named != "", *_in(call, branch))
        yield from _few(connection, question.group_by(month, *_PLACE))


def _few(connection: Connection, question: Select[Any]) -> Iterator[tuple[int, str, str, frozenset[str]]]:
    for month, branch, service, first, last, number in connection.execute(question):
        yield int(month), branch, service, frozenset((first, last, OTHERS) if number > 2 else (first, last))


# ---- keeping
def take_in(connection: Connection, first_day: int, last_day: int) -> None:
    """Adds the calls of these days, none of which is in yet; nobody else may write calls meanwhile."""
    where = _of_rows(connection, first_day, last_day)
    month, operator = (call.c.day // 100).label("month"), func.coalesce(call.c.operator, "")
    who = select(month, *_PLACE, operator, func.count()).where(where).group_by(month, *_PLACE, operator)
    took = select(month, *_PLACE, *_SUMS).where(where, _KNOWN).group_by(month, *_PLACE)
    for table, question in ((rollup_behind, who), (rollup_served, took)):
        rows = [dict(zip(table.c.keys(), _plain(row), strict=True)) for row in connection.execute(question)]
        if rows:
            connection.execute(added(connection.dialect.name, table), rows)


def make(connection: Connection, month: int) -> None:
    """Makes a month anew out of its rows before the edge; nobody else may write calls meanwhile."""
    _forget(connection, month)
    whole, _ = parted(connection, MONTH, (MONTH.first_day(month), MONTH.last_day(month)))
    if whole is not None:
        last = day_before(min(months.edge(connection), later(month) * 100 + 1))
        take_in(connection, month * 100 + 1, last)


def write(connection: Connection, month: int, counted: Sums) -> None:
    """What was counted, in place of what there was of a month."""
    _forget(connection, month)
    for table, rows in ((rollup_behind, counted.behind().items()), (rollup_served, counted.served().items())):
        its = [dict(zip(table.c.keys(), _flat(place, more), strict=True)) for place, more in rows if place[0] == month]
        if its:
            connection.execute(insert(table), its)


def added(dialect: str, table: Table) -> Insert:
    """Adds to the row that is there, or is its first."""
    statement: Any = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    sums = {each.name: each + statement.excluded[each.name] for each in table.c if not each.primary_key}
    done: Insert = statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=sums)
    return done


def complete(connection: Connection, month: int) -> None:
    """Makes a month anew that has fewer calls than its figures: its rows were in files when it was first counted."""
    of_figures = select(func.sum(rollup_month.c.calls)).where(
        rollup_month.c.cut == "branch", rollup_month.c.month == month
    )
    of_behind = select(func.sum(rollup_behind.c.calls)).where(rollup_behind.c.month == month)
    if (connection.execute(of_figures).scalar() or 0) > (connection.execute(of_behind).scalar() or 0):
        make(connection, month)


# ---- comparing
def wrong(connection: Connection, counted: Sums, first_month: int) -> dict[int, list[str]]:
    """A sentence for what is kept otherwise than it was counted, by month, of all from ``first_month`` on."""
    found: dict[int, list[str]] = {}
    for table, theirs in ((rollup_behind, counted.behind()), (rollup_served, counted.served())):
        size = len(table.primary_key)
        rows = connection.execute(select(table).where(table.c.month >= first_month))
        kept = {tuple(row[:size]): tuple(map(int, row[size:])) for row in rows}
        kept = {place: more for place, more in kept.items() if any(more)}
        right: dict[tuple[Any, ...], tuple[int, ...]] = {place: _tuple(more) for place, more in theirs.items()}
        right = {place: more for place, more in right.items() if place[0] >= first_month}
        for place in sorted(kept.keys() | right.keys()):
            if kept.get(place) != right.get(place):
                found.setdefault(place[0], []).append(_sentence(table, place))
    return found


def unbalanced(connection: Connection, after_id: str) -> tuple[int, list[str]]:
    """How many sums of a month's calls by service and by operator were compared with its figures, and a sentence for
    each that differs; of months that begin after the call id ``after_id``, for earlier ones may be in files.
    """
    compared, said = 0, []
    for cut, key in (("service", rollup_behind.c.service), ("operator", rollup_behind.c.operator)):
        place = (rollup_behind.c.month, rollup_behind.c.branch, key)
        sums = select(*place, func.sum(rollup_behind.c.calls)).group_by(*place)
        kept = {(row[0], row[1], row[2]): int(row[3]) for row in connection.execute(sums) if row[3]}
        of_figures = rollup_month.c
        question = select(of_figures.month, of_figures.branch, of_figures.key, of_figures.calls)
        rows = connection.execute(question.where(of_figures.cut == cut, of_figures.calls != 0))
        figures = {(row[0], row[1], row[2]): int(row[3]) for row in rows}
        both = [each for each in sorted(kept.keys() | figures.keys()) if first_id(each[0]) > after_id]
        compared += len(both)
        for month, branch, name in both:
            if kept.get((month, branch, name)) != figures.get((month, branch, name)):
                whose = f"{cut} {name or '(not told)'} of branch {branch}"
                said.append(f"{whose} in {month_name(month)}: those called for do not add up to the month")
    return compared, said


def _sentence(table: Table, place: Sequence[Any]) -> str:
    month, branch, service, *operator = place
    what = "how long its calls took is not what the rows say"
    if operator:
        what = f"operator {operator[0] or '(not told)'} is behind other numbers of calls than the rows say"
    return f"service {service or '(not told)'} of branch {branch} in {month_name(month)}: {what}"


# ---- helping
def _of_rows(connection: Connection, first_day: int, last_day: int) -> ColumnElement[bool]:
    """Ids sort by time, so no more rows are read than those of the days asked for, and a day on either side. Ids that
    no clock has made lie anywhere: of a few calls every one can be looked at.
    """
    first, last = (datetime.combine(day_date(day), datetime.min.time(), UTC) for day in (first_day, last_day))
    low, high = (first_id_at(max(0, int(each.timestamp() * 1000))) for each in (first - _DAY, last + 2 * _DAY))
    of_days = call.c.day.between(first_day, last_day)
    near = call.c.id.between(low, high) & of_days
    of_branches = select(func.sum(rollup_day.c.calls)).where(rollup_day.c.cut == "branch")
    wanted = connection.execute(of_branches.where(rollup_day.c.day.between(first_day, last_day))).scalar() or 0
    there = connection.execute(select(func.count()).select_from(call).where(near)).scalar_one()
    if there != wanted and int(connection.execute(of_branches).scalar() or 0) < _FEW:
        return of_days
    return near


def _in(table: Table, branch: str | None) -> tuple[ColumnElement[bool], ...]:
    return () if branch is None else (table.c.branch == branch,)


def _forget(connection: Connection, month: int) -> None:
    for table in (rollup_behind, rollup_served):
        connection.execute(delete(table).where(table.c.month == month))


def _plain(row: Iterable[Any]) -> list[Any]:
    """PostgreSQL's sums are of a type of their own."""
    return [each if isinstance(each, str) else int(each) for each in row]


def _flat(place: tuple[Any, ...], more: int | Served) -> tuple[Any, ...]:
    return (*place, *_tuple(more))


def _tuple(more: int | Served) -> tuple[int, ...]:
    return more if isinstance(more, tuple) else (more,)
