"""Signals about the order of votes in time: presses at machine-like spacing, long runs of one rating (6.6)."""

from collections import defaultdict
from collections.abc import Sequence

from api.integrity.found import Found
from api.integrity.month import LEAST, Month, pressed_unix_ms
from api.integrity.peers import MIN_PEERS, Cell, Trials, expectations, share_above, share_scatter
from collector.store import Served

# Two gaps between three successive presses that differ by less than this, or are both shorter than the other: nobody
# serves clients like that.
SAME_GAP_MS = 1_000
SHORT_GAP_MS = 30_000
WORTH_TRIPLES = 3.0
RUN_P = 0.001


def bursts(month: Month) -> list[Found]:
    """Three successive calls, each voted in, at gaps that are alike to a second or shorter than half a minute."""
    people: dict[str, dict[Cell, Trials]] = {}
    marks: dict[str, frozenset[int]] = {}
    for name, calls in month.by_operator.items():
        own: dict[Cell, list[int]] = defaultdict(lambda: [0, 0])
        marked: set[int] = set()
        for place in range(2, len(calls)):
            triple = calls[place - 2 : place + 1]
            if not all(call.rating for call in triple) or triple[0].day != triple[2].day:
                continue
            machine_like = _machine_like(triple)
            trials = own["", triple[2].branch]
            trials[0] += machine_like
            trials[1] += 1
            if machine_like:
                marked.update((place - 2, place - 1, place))
        if sum(n for _, n in own.values()) >= LEAST:
            people[name] = {cell: Trials(*trials) for cell, trials in own.items()}
            marks[name] = frozenset(marked)
    if len(people) < MIN_PEERS:
        return []
    told = expectations(people)
    scatter = share_scatter(told.values())
    return [
        Found(
            "burst", name, month.branch_of[name], "", each.hits / each.n, each.expected / each.n, each.n,
            share_above(each, scatter), each.hits - each.expected >= WORTH_TRIPLES, marks[name],
            {"count": each.hits, "expected": each.expected},
        )
        for name, each in told.items()
    ]  # fmt: skip


def long_runs(month: Month) -> list[Found]:
    """The longest run of one rating, at the operator's own rate or the peers', whichever makes it less surprising."""
    voted = {
        name: [(place, call.rating) for place, call in enumerate(calls) if call.rating]
        for name, calls in month.by_operator.items()
    }
    voted = {name: votes for name, votes in voted.items() if len(votes) >= LEAST}
    totals = [sum(1 for votes in voted.values() for _, rating in votes if rating == level) for level in (1, 2, 3)]
    everybody = sum(totals)
    found = []
    for name, votes in voted.items():
        ratings = [rating for _, rating in votes]
        start, length, level = longest_run(ratings)
        own = ratings.count(level)
        others = everybody - len(ratings)
        peers = (totals[level - 1] - own) / others if others else 0.0
        rate = max(own / len(ratings), peers)
        p = run_probability(len(ratings), length, rate)
        marked = frozenset(place for place, _ in votes[start : start + length])
        found.append(
            Found(
                "long_run", name, month.branch_of[name], "", float(length), rate, len(ratings), p, p < RUN_P, marked,
                {"length": length, "rating": level, "rate": rate},
            )
        )  # fmt: skip
    return found


def longest_run(values: Sequence[int]) -> tuple[int, int, int]:
    """(start, length, value) of the longest run of one value, the first of equals."""
    best = (0, 0, values[0] if values else 0)
    start = 0
    for place, value in enumerate(values):
        if place and value != values[place - 1]:
            start = place
        if place - start + 1 > best[1]:
            best = (start, place - start + 1, value)
    return best


def run_probability(n: int, length: int, rate: float) -> float:
    """The probability of a run of at least ``length`` successes in ``n`` trials of success ``rate`` (exact recursion).

    Domain study 6.6: at 0.9, 30 in 200 has 0.58 and 50 has 0.08; at 0.6, 10 has 0.38.
    """
    if length <= 0 or rate >= 1:
        return 1.0 if length <= n else 0.0
    if length > n:
        return 0.0
    # without[i] is the probability that the first i trials have no such run.
    full = rate**length
    without = [1.0] * length + [1.0 - full]
    ended = (1 - rate) * full  # a failure and then the run
    for trials in range(length + 1, n + 1):
        without.append(without[-1] - ended * without[trials - length - 1])
    return min(1.0, max(0.0, 1.0 - without[n]))


def _machine_like(triple: Sequence[Served]) -> bool:
    first, second, third = (pressed_unix_ms(call) for call in triple)
    one, other = second - first, third - second
    return abs(one - other) < SAME_GAP_MS or (one < SHORT_GAP_MS and other < SHORT_GAP_MS)
