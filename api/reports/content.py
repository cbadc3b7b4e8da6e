"""What a report holds: tallies of periods and places, without words and without a single call. Pure values.

How they come out of the store: api/reports/gathering.py.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from api.figures import Span, Tally
from api.reports.order import Order

# Below this a cell is marked: a share of so few says nothing (domain study 6.3, rule 1).
FEW_VOTES = 10
# Behind a cell of a service that is shown stand at least so many operators (6.3, rule 2).
LEAST_OPERATORS = 3


@dataclass(frozen=True)
class Named:
    """A thing with the names that it had in the period."""

    id: str
    name: str
    name_en: str


@dataclass(frozen=True)
class Line:
    """One place's figures in the period and in the one before.

    ``hidden``: fewer than three operators stand behind it, or it would give away the one that is hidden; then its
    tallies are empty, so that no writer can show them by mistake. ``operators``: None where that is not known.
    ``behind``: which operators these are, where the line has to be held against others.
    """

    what: Named
    now: Tally
    before: Tally
    operators: int | None = None
    hidden: bool = False
    employer: Named | None = None
    behind: frozenset[str] | None = None


@dataclass(frozen=True)
class Time:
    span: Span
    tally: Tally
    complete: bool


@dataclass(frozen=True)
class Hour:
    """The votes of all calls of the period that were called in one local hour of the day, 0 to 23."""

    hour: int
    tally: Tally


@dataclass(frozen=True)
class Availability:
    """Of one branch: its desks, faults of pads open in the period, and calls at which no pad was lit."""

    branch: Named
    desks: int
    faults: int
    dark: int
    reported: int
    calls: int


@dataclass(frozen=True)
class Content:
    """Everything that a report says, without words."""

    order: Order
    organisation: Named
    place: Named
    simulated: bool
    revision: int
    made_unix_ms: int
    span: Span
    figures_end: date  # the last day that was counted
    is_over: bool
    timezone: str
    now: Tally
    before: Time | None
    year_ago: Time | None
    times: tuple[Time, ...]
    branches: tuple[Line, ...]
    directions: tuple[Line, ...]
    services: tuple[Line, ...]
    operators: tuple[Line, ...]
    availability: tuple[Availability, ...]
    hours: tuple[Hour, ...]


def hide_small(lines: Iterable[Line], of: Callable[[Line], str | None] = lambda line: None) -> tuple[Line, ...]:
    """Empties what fewer than three operators stand behind; and more of its group, as long as fewer than three stand
    behind all that is hidden of it: that could be had by taking the others of the group away from their sum. A cell
    without a vote hides nothing. The further ones have the fewest votes.

    Args:
        of: the group of a line whose sum is shown: services of one direction. All are one group without it.
    """
    rows = list(lines)
    small = {n for n, each in enumerate(rows) if each.now.votes and (each.operators or 0) < LEAST_OPERATORS}
    for group in {of(rows[n]) for n in small}:
        members = [n for n, each in enumerate(rows) if of(each) == group and each.now.votes]
        open_ones = sorted((n for n in members if n not in small), key=lambda n: rows[n].now.votes)
        while open_ones and _people([rows[n] for n in members if n in small]) < LEAST_OPERATORS:
            small.add(open_ones.pop(0))
    return tuple(
        replace(each, now=Tally(), before=Tally(), hidden=True) if n in small else each for n, each in enumerate(rows)
    )


def _people(lines: Sequence[Line]) -> int:
    """How many operators stand behind these lines together; the most it can be where it is not known who they are."""
    known = [each.behind for each in lines if each.behind is not None]
    if len(known) == len(lines):
        return len(frozenset[str]().union(*known))
    return sum(each.operators or 0 for each in lines)
