"""What a report holds: tallies of periods and places, without words and without a single call. Pure values.

How they come out of the store: api/reports/gathering.py.
"""

from dataclasses import dataclass
from datetime import date

from api.figures import Span, Tally
from api.reports.order import Order

# Below this a cell is marked: a share of so few says nothing (domain study 6.3, rule 1).
FEW_VOTES = 10


@dataclass(frozen=True)
class Named:
    """A thing with the names that it had in the period."""

    id: str
    name: str
    name_en: str


@dataclass(frozen=True)
class Line:
    """One place's figures in the period and in the one before.

    ``hidden``: it may not be shown (api/few_operators.py); then its tallies are empty, so that no writer can show them
    by mistake.
    """

    what: Named
    now: Tally
    before: Tally
    hidden: bool = False
    employer: Named | None = None


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
