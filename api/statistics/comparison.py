"""Now against then: differences of shares with intervals, and which are more than noise when many are shown together.

A page that compares twelve branches in two ratings with last month and last year shows forty-eight differences; of
those, two or three "significant at 5 %" ones come about by chance alone. So a difference is *beyond noise* only if its
interval at 1 - 0.05/m excludes zero, m being the number of differences shown together (Bonferroni): the chance of even
one false word on the whole page is then 5 %. The interval that is shown remains the usual 95 % one of Newcombe's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from api.figures import Tally
from api.statistics.case_mix import Rating
from api.statistics.intervals import newcombe

# Two figures whose response rates lie further apart than this speak of differently chosen clients (domain study 6.2 c).
RESPONSE_GAP = 0.1
_FALSE_WORDS = 0.05


@dataclass(frozen=True, slots=True)
class Change:
    """Now minus then, as a difference of shares (0.075 is 7.5 points); all None where one side has no vote."""

    rating: Rating
    difference: float | None
    low: float | None
    high: float | None
    beyond_noise: bool
    comparisons: int
    design_effect: float


def compare(
    now: Tally, then: Tally, rating: Rating, *, comparisons: int = 1, design_effect: float | None = None
) -> Change:
    """The change of the share of ``rating`` from ``then`` to ``now``.

    Args:
        comparisons: how many differences are shown together with this one, itself included.
        design_effect: how much votes of one day hang together (see clustering); None where that is not known.
    """
    effect = design_effect or 1.0
    x1, n1, x2, n2 = getattr(now, rating), now.votes, getattr(then, rating), then.votes
    if not n1 or not n2:
        return Change(rating, None, None, None, False, comparisons, effect)
    low, high = newcombe(x1, n1, x2, n2, design_effect=effect)
    strict = newcombe(x1, n1, x2, n2, confidence=1 - _FALSE_WORDS / max(1, comparisons), design_effect=effect)
    return Change(rating, x1 / n1 - x2 / n2, low, high, strict[0] > 0 or strict[1] < 0, comparisons, effect)


def compare_all(pairs: Sequence[tuple[Tally, Tally]], ratings: Sequence[Rating] = ("bad", "exemplary")) -> list[Change]:
    """Every (now, then) in every rating, pair by pair, each knowing how many stand beside it."""
    shown = sum(1 for now, then in pairs if now.votes and then.votes) * len(ratings)
    return [compare(now, then, rating, comparisons=max(1, shown)) for now, then in pairs for rating in ratings]


def response_differs(now: Tally, then: Tally) -> bool:
    """Whether the response rates lie so far apart that the shares must not be compared without a warning."""
    if not now.eligible or not then.eligible:
        return False
    return abs(now.votes / now.eligible - then.votes / then.eligible) > RESPONSE_GAP
