"""The mix: what was rated how by month, branch, operator, service and local hour (domain study 6.4).

Who serves the hard cases, at the hard hours, may have more "bad" than others and be no worse. To ask what a centre's
rates would have come to in somebody's own mix takes counts by all of these at once, which no other roll-up has. It is
as large as all of them together, so it holds the last MIX_MONTHS only, and is made by the night, not by every message.

A month is made anew while it is young, and later whenever its sums by operator or by service are not those of the
daily roll-up any more. Of archived months the mix stays as it was.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, func, insert, select

from collector.rollup import AMOUNTS, Joined, amounts
from collector.store.archive import boundary
from collector.store.recount import EVERYTHING, Scope, expected, joined
from schemas.figure_tables import rollup_mix
from schemas.months import first_id, first_id_at, later, unix_ms_of_id
from schemas.register_tables import branch
from schemas.tables import rollup_day

# Two years to compare with and the month under way.
MIX_MONTHS = 25
RATED = ("eligible", "bad", "good", "exemplary")
_PLACES = tuple(AMOUNTS.index(name) for name in RATED)
_DAY_MS = 86_400_000
_FEW = 200_000
_QUARTER_MS = 15 * 60_000  # no time zone's clocks are nearer to each other

Margin = dict[tuple[str, str, str], tuple[int, ...]]  # by cut, branch and key


class MixRow(NamedTuple):
    """``month`` is ``yyyymm``, ``hour`` 0 to 23 in the branch's time zone; "" where the queue did not tell."""

    month: int
    branch: str
    operator: str
    service: str
    hour: int
    eligible: int
    bad: int
    good: int
    exemplary: int


_COLUMNS = tuple(rollup_mix.c[name] for name in MixRow._fields)


def read(connection: Connection, months: tuple[int, int], *, branch: str | None, operator: str | None) -> list[MixRow]:
    question = select(*_COLUMNS).where(rollup_mix.c.month.between(*months))
    if branch is not None:
        question = question.where(rollup_mix.c.branch == branch)
    if operator is not None:
        question = question.where(rollup_mix.c.operator == operator)
    return [MixRow._make(row) for row in connection.execute(question.order_by(*rollup_mix.primary_key))]


def is_stale(connection: Connection, month: int, present: int) -> bool:
    """Whether ``month`` is to be counted: it is young, or its sums are not those of its days; never if archived."""
    if first_id(month) < boundary(connection):
        return False
    margin = of_days(connection, month)
    return (month >= later(present, -1) and bool(margin)) or margin != of_mix(connection, month)


def of_days(connection: Connection, month: int) -> Margin:
    """By operator and by service of each branch, what the daily roll-up has of the month."""
    found: Margin = {}
    sums = [func.sum(rollup_day.c[name]) for name in RATED]
    for cut in ("operator", "service"):
        of_cut = (rollup_day.c.cut == cut, rollup_day.c.day.between(month * 100, month * 100 + 99))
        place = (rollup_day.c.branch, rollup_day.c.key)
        question = select(*place, *sums).where(*of_cut).group_by(*place)
        for row in connection.execute(question):
            if row[2]:
                found[cut, row[0], row[1]] = tuple(map(int, row[2:]))
    return found


def of_mix(connection: Connection, month: int) -> Margin:
    """The same out of the mix."""
    found: Margin = {}
    sums = [func.sum(rollup_mix.c[name]) for name in RATED]
    for cut in ("operator", "service"):
        place = (rollup_mix.c.branch, rollup_mix.c[cut])
        question = select(*place, *sums).where(rollup_mix.c.month == month).group_by(*place)
        for row in connection.execute(question):
            found[cut, row[0], row[1]] = tuple(map(int, row[2:]))
    return found


def counted(connection: Connection, month: int) -> list[MixRow]:
    """The rows of a month, counted from its calls and votes as everything is counted."""
    zones = {row.id: row.timezone for row in connection.execute(select(branch.c.id, branch.c.timezone))}
    rows = _counted(_of_month(connection, month), month, zones)
    if expected(connection, EVERYTHING) < _FEW and _margin(rows) != of_days(connection, month):
        # Ids that no clock has made lie anywhere: of a few calls every one can be looked at.
        return _counted(joined(connection, EVERYTHING), month, zones)
    return rows


def by_branch(connection: Connection, month: int, rows: Iterable[MixRow]) -> dict[str, list[MixRow]]:
    """The rows of a month by branch, with nothing for a branch that is there and has none any more."""
    there = select(rollup_mix.c.branch).where(rollup_mix.c.month == month).distinct()
    found: dict[str, list[MixRow]] = {name: [] for name in connection.scalars(there)}
    for row in rows:
        found.setdefault(row.branch, []).append(row)
    return found


def write(connection: Connection, month: int, branch: str, rows: Sequence[MixRow]) -> None:
    """In place of what there was of a branch's month: as much as others can wait for."""
    its = (rollup_mix.c.month == month) & (rollup_mix.c.branch == branch)
    connection.execute(delete(rollup_mix).where(its))
    if rows:
        connection.execute(insert(rollup_mix), [row._asdict() for row in rows])


def forget(connection: Connection, before: int) -> None:
    connection.execute(delete(rollup_mix).where(rollup_mix.c.month < before))


def _of_month(connection: Connection, month: int) -> Iterator[Joined]:
    """The calls whose ids are of the month or of a day around it, for its local days begin and end elsewhere."""
    begins, ends = (unix_ms_of_id(first_id(each)) for each in (month, later(month)))
    low, high = first_id_at(max(begins - _DAY_MS, 0)), first_id_at(ends + _DAY_MS)
    return joined(connection, Scope(from_id=low), before_id=high)


def _counted(calls: Iterable[Joined], month: int, zones: dict[str, str]) -> list[MixRow]:
    sums: dict[tuple[str, str, str, int], list[int]] = {}
    first, last = month * 100, month * 100 + 99
    for each in calls:
        call = each.call
        if call is None or not first <= call.day <= last:
            continue
        its = amounts(*each)
        if not its[1]:
            continue
        hour = _hour(call.called_unix_ms // _QUARTER_MS, zones.get(call.branch, "UTC"))
        row = sums.setdefault((call.branch, call.operator or "", call.service or "", hour), [0, 0, 0, 0])
        for place, source in enumerate(_PLACES):
            row[place] += its[source]
    return [MixRow(month, *key, *row) for key, row in sorted(sums.items())]


def _margin(rows: Iterable[MixRow]) -> Margin:
    found: Margin = {}
    for row in rows:
        for cut, key in (("operator", row.operator), ("service", row.service)):
            place = (cut, row.branch, key)
            found[place] = tuple(map(sum, zip(found.get(place, (0, 0, 0, 0)), row[5:], strict=True)))
    return found


@lru_cache(maxsize=16_384)
def _hour(quarter: int, timezone: str) -> int:
    return datetime.fromtimestamp(quarter * 900, UTC).astimezone(ZoneInfo(timezone)).hour
