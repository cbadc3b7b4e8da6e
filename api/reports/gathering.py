"""The figures behind a report, out of the store.

Every number comes by api.aggregates, so that a report, the pages and ``/v1/aggregates`` can say nothing different.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from api.aggregates import Question, answered
from api.errors import BadQuestion
from api.few_operators import Hidden
from api.figures import FIRST_DATE, Span, Tally, spans
from api.figures_answers import tally_of
from api.reports.content import (
    FEW_VOTES,
    Availability,
    Content,
    Hour,
    Line,
    Named,
    Time,
)
from api.reports.hiding import Hider, hidden_hours, without_hidden
from api.reports.order import Order
from collector.store import Store
from schemas.periods import Period, bounds, day_date, day_of
from schemas.register_names import Employers, by_id, names_in
from schemas.resources import Aggregates, Cell, Cut

_PERIODS_SHOWN = {Period.DAY: 31, Period.WEEK: 27, Period.MONTH: 13, Period.QUARTER: 9, Period.YEAR: 5}
_DARK_FAULTS = ("dark", "reported", "offline", "silent", "lamps", "buttons", "safe_mode")


def gather(store: Store, order: Order, now_unix_ms: int) -> Content:
    """The figures of an order that is ``checked``. Raises BadQuestion for a period of which nothing is counted yet."""
    return _Gatherer(store, order, now_unix_ms).content()


class _Gatherer:
    def __init__(self, store: Store, order: Order, now_unix_ms: int):
        self._store = store
        self._order = order
        self._now = now_unix_ms
        self._revision, self._register = store.book.whole()
        first, last = bounds(order.day, order.period)
        self._span = spans(first, last, order.period)[0]
        self._before = spans(first - timedelta(days=1), first - timedelta(days=1), order.period)[0]
        hider = Hider(store, order, self._direction_of, now_unix_ms)
        asked = order.cut != "operator"
        self._hidden, self._were_hidden = (
            hider.services(span) if asked else Hidden() for span in (self._span, self._before)
        )
        self._hider = hider

    def content(self) -> Content:
        order, register = self._order, self._register
        asked = self._ask("branch" if order.branch else "centre", self._span, self._span, branch=order.branch)
        today = day_date(day_of(self._now, self._zone()))
        if min(asked.figures_end, today) < self._span.first:
            raise BadQuestion(f"Nothing of {self._span.name} is counted yet.", field="day")
        times = self._times()
        by_name = {each.span.name: each for each in times}
        services = self._services()
        return Content(
            order=order,
            organisation=Named("", register.organisation.name, register.organisation.name_en),
            place=self._place(),
            simulated=register.organisation.simulated,
            revision=self._revision,
            made_unix_ms=self._now,
            span=self._span,
            figures_end=min(asked.figures_end, self._span.last, today),
            is_over=all(each.complete for each in asked.cells) and self._span.last < today,
            timezone=asked.timezones[0] if asked.timezones else "UTC",
            now=by_name[self._span.name].tally,
            before=_with_calls(by_name.get(self._before.name)),
            year_ago=_with_calls(self._year_ago(by_name)),
            times=_since_first_call(times),
            branches=self._branches() if order.cut in ("centre", "direction") else (),
            directions=self._directions() if order.cut in ("centre", "branch") else (),
            services=services if order.cut != "operator" else (),
            operators=self._operators() if order.cut == "operator" else (),
            availability=self._availability() if order.cut in ("centre", "branch") else (),
            hours=self._hours(),
        )

    # ---- questions
    def _ask(self, by: Cut, first: Span, last: Span, *, branch: str | None = None) -> Aggregates:
        question = {
            "by": by,
            "period": self._order.period,
            "from": max(first.first, FIRST_DATE).isoformat(),
            "to": last.last.isoformat(),
        }
        asked = Question.model_validate(question | ({"branch": branch} if branch else {}))
        return answered(self._store, asked, self._now)

    def _cells(self, by: Cut, span: Span, *, branch: str | None = None) -> list[Cell]:
        return self._ask(by, span, span, branch=branch).cells if span.last >= FIRST_DATE else []

    def _of_direction(self, cells: Iterable[Cell]) -> list[Cell]:
        """Those of a service that belongs to the order's direction in the cell's own time."""
        return [each for each in cells if self._direction_of(each.key, each.last) == self._order.key]

    def _direction_of(self, service: str | None, day: date) -> str | None:
        rows = [row for row in self._register.services if row.id == service]
        valid = [row for row in rows if row.holds(day)] or rows[-1:]
        return valid[0].direction if valid else None

    # ---- the place and its times
    def _place(self) -> Named:
        rows = self._register.directions if self._order.cut == "direction" else self._register.branches
        if not self._order.key:
            return Named("", self._register.organisation.name, self._register.organisation.name_en)
        return Named(self._order.key, *names_in(by_id(rows)[self._order.key], self._span.first, self._span.last))

    def _times(self) -> list[Time]:
        order = self._order
        if order.cut == "operator":  # nobody is compared with himself, and the whole is not everybody's to see
            cells = self._cells("operator", self._span, branch=order.branch)
            return [Time(self._span, _sum(cells), all(each.complete for each in cells))]
        first = self._span.first
        for _ in range(_PERIODS_SHOWN[order.period] - 1):
            earlier = bounds(first - timedelta(days=1), order.period)[0]
            if earlier < FIRST_DATE:
                break
            first = earlier
        whole = spans(first, self._span.last, order.period)
        if order.cut == "direction":
            cells = self._of_direction(self._ask("service", whole[0], whole[-1]).cells)
        else:
            cells = self._ask("branch" if order.branch else "centre", whole[0], whole[-1], branch=order.branch).cells
        sums = _sums((each.period, each) for each in cells)
        over = {each.period: each.complete for each in cells}
        return [Time(each, sums.get(each.name, Tally()), over.get(each.name, True)) for each in whole]

    def _year_ago(self, known: Mapping[str, Time]) -> Time | None:
        """The same period of the year before; a year has none besides the one before it."""
        if self._order.period is Period.YEAR or self._order.cut == "operator":
            return None
        days = 364 if self._order.period in (Period.DAY, Period.WEEK) else 365
        day = self._span.first - timedelta(days=days)
        first, last = bounds(day, self._order.period)
        if first < FIRST_DATE:
            return None
        span = spans(first, last, self._order.period)[0]
        if span.name in known:
            return known[span.name]
        if self._order.cut == "direction":
            cells = self._of_direction(self._cells("service", span))
        else:
            cells = self._cells("branch" if self._order.branch else "centre", span, branch=self._order.branch)
        return Time(span, sum((tally_of(each) for each in cells), Tally()), True)

    # ---- places
    def _branches(self) -> tuple[Line, ...]:
        """Every branch there was in the period. A branch is shown however small it is: order P4.1 asks for it."""
        if self._order.cut == "direction":
            return self._branches_of_direction()
        before = {each.branch: tally_of(each) for each in self._cells("branch", self._before)}
        return tuple(
            Line(
                _named(each, each.branch),
                tally_of(each),
                before.get(each.branch, Tally()),
            )
            for each in self._cells("branch", self._span)
        )

    def _branches_of_direction(self) -> tuple[Line, ...]:
        lines = []
        for branch in self._cells("branch", self._span):
            now = self._of_direction(self._cells("service", self._span, branch=branch.branch))
            if not now:
                continue
            before = self._of_direction(self._cells("service", self._before, branch=branch.branch))
            lines.append(Line(_named(branch, branch.branch), _sum(now), _sum(before)))
        hidden, were_hidden = (self._hider.branches(each).keys for each in (self._span, self._before))
        return without_hidden(lines, hidden, were_hidden)

    def _services(self) -> tuple[Line, ...]:
        cells = self._cells("service", self._span, branch=self._order.branch)
        before = self._cells("service", self._before, branch=self._order.branch)
        if self._order.cut == "direction":
            cells, before = self._of_direction(cells), self._of_direction(before)
        tallies = {each.key: tally_of(each) for each in before}
        lines = [Line(_named(each, each.key), tally_of(each), tallies.get(each.key, Tally())) for each in cells]
        return without_hidden(lines, self._hidden.keys, self._were_hidden.keys)

    def _directions(self) -> tuple[Line, ...]:
        cells = self._cells("service", self._span, branch=self._order.branch)
        earlier = self._cells("service", self._before, branch=self._order.branch)
        lines = []
        for direction, rows in by_id(self._register.directions).items():
            now = [each for each in cells if self._direction_of(each.key, each.last) == direction]
            if not now:
                continue
            before = [each for each in earlier if self._direction_of(each.key, each.last) == direction]
            named = Named(direction, *names_in(rows, self._span.first, self._span.last))
            lines.append(Line(named, _sum(now), _sum(before)))
        return without_hidden(lines, self._hidden.groups, self._were_hidden.groups)

    def _operators(self) -> tuple[Line, ...]:
        """In the register's order, never by a figure (order P4.8)."""
        employers = Employers(self._register)
        parties = by_id(self._register.participants)
        before = {each.key: tally_of(each) for each in self._cells("operator", self._before, branch=self._order.branch)}
        lines = []
        for each in self._cells("operator", self._span, branch=self._order.branch):
            party = employers.of(each.key, self._span.last) if each.key else None
            employer = Named(party, *names_in(parties[party], self._span.first, self._span.last)) if party else None
            lines.append(Line(_named(each, each.key), tally_of(each), before.get(each.key, Tally()), employer=employer))
        return tuple(lines)

    # ---- hours
    def _hours(self) -> tuple[Hour, ...]:
        """Of whole months only, and only if the night has made the mix of all of them (collector/store/mix.py); without
        the hours in which fewer than ten votes were given, or fewer than three operators rated, nor what gives such
        an hour away, of the period or of a month in it.
        """
        order = self._order
        if order.cut == "operator" or order.period not in (Period.MONTH, Period.QUARTER, Period.YEAR):
            return ()
        first, last = (day.year * 100 + day.month for day in (self._span.first, self._span.last))
        rows = self._store.mix(first, last, branch=order.branch)
        if order.cut == "direction":
            rows = [row for row in rows if self._direction_of(row.service, self._span.last) == order.key]
        sums: dict[int, Tally] = {}
        votes: dict[int, dict[int, Counter[str]]] = {}
        for row in rows:
            votes.setdefault(row.month, {}).setdefault(row.hour, Counter())[row.operator] += (
                row.bad + row.good + row.exemplary
            )
            more = Tally(row.eligible, row.eligible, row.bad, row.good, row.exemplary)
            sums[row.hour] = sums.get(row.hour, Tally()) + more
        asked = sum(each.tally.votes for each in self._times() if each.span == self._span)
        if sum(each.votes for each in sums.values()) != asked:
            return ()
        hidden = frozenset[int]() if order.shows_small else hidden_hours(votes, self._span, order.period)
        shown = [hour for hour in sorted(sums) if sums[hour].votes >= FEW_VOTES and hour not in hidden]
        return tuple(Hour(hour, sums[hour]) for hour in shown)

    # ---- pads
    def _availability(self) -> tuple[Availability, ...]:
        zone = ZoneInfo(self._zone())
        begins = _unix_ms(self._span.first, zone)
        ends = _unix_ms(self._span.last + timedelta(days=1), zone) - 1
        faults = [
            each
            for each in self._store.fleet.faults(since_unix_ms=begins, limit=100_000)
            if each.opened_unix_ms <= ends and each.kind in _DARK_FAULTS
        ]
        dark = self._store.reports.dark_calls(begins, ends)
        found = []
        for cell in self._cells("branch", self._span):
            if self._order.branch not in (None, cell.branch):
                continue
            desks = {row.id for row in self._register.desks if row.branch == cell.branch and row.holds(self._span.last)}
            found.append(
                Availability(
                    _named(cell, cell.branch),
                    len(desks),
                    sum(1 for each in faults if each.branch == cell.branch),
                    dark.get((cell.branch or "", "dark"), 0),
                    dark.get((cell.branch or "", "reported"), 0),
                    cell.calls,
                )
            )
        return tuple(found)

    def _zone(self) -> str:
        rows: list[str] = [row.timezone for row in self._register.branches if self._order.branch in (None, row.id)]
        return rows[0] if rows else "UTC"


def _sum(cells: Iterable[Cell]) -> Tally:
    return sum((tally_of(each) for each in cells), Tally())


def _sums(cells: Iterable[tuple[str, Cell]]) -> dict[str, Tally]:
    sums: dict[str, Tally] = {}
    for name, cell in cells:
        sums[name] = sums.get(name, Tally()) + tally_of(cell)
    return sums


def _named(cell: Cell, name: str | None) -> Named:
    return Named(name or "", cell.name, cell.name_en)


def _with_calls(time: Time | None) -> Time | None:
    return time if time is not None and time.tally.calls else None


def _since_first_call(times: list[Time]) -> tuple[Time, ...]:
    """Without the empty periods of before the office began; the one asked for stays."""
    begun = next((n for n, each in enumerate(times) if each.tally.calls), len(times) - 1)
    return tuple(times[begun:])


def _unix_ms(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).timestamp() * 1000)
