"""Whether a figure may be published by itself. Pure; the sources are the domain study 6.3 and order P4.4.

Two people are protected: the operator, of whom a figure would be read as a verdict, and the client, whom the operator
knows. A figure is withheld as a whole: calls, response rate and all three ratings, for each of them tells of the rest.
"""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from api.figures import Tally

MIN_VOTES = 10  # a choice of policy, with the Washington State Department of Health's guideline as its model
MIN_OPERATORS = 3
# With more than this part of the votes one operator could be read off the whole to within a fifth (the rule of
# dominance, n = 1, k = 80 % of official statistics).
DOMINANT = 0.8
# How far apart the least and the largest number of votes must be that agree with everything published.
SPREAD_VOTES, SPREAD_PART = 10, 0.2
K = TypeVar("K")
RATINGS = ("bad", "good", "exemplary")


class Code(StrEnum):
    """What the public is told of a figure. The order is that of the published list of codes."""

    PUBLISHED = "published"
    NONE = "none"  # no client was called: zero, and known
    SMALL = "small"
    FEW_OPERATORS = "few_operators"
    ALIKE = "alike"  # all votes were the same: only "more than 95 %" is told
    SECONDARY = "secondary"
    WITHHELD = "withheld"  # without a reason, which would tell too much itself


OPEN = frozenset({Code.PUBLISHED, Code.NONE})
# Not data of operators: nobody is owed more than that the figure cannot be worked out.
_FOR_OTHERS = (Code.SMALL, Code.SECONDARY, Code.WITHHELD)


def verdict(tally: Tally, givers: Mapping[str, int]) -> Code:
    """What a figure is by itself, whatever is published beside it.

    Args:
        givers: how many votes each operator received, by operator; those without a vote may be in it.
    """
    if not tally.calls:
        return Code.NONE
    if tally.votes < MIN_VOTES:
        return Code.SMALL
    if has_few_operators(givers):
        return Code.FEW_OPERATORS
    return Code.ALIKE if alike(tally) else Code.PUBLISHED


def has_few_operators(givers: Mapping[str, int]) -> bool:
    """Whether a figure is operator data under another name: fewer than three, or one of them has nearly all."""
    amounts = [votes for votes in givers.values() if votes > 0]
    return len(amounts) < MIN_OPERATORS or max(amounts) > DOMINANT * sum(amounts)


def tells_of_a_colleague(givers: Mapping[str, int], reader: str) -> bool:
    """Whether an operator who takes the own votes off a figure is left with one colleague's, or nearly one's."""
    others = [votes for name, votes in givers.items() if votes > 0 and name not in ("", reader)]
    return len(others) < MIN_OPERATORS - 1 or max(others) > DOMINANT * sum(others)


def hidden_parts(parts: Mapping[K, Mapping[str, int]]) -> set[K]:
    """Which parts of a known whole are not shown: each that is operator data under another name or of few votes, and
    the smallest others as long as those not shown were so together: their sum is the whole less what is shown.

    Args:
        parts: of each part, how many votes each operator received; "" for nobody named. One without votes is no secret.
    """
    with_votes = {name: +Counter(givers) for name, givers in parts.items() if sum(givers.values())}
    hidden = {name for name, givers in with_votes.items() if tells(givers)}
    others = sorted((name for name in with_votes if name not in hidden), key=lambda name: with_votes[name].total())
    while hidden and others and tells(sum((with_votes[name] for name in hidden), Counter[str]())):
        hidden.add(others.pop(0))
    return hidden


def tells(givers: Mapping[str, int]) -> bool:
    """Whether a figure is of too few votes, or operator data under another name; "" is nobody named."""
    named = {name: votes for name, votes in givers.items() if name}
    return sum(givers.values()) < MIN_VOTES or has_few_operators(named)


def alike(tally: Tally) -> str | None:
    """The rating that every vote gave, if they all gave one."""
    for rating in RATINGS:
        if tally.votes and getattr(tally, rating) == tally.votes:
            return rating
    return None


def spread_wanted(code: Code, votes: int) -> int:
    """How far apart the least and the largest number of votes of a withheld figure must be that agree with all else.

    Of a small one: the whole of 0 to 9. Of operator data: a fifth of it, and ten at least. What is withheld for the
    sake of others could be published itself; it only must not be worked out.
    """
    if code in _FOR_OTHERS:
        return MIN_VOTES - 1
    return max(SPREAD_VOTES, _part(votes))


def rating_spread_wanted(code: Code, amount: int) -> int:
    """The same of one rating's count: never known exactly, and of operator data not to within a fifth.

    A rating that nobody gave may be known to be none: that follows from a larger, published figure in which it is none.
    """
    if not amount:
        return 0
    return 1 if code in _FOR_OTHERS else max(1, _part(amount))


def _part(amount: int) -> int:
    return -int(-SPREAD_PART * amount // 1)
