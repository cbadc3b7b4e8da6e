"""``Store.signals``: what integrity signals are computed from and where they are kept. It judges nothing.

Reading gives rows of a month's calls; what stands out is written beside the figures, never into them. A review says who
looked and what it was; nothing here can write to a call, a vote or a roll-up.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from collector.errors import Declined, NotThere
from collector.model import CallRow, VoteRow
from collector.rollup import amounts
from collector.store.archive import boundary
from collector.store.engine import reading, writing
from schemas.fleet_tables import console_unavailable, pad_fault
from schemas.months import first_id, later, unix_ms_of_id
from schemas.periods import day_date, day_key, day_of
from schemas.signal_tables import pad_count, signal, signal_marked, signal_month, signal_rate
from schemas.tables import call, pad, pad_health, rollup_day, vote

OUTCOMES = ("explained", "watch", "system_fault")
_NOTE_CHARACTERS, _PERSON_CHARACTERS = 500, 80
_AT_ONCE = 2_000
# Kinds of faults by which a client finds no pad to vote with, and that somebody's hand could bring about.
_TROUBLE = ("dark", "reported", "offline", "silent", "lamps", "buttons")


class Served(NamedTuple):
    """A call with what it counts for: ``rating`` is 0 without a vote that counts."""

    branch: str
    desk: str
    operator: str | None
    service: str | None
    day: int
    called_unix_ms: int
    started_unix_ms: int | None
    ended_unix_ms: int | None
    outcome: str | None
    eligible: bool
    unavailable: bool  # no pad was lit
    rating: int
    after_ms: int


class PadDay(NamedTuple):
    """A pad's counters, as they stood at a day's end or, taken from each other, of the day itself."""

    desk: str
    day: int
    journal: str
    boot: int
    votes: int
    repeats: int
    no_call: int


class MarkedVotes(NamedTuple):
    """An operator's votes of a month, and those of them that signals are about."""

    month: int
    operator: str
    bad: int
    good: int
    exemplary: int
    marked_bad: int
    marked_good: int
    marked_exemplary: int


class SignalRate(NamedTuple):
    month: int
    kind: str
    tests: int
    below_5_percent: int
    stand_out: int


@dataclass(frozen=True, slots=True)
class SignalMonth:
    """A month, ``yyyymm``, that was computed; ``log_only``: only for learning how often what occurs."""

    month: int
    computed_unix_ms: int
    digest: str
    operators: int
    calls: int
    log_only: bool


@dataclass(frozen=True, slots=True)
class NewSignal:
    """What stood out; ``desk`` is "" unless it is about pads."""

    kind: str
    operator: str
    branch: str
    desk: str
    statistic: float
    expected: float
    n: int
    p: float
    q: float
    marked_bad: int
    marked_good: int
    marked_exemplary: int
    numbers: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SignalRow(NewSignal):
    """The same as it is kept; ``stands`` is False for one that was reviewed and is no longer found."""

    id: int
    month: int
    stands: bool
    outcome: str | None
    note: str | None
    reviewed_by: str | None
    reviewed_unix_ms: int | None


