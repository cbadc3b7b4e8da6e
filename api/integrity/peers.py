"""The null model that most signals share: somebody like the others, with the same services in the same branch.

Rules of the file
1.  What is expected of an operator comes from the *others* only, cell by cell (service and branch); a thin cell leans
    on wider ones (the service anywhere, everything), each of which weighs as ``LEAN`` trials.
2.  People differ, and that is no offence: how much they scatter beyond chance is estimated from all of them and
    allowed for (beta-binomial for shares, negative binomial for counts). The scatter of the outermost fifth is drawn
    in, else the few that are looked for would hide behind themselves.
3.  With fewer than ``MIN_PEERS`` people nothing is said: how they differ cannot be known.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import scipy

Cell = tuple[str, str]  # service, branch
MIN_PEERS = 8
LEAN = 50
# The part of the people whose scatter is drawn in, and the mean of a chi-squared deviate (1 degree of freedom) whose
# values above that point are drawn in to it.
OUTERMOST = 0.2
DRAWN_IN = 0.67865


class Trials(NamedTuple):
    """``hits`` of ``n`` in one cell."""

    hits: int
    n: int


class Expected(NamedTuple):
    """What one person shows, and what the others would in the same cells."""

    hits: int
    n: int
    expected: float


def expectations(people: Mapping[str, Mapping[Cell, Trials]]) -> dict[str, Expected]:
    """Each person's count with what their cells make one expect."""
    sums: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0])
    for cells in people.values():
        for cell, trials in cells.items():
            for wider in _wider(cell):
                sums[wider][0] += trials.hits
                sums[wider][1] += trials.n
    found = {}
    for name, cells in people.items():
        own: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0])
        for cell, trials in cells.items():
            for wider in _wider(cell):
                own[wider][0] += trials.hits
                own[wider][1] += trials.n
        expected = sum(trials.n * _share(cell, sums, own) for cell, trials in cells.items())
        count, n = (sum(each[place] for each in cells.values()) for place in (0, 1))
        found[name] = Expected(count, n, expected)
    return found


def share_scatter(people: Iterable[Expected]) -> float:
    """The intraclass correlation of shares among people: 0 where they differ no more than chance makes them."""
    terms, weights = [], []
    for each in people:
        p = each.expected / each.n if each.n else 0.0
        variance = each.n * p * (1 - p)
        if variance > 0:
            terms.append((each.hits - each.expected) ** 2 / variance)
            weights.append(each.n)
    factor = drawn_in(terms)
    typical = sum(weights) / len(weights) if weights else 1.0
    return min(0.5, max(0.0, (factor - 1) / (typical - 1))) if typical > 1 else 0.0


def count_scatter(people: Iterable[Expected]) -> float:
    """How counts scatter beyond Poisson: the variance is expected + scatter * expected squared."""
    known = [each for each in people if each.expected > 0]
    factor = drawn_in([(each.hits - each.expected) ** 2 / each.expected for each in known])
    typical = sum(each.expected for each in known) / len(known) if known else 1.0
    return max(0.0, (factor - 1) / typical)


def share_above(each: Expected, scatter: float) -> float:
    """The probability of at least this count among people who scatter so."""
    return _beta_binomial(each, scatter, range(each.hits, each.n + 1), each.hits)


def share_below(each: Expected, scatter: float) -> float:
    """The probability of at most this count."""
    return 1.0 if each.hits == each.n else _beta_binomial(each, scatter, range(each.hits + 1), None)


def count_above(each: Expected, scatter: float) -> float:
    """The probability of at least this count, negative binomial."""
    if not each.hits:
        return 1.0
    if each.expected <= 0:
        return 0.0
    if scatter * each.expected < 1e-6:
        return float(scipy.special.pdtrc(each.hits - 1, each.expected))
    size = 1 / scatter
    # 1 - I_p(size, k) with p = size / (size + mean): betainc holds for sizes that are not whole, nbdtrc does not.
    return float(scipy.special.betainc(each.hits, size, each.expected / (size + each.expected)))


def _share(cell: Cell, sums: Mapping[tuple[str, ...], list[int]], own: Mapping[tuple[str, ...], list[int]]) -> float:
    """The others' share in a cell, from the widest inwards: everything, the service, the service in the branch."""
    share = 0.5
    for depth, wider in enumerate(reversed(_wider(cell))):
        count = sums[wider][0] - own[wider][0]
        n = sums[wider][1] - own[wider][1]
        lean = 1.0 if depth == 0 else LEAN
        share = (count + lean * share) / (n + lean)
    return share


def _wider(cell: Cell) -> tuple[tuple[str, ...], ...]:
    return cell, cell[:1], ()


def drawn_in(terms: list[float]) -> float:
    """The mean of squared z-scores with the outermost fifth drawn in, about 1 where there is chance alone."""
    if not terms:
        return 1.0
    ordered = sorted(terms)
    edge = ordered[min(len(ordered) - 1, int(len(ordered) * (1 - OUTERMOST)))]
    return sum(min(each, edge) for each in ordered) / len(ordered) / DRAWN_IN


def _beta_binomial(each: Expected, scatter: float, counts: range, above: int | None) -> float:
    import numpy  # comes with SciPy, and is slow to load

    p = min(max(each.expected / each.n, 1e-9), 1 - 1e-9)
    if scatter < 1e-6:
        if above is None:
            return float(scipy.special.bdtr(counts[-1], each.n, p))
        return float(scipy.special.bdtrc(above - 1, each.n, p)) if above else 1.0
    if above == 0:
        return 1.0
    special = scipy.special
    a, b = p * (1 - scatter) / scatter, (1 - p) * (1 - scatter) / scatter
    k = numpy.arange(counts[0], counts[-1] + 1, dtype=float)
    logs = (
        special.gammaln(each.n + 1) - special.gammaln(k + 1) - special.gammaln(each.n - k + 1)
        + special.betaln(k + a, each.n - k + b) - special.betaln(a, b)
    )  # fmt: skip
    return min(1.0, float(numpy.exp(logs).sum()))
