"""Funnels: which counts are out of the ordinary for their number of votes, when all have one share in common.

Domain study 6.4, after Spiegelhalter 2005: a funnel instead of a league table. Nothing is sorted by its figure; exact
binomial limits, because normal ones pass 1; look at case mix and overdispersion before reading anything into a point.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt
from typing import Literal, NamedTuple

import scipy


class FunnelLimits(NamedTuple):
    """Counts: one below a low limit or above a high one is to be looked at; a count equal to a limit is not."""

    low95: int
    high95: int
    low998: int
    high998: int


class ShareLimits(NamedTuple):
    """The same as shares, 0..1."""

    low95: float
    high95: float
    low998: float
    high998: float


InFunnel = Literal["inside", "between", "outside"]


@dataclass(frozen=True, slots=True)
class Overdispersion:
    """``factor`` is the mean squared z-score, winsorised; beyond 1 by more than chance if ``significant``.

    Then the limits are too narrow for this group, because the units differ for reasons that nobody has adjusted for,
    and a point outside says little: "many are outside" is about the model, not about the people.
    """

    factor: float
    p: float
    units: int

    @property
    def significant(self) -> bool:
        return self.p < 0.05


@lru_cache(maxsize=65536)
def funnel_limits(n: int, p0: float) -> FunnelLimits:
    """The exact 95 % and 99.8 % limits of a count of ``n`` votes at a common share ``p0`` (0..1).

    Raises ValueError for what is no number of votes or no share.
    """
    if n < 0 or not 0 <= p0 <= 1:
        raise ValueError(f"no funnel for {n} votes at {p0}")
    return FunnelLimits(*(_quantile(q, n, p0) for q in (0.025, 0.975, 0.001, 0.999)))


def share_limits(n: int, p0: float, *, design_effect: float = 1.0) -> ShareLimits:
    """The limits of a share of ``n`` votes, at least one. Raises ValueError for what is no number of votes or no share.

    Args:
        design_effect: by how much clustering widens the variance (see clustering). The limits are then the exact ones
            of as many independent votes as ``n`` are worth, rounded down: rather too wide than too narrow.
    """
    if n < 1 or design_effect < 1:
        raise ValueError(f"no limits for {n} votes that count for fewer by {design_effect}")
    worth = max(1, int(n / design_effect))
    return ShareLimits(*(count / worth for count in funnel_limits(worth, p0)))


def in_funnel(share: float, limits: ShareLimits) -> InFunnel:
    """Where a share lies: inside the 95 % limits, between them and the 99.8 % ones, or outside both."""
    if not limits.low998 <= share <= limits.high998:
        return "outside"
    return "inside" if limits.low95 <= share <= limits.high95 else "between"


def two_sided_p(count: int, n: int, p0: float) -> float:
    """Twice the smaller exact tail, at most 1: how surprising ``count`` of ``n`` is at ``p0``."""
    return min(1.0, 2 * min(lower_tail(count, n, p0), upper_tail(count, n, p0)))


def lower_tail(count: int, n: int, p0: float) -> float:
    """The probability of at most ``count``."""
    return float(scipy.special.bdtr(min(count, n), n, p0)) if count >= 0 else 0.0


def upper_tail(count: int, n: int, p0: float) -> float:
    """The probability of at least ``count``."""
    return float(scipy.special.bdtrc(count - 1, n, p0)) if count > 0 else 1.0


def overdispersion(points: Iterable[tuple[float, float]], p0: float) -> Overdispersion | None:
    """Whether the points (count, votes) scatter more than a funnel at ``p0`` allows. None with fewer than five.

    Spiegelhalter's test: z-scores of the units, the outer tenth at either side drawn in (winsorised) so that the few
    that the funnel is meant to find do not widen it, their mean square against chi-squared.
    """
    known = [(x, n) for x, n in points if n]
    if len(known) < 5 or not 0 < p0 < 1:
        return None
    scores = sorted((x - n * p0) / sqrt(n * p0 * (1 - p0)) for x, n in known)
    cut = len(scores) // 10
    low, high = scores[cut], scores[-1 - cut]
    factor = sum(min(max(z, low), high) ** 2 for z in scores) / len(scores)
    return Overdispersion(factor, float(scipy.special.chdtrc(len(scores), factor * len(scores))), len(scores))


def _quantile(q: float, n: int, p0: float) -> int:
    """The least count with a lower tail of at least ``q``, as scipy.stats' ``binom.ppf`` finds it."""
    if p0 in (0.0, 1.0) or not n:
        return round(n * p0)
    count = max(0, ceil(float(scipy.special.bdtrik(q, n, p0))))
    return count - 1 if count and lower_tail(count - 1, n, p0) >= q else count
