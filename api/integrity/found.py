"""What a signal says of one person or desk in one month. It is a reason to look, never a finding of guilt (P4.8)."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Found:
    """One test made.

    ``p`` is how often somebody like the peers would show as much. ``material``: the deviation is also large enough to
    be worth anybody's time. ``marked``: which of the operator's calls (places in the month's list) carry the votes that
    the signal is about; they stay what they are. ``numbers`` explain it in the signal's own terms.
    """

    signal: str
    operator: str
    branch: str
    desk: str  # of a signal about pads the desk that showed most of it, else ""
    statistic: float
    expected: float
    n: int
    p: float
    material: bool
    marked: frozenset[int] = frozenset()
    numbers: dict[str, float] = field(default_factory=dict)
