"""Two distributions of the three ratings, before and after: is there a difference, how large, could one be seen at all?

Domain study 6.5. The three levels are ordered, nothing more: tests of ranks, no mean score. Verdicts are "shown", "not
shown", "worse" or "cannot tell" - never "effective" from a rise alone - and belong to who knows what else changed.
Closed forms over counts, equal to scipy.stats' and statsmodels' over single votes (tests), without making the votes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist

from api.statistics.intervals import two_sided

Levels = tuple[int, int, int]  # counts of bad, good, exemplary


@dataclass(frozen=True, slots=True)
class RankTest:
    """``statistic`` is U of the second group, or z; ``p`` is two-sided."""

    statistic: float
    z: float
    p: float


def mann_whitney(before: Levels, after: Levels) -> RankTest | None:
    """The Mann-Whitney test with tie correction and without continuity correction; None if it cannot be made."""
    n1, n2 = sum(before), sum(after)
    n = n1 + n2
    if not n1 or not n2:
        return None
    ties = sum((a + b) ** 3 - (a + b) for a, b in zip(before, after, strict=True))
    variance = n1 * n2 / 12 * (n + 1 - ties / (n * (n - 1))) if n > 1 else 0.0
    u = _superior(before, after)
    if variance <= 0:
        return None
    z = (u - n1 * n2 / 2) / sqrt(variance)
    return RankTest(u, z, two_sided(z))


def cliffs_delta(before: Levels, after: Levels) -> float | None:
    """P(after > before) - P(after < before), -1..1; half of (it + 1) is the probability of superiority."""
    pairs = sum(before) * sum(after)
    return 2 * _superior(before, after) / pairs - 1 if pairs else None


def linear_by_linear(groups: Sequence[Levels]) -> RankTest | None:
    """The linear-by-linear association of ordered groups (0, 1, 2, ...) with ordered ratings (Agresti); z² = (N-1)r².

    None where all votes are in one group or of one rating.
    """
    n = sum(map(sum, groups))
    cells = [(group, level, count) for group, row in enumerate(groups) for level, count in enumerate(row)]
    if n < 2:
        return None
    mean_group = sum(group * count for group, _, count in cells) / n
    mean_level = sum(level * count for _, level, count in cells) / n
    together = sum(count * (group - mean_group) * (level - mean_level) for group, level, count in cells)
    groups_spread = sum(count * (group - mean_group) ** 2 for group, _, count in cells)
    levels_spread = sum(count * (level - mean_level) ** 2 for _, level, count in cells)
    if not groups_spread or not levels_spread:
        return None
    z = sqrt(n - 1) * together / sqrt(groups_spread * levels_spread)
    return RankTest(z, z, two_sided(z))


def delta_interval(
    before: Sequence[Levels], after: Sequence[Levels], *, seed: int, rounds: int = 2000
) -> tuple[float, float] | None:
    """The 95 % bootstrap interval of Cliff's delta, drawn by whole days. None with fewer than ten days on a side.

    Args:
        before: the counts of each day; likewise ``after``.
        seed: the same seed gives the same interval: a report must not change when it is printed again.
    """
    import numpy  # comes with SciPy, and is slow to load

    if len(before) < 10 or len(after) < 10:
        return None
    dice = numpy.random.default_rng(seed)

    def drawn(days: Sequence[Levels]) -> "numpy.ndarray[tuple[int, int], numpy.dtype[numpy.float64]]":
        times = dice.multinomial(len(days), [1 / len(days)] * len(days), size=rounds)
        return numpy.asarray(times @ numpy.array(days, dtype=numpy.float64))

    b, a = drawn(before), drawn(after)
    pairs = b.sum(axis=1) * a.sum(axis=1)
    above = a[:, 1] * b[:, 0] + a[:, 2] * (b[:, 0] + b[:, 1])
    below = b[:, 1] * a[:, 0] + b[:, 2] * (a[:, 0] + a[:, 1])
    deltas = (above - below)[pairs > 0] / pairs[pairs > 0]
    if not len(deltas):
        return None
    low, high = numpy.quantile(deltas, [0.025, 0.975])
    return float(low), float(high)


def votes_to_see(p1: float, p2: float, *, power: float = 0.8, alpha: float = 0.05) -> int:
    """Votes needed on each side to see a change from ``p1`` to ``p2`` with this power (Fleiss, without continuity).

    Raises ValueError if there is no change to see, or a share is not between 0 and 1.
    """
    if p1 == p2 or not (0 < p1 < 1 and 0 < p2 < 1):
        raise ValueError(f"no change of shares to see: {p1}, {p2}")
    normal, mean = NormalDist(), (p1 + p2) / 2
    chance = normal.inv_cdf(1 - alpha / 2) * sqrt(2 * mean * (1 - mean))
    miss = normal.inv_cdf(power) * sqrt(p1 * (1 - p1) + p2 * (1 - p2))
    return ceil(((chance + miss) / (p2 - p1)) ** 2)


def _superior(before: Levels, after: Levels) -> float:
    """Pairs in which the vote after is the better one; equal ones count half."""
    below, pairs = 0, 0.0
    for earlier, later in zip(before, after, strict=True):
        pairs += later * (below + earlier / 2)
        below += earlier
    return pairs
