"""Plays somebody who wants to know what was withheld: has all that is public, and what people in town know. No test.

It shares no code with the suppressor. Its input are the published editions, as bytes, and two things that are no secret
in a town: which branch offers which service, and, for a colleague's curiosity, who works at what. It tries

1.  to solve for each withheld figure exactly, by elimination over all published sums (a prime field, so exact);
2.  to narrow it by propagating bounds of whole numbers until nothing changes;
3.  to find its least and greatest value over everything that agrees with what is published (HiGHS).

A figure is *recovered* if it comes out exactly or in an interval narrower than what it is owed (``owed``).
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, lil_array

RATINGS = ("bad", "good", "exemplary")
PRIME = 2_147_483_629
Pair = tuple[str, str]  # branch, service
Column = tuple[str, str, str, str]  # month edition, branch, service, operator ("" of all)


@dataclass(frozen=True, slots=True)
class Target:
    edition: str
    cut: str
    key: str
    measure: str  # votes, or a rating

    def __str__(self) -> str:
        return f"{self.edition} {self.cut} {self.key or '-'} {self.measure}"


@dataclass(slots=True)
class Haul:
    """What an attack came to. ``narrowest``: the least width found of a figure, as a part of what it was owed."""

    tried: int = 0
    recovered: dict[Target, tuple[int, int]] = field(default_factory=dict)
    narrowest: float = math.inf


def owed(code: str, truth: int, measure: str) -> int:
    """The width that suppression promises (the documentation's words, counted here once more)."""
    if measure != "votes":
        return 0 if not truth else max(1, math.ceil(truth / 5)) if code in ("few_operators", "alike") else 1
    return 9 if code in ("small", "secondary", "withheld") else max(10, math.ceil(truth / 5))


class Attacker:
    """Args:
    published: contents of editions, all there ever were.
    offered: which pairs of branch and service there were, by name of the month's edition.
    workers: who works at what, by name of the month's edition; without it operators are not told apart.
    """

    def __init__(
        self,
        published: Iterable[bytes],
        offered: Mapping[str, Iterable[Pair]],
        workers: Mapping[str, Iterable[tuple[str, str, str]]] | None = None,
    ):
        self.editions: dict[str, dict[str, Any]] = {}
        for content in published:
            edition = json.loads(content)
            self.editions[f"{edition['period']}/{edition['number']}"] = edition
        self.columns: list[Column] = []
        for name, edition in self.editions.items():
            if edition["kind"] == "month":
                known = workers[name] if workers else [(*pair, "") for pair in offered[name]]
                self.columns += [(name, *each) for each in sorted(known)]
        self._of_month: dict[str, list[int]] = {}
        for number, column in enumerate(self.columns):
            self._of_month.setdefault(column[0], []).append(number)
        self._direction = {
            (name, cell["key"]): cell["direction"]
            for name, edition in self.editions.items()
            for cell in edition["cells"]
            if cell["cut"] == "service"
        }
        self._equalities()

    # ---- what is known
    def _equalities(self) -> None:
        """One row for each published figure, over the columns; and for each withheld one what its code tells."""
        self.known: list[tuple[str, dict[str, Any], list[int]]] = []
        self.hidden: list[tuple[str, dict[str, Any], list[int]]] = []
        for name, edition in self.editions.items():
            for cell in edition["cells"]:
                row = (name, cell, self.within(name, cell["cut"], cell["key"]))
                (self.known if cell["votes"] is not None else self.hidden).append(row)
        self.matrix = _rows([columns for _, _, columns in self.known], len(self.columns))

    def within(self, name: str, cut: str, key: str) -> list[int]:
        """The columns that a figure of an edition is the sum of."""
        months = self.editions[name]["made_of"] or [name]
        return [
            number
            for month in months
            for number in self._of_month.get(month, ())
            if self._is_in(name, self.columns[number], cut, key)
        ]

    def _is_in(self, name: str, column: Column, cut: str, key: str) -> bool:
        _, branch, service, _ = column
        match cut:
            case "centre":
                return True
            case "branch":
                return branch == key
            case "service":
                return service == key
            case _:
                return self._direction.get((name, service)) == key

    # ---- 1: elimination
    def solved_exactly(self, sums: Sequence[list[int]]) -> list[bool]:
        """Which of these sums of columns follow from the published figures by addition and subtraction alone."""
        basis = _Echelon(len(self.columns))
        for row in self.matrix.toarray():
            basis.add(row)
        found = []
        for columns in sums:
            row = np.zeros(len(self.columns))
            row[columns] = 1
            found.append(basis.holds(row))
        return found

    # ---- 3: optimisation
    def bounds_of(self, targets: Sequence[tuple[list[int], str]]) -> list[tuple[int, int]]:
        """The least and greatest value of each (columns, measure) that agrees with all that is known."""
        programme = _Programme(self)
        return [programme.bounds(columns, measure) for columns, measure in targets]

    def attack(self, truth: Mapping[Target, int], measures: Sequence[str] = ("votes", *RATINGS)) -> Haul:
        """Tries every withheld figure. ``truth``: what they really are, to judge by; the attack does not use it."""
        haul = Haul()
        exact = self.solved_exactly([columns for _, _, columns in self.hidden])
        programme = _Programme(self)
        for (name, cell, columns), solved in zip(self.hidden, exact, strict=True):
            for measure in measures:
                target = Target(name, cell["cut"], cell["key"], measure)
                value = truth[target]
                wanted = owed(cell["code"], value, measure)
                haul.tried += 1
                if wanted == 0 and not solved:
                    continue
                low, high = (value, value) if solved else programme.bounds(columns, measure)
                assert low <= value <= high, (str(target), low, value, high)
                if wanted:
                    haul.narrowest = min(haul.narrowest, (high - low) / wanted)
                if high - low < wanted or (cell["code"] == "small" and measure == "votes" and (low, high) != (0, 9)):
                    haul.recovered[target] = (low, high)
        return haul

    def attack_changes(self, unsafe: Mapping[tuple[str, str, str], int]) -> Haul:
        """Tries what a correction changed. ``unsafe``: by edition, cut and key, changes that may not be seen."""
        haul = Haul()
        programme = _Programme(self)
        for (name, cut, key), change in unsafe.items():
            period, _, number = name.partition("/")
            before = f"{period}/{int(number) - 1}"
            low, high = programme.bounds_of_change(self.within(name, cut, key), self.within(before, cut, key))
            assert low <= change <= high
            wanted = 9 if change < 10 else max(10, math.ceil(change / 5))
            haul.tried += 1
            haul.narrowest = min(haul.narrowest, (high - low) / wanted)
            if high - low < wanted:
                haul.recovered[Target(name, cut, key, "change")] = (low, high)
        return haul

    def attack_operators(self, truth: Mapping[tuple[str, str], Mapping[str, int]]) -> Haul:
        """Tries every operator's votes in every edition's period. ``truth``: by edition and operator, by measure."""
        haul = Haul()
        programme = _Programme(self)
        for (name, operator), values in truth.items():
            months = self.editions[name]["made_of"] or [name]
            columns = [n for month in months for n in self._of_month[month] if self.columns[n][3] == operator]
            for measure, value in values.items():
                haul.tried += 1
                low, high = programme.bounds(columns, measure)
                assert low <= value <= high
                wanted = max(10, math.ceil(value / 5)) if measure == "votes" else 1
                haul.narrowest = min(haul.narrowest, (high - low) / wanted)
                if high - low < wanted:
                    haul.recovered[Target(name, "operator", operator, measure)] = (low, high)
        return haul

    def propagated(self) -> dict[Target, tuple[int, float]]:
        """2: bounds of each withheld figure by propagation alone, measure by measure, in whole numbers."""
        found: dict[Target, tuple[int, float]] = {}
        for measure in ("votes", *RATINGS):
            low, high = self._propagate(measure)
            for name, cell, columns in self.hidden:
                bounds = (int(low[columns].sum()), float(high[columns].sum()))
                found[Target(name, cell["cut"], cell["key"], measure)] = bounds
        return found

    def _propagate(self, measure: str) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
        low, high = np.zeros(len(self.columns)), np.full(len(self.columns), math.inf)
        rows = [(columns, cell[measure], cell[measure]) for _, cell, columns in self.known]
        rows += [(columns, 0, 9) for _, cell, columns in self.hidden if cell["code"] == "small"]
        for _ in range(50):
            before = (low.copy(), high.copy())
            for columns, least, most in rows:
                of_low, of_high = low[columns], high[columns]
                spare = np.isinf(of_high).sum()
                rest_high = of_high[~np.isinf(of_high)].sum()
                low_rest = least - (rest_high - np.where(np.isinf(of_high), 0, of_high))
                if spare == 0:
                    low[columns] = np.maximum(of_low, low_rest)
                high[columns] = np.minimum(of_high, most - (of_low.sum() - of_low))
            if np.array_equal(before[0], low) and np.array_equal(before[1], high):
                break
        return low, high


class _Programme:
    """The linear programme of everything known: three ratings of every column, none negative."""

    def __init__(self, attacker: Attacker):
        self._width = width = len(attacker.columns)
        blocks, values = [], []
        for place, rating in enumerate(RATINGS):
            blocks.append(_shifted(attacker.matrix, place, width))
            values += [cell[rating] for _, cell, _ in attacker.known]
        self._equal = csr_array(_stacked(blocks))
        self._values = np.array(values, dtype=float)
        rows, most = self._told_by_codes(attacker)
        more_rows, more = self._told_by_corrections(attacker)
        self._less = csr_array(_stacked([rows, more_rows]))
        self._most = np.concatenate([most, more])

    def bounds(self, columns: list[int], measure: str) -> tuple[int, int]:
        wanted = np.zeros(3 * self._width)
        for place, rating in enumerate(RATINGS):
            if measure in ("votes", rating):
                wanted[[place * self._width + column for column in columns]] = 1
        low, high = self._best(wanted), self._best(-wanted)
        return math.ceil(low - 1e-6), math.floor(-high + 1e-6)

    def bounds_of_change(self, after: list[int], before: list[int]) -> tuple[int, int]:
        wanted = np.zeros(3 * self._width)
        for place in range(3):
            wanted[[place * self._width + column for column in after]] += 1
            wanted[[place * self._width + column for column in before]] -= 1
        low, high = self._best(wanted), self._best(-wanted)
        return math.ceil(low - 1e-6), math.floor(-high + 1e-6)

    def _best(self, cost: "np.ndarray[Any, Any]") -> float:
        found = linprog(cost, self._less, self._most, self._equal, self._values, bounds=(0, 10_000), method="highs")
        assert found.status == 0, found.message
        return float(found.fun)

    def _told_by_codes(self, attacker: Attacker) -> "tuple[csr_array, np.ndarray[Any, Any]]":
        rows, most = [], []
        for _, cell, columns in attacker.hidden:
            votes = {place * self._width + column: 1.0 for place in range(3) for column in columns}
            if cell["code"] == "small":
                rows.append(votes)
                most.append(9.0)
                continue
            if cell["code"] == "withheld":
                continue
            rows.append(dict.fromkeys(votes, -1.0))
            most.append(-10.0)
            if cell["code"] == "alike":
                top = RATINGS.index(cell["alike"])
                rows.append({column: -1.0 if column // self._width == top else 19.0 for column in votes})
                most.append(-1.0)
        return _weighted(rows, 3 * self._width), np.array(most)

    def _told_by_corrections(self, attacker: Attacker) -> "tuple[csr_array, np.ndarray[Any, Any]]":
        """Votes that come late are added: no rating of any pair becomes fewer."""
        number = {column: place for place, column in enumerate(attacker.columns)}
        rows = []
        for (name, *what), place in number.items():
            period, _, edition = name.partition("/")
            later = number.get((f"{period}/{int(edition) + 1}", *what))  # type: ignore[arg-type]
            for rating in range(3) if later is not None else ():
                assert later is not None
                rows.append({rating * self._width + place: 1.0, rating * self._width + later: -1.0})
        return _weighted(rows, 3 * self._width), np.zeros(len(rows))


class _Echelon:
    """Rows in echelon form over a prime field."""

    def __init__(self, width: int):
        self._rows: list[np.ndarray[Any, Any]] = []
        self._leads: list[int] = []
        self._width = width

    def add(self, row: "np.ndarray[Any, Any]") -> None:
        left = self._reduced(row)
        leads = np.flatnonzero(left)
        if leads.size:
            lead = int(leads[0])
            self._rows.append(left * pow(int(left[lead]), -1, PRIME) % PRIME)
            self._leads.append(lead)

    def holds(self, row: "np.ndarray[Any, Any]") -> bool:
        return not self._reduced(row).any()

    def _reduced(self, row: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        left = np.array([int(each) % PRIME for each in row], dtype=np.int64)
        for basis, lead in zip(self._rows, self._leads, strict=True):
            if left[lead]:
                left = (left - left[lead] * basis) % PRIME  # below 2^62: no overflow
        return left


def _rows(columns: Sequence[list[int]], width: int) -> csr_array:
    return _weighted([dict.fromkeys(each, 1.0) for each in columns], width)


def _weighted(rows: Sequence[Mapping[int, float]], width: int) -> csr_array:
    made = lil_array((len(rows), width))
    for number, row in enumerate(rows):
        for column, value in row.items():
            made[number, column] = value
    return csr_array(made)


def _shifted(matrix: csr_array, place: int, width: int) -> csr_array:
    """``matrix`` over three times its columns, in the block of one rating."""
    coo = matrix.tocoo()
    return csr_array((coo.data, (coo.row, coo.col + place * width)), shape=(matrix.shape[0], 3 * width))


def _stacked(blocks: Sequence[csr_array]) -> csr_array:
    from scipy.sparse import vstack

    return vstack(blocks)
