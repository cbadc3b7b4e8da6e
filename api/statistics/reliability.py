"""How many votes until a figure says something about an operator: between-operator variance against noise.

Domain study 6.4. The intraclass correlation (ICC) is the share of a single vote's variance that lies between operators;
the reliability of a mean of n votes is n*ICC / (1 + (n-1)*ICC) (Spearman and Brown). Decisions about a person on 20 to
40 votes a month are mostly noise unless the ICC is high.
"""

from collections.abc import Sequence
from math import ceil


def reliability(n: float, icc: float) -> float:
    """Which part of the variance of figures of ``n`` votes lies between operators, 0..1."""
    return n * icc / (1 + (n - 1) * icc)


def votes_needed(icc: float, wanted: float) -> int | None:
    """Votes of one operator until the figure has the reliability ``wanted`` (0.7 and 0.8 are usual); None if never.

    Where the number comes out whole, binary rounding may ask for one more, as in the study's table: at an ICC of 0.01
    exactly 396 votes reach 0.8, and the table says 397. One vote too many harms nobody.

    Raises ValueError for a reliability that is not between 0 and 1.
    """
    if not 0 < wanted < 1:
        raise ValueError(f"a reliability lies between 0 and 1: {wanted}")
    if icc <= 0:
        return None
    return max(1, ceil(wanted / (1 - wanted) * (1 - min(icc, 1.0)) / icc))


def intraclass(groups: Sequence[tuple[int, int]]) -> float | None:
    """The ICC of (count, votes) of several operators by moments (the analysis-of-variance estimator of 0/1 votes).

    0 where operators differ no more than chance makes them. None where it cannot be estimated: fewer than two
    operators with votes, none with two, or all votes alike.
    """
    known = [(x, n) for x, n in groups if n]
    votes, units = sum(n for _, n in known), len(known)
    if units < 2 or votes <= units:
        return None
    share = sum(x for x, _ in known) / votes
    between = sum(n * (x / n - share) ** 2 for x, n in known) / (units - 1)
    within = sum(x * (1 - x / n) for x, n in known) / (votes - units)
    typical = (votes - sum(n * n for _, n in known) / votes) / (units - 1)
    spread = between + (typical - 1) * within
    return min(1.0, max(0.0, (between - within) / spread)) if spread > 0 else None
