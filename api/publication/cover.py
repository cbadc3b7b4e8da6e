"""Which further figures must be withheld so that no withheld one can be worked out from what is published. Pure.

A figure that may not be published by itself is still known if all others of its row are. So others are withheld with
it, and each withheld figure must have *witnesses*: other tables of counts that agree with everything published, in all
editions there are and by all that the codes say, and in which that figure is far enough from the truth (rules.py).
The cheapest witness is the optimum of a linear programme (domain study 6.3; Fischetti and Salazar's model of
complementary suppression): moving votes through withheld figures costs nothing, through a figure that would still be
published as much as it has votes; the figures that the optimum moves are withheld.

Rules of the file
1.  Editions that are out are never changed: only what is undecided may be withheld further.
2.  Nothing depends on chance or time: the same counts are decided in the same way.
3.  Besides sums and codes a reader may know which branch offers which service. Then the services that only some
    branches offer are a part of these branches, and what is left of them must be protected too (``_left_over``).
4.  What was added since an earlier edition is a figure as well, and protected as one (``_changes``).
5.  What can be worked out exactly, such as all withheld services of a direction together, must be publishable itself.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from api.figures import Tally
from api.publication import rules
from api.publication.rules import OPEN, Code
from api.publication.sheets import CENTRE, Place, Sheet, Sum

if TYPE_CHECKING:
    from api.publication.lines import Lines

Cell = tuple[str, Place]  # the sheet's name and the place in it
# A place that was withheld in another period already costs less: months then stay open together.
_AGAIN = 0.3
# With more branches than that only single ones, pairs and triples are looked at for services that they alone offer.
_ALL_SETS_TO = 10


@dataclass(frozen=True, slots=True)
class Decided:
    """The codes of every sheet that was undecided. ``gave_up``: no way was found but to withhold all of them."""

    codes: Mapping[str, Mapping[Place, Code]]
    gave_up: bool = False
    programmes: int = 0


def decide(sheets: Sequence[Sheet]) -> Decided:
    """Decides every sheet without codes. ``sheets`` holds all editions there are whose periods lie in the same year."""
    return _Cover(sheets).decide()


def is_unsafe_change(before: Sheet, after: Sheet) -> bool:
    """Whether what changed between two editions of a period, in the centre as a whole, may not be published itself."""
    names = {before.name: before, after.name: after}
    signs = {(after.name, CENTRE): 1, (before.name, CENTRE): -1}
    return _is_unsafe(_combined(signs, lambda cell: names[cell[0]].sums[cell[1]]))


class _Cover:
    """The figures of all sheets that hang together, and what has been decided of them so far."""

    def __init__(self, sheets: Sequence[Sheet]):
        self._again = {place for sheet in sheets for place, code in sheet.codes.items() if code not in OPEN}
        self._sheets = {sheet.name: sheet for sheet in _connected(sheets)}
        self._fresh = [sheet for sheet in self._sheets.values() if not sheet.codes]
        self._codes: dict[Cell, Code] = {}
        for sheet in self._sheets.values():
            for place in sheet.sums:
                self._codes[sheet.name, place] = sheet.codes[place] if sheet.codes else self._verdict(sheet, place)
        self._new = {(sheet.name, place) for sheet in self._fresh for place in sheet.sums}
        self._gave_up = False

    def _verdict(self, sheet: Sheet, place: Place) -> Code:
        """What a figure is by itself; in a correction, if it was withheld for another reason, no reason is told."""
        code = rules.verdict(sheet.sums[place].tally, sheet.sums[place].givers)
        before = self._sheets.get(sheet.before)
        was = before.codes.get(place, Code.NONE) if before else Code.NONE
        return code if OPEN & {code, was} or code is was else Code.WITHHELD

    def decide(self) -> Decided:
        programmes = 0
        if self._is_safe():
            return self._decided(0)
        self._cover_families()
        lines = self._lines()
        while True:
            withheld = self._protect(lines)
            if withheld is None:
                self._give_up()
                break
            if not withheld and not self._cover_families():
                self._codes |= dict.fromkeys(lines.silent, Code.WITHHELD)
                break
        programmes = lines.solved
        return self._decided(programmes)

    def _is_safe(self) -> bool:
        """Whether nothing is withheld anywhere and no difference is too small: then there is nothing to cover."""
        return all(code in OPEN for code in self._codes.values()) and not any(
            _is_unsafe(one) for one, _ in self._unpublished()
        )

    def _decided(self, programmes: int) -> Decided:
        found = {sheet.name: {place: self._codes[sheet.name, place] for place in sheet.sums} for sheet in self._fresh}
        return Decided(found, self._gave_up, programmes)

    def _give_up(self) -> None:
        self._gave_up = True
        for cell in self._new:
            if self._codes[cell] is not Code.NONE:
                self._codes[cell] = Code.WITHHELD

    def _otherwise(self, cell: Cell) -> Code:
        """What a figure is called that is withheld for the sake of others.

        In a correction it says nothing of the size: "small" before and not small now would tell of the difference.
        """
        return Code.SECONDARY if self._sheets[cell[0]].number == 1 else Code.WITHHELD

    # ---- what adds up to a published figure (rule 5)
    def _cover_families(self) -> bool:
        """Withholds more as long as the withheld ones of a family together may not be published; whether it did."""
        more, changed = True, False
        while more:
            more = False
            for parent, children in self._families():
                withheld = [cell for cell in children if self._codes[cell] not in OPEN]
                if not withheld or self._codes[parent] not in OPEN:
                    continue
                left = sum((self._sum(cell) for cell in withheld), Sum())
                if rules.verdict(left.tally, left.givers) in OPEN:
                    continue
                cell = self._next_to_withhold(parent, children)
                self._codes[cell] = self._otherwise(cell)
                more = changed = True
        return changed

    def _next_to_withhold(self, parent: Cell, children: Iterable[Cell]) -> Cell:
        open_ones = [cell for cell in children if self._codes[cell] is Code.PUBLISHED and cell in self._new]
        return min(open_ones, key=lambda cell: (self._cost(cell), cell)) if open_ones else parent

    def _families(self) -> Iterator[tuple[Cell, list[Cell]]]:
        """Of every undecided sheet: each place with what adds up to it in space, and with its months."""
        for sheet in self._fresh:
            for parent, children in sheet.families():
                yield (sheet.name, parent), [(sheet.name, child) for child in children]
            for place in sheet.sums if sheet.parts else ():
                yield (sheet.name, place), self._months(sheet, place)

    def _months(self, sheet: Sheet, place: Place) -> list[Cell]:
        return [(name, place) for name in sheet.parts if (name, place) in self._codes]

    # ---- witnesses
    def _lines(self) -> "Lines[Cell]":
        """Every figure that may move, and the sums that hold between them."""
        from api.publication.lines import Lines  # SciPy's solver is slow to load, and of use to whoever closes a month

        lines = Lines[Cell]()
        for cell, code in self._codes.items():
            if code is Code.NONE or (code is Code.PUBLISHED and cell not in self._new):
                continue
            tally = self._sum(cell).tally
            truth = (tally.bad, tally.good, tally.exemplary)
            otherwise, fresh = self._otherwise(cell), cell in self._new
            lines.add(cell, truth, cost=self._cost(cell), code=code, otherwise=otherwise, fresh=fresh)
        for sheet in self._sheets.values():
            for parent, children in sheet.families():
                lines.equate({(sheet.name, parent): 1} | {(sheet.name, child): -1 for child in children})
            for place in sheet.sums if sheet.parts else ():
                if place.cut in ("branch", "service"):
                    lines.equate({(sheet.name, place): 1} | dict.fromkeys(self._months(sheet, place), -1))
        for one, parts in self._unpublished():
            lines.derive(one.tally, parts, wanted=_spread(one) if _is_unsafe(one) else 0)
        return lines

    def _unpublished(self) -> Iterator[tuple[Sum, dict[Cell, int]]]:
        """Sums that stand in no edition but follow from some: what is left over, and what has changed (rules 3, 4)."""
        for sheet in self._sheets.values():
            if not sheet.parts:
                yield from self._left_over(sheet)
            for place, one in self._changed_of(sheet).items():
                yield one, {(sheet.name, place): 1, (sheet.before, place): -1}

    def _left_over(self, sheet: Sheet) -> Iterator[tuple[Sum, dict[Cell, int]]]:
        """What branches have beside the services that nobody else offers (rule 3)."""
        offered: dict[str, set[str]] = {}
        for branch, service in sheet.offered:
            offered.setdefault(service, set()).add(branch)
        branches = sorted({branch for where in offered.values() for branch in where})
        for some in _some_of(branches):
            theirs = [service for service, where in sorted(offered.items()) if where <= some]
            parts = {(sheet.name, Place("branch", branch)): 1 for branch in sorted(some)}
            parts |= {(sheet.name, Place("service", service)): -1 for service in theirs}
            parts = {cell: sign for cell, sign in parts.items() if cell in self._codes}
            if theirs:
                yield _combined(parts, self._sum), parts

    def _changed_of(self, sheet: Sheet) -> dict[Place, Sum]:
        """How much each place differs from the edition before; nothing of a first edition."""
        before = self._sheets.get(sheet.before)
        if before is None:
            return {}
        return {
            place: _combined({(sheet.name, place): 1, (before.name, place): -1}, self._sum)
            for place in sheet.sums
            if place in before.sums
        }

    def _protect(self, lines: "Lines[Cell]") -> set[Cell] | None:
        """Finds witnesses for every withheld figure, withholding what the cheapest move; None if there are none."""
        for cell, code in self._codes.items():
            if code not in OPEN:
                lines.withhold(cell, code)
        withheld = lines.protect()
        for cell in withheld or ():
            self._codes[cell] = self._otherwise(cell)
        return withheld

    def _cost(self, cell: Cell) -> float:
        again = cell[1] in self._again and cell[1] != CENTRE
        return (self._sum(cell).tally.votes + 1) * (_AGAIN if again else 1.0)

    def _sum(self, cell: Cell) -> Sum:
        name, place = cell
        return self._sheets[name].sums[place]


def _connected(sheets: Sequence[Sheet]) -> list[Sheet]:
    """The undecided sheets and all that hang together with them by a sum or by taking one another's place."""
    links: dict[str, set[str]] = {sheet.name: set() for sheet in sheets}
    for sheet in sheets:
        for other in (*sheet.parts, sheet.before):
            if other in links:
                links[sheet.name].add(other)
                links[other].add(sheet.name)
    wanted = {sheet.name for sheet in sheets if not sheet.codes}
    edge = list(wanted)
    while edge:
        edge = [name for one in edge for name in links[one] if name not in wanted]
        wanted.update(edge)
    return [sheet for sheet in sheets if sheet.name in wanted]


