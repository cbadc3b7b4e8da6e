"""Signals out of what pads count and how they fail: repeats, presses without a call, trouble on one's days (6.6).

A pad counts presses by what became of them, never by rating, and the collector samples the counters once a night: so
they are of a desk and a day, and the time of day is not known.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

import scipy

from api.integrity.found import Found
from api.integrity.month import LEAST, Month
from api.integrity.peers import MIN_PEERS, Expected, count_above, count_scatter
from collector.store import PadDay

WORTH_PRESSES = 10.0
WORTH_DAYS = 3
_LEAST_DAYS = 5


def repeats(month: Month) -> list[Found]:
    """Further presses after the first, per vote, on the days on which somebody had the desk; the pad ignored them."""
    return _surplus("repeats", month, lambda day: (day.repeats, day.votes), LEAST)


def no_call_presses(month: Month) -> list[Found]:
    """Presses with no client called, per day on which somebody had the desk."""
    return _surplus("no_call_presses", month, lambda day: (day.no_call, 1), _LEAST_DAYS)


def console_shadow(month: Month) -> list[Found]:
    """The pads' trouble begins on somebody's days more often than on others' days *at the same desks*.

    The null model: each desk's bad days fall on its days at random, so the count is a sum of hypergeometric ones. Who
    alone sits at a desk is not judged: there nobody can tell a person from a cable.
    """
    desks: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for (desk, day), name in month.seated.items():
        desks[desk][name].append((desk, day) in month.troubled)
    chances: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    worst: dict[str, tuple[int, str]] = {}
    for desk, people in sorted(desks.items()):
        days = sum(len(each) for each in people.values())
        troubled = sum(sum(each) for each in people.values())
        if len(people) < 2:
            continue
        for name, each in people.items():
            counts[name] += sum(each)
            worst[name] = max(worst.get(name, (0, desk)), (sum(each), desk), key=lambda pair: pair[0])
            chances[name].append((days, troubled, len(each)))
    found = []
    for name, strata in chances.items():
        own_days = sum(own for _, _, own in strata)
        expected = sum(troubled * own / days for days, troubled, own in strata)
        if own_days < _LEAST_DAYS or not any(troubled for _, troubled, _ in strata):
            continue
        p = _at_least(counts[name], strata)
        material = counts[name] - expected >= WORTH_DAYS
        numbers = {"count": float(counts[name]), "expected": expected}
        desk, count = worst[name][1], float(counts[name])
        found.append(
            Found(
                *("console_shadow", name, month.branch_of[name], desk, count, expected, own_days, p, material),
                numbers=numbers,
            )
        )
    return found


def _surplus(signal: str, month: Month, of: Callable[[PadDay], tuple[int, int]], least: int) -> list[Found]:
    """Each operator's presses against the others' rate per exposure; ``of`` gives (presses, exposure) of a day."""
    sums: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for day in month.pads:
        name = month.seated.get((day.desk, day.day))
        if name:
            for place, amount in enumerate(of(day)):
                sums[name][day.desk][place] += amount
    counts = {name: [sum(each[n] for each in desks.values()) for n in (0, 1)] for name, desks in sums.items()}
    counts = {name: each for name, each in counts.items() if each[1] >= least}
    if len(counts) < MIN_PEERS:
        return []
    presses, exposure = (sum(each[n] for each in counts.values()) for n in (0, 1))
    told = {name: Expected(own, n, n * (presses - own + 0.5) / (exposure - n + 1)) for name, (own, n) in counts.items()}
    scatter = count_scatter(told.values())
    return [
        Found(
            signal, name, month.branch_of[name], max(sorted(sums[name]), key=lambda desk: sums[name][desk][0]),
            each.hits / each.n, each.expected / each.n, each.n, count_above(each, scatter),
            each.hits - each.expected >= WORTH_PRESSES,
            numbers={"count": each.hits, "expected": each.expected},
        )
        for name, each in told.items()
    ]  # fmt: skip


def _at_least(count: int, strata: list[tuple[int, int, int]]) -> float:
    """The probability of at least ``count`` troubled days in all: the strata's distributions convolved."""
    whole = [1.0]
    for days, troubled, own in strata:
        low, high = max(0, troubled + own - days), min(troubled, own)
        total = scipy.special.comb(days, own)
        part = [0.0] * (high + 1)
        for k in range(low, high + 1):
            part[k] = float(scipy.special.comb(troubled, k) * scipy.special.comb(days - troubled, own - k) / total)
        mixed = [0.0] * (len(whole) + len(part) - 1)
        for i, a in enumerate(whole):
            for j, b in enumerate(part):
                mixed[i + j] += a * b
        whole = mixed
    return min(1.0, sum(whole[count:])) if count else 1.0


def pad_days(samples: Iterable[PadDay]) -> list[PadDay]:
    """What was counted on each day, out of the counters as they stood each night; a restarted pad counts from zero.

    The first sample of a pad says nothing of its day, and a night without a sample leaves its presses to the next one.
    """
    found = []
    before: dict[str, PadDay] = {}
    for each in sorted(samples, key=lambda sample: (sample.desk, sample.day)):
        last = before.get(each.desk)
        before[each.desk] = each
        if last is None:
            continue
        same = (each.journal, each.boot) == (last.journal, last.boot)
        votes, again, nobody = (
            getattr(each, name) - (getattr(last, name) if same else 0) for name in ("votes", "repeats", "no_call")
        )
        if min(votes, again, nobody) >= 0:
            found.append(each._replace(votes=votes, repeats=again, no_call=nobody))
    return found
