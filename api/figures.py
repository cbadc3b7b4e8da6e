"""Arithmetic of the figures: intervals, whole periods, adding up. Pure: no store, no clock, no words.

The Wilson interval is the closed form of domain study 6.1 and not scipy's ``binomtest``: the same to the last digits
(a test compares them) at 1 us instead of 150-370 us a share, measured, and an answer may hold 7,500 shares.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from math import sqrt
from operator import add, attrgetter
from statistics import NormalDist
from typing import NamedTuple, Protocol

from schemas.periods import Period, bounds, day_date, period_name
from schemas.resources import Cut, LeftOut, RatingFigure, ResponseRate

DIGITS = 6
_Z = NormalDist().inv_cdf(0.975)
# Below this response rate a figure carries a warning: with 3 of 10 voting, 90 % "exemplary" among the voters is
# anything from 27 % to 97 % of the clients (domain study 6.2).
LOW_RESPONSE = 0.3
FIRST_DATE, LAST_DATE = date(2000, 1, 1), date(2100, 12, 31)


class Counts(Protocol):
    """What a row of any roll-up has."""

    @property
    def calls(self) -> int: ...
    @property
    def eligible(self) -> int: ...
    @property
    def bad(self) -> int: ...
    @property
    def good(self) -> int: ...
    @property
    def exemplary(self) -> int: ...
    @property
    def unrated(self) -> int: ...
    @property
    def absent(self) -> int: ...
    @property
    def passed_on(self) -> int: ...
    @property
    def withdrawn(self) -> int: ...
    @property
    def unlit(self) -> int: ...


class Row(Counts, Protocol):
    """A row of a roll-up; ``day`` is ``yyyymmdd``, or ``yyyymm`` of one that was summed by months."""

    @property
    def branch(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def day(self) -> int: ...


class Tally(NamedTuple):
    """Counts that can be added. A tuple, for an answer holds thousands: a frozen dataclass takes five times as long."""

    calls: int = 0
    eligible: int = 0
    bad: int = 0
    good: int = 0
    exemplary: int = 0
    unrated: int = 0
    absent: int = 0
    passed_on: int = 0
    withdrawn: int = 0
    unlit: int = 0

    @classmethod
    def of(cls, row: Counts) -> "Tally":
        return cls._make(_amounts_of(row))

    @property
    def votes(self) -> int:
        return self.bad + self.good + self.exemplary

    def __add__(self, other: "Tally") -> "Tally":  # type: ignore[override]  # not one after the other, as tuples are
        return Tally._make(map(add, self, other))


_amounts_of = attrgetter(
    "calls", "eligible", "bad", "good", "exemplary", "unrated", "absent", "passed_on", "withdrawn", "unlit"
)


@dataclass(frozen=True, slots=True)
class Span:
    """One whole calendar period; both days are in it."""

    name: str
    first: date
    last: date


class Place(NamedTuple):
    """Whose figure it is: nobody's in particular (the centre), a branch's, a key's in a branch or everywhere."""

    branch: str | None = None
    key: str | None = None


def wilson(count: float, votes: float, z: float = _Z) -> tuple[float, float]:
    """The Wilson score interval of ``count`` in ``votes``, of 95 % unless ``z`` is another number of standard errors.

    It needs ``0 <= count <= votes`` and ``votes > 0``. Counts need not be whole: see api.statistics.clustering.
    """
    share = count / votes
    squared = z * z / votes
    centre = (share + squared / 2) / (1 + squared)
    half = z * sqrt(share * (1 - share) / votes + squared / votes / 4) / (1 + squared)
    low, high = centre - half, centre + half
    # Rounding errors must not push an end past 0, 1 or the share itself.
    return (0.0 if low < 0 else low if low < share else share), (1.0 if high > 1 else high if high > share else share)


@lru_cache(maxsize=32_768)
def rating_figure(count: int, votes: int) -> RatingFigure:
    """The count with its share and interval; nulls without a vote to divide by. Many cells are small and alike."""
    if not votes:
        return RatingFigure(count=count, share=None, low=None, high=None)
    low, high = wilson(count, votes)
    return RatingFigure(
        count=count, share=round(count / votes, DIGITS), low=round(low, DIGITS), high=round(high, DIGITS)
    )


