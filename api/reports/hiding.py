"""Which lines of a report are hidden, in the period and held against the reports of the months in it.

The rules are api/few_operators.py's; here is what they are asked about. A report of a day or a week is looked at by
itself: it is made before the month is over, and nothing that is shown then can be taken back.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from api.aggregates import Question, answered
from api.few_operators import Hidden, Part, hidden_in, hidden_over
from api.figures import FIRST_DATE, Span, Tally
from api.figures_answers import tally_of
from api.publication.rules import hidden_parts, tells
from api.reports.content import Line
from api.reports.order import Order
from collector.store import Store
from schemas.periods import Period, day_key
from schemas.resources import Cell, Cut

People = Mapping[int, Mapping[tuple[str, str], set[str]]]  # by month, then branch and service
DirectionOf = Callable[[str | None, date], str | None]


class Hider:
    """For one order; each question is answered out of the store anew.

    ``weigh``: of how much a figure tells: of votes, or of calls where times of calls are told.
    """

    def __init__(
        self,
        store: Store,
        order: Order,
        direction_of: DirectionOf,
        now_unix_ms: int,
        weigh: Callable[[Tally], int] = lambda tally: tally.votes,
    ):
        self._store = store
        self._weigh = weigh
        self._order = order
        self._direction_of = direction_of
        self._now = now_unix_ms

    def services(self, span: Span) -> Hidden:
        """Services by key, and directions as their groups; of a report about one direction its services only."""
        people = self._people(span)
        parts: dict[int, list[Part]] = {}
        for cell in self._cells("service", span, self._order.branch):
            direction = self._direction_of(cell.key, cell.last)
            if self._order.cut == "direction" and direction != self._order.key:
                continue
            behind = _behind(people, self._month(cell), self._order.branch, {cell.key or ""})
            of_month = parts.setdefault(self._month(cell), [])
            of_month.append(Part(cell.key or "", self._weigh(tally_of(cell)), behind, direction))
        return self._hidden(span, parts)

    def branches(self, span: Span) -> Hidden:
        """Branches by key, of a report about one direction of services."""
        people = self._people(span)
        parts: dict[int, list[Part]] = {}
        for branch in dict.fromkeys(each.branch for each in self._cells("branch", span, None)):
            of_branch: dict[int, list[Cell]] = {}
            for cell in self._cells("service", span, branch):
                if self._direction_of(cell.key, cell.last) == self._order.key:
                    of_branch.setdefault(self._month(cell), []).append(cell)
            for month, cells in of_branch.items():
                weight = self._weigh(sum((tally_of(each) for each in cells), Tally()))
                behind = _behind(people, month, branch, {each.key or "" for each in cells})
                parts.setdefault(month, []).append(Part(branch or "", weight, behind))
        return self._hidden(span, parts)

    def _hidden(self, span: Span, parts: Mapping[int, list[Part]]) -> Hidden:
        if self._order.shows_small:
            return Hidden()
        if self._order.period in (Period.QUARTER, Period.YEAR):
            return hidden_over(parts, longer(span, self._order.period))
        return hidden_in(each for of_month in parts.values() for each in of_month)

    @property
    def _by_months(self) -> bool:
        return self._order.period in (Period.MONTH, Period.QUARTER, Period.YEAR)

    def _month(self, cell: Cell) -> int:
        return day_key(cell.first) // 100 if self._by_months else 0

    def _people(self, span: Span) -> People:
        days = day_key(span.first), day_key(span.last)
        found = self._store.reports.operators_behind(*days, self._order.branch)
        if self._by_months:
            return found
        together: dict[tuple[str, str], set[str]] = {}
        for of_month in found.values():
            for place, who in of_month.items():
                together.setdefault(place, set()).update(who)
        return {0: together}

    def _cells(self, by: Cut, span: Span, branch: str | None) -> list[Cell]:
        if span.last < FIRST_DATE:
            return []
        question = {
            "by": by,
            "period": Period.MONTH if self._by_months else self._order.period,
            "from": max(span.first, FIRST_DATE).isoformat(),
            "to": span.last.isoformat(),
        }
        asked = Question.model_validate(question | ({"branch": branch} if branch else {}))
        return answered(self._store, asked, self._now).cells


def hidden_hours(votes: Mapping[int, Mapping[int, Counter[str]]], span: Span, period: Period) -> frozenset[int]:
    """Hours that are not shown; ``votes``: how many each operator received, by month and hour."""

    def enough(hour: str, months: Sequence[int]) -> bool:
        return not tells(sum((votes[month][int(hour)] for month in months), Counter[str]()))

    hidden = {month: Hidden(frozenset(map(str, hidden_parts(by_hour)))) for month, by_hour in votes.items()}
    if period is Period.MONTH:
        return frozenset(int(hour) for each in hidden.values() for hour in each.keys)
    parts = {
        month: [Part(str(hour), who.total(), frozenset(+who) - {""}) for hour, who in by_hour.items()]
        for month, by_hour in votes.items()
    }
    return frozenset(map(int, hidden_over(parts, longer(span, period), hidden, enough).keys))


def longer(span: Span, period: Period) -> list[list[int]]:
    """The periods of which there are reports in a quarter or a year, itself the last of them, as months."""
    first, last = day_key(span.first) // 100, day_key(span.last) // 100
    whole = list(range(first, last + 1))
    if period is not Period.YEAR:
        return [whole]
    return [*(whole[begin : begin + 3] for begin in range(0, len(whole), 3)), whole]


def without_hidden(lines: Iterable[Line], now: Iterable[str | None], before: Iterable[str | None]) -> tuple[Line, ...]:
    """The lines without the figures of those hidden ``now``, and without what those hidden ``before`` had then."""
    gone, unknown = frozenset(now), frozenset(before)
    return tuple(
        replace(each, now=Tally(), before=Tally(), hidden=True)
        if each.what.id in gone
        else replace(each, before=Tally())
        if each.what.id in unknown
        else each
        for each in lines
    )


def _behind(people: People, month: int, branch: str | None, services: set[str]) -> frozenset[str]:
    """Who served these services; nobody where that is not known."""
    of_month = people.get(month, {})
    found = [who for (where, what), who in of_month.items() if branch in (None, where) and what in services]
    return frozenset[str]().union(*found)
