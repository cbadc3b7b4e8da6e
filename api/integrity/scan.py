"""All signals over one month, and which of them stand out among so many (Benjamini and Hochberg). Pure.

With 40 operators and a dozen signals some test is always "significant at 5 %". So all tests of a month are taken
together and as many are let through that, of those let through, one in twenty is to be expected by chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from api.integrity.found import Found
from api.integrity.month import Month
from api.integrity.peers import MIN_PEERS
from api.integrity.registry import SIGNALS

FALSE_DISCOVERIES = 0.05
BEYOND_DOUBT = 1e-6


@dataclass(frozen=True, slots=True)
class Judged:
    """``q`` is the false discovery rate at which the test would just be let through; ``stands_out`` if it was."""

    found: Found
    q: float
    stands_out: bool


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a signal was tested and what came of it: the base rates of an office."""

    signal: str
    tests: int
    below_5_percent: int
    stand_out: int


@dataclass(frozen=True, slots=True)
class Marked:
    """An operator's votes, and those of them that signals which stand out are about; (bad, good, exemplary)."""

    operator: str
    votes: tuple[int, int, int]
    marked: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Scan:
    judged: list[Judged]
    rates: list[Rate]
    marked: list[Marked]

    @property
    def standing_out(self) -> list[Judged]:
        return [each for each in self.judged if each.stands_out]


def scan(month: Month) -> Scan:
    """Every test that the month's data allow, judged together.

    Twice: who stands out beyond all doubt is no peer to measure others by - hundreds of votes that no client gave make
    the honest neighbours look silent - so the others are tested again among themselves.
    """
    found = _tests(month)
    apart = {each.found.operator for each in _judged(found) if each.stands_out and each.q < BEYOND_DOUBT}
    if apart and len(month.by_operator) - len(apart) >= MIN_PEERS:
        found = [each for each in found if each.operator in apart] + _tests(month.without(apart))
    judged = _judged(found)
    return Scan(judged, _rates(judged), _marked(month, judged))


def _tests(month: Month) -> list[Found]:
    return [each for signal in SIGNALS if signal.test is not None for each in signal.test(month)]


def _judged(found: Sequence[Found]) -> list[Judged]:
    q_values = adjusted([each.p for each in found])
    return [Judged(each, q, q <= FALSE_DISCOVERIES and each.material) for each, q in zip(found, q_values, strict=True)]


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's adjusted p-values, in the order given."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__, reverse=True)
    found, least = [1.0] * len(p_values), 1.0
    for rank, place in zip(range(len(p_values), 0, -1), order, strict=True):
        least = min(least, p_values[place] * len(p_values) / rank)
        found[place] = least
    return found


def votes_of(month: Month, each: Found) -> tuple[int, int, int]:
    """The votes that one signal is about, by rating."""
    ratings = [0, 0, 0]
    calls = month.by_operator.get(each.operator, [])
    for place in each.marked:
        if calls[place].rating:
            ratings[calls[place].rating - 1] += 1
    return ratings[0], ratings[1], ratings[2]


def _rates(judged: Sequence[Judged]) -> list[Rate]:
    rates = []
    for signal in SIGNALS:
        mine = [each for each in judged if each.found.signal == signal.id]
        below = sum(1 for each in mine if each.found.p < 0.05)
        rates.append(Rate(signal.id, len(mine), below, sum(1 for each in mine if each.stands_out)))
    return rates


def _marked(month: Month, judged: Sequence[Judged]) -> list[Marked]:
    places: dict[str, set[int]] = {}
    for each in judged:
        if each.stands_out and each.found.operator:
            places.setdefault(each.found.operator, set()).update(each.found.marked)
    found = []
    for name, mine in sorted(places.items()):
        votes, marked = [0, 0, 0], [0, 0, 0]
        for place, call in enumerate(month.by_operator[name]):
            if call.rating:
                votes[call.rating - 1] += 1
                marked[call.rating - 1] += place in mine
        found.append(Marked(name, (votes[0], votes[1], votes[2]), (marked[0], marked[1], marked[2])))
    return found
