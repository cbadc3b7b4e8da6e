"""Witnesses: other tables of counts that agree with everything published, found by integer programmes. Pure.

It knows figures and the sums between them, nothing of places, periods or editions: those are cover.py's.

A witness is a change of every figure that may move, in each of the three ratings, such that all sums still hold, no
count is negative and every code remains true. What was found once stays a witness while more is withheld, so each is
kept, and only what no witness shows yet is asked for. The calls without a vote stay as they are: a change of votes
changes calls and eligible calls by as much, so these are known no better than the votes.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array, hstack

from api.figures import Tally
from api.publication.rules import MIN_VOTES, Code, rating_spread_wanted, spread_wanted

C = TypeVar("C", bound=Hashable)
_RATINGS = 3
_MOST = 100_000  # votes that a witness may add to a figure
_FREE = 1e-3  # what moving a withheld vote costs: enough to move none in vain
_TINY = 1e-6
Row = tuple[dict[int, float], float, float]  # over the changes: coefficients, least, most
Goal = list[Row]


@dataclass(slots=True)
class _Figure:
    """``cost``: of moving one vote of it while it is published; ``otherwise``: its code once it is withheld for others.

    ``spread``: wanted of a sum that stands nowhere. ``fresh``: its code is not published yet; ``silent``: and it must
    not be, for it would tell too much.
    """

    truth: tuple[int, int, int]
    cost: float
    code: Code
    otherwise: Code = Code.SECONDARY
    withheld: bool = False
    derived: bool = False
    spread: int = 0
    fresh: bool = False
    silent: bool = False

    @property
    def votes(self) -> int:
        return sum(self.truth)


class Lines(Generic[C]):
    """The figures that may move and the equations between them. ``solved``: programmes solved so far."""

    def __init__(self) -> None:
        self.solved = 0
        self._places: dict[C, int] = {}
        self._names: list[C | None] = []
        self._figures: list[_Figure] = []
        self._equations: list[dict[int, int]] = []
        self._matrix: Any = None
        self._witnesses: list[np.ndarray[Any, Any]] = []

    # ---- what there is
    def add(
        self, name: C, truth: tuple[int, int, int], *, cost: float, code: Code, otherwise: Code, fresh: bool
    ) -> None:
        """A figure; it is published, and may be withheld at ``cost`` a vote, until ``withhold`` says otherwise."""
        self._places[name] = len(self._figures)
        self._names.append(name)
        self._figures.append(_Figure(truth, cost, code, otherwise, fresh=fresh))

    def equate(self, signs: Mapping[C, int]) -> None:
        """The signed sum of these figures is none, whatever they are; those that are not there do not move."""
        row = {self._places[name]: sign for name, sign in signs.items() if name in self._places}
        if row:
            self._equations.append(row)

    def derive(self, tally: Tally, signs: Mapping[C, int], *, wanted: int) -> None:
        """A sum of figures that stands nowhere: never negative where it is not, and to be ``wanted`` votes wide."""
        row = {self._places[name]: sign for name, sign in signs.items() if name in self._places}
        if not row and not wanted:
            return
        truth = (tally.bad, tally.good, tally.exemplary)
        row[len(self._figures)] = -1
        self._names.append(None)
        self._figures.append(_Figure(truth, 0.0, Code.WITHHELD, withheld=True, derived=True, spread=wanted))
        self._equations.append(row)

    @property
    def silent(self) -> set[C]:
        """Figures whose code must not be told."""
        named = zip(self._names, self._figures, strict=True)
        return {name for name, figure in named if name is not None and figure.silent}

    def withhold(self, name: C, code: Code) -> None:
        figure = self._figures[self._places[name]]
        figure.withheld, figure.code = True, code

    # ---- protecting
    def protect(self) -> set[C] | None:
        """Withholds what it must; gives that, or None if something cannot be protected whatever is withheld."""
        withheld: set[C] = set()
        at = 0
        withheld_now = [place for place, figure in enumerate(self._figures) if figure.withheld]
        # What is withheld for others comes last: the others' witnesses mostly move it far enough.
        order = sorted(withheld_now, key=lambda place: self._figures[place].code in (Code.SECONDARY, Code.WITHHELD))
        while at < len(order):
            for goals in self._wanting(order[at]):
                moved = self._best(goals)
                if moved is None:
                    return None
                for place in moved:
                    figure, name = self._figures[place], self._names[place]
                    assert name is not None
                    figure.withheld, figure.code = True, figure.otherwise
                    withheld.add(name)
                    order.append(place)
            at += 1
        return withheld

    def _wanting(self, place: int) -> Iterator[list[Goal]]:
        """What no witness shows yet of a figure: each time several goals, of which one is enough."""
        figure = self._figures[place]
        every = range(_RATINGS)
        if figure.derived:
            if figure.spread and self._lacks(place, every, figure.spread):
                yield self._apart(place, every, figure.spread)
            return
        wanted = spread_wanted(figure.code, figure.votes)
        if figure.code is Code.SMALL:
            low, high = self._seen(place, every)
            if low > 0:
                yield [[self._row(place, every, -_MOST, -figure.votes)]]
            if high < wanted:
                yield [[self._row(place, every, wanted - figure.votes, _MOST)]]
        elif self._lacks(place, every, wanted):
            yield self._apart(place, every, wanted)
        for rating in every:
            wanted = rating_spread_wanted(figure.code, figure.truth[rating])
            if self._lacks(place, (rating,), wanted):
                yield self._apart(place, (rating,), wanted)
        if not any(self._is_mixed(place, witness) for witness in (None, *self._witnesses)):
            yield self._mixing(place)

    def _apart(self, place: int, ratings: Iterable[int], wanted: int) -> list[Goal]:
        """Up from the least that a witness shows, or down from the most."""
        ratings = tuple(ratings)
        truth = sum(self._figures[place].truth[rating] for rating in ratings)
        low, high = self._seen(place, ratings)
        return [
            [self._row(place, ratings, low + wanted - truth, _MOST)],
            [self._row(place, ratings, -_MOST, high - wanted - truth)],
        ]

    def _mixing(self, place: int) -> list[Goal]:
        """Two different votes in a figure in which all are alike, or in which there is hardly one."""
        truth = self._figures[place].truth
        return [
            [self._row(place, (one,), 1 - truth[one], _MOST), self._row(place, (other,), 1 - truth[other], _MOST)]
            for one in range(_RATINGS)
            for other in range(one + 1, _RATINGS)
        ]

    def _row(
        self, place: int, ratings: Iterable[int], low: float, high: float
    ) -> tuple[dict[int, float], float, float]:
        return {place * _RATINGS + rating: 1.0 for rating in ratings}, low, high

    # ---- what the witnesses show
    def _seen(self, place: int, ratings: Iterable[int]) -> tuple[int, int]:
        ratings = list(ratings)
        truth = sum(self._figures[place].truth[rating] for rating in ratings)
        changes = [0, *(int(witness[place][ratings].sum()) for witness in self._witnesses)]
        return truth + min(changes), truth + max(changes)

    def _lacks(self, place: int, ratings: Iterable[int], wanted: int) -> bool:
        low, high = self._seen(place, ratings)
        return high - low < wanted

    def _is_mixed(self, place: int, witness: "np.ndarray[Any, Any] | None") -> bool:
        change = (0, 0, 0) if witness is None else witness[place]
        return bool(sum(truth + more > 0 for truth, more in zip(self._figures[place].truth, change, strict=True)) > 1)

    # ---- programmes
    def _best(self, goals: list[Goal]) -> list[int] | None:
        """The witness that costs least; what it moves of the published figures. None if there is none."""
        best = self._cheapest(goals) or self._cheapest(goals, silent=True)
        if best is None:
            return None
        witness = best[1]
        self._witnesses.append(witness)
        for figure, change in zip(self._figures, witness, strict=True):
            figure.silent = figure.silent or (figure.fresh and not self._agrees(figure, change))
        return [place for place, figure in enumerate(self._figures) if not figure.withheld and witness[place].any()]

    def _cheapest(self, goals: list[Goal], *, silent: bool = False) -> "tuple[float, np.ndarray[Any, Any]] | None":
        best: tuple[float, np.ndarray[Any, Any]] | None = None
        for goal in goals:
            found = self._solve(goal, silent=silent)
            if found is not None and (best is None or found[0] < best[0] - _TINY):
                best = found
            if found is not None and found[0] < 1:  # nothing published moves
                break
        return best

    def _solve(self, goal: Goal, *, silent: bool) -> "tuple[float, np.ndarray[Any, Any]] | None":
        """The cheapest change that reaches ``goal``, in whole votes; ``silent``: whatever new codes would tell."""
        if self._matrix is None:
            self._matrix = self._equated()
        count = len(self._figures) * _RATINGS
        rows, low, high = self._bounds_of_codes(silent=silent)
        for row in goal:
            rows.append(row[0])
            low.append(row[1])
            high.append(row[2])
        extra = _sparse(rows, count)
        constraints = [
            LinearConstraint(self._matrix, 0, 0),
            LinearConstraint(hstack([extra, -extra], format="csc"), low, high),
        ]
        truth = np.array([figure.truth for figure in self._figures], dtype=float).ravel()
        open_below = np.repeat([figure.derived and min(figure.truth) < 0 for figure in self._figures], _RATINGS)
        bounds = Bounds(0, np.concatenate([np.full(count, float(_MOST)), np.where(open_below, _MOST, truth)]))
        costs = np.repeat([_FREE if figure.withheld else figure.cost for figure in self._figures], _RATINGS)
        for whole in (0, 1):  # the plain programme nearly always has whole numbers in its corners
            found = milp(np.tile(costs, 2), integrality=whole, bounds=bounds, constraints=constraints)
            self.solved += 1
            if found.x is None:
                return None
            change = found.x[:count] - found.x[count:]
            if np.abs(change - change.round()).max(initial=0) < _TINY:
                break
        moved = change.round().astype(np.int64).reshape(-1, _RATINGS)
        return float(found.fun), moved

    def _equated(self) -> csr_array:
        """The equations, for each rating, over what is added and what is taken away."""
        one = [
            {place * _RATINGS + rating: float(sign) for place, sign in equation.items()}
            for equation in self._equations
            for rating in range(_RATINGS)
        ]
        matrix = _sparse(one, len(self._figures) * _RATINGS)
        return hstack([matrix, -matrix], format="csc")

    def _bounds_of_codes(self, *, silent: bool) -> tuple[list[dict[int, float]], list[float], list[float]]:
        """What every code tells of a figure's votes; of one that is published yet, what it would tell."""
        rows, low, high = [], [], []
        for place, figure in enumerate(self._figures):
            least, most = self._told(figure)
            if figure.derived or (silent and figure.fresh) or (least, most) == (0, _MOST):
                continue
            every = {place * _RATINGS + rating: 1.0 for rating in range(_RATINGS)}
            rows.append(every)
            low.append(float(least - figure.votes))
            high.append(float(most - figure.votes))
            if figure.withheld and figure.code is Code.ALIKE:
                # More than 95 % are of one rating: twenty times all others are fewer than all.
                top = int(np.argmax(figure.truth))
                rows.append({name: (-1.0 if name % _RATINGS == top else 19.0) for name in every})
                low.append(float(-_MOST * 20))
                high.append(float(figure.votes - 1))
        return rows, low, high

    def _agrees(self, figure: _Figure, change: "np.ndarray[Any, Any]") -> bool:
        """Whether what the figure's code tells is true of a witness."""
        low, high = self._told(figure)
        ratings = [truth + int(more) for truth, more in zip(figure.truth, change, strict=True)]
        few_others = 20 * (sum(ratings) - max(ratings)) < sum(ratings)
        return low <= sum(ratings) <= high and (few_others or not figure.withheld or figure.code is not Code.ALIKE)

    def _told(self, figure: _Figure) -> tuple[int, int]:
        """The least and most votes that a figure's code allows."""
        code = figure.code if figure.withheld else figure.otherwise
        if figure.silent or code is Code.WITHHELD:
            return 0, _MOST
        return (0, MIN_VOTES - 1) if code is Code.SMALL else (MIN_VOTES, _MOST)


def _sparse(rows: list[dict[int, float]], width: int) -> csr_array:
    at = [(number, column, value) for number, row in enumerate(rows) for column, value in row.items()]
    numbers, columns, values = (list(each) for each in zip(*at, strict=True)) if at else ([], [], [])
    return csr_array(coo_array((values, (numbers, columns)), shape=(len(rows), width)))
