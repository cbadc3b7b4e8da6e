"""Trend, targets and the suggested band: rules over values (domain study 3.4). Pure, and without words.

Rules of the file
1.  A trend needs three periods that are over; with fewer nobody can tell. So with a measure that has no better side.
2.  A target judges its own period only, and only once that is over.
3.  A band is a range. Fewer than three periods cap it at 50; without another office's value of the same scale it never
    goes beyond 90.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from api.evidence.series import Value
from api.statistics import Trend, TrendClass, trend
from collector.store import Target
from schemas.periods import day_date

Status = Literal["none", "none_met", "some_met", "most_met", "all_met"]
Why = Literal[
    "nothing",
    "few_periods",
    "declining",
    "flat",
    "improving",
    "no_targets",
    "none_met",
    "some_met",
    "most_met",
    "all_met",
    "no_comparison",
]
MIN_PERIODS = 3


@dataclass(frozen=True)
class Judged:
    """A target against what was reached in its period."""

    target: Target
    reached: float | None
    met: bool | None
    clear: bool | None


@dataclass(frozen=True)
class Band:
    low: int
    high: int
    why: tuple[Why, ...]


def trend_of(values: Sequence[Value], *, has_better: bool) -> Trend:
    """The trend over the periods that are over and can be tested; see B's rule in api/statistics/trend.py."""
    over = [each for each in values if each.complete and each.tally is not None]
    tallies = [each.tally for each in over if each.tally is not None]
    if not has_better or len(tallies) < MIN_PERIODS:
        return Trend(TrendClass.CANNOT_TELL, len(tallies), None, None, None, False)
    return trend(tallies)


def judged(targets: Sequence[Target], values: Sequence[Value]) -> list[Judged]:
    """Each target with what became of it; of several for one period the one that was set last."""
    latest = {(each.about.first_day, each.about.last_day): each for each in targets}
    by_days = {(each.span.first, each.span.last): each for each in values}
    found = []
    for target in latest.values():
        value = by_days.get((day_date(target.about.first_day), day_date(target.about.last_day)))
        if value is None or not value.complete or value.value is None:
            found.append(Judged(target, None, None, None))
            continue
        wanted = target.about.value
        at_least = target.about.direction == "at_least"
        met = value.value >= wanted if at_least else value.value <= wanted
        clear = None if value.low is None or value.high is None else value.high < wanted or value.low > wanted
        found.append(Judged(target, value.value, met, clear))
    return found


def status_of(found: Sequence[Judged]) -> Status:
    """How many of the targets that can be judged were met."""
    known = [each.met for each in found if each.met is not None]
    if not known:
        return "none"
    share = sum(known) / len(known)
    if share == 1:
        return "all_met"
    return "none_met" if not share else "most_met" if share > 0.5 else "some_met"


def band(trends: Sequence[Trend], status: Status, *, measured: bool) -> Band:
    """Of the classical results panel: where assessors may begin, from the measures of one sub-criterion."""
    if not measured:
        return Band(0, 10, ("nothing",))
    verdicts = {each.verdict for each in trends}
    if not verdicts - {TrendClass.CANNOT_TELL}:
        return Band(11, 50, ("few_periods", "no_targets" if status == "none" else status, "no_comparison"))
    if TrendClass.DECLINING in verdicts or status == "none_met":
        why: Why = "declining" if TrendClass.DECLINING in verdicts else "none_met"
        return Band(11, 30, (why, "no_comparison"))
    told: Why = "no_targets" if status == "none" else status
    if TrendClass.IMPROVING in verdicts:
        low, high = (51, 90) if status == "all_met" else (51, 70)
        return Band(low, high, ("improving", told, "no_comparison"))
    if status in ("most_met", "all_met"):
        return Band(31, 70, ("flat", told, "no_comparison"))
    return Band(31, 50, ("flat", told, "no_comparison"))
