"""Questions about totals: the roll-ups, what is open now, how the pads are, how much of everything there is."""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict

from sqlalchemy import Connection, RowMapping, func, select

from collector.rollup import AMOUNTS
from collector.store import coarse
from collector.store.coarse import Wanted
from collector.store.registry import holds_today
from schemas.periods import Period
from schemas.register_tables import desk
from schemas.tables import call, call_service, kept, pad, pad_health, rollup_day, waiting


class Rollup(NamedTuple):
    """The figures of one branch, service, operator or desk on one day (``yyyymmdd``), in one ISO week (``yyyymmdd`` of
    its Monday), or in one month, quarter or year (``yyyymm`` of its first month).

    ``key`` is "" in the cut "branch", and in the others for calls of which the queue did not say it.
    """

    branch: str
    key: str
    day: int
    calls: int
    eligible: int
    bad: int
    good: int
    exemplary: int
    unrated: int = 0  # this and what follows: calls that are not eligible, by reason (collector/rollup.py)
    absent: int = 0
    passed_on: int = 0
    withdrawn: int = 0
    unlit: int = 0


@dataclass(frozen=True, slots=True)
class PadRow:
    """A desk of the register with the last word of its pad; all of that is None if there was none."""

    desk: str
    branch: str
    label: str
    state: str | None
    phase: str | None
    call: str | None
    journal: str | None
    boot: int | None
    firmware: str | None
    reset: str | None
    lamps: str | None
    buttons: str | None
    storage: str | None
    memory: str | None
    clock: str | None
    during: str | None
    update: str | None
    mode: str | None
    board: str | None
    changed_unix_ms: int | None
    health: dict[str, int | None] | None
    health_unix_ms: int | None


class Counts(TypedDict):
    """Totals for metrics.

    ``votes`` are joined with their calls, ``waiting`` ones not yet. ``kept`` counts things by reason, ``kept_times`` as
    often as they came. ``pads`` counts registered desks by state: online, offline, never.
    """

    calls: int
    votes: int
    waiting: int
    kept: dict[str, int]
    kept_times: dict[str, int]
    pads: dict[str, int]


_AMOUNTS = tuple(rollup_day.c[name] for name in AMOUNTS)
_SUMS = tuple(func.sum(each) for each in _AMOUNTS)


def by_day(connection: Connection, wanted: Wanted) -> list[Rollup]:
    """The rows of a cut from the first to the last of the days, both included, sorted by day, branch and key."""
    place, amounts = wanted.place(rollup_day), _AMOUNTS
    question = select(*place, rollup_day.c.day, *(_SUMS if wanted.everywhere else amounts))
    if wanted.everywhere:
        question = question.group_by(rollup_day.c.day, rollup_day.c.key)
    question = question.where(*wanted.conditions(rollup_day), rollup_day.c.day.between(*wanted.days))
    rows = connection.execute(question.order_by(rollup_day.c.day, *place)).all()
    return list(map(Rollup._make, rows))


def by_longer(connection: Connection, wanted: Wanted, period: Period) -> list[Rollup]:
    """Of weeks, months, quarters or years, sorted by span, branch and key; of one moment if the connection is."""
    return list(map(Rollup._make, coarse.rows(connection, wanted, period)))


def pads(connection: Connection) -> list[PadRow]:
    """Every desk of the register, in its order."""
    said = [column for column in pad.c if column.name != "desk"]
    question = (
        select(
            desk.c.id.label("desk"),
            desk.c.branch,
            desk.c.label,
            *said,
            pad_health.c.fields,
            pad_health.c.received_unix_ms.label("health_unix_ms"),
        )
        .outerjoin_from(desk, pad, pad.c.desk == desk.c.id)
        .outerjoin(pad_health, pad_health.c.desk == desk.c.id)
        .where(holds_today(desk))
        .order_by(desk.c.position)
    )
    return [_pad_row(row) for row in connection.execute(question).mappings()]


def services_of(connection: Connection, call_id: str) -> set[str]:
    return set(connection.scalars(select(call_service.c.service).where(call_service.c.call == call_id)))


def open_calls(connection: Connection) -> dict[str, str]:
    """The call open at each desk, by desk; of several the one called last."""
    question = select(call.c.desk, call.c.id).where(call.c.outcome.is_(None))
    return {row.desk: row.id for row in connection.execute(question.order_by(call.c.called_unix_ms))}


def counts(connection: Connection) -> Counts:
    """Totals, out of the roll-up rather than by counting rows: a scrape must stay cheap with ten million votes."""
    sums = select(func.sum(rollup_day.c.calls), func.sum(rollup_day.c.bad + rollup_day.c.good + rollup_day.c.exemplary))
    calls, votes = connection.execute(sums.where(rollup_day.c.cut == "branch")).one()
    by_reason = connection.execute(
        select(kept.c.reason, func.count(), func.sum(kept.c.times)).group_by(kept.c.reason).order_by(kept.c.reason)
    ).all()
    state = func.coalesce(pad.c.state, "never")
    of_pads = select(state, func.count()).outerjoin_from(desk, pad, pad.c.desk == desk.c.id).where(holds_today(desk))
    by_state = connection.execute(of_pads.group_by(state)).all()
    return Counts(
        calls=int(calls or 0),
        votes=int(votes or 0),
        waiting=waiting_votes(connection),
        kept={reason: rows for reason, rows, _ in by_reason},
        kept_times={reason: int(times) for reason, _, times in by_reason},
        pads={"online": 0, "offline": 0, "never": 0} | dict(by_state),
    )


def waiting_votes(connection: Connection) -> int:
    """Votes whose call is not known yet."""
    number: int = connection.execute(select(func.count()).select_from(waiting)).scalar_one()
    return number


def _pad_row(row: RowMapping) -> PadRow:
    fields: dict[str, Any] = {str(name): value for name, value in row.items()}
    health = fields.pop("fields")
    return PadRow(**fields, health=json.loads(health) if health else None)