class Signals:
    """Made by Store only. Every method is one transaction and raises as Store's do."""

    def __init__(self, engine: Engine):
        self._engine = engine

    # ---- what signals are computed from
    def served(self, month: int) -> list[Served]:
        """Every call of the local month ``yyyymm`` in order of time, with what it counts for."""
        with reading(self._engine) as connection:
            return list(_served(connection, month))

    def is_archived(self, month: int) -> bool:
        """Whether calls of the month are in files, so that it cannot be computed (again)."""
        with reading(self._engine) as connection:
            return boundary(connection) > first_id(month)

    def months_with_calls(self) -> list[int]:
        """Every month, ``yyyymm``, of which the roll-up has calls, oldest first."""
        month = (rollup_day.c.day // 100).label("month")
        question = select(month).where(rollup_day.c.cut == "branch").distinct().order_by(month)
        with reading(self._engine) as connection:
            return list(connection.scalars(question))

    def digest(self, month: int) -> str:
        """Another one as soon as any figure of an operator in the month is another."""
        between = rollup_day.c.day.between(month * 100, month * 100 + 99)
        question = select(rollup_day).where(rollup_day.c.cut == "operator", between)
        question = question.order_by(rollup_day.c.branch, rollup_day.c.key, rollup_day.c.day)
        made = hashlib.blake2b(digest_size=16)
        with reading(self._engine) as connection:
            for row in connection.execute(question):
                made.update(repr(tuple(row)).encode())
        return made.hexdigest()

    def troubled(self, month: int, timezone: str) -> set[tuple[str, int]]:
        """(desk, local day) on which a fault opened that keeps clients from voting, in the month."""
        first, last = unix_ms_of_id(first_id(later(month, -1))), unix_ms_of_id(first_id(later(month, 2)))
        question = select(pad_fault.c.desk, pad_fault.c.opened_unix_ms).where(
            pad_fault.c.kind.in_(_TROUBLE),
            pad_fault.c.branch.is_(None),
            pad_fault.c.opened_unix_ms.between(first, last),
        )
        with reading(self._engine) as connection:
            found = {(desk, day_of(opened, timezone)) for desk, opened in connection.execute(question)}
        return {(desk, day) for desk, day in found if day // 100 == month}

    # ---- what pads counted
    def sample_pads(self, day: int) -> int:
        """Keeps every pad's counters as they stand now as those of ``day``'s end; how many pads have any."""
        question = select(pad_health.c.desk, pad_health.c.fields, pad.c.journal, pad.c.boot)
        question = question.join_from(pad_health, pad, pad.c.desk == pad_health.c.desk)
        with writing(self._engine) as connection:
            rows = []
            for desk, fields, journal, boot in connection.execute(question):
                counted = json.loads(fields)
                amounts_of = [counted.get(name) or 0 for name in ("votes", "repeats", "no_call")]
                rows.append(PadDay(desk, day, journal, boot, *amounts_of)._asdict())
            connection.execute(delete(pad_count).where(pad_count.c.day == day))
            if rows:
                connection.execute(insert(pad_count), rows)
        return len(rows)

    def pad_counts(self, first_day: int, last_day: int) -> list[PadDay]:
        """The samples of these days and of the last one before them, by desk and day."""
        before = day_key(day_date(first_day) - timedelta(days=7))
        question = select(pad_count).where(pad_count.c.day.between(before, last_day))
        with reading(self._engine) as connection:
            return [PadDay(*row) for row in connection.execute(question.order_by(pad_count.c.desk, pad_count.c.day))]

    # ---- what was found
    def months(self) -> list[SignalMonth]:
        """The months that were computed, oldest first."""
        with reading(self._engine) as connection:
            return [
                SignalMonth(*row) for row in connection.execute(select(signal_month).order_by(signal_month.c.month))
            ]

    def keep(
        self,
        computed: SignalMonth,
        found: Sequence[NewSignal],
        *,
        rates: Sequence[SignalRate],
        marked: Sequence[MarkedVotes],
    ) -> None:
        """Replaces what is known of the month; what somebody has reviewed stays, and says whether it still stands."""
        month = computed.month
        with writing(self._engine) as connection:
            for table in (signal_month, signal_rate, signal_marked):
                connection.execute(delete(table).where(table.c.month == month))
            connection.execute(insert(signal_month), _values(computed))
            for table, rows in ((signal_rate, rates), (signal_marked, marked)):
                if rows:
                    connection.execute(insert(table), [row._asdict() for row in rows])
            its = signal.c.month == month
            connection.execute(delete(signal).where(its, signal.c.outcome.is_(None)))
            connection.execute(update(signal).where(its).values(stands=False))
            for each in found:
                _keep_one(connection, month, each)

    def found(self, *, months: Sequence[int], one: int | None = None) -> list[SignalRow]:
        """The signals of these months, the newest month first; within a month in the order of branch and operator."""
        question = select(signal).where(signal.c.month.in_(list(months)))
        if one is not None:
            question = question.where(signal.c.id == one)
        question = question.order_by(
            signal.c.month.desc(), signal.c.branch, signal.c.operator, signal.c.desk, signal.c.kind
        )
        with reading(self._engine) as connection:
            return [_row(row) for row in connection.execute(question)]

    def rates(self) -> list[SignalRate]:
        with reading(self._engine) as connection:
            question = select(signal_rate).order_by(signal_rate.c.month, signal_rate.c.kind)
            return [SignalRate(*row) for row in connection.execute(question)]

    def marked(self, months: Sequence[int]) -> list[MarkedVotes]:
        with reading(self._engine) as connection:
            question = select(signal_marked).where(signal_marked.c.month.in_(list(months)))
            return [MarkedVotes(*row) for row in connection.execute(question)]

    def review(self, one: int, outcome: str, note: str, by: str, now_unix_ms: int) -> None:
        """What a person says a signal was; may be said again. Raises NotThere, and Declined for no outcome of ours."""
        if outcome not in OUTCOMES:
            raise Declined(f"an outcome is one of {', '.join(OUTCOMES)}")
        values = {
            "outcome": outcome,
            "note": note.replace("\0", "")[:_NOTE_CHARACTERS],
            "reviewed_by": by[:_PERSON_CHARACTERS],
            "reviewed_unix_ms": now_unix_ms,
        }
        with writing(self._engine) as connection:
            if not connection.execute(update(signal).where(signal.c.id == one).values(values)).rowcount:
                raise NotThere(f"there is no signal {one}")


def _served(connection: Connection, month: int) -> Iterable[Served]:
    width, flag = len(call.c), console_unavailable
    # Ids sort by time; a local month reaches some hours into its neighbours.
    first, last = first_id(later(month, -1)), first_id(later(month, 2))
    question = (
        select(call, flag.c.call.is_not(None), vote)
        .outerjoin_from(call, vote, (vote.c.call == call.c.id) & (vote.c.desk == call.c.desk))
        .outerjoin(flag, (flag.c.call == call.c.id) & (flag.c.desk == call.c.desk))
        .where(call.c.id >= first, call.c.id < last, call.c.day.between(month * 100, month * 100 + 99))
        .order_by(call.c.called_unix_ms, call.c.id)
    )
    for row in connection.execute(question, execution_options={"yield_per": _AT_ONCE}):
        of_call, of_vote = CallRow(*row[:width]), row[width + 1 :]
        its_vote = VoteRow(*of_vote) if of_vote[0] is not None else None
        yield served(of_call, its_vote, bool(row[width]))


def served(of_call: CallRow, its_vote: VoteRow | None, unavailable: bool) -> Served:
    """The call with what it counts for by the rules of the roll-up."""
    _, eligible, bad, good, exemplary = amounts(of_call, its_vote, unavailable)[:5]
    rating = bad + 2 * good + 3 * exemplary
    return Served(
        of_call.branch, of_call.desk, of_call.operator, of_call.service, of_call.day, of_call.called_unix_ms,
        of_call.started_unix_ms, of_call.ended_unix_ms, of_call.outcome, bool(eligible), unavailable,
        rating, its_vote.after_ms if its_vote is not None and rating else 0,
    )  # fmt: skip


def _keep_one(connection: Connection, month: int, each: NewSignal) -> None:
    values = _values(each) | {"numbers": json.dumps(dict(each.numbers)), "stands": True}
    its = (signal.c.month == month) & (signal.c.kind == each.kind)
    its &= (signal.c.operator == each.operator) & (signal.c.desk == each.desk)
    if not connection.execute(update(signal).where(its).values(values)).rowcount:
        connection.execute(insert(signal), values | {"month": month})


def _values(each: Any) -> dict[str, Any]:
    return {name: getattr(each, name) for name in each.__dataclass_fields__}


def _row(row: Row[Any]) -> SignalRow:
    return SignalRow(**dict(row._mapping) | {"numbers": json.loads(row.numbers)})
