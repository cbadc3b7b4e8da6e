"""Trends over periods: improving, declining, flat - or nobody can tell (domain study 3.4).

The rule: at least three comparable periods, each with enough votes; *improving* or *declining* only if the ordinal
trend over them is significant at 5 % and the change is larger than a minimum set beforehand (3 points of the share
exemplary, along the weighted line through the periods, first to last); anything else is *flat*. With very many votes
every wobble is significant, and with few votes every wobble is large: so both are asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

from api.figures import Tally
from api.statistics.comparison import RESPONSE_GAP
from api.statistics.effect import linear_by_linear
from api.statistics.intervals import two_sided

MIN_PERIODS = 3
MIN_VOTES = 10  # a period: below that its figure is not shown either (domain study 6.3)
MIN_CHANGE = 0.03


class TrendClass(StrEnum):
    IMPROVING = "improving"
    DECLINING = "declining"
    FLAT = "flat"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Trend:
    """The class with its reasons: ``change`` is of the share exemplary, first to last period; ``z`` is the test's.

    ``response_moved`` warns that response rates lie so far apart that who votes may have changed rather than what they
    think (domain study 6.5).
    """

    verdict: TrendClass
    periods: int
    change: float | None
    z: float | None
    p: float | None
    response_moved: bool


def trend(periods: Sequence[Tally], *, min_change: float = MIN_CHANGE, design_effect: float | None = None) -> Trend:
    """The trend over ``periods``, oldest first and of equal length; a period with too few votes makes it untellable.

    Args:
        min_change: the smallest change of the share exemplary that is worth a word, 0..1.
        design_effect: how much votes of one day hang together (see clustering); None where that is not known.
    """
    enough = len(periods) >= MIN_PERIODS and all(each.votes >= MIN_VOTES for each in periods)
    if not enough:
        return Trend(TrendClass.CANNOT_TELL, len(periods), None, None, None, _response_moved(periods))
    change = _change(periods)
    test = linear_by_linear([(each.bad, each.good, each.exemplary) for each in periods])
    if test is None:  # every vote alike
        return Trend(TrendClass.FLAT, len(periods), change, None, None, _response_moved(periods))
    z = test.z / sqrt(design_effect or 1.0)
    p = two_sided(z)
    verdict = TrendClass.FLAT
    if p < 0.05 and change >= min_change and z > 0:
        verdict = TrendClass.IMPROVING
    elif p < 0.05 and change <= -min_change and z < 0:
        verdict = TrendClass.DECLINING
    return Trend(verdict, len(periods), change, z, p, _response_moved(periods))


def _change(periods: Sequence[Tally]) -> float:
    """Of the share exemplary from the first to the last period, along the line that the votes weight."""
    votes = sum(each.votes for each in periods)
    middle = sum(time * each.votes for time, each in enumerate(periods)) / votes
    share = sum(each.exemplary for each in periods) / votes
    moved = sum((time - middle) * (each.exemplary - share * each.votes) for time, each in enumerate(periods))
    spread = sum(each.votes * (time - middle) ** 2 for time, each in enumerate(periods))
    return moved / spread * (len(periods) - 1)


def _response_moved(periods: Sequence[Tally]) -> bool:
    rates = [each.votes / each.eligible for each in periods if each.eligible]
    return bool(rates) and max(rates) - min(rates) > RESPONSE_GAP