def _some_of(branches: Sequence[str]) -> Iterator[frozenset[str]]:
    largest = len(branches) - 1 if len(branches) <= _ALL_SETS_TO else 3
    for size in range(1, largest + 1):
        for some in combinations(branches, size):
            yield frozenset(some)


def _combined(signs: Mapping[Cell, int], sum_of: Callable[[Cell], Sum]) -> Sum:
    """The sums added and subtracted; what is negative stays so."""
    tally, givers = Tally(), Counter[str]()
    for cell, sign in signs.items():
        one = sum_of(cell)
        tally += one.tally if sign > 0 else Tally(*(-amount for amount in _amounts(one.tally)))
        for giver, votes in one.givers.items():
            givers[giver] += sign * votes
    return Sum(tally, givers)


def _amounts(tally: Tally) -> tuple[int, int, int, int, int]:
    return tally.calls, tally.eligible, tally.bad, tally.good, tally.exemplary


def _is_unsafe(one: Sum) -> bool:
    """Whether a sum that follows from others is a figure that may not be published. Votes taken away count as added."""
    changed = sum(abs(amount) for amount in _amounts(one.tally)[2:])
    givers = {giver: abs(votes) for giver, votes in one.givers.items()}
    return bool(changed) and (changed < rules.MIN_VOTES or rules.has_few_operators(givers))


def _spread(one: Sum) -> int:
    votes = abs(one.tally.votes)
    return rules.spread_wanted(Code.SMALL if votes < rules.MIN_VOTES else Code.FEW_OPERATORS, votes)
