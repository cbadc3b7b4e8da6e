"""The values of every measure, period by period, out of the store. It judges nothing and writes no words."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from math import sqrt
from zoneinfo import ZoneInfo

from api.aggregates import Question, answered
from api.disclosure.desk import case_of
from api.figures import Span, Tally, spans, wilson
from api.figures_answers import tally_of
from api.reports.hiding import Hider
from api.reports.order import Order
from collector.store import Register, Store
from schemas.months import later
from schemas.periods import Period, bounds, day_key
from schemas.register_names import by_id, names_in
from schemas.register_rules import begins, ends
from schemas.resources import Cell

PERIODS = {Period.MONTH: 13, Period.QUARTER: 8, Period.YEAR: 5}
_Z = 1.959964


@dataclass(frozen=True)
class Value:
    """``tally`` is what a trend can be tested on: the three ratings, or yes and no as exemplary and bad."""

    span: Span
    complete: bool
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    response_rate: float | None = None
    tally: Tally | None = None


@dataclass(frozen=True)
class Part:
    """``value`` and ``n``: None where fewer than three operators stand behind it, or it would give away such a one."""

    key: str
    name: str
    name_en: str
    value: float | None
    n: int | None


@dataclass(frozen=True)
class Series:
    values: tuple[Value, ...]
    parts: tuple[Part, ...] = field(default=())


class Reader:
    """Reads every series for one kind of period; each question to the store once."""

    def __init__(self, store: Store, period: Period, now_unix_ms: int):
        self._store = store
        self._period = period
        self._now = now_unix_ms
        self._register: Register = store.book.whole()[1]
        self._zone = ZoneInfo(self._register.timezone)
        self.today = datetime.fromtimestamp(now_unix_ms / 1000, UTC).astimezone(self._zone).date()
        self._cells = _begun(self._ask("centre"))
        self._last = next((each for each in reversed(self._cells) if each.complete and each.calls), None)
        self.spans = [Span(each.period, each.first, each.last) for each in self._cells]

    def series(self) -> dict[str, Series]:
        """Every measure by its id."""
        return {
            "bad": self._ratings("bad"),
            "exemplary": self._ratings("exemplary"),
            "good": self._ratings("good"),
            "response": self._shares(lambda tally: (tally.votes, tally.eligible)),
            "served": self._served(),
            "handling": self._handling(),
            "lit": self._shares(lambda tally: (tally.calls - tally.unlit, tally.calls)),
            "requests": self._requests(),
            "reports": self._reports(),
            "targets": self._counted([each.about.set_on for each in self._store.reports.targets()]),
            "editions": self._editions(),
        }

    # ---- out of the roll-ups
    def _ask(self, by: str, only: Cell | None = None) -> list[Cell]:
        """Of all periods, or ``only`` that of a cell."""
        first, last = (only.first, only.last) if only else (self._first(), self.today)
        asked = {"by": by, "period": self._period, "from": first.isoformat(), "to": last.isoformat()}
        return answered(self._store, Question.model_validate(asked), self._now).cells

    def _first(self) -> date:
        first = bounds(self.today, self._period)[0]
        for _ in range(PERIODS[self._period] - 1):
            first = bounds(first - timedelta(days=1), self._period)[0]
        return first

    def _ratings(self, rating: str) -> Series:
        return Series(tuple(self._rated(each, rating) for each in self._cells))

    def _rated(self, cell: Cell, rating: str) -> Value:
        figure = getattr(cell, rating)
        span = Span(cell.period, cell.first, cell.last)
        return Value(
            span,
            cell.complete,
            figure.share,
            figure.low,
            figure.high,
            cell.votes,
            cell.response_rate.share,
            tally_of(cell),
        )

    def _shares(self, of: Callable[[Tally], tuple[int, int]]) -> Series:
        found = []
        for cell in self._cells:
            count, whole = of(tally_of(cell))
            count = min(count, whole)
            found.append(self._share(Span(cell.period, cell.first, cell.last), cell.complete, count, whole))
        return Series(tuple(found))

    def _share(self, span: Span, complete: bool, count: int, whole: int) -> Value:
        if not whole:
            return Value(span, complete, None, n=0)
        low, high = wilson(count, whole)
        yes_no = Tally(whole, whole, whole - count, 0, count)
        return Value(span, complete, round(count / whole, 6), round(low, 6), round(high, 6), whole, tally=yes_no)

    def _served(self) -> Series:
        """Clients who were called and served at a desk; by service in the last period that is over."""
        values = [
            Value(Span(each.period, each.first, each.last), each.complete, float(each.eligible_calls), n=each.calls)
            for each in self._cells
        ]
        if self._last is None:
            return Series(tuple(values))
        cells = self._ask("service", self._last)
        parts = [
            Part(each.key or "", each.name, each.name_en, float(each.eligible_calls), each.calls) for each in cells
        ]
        return Series(tuple(values), self._without_few(parts))

    # ---- out of what is kept by month, and out of registers
    def _handling(self) -> Series:
        """Seconds from the call to its end, of calls that ended by being finished."""
        values = []
        services: dict[str, tuple[int, float]] = {}
        for cell in self._cells:
            rows = self._store.reports.times(day_key(cell.first), day_key(cell.last))
            n = sum(each.served for each in rows)
            seconds, squares = sum(each.served_s for each in rows), sum(each.served_s2 for each in rows)
            mean = seconds / n if n else None
            spread = sqrt(max(0.0, squares / n - (mean or 0) ** 2) / n) * _Z if n > 1 else None
            low, high = (
                (None, None) if mean is None or spread is None else (round(mean - spread, 1), round(mean + spread, 1))
            )
            span = Span(cell.period, cell.first, cell.last)
            values.append(Value(span, cell.complete, None if mean is None else round(mean, 1), low, high, n))
            if cell is self._last:
                services = {each.service: (each.served, each.served_s) for each in rows}
        names = by_id(self._register.services)
        parts = [
            Part(
                key,
                *(names_in(names[key], self.today, self.today)),
                round(services[key][1] / services[key][0], 1),
                services[key][0],
            )
            for key in names
            if services.get(key, (0, 0.0))[0]
        ]
        return Series(tuple(values), self._without_few(parts))

    def _without_few(self, parts: Iterable[Part]) -> tuple[Part, ...]:
        """By service of the last period that is over: without the figures of what a report would not show either."""
        hidden = self._hidden
        return tuple(replace(each, value=None, n=None) if each.key in hidden else each for each in parts)

    @cached_property
    def _hidden(self) -> frozenset[str]:
        if self._last is None:
            return frozenset()
        order = Order(cut="centre", period=self._period, day=self._last.first, language="")
        hider = Hider(self._store, order, lambda service, day: None, self._now, lambda tally: tally.calls)
        return hider.services(Span(self._last.period, self._last.first, self._last.last)).keys

    def _requests(self) -> Series:
        """Requests for information that were closed in the period: how many of them in time."""
        cases = [case_of(each, self._register) for each in self._store.disclosures.all()]
        closed = [
            (self._day(each.closed_unix_ms), not each.was_late) for each in cases if each.closed_unix_ms is not None
        ]
        found = []
        for cell in self._cells:
            mine = [in_time for day, in_time in closed if cell.first <= day <= cell.last]
            found.append(self._share(Span(cell.period, cell.first, cell.last), cell.complete, sum(mine), len(mine)))
        return Series(tuple(found))

    def _reports(self) -> Series:
        """Months whose reports of the centre and of every branch there was were made within the month after."""
        made: dict[tuple[int, str], int] = {}
        for each in self._store.reports.reports(period="month", limit=100_000):
            if each.about.cut in ("centre", "branch") and each.about.figures_end >= each.about.last_day:
                slot = each.about.first_day // 100, each.about.key
                made[slot] = min(made.get(slot, 99991231), day_key(self._day(each.made_unix_ms)))
        branches = self._branches_by_month()
        found = []
        for cell in self._cells:
            months = [month for month in _months(cell.first, cell.last) if later(month) * 100 <= day_key(self.today)]
            due = [(month, place) for month in months for place in ("", *branches.get(month, ()))]
            done = sum(1 for slot in due if made.get(slot, 99991231) < later(slot[0], 2) * 100)
            span = Span(cell.period, cell.first, cell.last)
            value = round(done / len(due), 6) if due else None
            found.append(Value(span, cell.complete, value, n=len(due)))
        return Series(tuple(found))

    def _editions(self) -> Series:
        return self._counted([day_key(self._day(each.made_unix_ms)) for each in self._store.editions.all()])

    # ---- helping
    def _counted(self, days: Iterable[int]) -> Series:
        known = list(days)
        return Series(
            tuple(
                Value(
                    Span(each.period, each.first, each.last),
                    each.complete,
                    float(sum(1 for day in known if day_key(each.first) <= day <= day_key(each.last))),
                )
                for each in self._cells
            )
        )

    def _branches_by_month(self) -> dict[int, list[str]]:
        """The branches that were there and had calls, in the register's order."""
        first, last = day_key(self.spans[0].first), day_key(self.spans[-1].last)
        called: dict[int, set[str]] = {}
        for row in self._store.rollups("branch", first, last, period=Period.MONTH):
            if row.calls:
                called.setdefault(row.day, set()).add(row.branch)
        return {month: self._there_in(month, names) for month, names in called.items()}

    def _there_in(self, month: int, called: set[str]) -> list[str]:
        first, last = bounds(date(month // 100, month % 100, 1), Period.MONTH)
        there = (each.id for each in self._register.branches if begins(each) <= last and first <= ends(each))
        return [name for name in dict.fromkeys(there) if name in called]

    def _day(self, unix_ms: int) -> date:
        return datetime.fromtimestamp(unix_ms / 1000, UTC).astimezone(self._zone).date()


def period_of(period: Period, day: date) -> Span:
    first, last = bounds(day, period)
    return spans(first, last, period)[0]


def _begun(cells: Sequence[Cell]) -> list[Cell]:
    """Without the empty periods of before the office began."""
    first = next((n for n, each in enumerate(cells) if each.calls), max(0, len(cells) - 1))
    return list(cells[first:])


def _months(first: date, last: date) -> list[int]:
    month, found = first.year * 100 + first.month, []
    while month <= last.year * 100 + last.month:
        found.append(month)
        month = later(month)
    return found
