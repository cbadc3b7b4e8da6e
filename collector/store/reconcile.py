"""Compares the roll-ups with each other: what is told twice must be told alike. It repairs nothing; people look first.

    cuts     the sums of a branch's services, of its operators and of its desks, each against the branch, day by day
    reasons  calls against those eligible and those left out; ratings against those eligible
    months   every month against its days, with its weeks, quarter and year
    mix      what the mix has of each operator and service of a branch, against the days of its month
    behind   for whom each service's calls were, as kept by month, against the month by service and by operator

That the days say what the rows do is ``recount``'s to prove (collector/store/recount.py): it reads every row.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, insert, select

from collector.rollup import AMOUNTS, CUTS
from collector.store import mix, months, served
from collector.store.archive import boundary
from schemas.figure_tables import reconciliation, rollup_mix
from schemas.months import first_id, month_name
from schemas.periods import day_date
from schemas.tables import LEFT_OUT, rollup_day

MOST_KEPT = 200
_KEPT_RUNS = 400


@dataclass(frozen=True, slots=True)
class Check:
    """How many sums of a kind were compared, and how many of them differ."""

    name: str
    compared: int
    differ: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One comparison; ``differences`` are sentences, at most MOST_KEPT of them."""

    at_unix_ms: int
    took_ms: int
    ok: bool
    checks: tuple[Check, ...]
    differences: tuple[str, ...]


Found = list[tuple[Check, list[str]]]


def compared(connection: Connection) -> Found:
    """Every check with what it found. One snapshot must span the transaction of ``connection``."""
    return [_cuts(connection), _reasons(connection), _months(connection), _mix(connection), _behind(connection)]


def keep(connection: Connection, found: Found, now_unix_ms: int, took_ms: int) -> Reconciliation:
    checks = tuple(check for check, _ in found)
    sentences = [sentence for _, some in found for sentence in some]
    done = Reconciliation(now_unix_ms, took_ms, not sentences, checks, tuple(sentences[:MOST_KEPT]))
    counts = {check.name: [check.compared, check.differ] for check in checks}
    connection.execute(
        insert(reconciliation).values(
            at_unix_ms=done.at_unix_ms,
            took_ms=took_ms,
            ok=done.ok,
            checks=json.dumps(counts),
            differences=json.dumps(done.differences, ensure_ascii=False),
        )
    )
    newest = connection.execute(select(func.max(reconciliation.c.id))).scalar_one()
    connection.execute(reconciliation.delete().where(reconciliation.c.id <= newest - _KEPT_RUNS))
    return done


def kept(connection: Connection, limit: int) -> list[Reconciliation]:
    rows = connection.execute(select(reconciliation).order_by(reconciliation.c.id.desc()).limit(limit))
    return [_read(row) for row in rows]


def _read(row: Row[tuple[object, ...]]) -> Reconciliation:
    fields = row._mapping
    checks = tuple(Check(name, *numbers) for name, numbers in json.loads(str(fields["checks"])).items())
    said = tuple(json.loads(str(fields["differences"])))
    return Reconciliation(int(str(fields["at_unix_ms"])), int(str(fields["took_ms"])), bool(fields["ok"]), checks, said)


def _cuts(connection: Connection) -> tuple[Check, list[str]]:
    """A cut at once, in the order of days: the branch's own row against the sums of its parts."""
    sums = [func.sum(rollup_day.c[name]) for name in AMOUNTS]
    place = (rollup_day.c.branch, rollup_day.c.day)
    whole: dict[tuple[str, int], tuple[int, ...]] = {}
    compared, said = 0, []
    for cut in CUTS:
        question = select(*place, *sums).where(rollup_day.c.cut == cut).group_by(*place)
        found = {(row[0], row[1]): tuple(map(int, row[2:])) for row in connection.execute(question)}
        if cut == "branch":
            whole = found
            continue
        compared += len(whole)
        for name, day in sorted(whole.keys() | found.keys()):
            branch, parts = whole.get((name, day), ()), found.get((name, day), ())
            if branch != parts and (any(branch) or any(parts)):
                said.append(f"branch {name} on {day_date(day)}: the {_PLURAL[cut]} do not add up to the branch")
    return Check("cuts", compared, len(said)), said


_PLURAL = {"service": "services", "operator": "operators", "desk": "desks"}


def _reasons(connection: Connection) -> tuple[Check, list[str]]:
    """Of days with reasons at all: those archived before there were any have none (migration 0010)."""
    column = rollup_day.c
    left_out = sum((column[name] for name in LEFT_OUT[1:]), column[LEFT_OUT[0]])
    votes = column.bad + column.good + column.exemplary
    named = (left_out != 0) & (column.calls != column.eligible + left_out)
    wrong = named | (votes > column.eligible) | (column.eligible > column.calls)
    for name in AMOUNTS:
        wrong |= column[name] < 0
    question = select(column.cut, column.branch, column.key, column.day).where(wrong)
    said = [
        f"{row.cut} {row.key or row.branch} of branch {row.branch} on {day_date(row.day)}:"
        " its calls, those eligible, left out and rated do not fit together"
        for row in connection.execute(question.order_by(column.day, column.branch))
    ]
    rows = connection.execute(select(func.count()).select_from(rollup_day)).scalar_one()
    return Check("reasons", rows, len(said)), said


def _months(connection: Connection) -> tuple[Check, list[str]]:
    said = [sentence for some in months.wrong(connection).values() for sentence in some]
    return Check("months", len(months.covered(connection)), len(said)), said


def _mix(connection: Connection) -> tuple[Check, list[str]]:
    """Of months that are made and not archived. The mix is as of the last night: the newest two months, in which votes
    still come in by day, are left out.
    """
    compared, said = 0, []
    for month in _made(connection):
        days, parts = mix.of_days(connection, month), mix.of_mix(connection, month)
        compared += len(days)
        for cut, branch, key in sorted(days.keys() | parts.keys()):
            if days.get((cut, branch, key)) != parts.get((cut, branch, key)):
                whose = f"{cut} {key or '(not told)'} of branch {branch}"
                said.append(f"{whose} in {month_name(month)}: the mix does not add up to the days")
    return Check("mix", compared, len(said)), said


def _behind(connection: Connection) -> tuple[Check, list[str]]:
    compared, said = served.unbalanced(connection, boundary(connection))
    return Check("behind", compared, len(said)), said


def _made(connection: Connection) -> Iterator[int]:
    made = connection.scalars(select(rollup_mix.c.month).distinct().order_by(rollup_mix.c.month)).all()
    archived = boundary(connection)
    for month in made[:-2]:
        if first_id(month) >= archived:
            yield month
