"""Case mix: the count to expect of somebody with these services, in this branch, at these hours (domain study 6.4).

Indirect standardisation: expected = sum over the cells of the own mix of own votes times the share that *the others* of
the whole centre have in that cell; observed/expected is 1 for somebody who is like the rest. The own votes are left out
of the comparison, else who does half of a service would be compared with himself half of the time. A cell in which the
others have fewer than thirty votes says little: a wider one stands in for it (service and hour, service, everything).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from api.statistics.intervals import exact_interval

Rating = Literal["bad", "good", "exemplary"]
RATINGS: tuple[Rating, ...] = ("bad", "good", "exemplary")
MIN_CELL = 30


class MixRow(NamedTuple):
    """Counts of one service in one branch in one local hour of the day (0..23)."""

    service: str
    branch: str
    hour: int
    eligible: int
    bad: int
    good: int
    exemplary: int

    @property
    def votes(self) -> int:
        return self.bad + self.good + self.exemplary

    def count(self, rating: Rating) -> int:
        value: int = getattr(self, rating)
        return value


@dataclass(frozen=True, slots=True)
class Standardised:
    """``ratio`` is observed/expected with its 95 % interval; None where nothing is expected."""

    observed: int
    expected: float
    votes: int
    ratio: float | None
    low: float | None
    high: float | None


Cell = tuple[str | int, ...]


def _cells(row: MixRow) -> tuple[Cell, ...]:
    """The cells of a row from the narrowest to the widest."""
    return (row.service, row.branch, row.hour), (row.service, row.hour), (row.service,), ()


class Rates:
    """The centre's counts of one rating by cell, made once and asked for everybody of the centre."""

    def __init__(self, rows: Iterable[MixRow], rating: Rating, *, min_cell: int = MIN_CELL):
        self.rating = rating
        self._min_cell = min_cell
        self._sums = _summed(rows, rating)

    def expected(self, own: Iterable[MixRow]) -> float:
        """The count to expect of ``own``, whose votes are among those of the centre."""
        own = list(own)
        mine = _summed(own, self.rating)
        return sum(row.votes * self._share(row, mine) for row in own)

    def _share(self, row: MixRow, mine: dict[Cell, list[int]]) -> float:
        for cell in _cells(row):
            count, votes = self._sums.get(cell, (0, 0))
            own_count, own_votes = mine[cell]
            if votes - own_votes >= self._min_cell or (not cell and votes > own_votes):
                return (count - own_count) / (votes - own_votes)
        count, votes = self._sums.get((), (0, 0))  # there is nobody else
        return count / votes if votes else 0.0


def standardised(own: Iterable[MixRow], rates: Rates) -> Standardised:
    """What is observed of ``own`` against what its mix would have given everybody else.

    The interval is exact binomial for the observed count (Clopper and Pearson) divided by the expected share: right for
    rare and for frequent ratings alike, where Poisson's would be far too wide for a rating that most clients give. The
    expected count is taken as known; of a centre with many times the votes of one operator, it nearly is.
    """
    own = [row for row in own if row.votes]
    observed, votes = sum(row.count(rates.rating) for row in own), sum(row.votes for row in own)
    expected = rates.expected(own)
    if not expected:
        return Standardised(observed, expected, votes, None, None, None)
    low, high = exact_interval(observed, votes)
    return Standardised(observed, expected, votes, observed / expected, low * votes / expected, high * votes / expected)


def _summed(rows: Iterable[MixRow], rating: Rating) -> dict[Cell, list[int]]:
    sums: dict[Cell, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        for cell in _cells(row):
            sums[cell][0] += row.count(rating)
            sums[cell][1] += row.votes
    return sums