def left_out(tally: Tally) -> LeftOut:
    """Calls that are not eligible, by reason; what no reason is kept of is unknown, and never less than nothing."""
    known = tally.unrated + tally.absent + tally.passed_on + tally.withdrawn + tally.unlit
    unknown = max(0, tally.calls - tally.eligible - known)
    return _left_out(tally.unrated, tally.absent, tally.passed_on, tally.withdrawn, tally.unlit, unknown)


@lru_cache(maxsize=8192)
def _left_out(unrated: int, absent: int, passed_on: int, withdrawn: int, unlit: int, unknown: int) -> LeftOut:
    return LeftOut(
        unrated=unrated, absent=absent, passed_on=passed_on, withdrawn=withdrawn, unlit=unlit, unknown=unknown
    )


def response_rate(tally: Tally) -> ResponseRate:
    """Votes of eligible calls, and whether that is too few to speak for the rest."""
    return _response_rate(tally.votes, tally.eligible)


@lru_cache(maxsize=32_768)
def _response_rate(votes: int, eligible: int) -> ResponseRate:
    if not eligible:
        return ResponseRate(share=None, low=None)
    share = votes / eligible
    return ResponseRate(share=round(share, DIGITS), low=share < LOW_RESPONSE)


def default_first(last: date, period: Period) -> date:
    """Where a question begins that names no beginning: about as much as one chart shows."""
    match period:
        case Period.DAY:
            return last - timedelta(days=30)
        case Period.WEEK:
            return last - timedelta(weeks=25)
        case Period.MONTH:
            return _months_before(last, 11)
        case Period.QUARTER:
            return _months_before(last, 7 * 3)
        case Period.YEAR:
            return _months_before(last, 4 * 12)


def count_spans(first: date, last: date, period: Period) -> int:
    """How many periods ``spans`` would give, without making them."""
    match period:
        case Period.DAY:
            return (last - first).days + 1
        case Period.WEEK:
            return (bounds(last, period)[0] - bounds(first, period)[0]).days // 7 + 1
        case Period.MONTH:
            return (last.year - first.year) * 12 + last.month - first.month + 1
        case Period.QUARTER:
            return (last.year - first.year) * 4 + (last.month - 1) // 3 - (first.month - 1) // 3 + 1
        case Period.YEAR:
            return last.year - first.year + 1


def spans(first: date, last: date, period: Period) -> list[Span]:
    """The whole periods that hold ``first`` to ``last``, oldest first."""
    found: list[Span] = []
    day = first
    while not found or found[-1].last < last:
        begin, end = bounds(day, period)
        found.append(Span(period_name(begin, period), begin, end))
        day = end + timedelta(days=1)
    return found


def add_up(rows: Iterable[Row], by: Cut, period: Period, *, branch: str | None) -> Mapping[tuple[str, Place], Tally]:
    """The rows added up by (period name, place). ``branch`` is the only one the rows are of, if one was asked for."""
    sums: dict[tuple[str, Place], Sequence[int]] = {}
    for row in rows:
        slot = (_name_of(row.day, period), _place(row.branch, row.key, by, branch))
        there = sums.get(slot)
        more = _amounts_of(row)
        sums[slot] = more if there is None else list(map(add, there, more))
    return {slot: Tally._make(amounts) for slot, amounts in sums.items()}


@lru_cache(maxsize=8192)
def _place(row_branch: str, key: str, by: Cut, branch: str | None) -> Place:
    match by:
        case "centre":
            return Place()
        case "branch":
            return Place(row_branch)
        case "desk":
            return Place(row_branch, key or None)
        case "service" | "operator":
            return Place(branch, key or None)


@lru_cache(maxsize=8192)
def _name_of(day: int, period: Period) -> str:
    first = day_date(day if day > 999_999 else day * 100 + 1)
    return period_name(first, period)


def _months_before(day: date, months: int) -> date:
    month = day.year * 12 + day.month - 1 - months
    return date(month // 12, month % 12 + 1, 1)
