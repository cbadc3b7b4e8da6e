"""What was counted of a period, place by place: the values that suppression works on. Pure; it decides nothing.

Rules of the file
1.  A sheet is one edition before anything is withheld from it. Of a month it is added up from atoms; of a quarter or
    year from the sheets of its months, never from newer counts, or the difference would be a figure of its own.
2.  The cuts are the centre, its branches, its directions and its services; each adds up to the centre, and services to
    their direction. Branch and service are never crossed: four small tables can be protected, their product hardly.
3.  A service belongs to the direction that the register names on the last day of the sheet's period.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from api.figures import Tally
from api.publication.rules import Code


class Place(NamedTuple):
    """``cut``: centre, branch, direction or service. ``key``: its id, "" for the centre and for what is not named."""

    cut: str
    key: str = ""


CENTRE = Place("centre")
CUTS = ("centre", "branch", "direction", "service")


class Atom(NamedTuple):
    """Counts of one month of one branch, service and giver; never published, kept with the edition."""

    branch: str
    service: str
    giver: str  # the operator, or the desk where the queue names nobody
    calls: int
    eligible: int
    bad: int
    good: int
    exemplary: int


@dataclass(frozen=True, slots=True)
class Sum:
    """The counts of one place, and how many votes each operator gave to them."""

    tally: Tally = field(default_factory=Tally)
    givers: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.tally + other.tally, Counter(self.givers) + Counter(other.givers))


@dataclass(frozen=True, slots=True)
class Sheet:
    """``parts``: names of the month sheets it was added up from, none of a month. ``codes``: none yet decided: empty.

    ``offered``: which branch had which service; ``parents``: what a place adds up to, of every place but the centre.
    """

    period: str
    number: int
    sums: Mapping[Place, Sum]
    parents: Mapping[Place, Place]
    offered: frozenset[tuple[str, str]]
    parts: tuple[str, ...] = ()
    codes: Mapping[Place, Code] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.period}/{self.number}"

    @property
    def before(self) -> str:
        """The name of the edition that this one takes the place of; of a first one nobody has it."""
        return f"{self.period}/{self.number - 1}"

    def decided(self, codes: Mapping[Place, Code]) -> "Sheet":
        return replace(self, codes=dict(codes))

    def families(self) -> Iterator[tuple[Place, list[Place]]]:
        """Each place with those that add up to it; the centre once with its branches and once with the other cut."""
        children: dict[tuple[Place, bool], list[Place]] = {}
        for place, parent in self.parents.items():
            children.setdefault((parent, place.cut == "branch"), []).append(place)
        for (parent, _), places in children.items():
            yield parent, places


def month_sheet(
    period: str,
    number: int,
    atoms: Iterable[Atom],
    directions: Mapping[str, str],
    *,
    branches: Iterable[str] = (),
    services: Iterable[str] = (),
) -> Sheet:
    """The sheet of a month.

    Args:
        directions: the direction of each service that has one; empty where the office has none.
        branches, services: those that were there, to be shown even without a call.
    """
    sums: dict[Place, Sum] = {CENTRE: Sum()}
    sums |= {Place("branch", each): Sum() for each in branches}
    sums |= {Place("service", each): Sum() for each in services}
    offered = set()
    for atom in sorted(atoms):  # the order must decide nothing
        tally = Tally(*atom[3:])
        one = Sum(tally, {atom.giver: tally.votes} if tally.votes else {})
        for place in (CENTRE, Place("branch", atom.branch), Place("service", atom.service)):
            sums[place] = sums.get(place, Sum()) + one
        offered.add((atom.branch, atom.service))
    return _sheet(period, number, sums, directions, frozenset(offered))


def longer_sheet(period: str, number: int, months: Sequence[Sheet], directions: Mapping[str, str]) -> Sheet:
    """The sheet of a quarter or year, out of those of its months."""
    sums: dict[Place, Sum] = {}
    for month in months:
        for place, one in month.sums.items():
            if place.cut != "direction":
                sums[place] = sums.get(place, Sum()) + one
    offered = frozenset(pair for month in months for pair in month.offered)
    made = _sheet(period, number, sums, directions, offered)
    return replace(made, parts=tuple(month.name for month in months))


def _sheet(
    period: str,
    number: int,
    sums: dict[Place, Sum],
    directions: Mapping[str, str],
    offered: frozenset[tuple[str, str]],
) -> Sheet:
    parents: dict[Place, Place] = {}
    for place, one in list(sums.items()):
        if place.cut == "branch":
            parents[place] = CENTRE
        elif place.cut == "service":
            parents[place] = Place("direction", directions.get(place.key, "")) if directions else CENTRE
            if directions:
                sums[parents[place]] = sums.get(parents[place], Sum()) + one
                parents[parents[place]] = CENTRE
    return Sheet(period, number, sums, parents, offered)
