"""What changed beyond noise, among everything that a report compares. It writes no words.

The whole is compared with the period before and with the same one of last year, every branch and service with the
period before; all of them together bear one chance in twenty of a false word (api.statistics.comparison).
"""

from dataclasses import dataclass

from api.figures import Tally
from api.reports.content import Content, Line, Named, Time
from api.statistics import Change, compare, newcombe

RATINGS = ("bad", "exemplary")


@dataclass(frozen=True)
class Shift:
    """One figure that moved by more than chance explains; ``place`` is None for the whole of the report."""

    place: Named | None
    then: Time | None
    rating: str
    now_share: float
    then_share: float
    change: Change


@dataclass(frozen=True)
class Shifts:
    found: tuple[Shift, ...]
    compared: int


@dataclass(frozen=True)
class Response:
    """The response rate moved by more than chance explains."""

    then: Time
    now_share: float
    then_share: float


def shifts(content: Content) -> Shifts:
    """Every change of a share beyond noise: of the whole first, then of the places in their order."""
    pairs = _pairs(content)
    count = len(pairs) * len(RATINGS)
    found = []
    for place, then, now, before in pairs:
        for rating in RATINGS:
            change = compare(now, before, rating, comparisons=count)  # type: ignore[arg-type]
            if change.beyond_noise:
                shares = getattr(now, rating) / now.votes, getattr(before, rating) / before.votes
                found.append(Shift(place, then, rating, *shares, change))
    return Shifts(tuple(found), count)


def response_shifts(content: Content) -> list[Response]:
    """Where the whole's response rate is another one than before, at 95 %."""
    found = []
    now = content.now
    for then in (content.before, content.year_ago):
        if then is None or not now.eligible or not then.tally.eligible:
            continue
        low, high = newcombe(now.votes, now.eligible, then.tally.votes, then.tally.eligible)
        if low > 0 or high < 0:
            found.append(Response(then, now.votes / now.eligible, then.tally.votes / then.tally.eligible))
    return found


def _pairs(content: Content) -> list[tuple[Named | None, Time | None, Tally, Tally]]:
    pairs: list[tuple[Named | None, Time | None, Tally, Tally]] = [
        (None, then, content.now, then.tally) for then in (content.before, content.year_ago) if then is not None
    ]
    # Operators are not compared with themselves a month ago: order P4.8, and the votes are far too few.
    lines: list[Line] = [*content.branches, *content.services]
    pairs += [(each.what, content.before, each.now, each.before) for each in lines if not each.hidden]
    return [each for each in pairs if each[2].votes and each[3].votes]
