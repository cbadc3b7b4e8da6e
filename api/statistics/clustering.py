"""Votes of one day hang together - who was at work, which crowd came - so a share is known less well than n says.

Domain study 6.1: inflate the variance by a design effect, and say that an interval covers sampling noise only.
"""

from collections.abc import Iterable

# With fewer days the estimate is itself mostly noise: an interval is then left as it is, and that is said.
MIN_CLUSTERS = 10

Clusters = Iterable[tuple[int, int]]


def design_effect(clusters: Clusters) -> float | None:
    """By how much clustering widens the variance of a share: 1 is not at all. None with fewer than ten clusters.

    The variance of the ratio estimator over clusters, divided by p(1-p)/n (Kish, Survey Sampling 5.4). It is never
    less than 1: a lucky sample must not make an interval narrower than that of independent votes.

    Args:
        clusters: (count, votes) of each day, or of each operator's day; those without votes are passed over.
    """
    return pooled_design_effect([clusters])


def pooled_design_effect(places: Iterable[Clusters]) -> float | None:
    """One design effect for several places, each with its own share and its own days; None if none has ten of them.

    A month's estimate of one place is uncertain by a third or so; that of all places of an answer is worth more.
    """
    scatter = chance = 0.0
    told = False
    for clusters in places:
        known = [(x, n) for x, n in clusters if n]
        if len(known) < MIN_CLUSTERS:
            continue
        told = True
        votes = sum(n for _, n in known)
        share = sum(x for x, _ in known) / votes
        scatter += sum((x - share * n) ** 2 for x, n in known) * len(known) / (len(known) - 1)
        chance += votes * share * (1 - share)
    if not told:
        return None
    return max(1.0, scatter / chance) if chance else 1.0
