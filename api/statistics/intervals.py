"""Intervals of shares and of their differences, and what those who did not vote could change."""

from math import sqrt
from statistics import NormalDist

import scipy

from api.figures import wilson as _wilson

_NORMAL = NormalDist()


def normal_quantile(confidence: float) -> float:
    """How many standard errors an interval reaches to either side: 1.96 for 0.95."""
    return _NORMAL.inv_cdf(0.5 + confidence / 2)


def two_sided(z: float) -> float:
    """The probability of a normal deviate at least as far from zero as ``z``."""
    return 2 * _NORMAL.cdf(-abs(z))


def wilson(count: float, n: float, *, confidence: float = 0.95, design_effect: float = 1.0) -> tuple[float, float]:
    """The Wilson score interval of a share (domain study 6.1: never Wald's); (0, 1) where there are no votes.

    Args:
        design_effect: by how much clustering widens the variance (see clustering); the votes then count for fewer.
    """
    _check(count, n)
    if not n:
        return 0.0, 1.0
    return _wilson(count / design_effect, n / design_effect, normal_quantile(confidence))


def newcombe(
    x1: float, n1: float, x2: float, n2: float, *, confidence: float = 0.95, design_effect: float = 1.0
) -> tuple[float, float]:
    """The interval of x1/n1 - x2/n2 out of two Wilson intervals (Newcombe 1998, method 10; domain study 6.5).

    Raises ValueError where there is a side without votes: there is no difference then.
    """
    if not n1 or not n2:
        raise ValueError("a difference needs votes on both sides")
    p1, p2 = x1 / n1, x2 / n2
    low1, high1 = wilson(x1, n1, confidence=confidence, design_effect=design_effect)
    low2, high2 = wilson(x2, n2, confidence=confidence, design_effect=design_effect)
    below = sqrt((p1 - low1) ** 2 + (high2 - p2) ** 2)
    above = sqrt((high1 - p1) ** 2 + (p2 - low2) ** 2)
    return max(-1.0, p1 - p2 - below), min(1.0, p1 - p2 + above)


def exact_interval(count: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's interval, which never covers less than it says: for shares of few votes near 0 or 1."""
    _check(count, n)
    tail = (1 - confidence) / 2
    low = float(scipy.special.betaincinv(count, n - count + 1, tail)) if count else 0.0
    high = float(scipy.special.betaincinv(count + 1, n - count, 1 - tail)) if count < n else 1.0
    return low, high


def worst_case(count: int, votes: int, eligible: int) -> tuple[float, float] | None:
    """Between which shares of all eligible clients the truth lies, whatever those think who did not vote.

    Domain study 6.2 (b): 270 of 300 votes, 1,000 eligible: from 27 % to 97 %. None without an eligible call.
    """
    if not 0 <= count <= votes <= eligible:
        raise ValueError(f"counts must not decrease: {count}, {votes}, {eligible}")
    if not eligible:
        return None
    return count / eligible, (count + eligible - votes) / eligible


def _check(count: float, n: float) -> None:
    if not 0 <= count <= n:
        raise ValueError(f"{count} of {n} is no share")
