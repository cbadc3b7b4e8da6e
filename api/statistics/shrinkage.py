"""Empirical Bayes: an operator's figure drawn towards everybody's, the more the fewer the votes (domain study 6.4).

The model is beta-binomial: operators' true shares scatter as Beta(a, b), a+b is the prior's weight in votes. It is
estimated by moments out of at least twelve operators; with fewer there is no weight, and a figure of few votes is to be
suppressed rather than shrunk by a number that somebody chose.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import scipy

from api.statistics.reliability import intraclass

MIN_OPERATORS = 12
# A prior that weighs more than this many votes says "no difference was found"; the estimate has no more digits.
MAX_WEIGHT = 1e6


@dataclass(frozen=True, slots=True)
class Prior:
    """``mean`` is everybody's share, ``weight`` how many votes it counts for."""

    mean: float
    weight: float


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The posterior mean and its central 95 % interval."""

    share: float
    low: float
    high: float


def prior_of(groups: Sequence[tuple[int, int]]) -> Prior | None:
    """The prior that (count, votes) of the operators give; None with fewer than twelve who have votes, or all alike."""
    known = [(x, n) for x, n in groups if n]
    if len(known) < MIN_OPERATORS:
        return None
    icc = intraclass(known)
    if icc is None or icc >= 1:
        return None
    mean = sum(x for x, _ in known) / sum(n for _, n in known)
    return Prior(mean, min(MAX_WEIGHT, (1 - icc) / icc) if icc else MAX_WEIGHT)


def shrink(count: int, n: int, prior: Prior) -> Shrunk:
    """The posterior of a share after ``count`` of ``n`` votes: mean (a+x)/(a+b+n)."""
    if not 0 <= count <= n:
        raise ValueError(f"{count} of {n} is no share")
    a = prior.mean * prior.weight + count
    b = (1 - prior.mean) * prior.weight + n - count
    if not a or not b:
        share = 1.0 if a else 0.0
        return Shrunk(share, share, share)
    low, high = (float(scipy.special.betaincinv(a, b, tail)) for tail in (0.025, 0.975))
    return Shrunk(a / (a + b), low, high)
