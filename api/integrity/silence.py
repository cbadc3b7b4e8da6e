"""Signals about votes that are missing: many silent calls, silence where clients were kept long, a rate that falls as
the figures rise (domain study 6.6). Silence is mostly the clients' own choice, and services differ in it."""

from collections import defaultdict
from collections.abc import Mapping
from math import atanh, log, sqrt, tanh
from typing import NamedTuple

import scipy

from api.integrity.found import Found
from api.integrity.month import LEAST, Month, Weeks
from api.integrity.peers import MIN_PEERS, Cell, Expected, Trials, drawn_in, expectations, share_below, share_scatter
from api.statistics.intervals import two_sided
from collector.store import Served

WORTH_POINTS = 0.10
LONG = 0.75  # a call is long beyond this quantile of its service
MIN_WEEKS = 8
_LEAST_OF_WEEK = 8
_BEFORE_WEEKS = 9  # about the two months before


def silent_calls(month: Month) -> list[Found]:
    """Fewer votes of eligible calls than peers of the same services, or than oneself before (the worse of the two)."""
    told = _response(month)
    if len(told) < MIN_PEERS:
        return []
    scatter = share_scatter(told.values())
    drops = _drops(month, told)
    found = []
    for name, each in told.items():
        level = share_below(each, scatter)
        change, p_drop = drops.get(name, (0.0, 1.0))
        below = (each.expected - each.hits) / each.n
        found.append(
            Found(
                "silent_calls", name, month.branch_of[name], "", each.hits / each.n, each.expected / each.n, each.n,
                min(1.0, 2 * min(level, p_drop)),
                below >= WORTH_POINTS or (change <= -WORTH_POINTS and p_drop < level),
                numbers={"votes": each.hits, "expected": each.expected, "change": change},
            )
        )  # fmt: skip
    return found


def selective_silence(month: Month) -> list[Found]:
    """A response that falls from usual to long calls by more than it does with the peers (an interaction test)."""
    falls = _falls(month)
    if len(falls) < MIN_PEERS:
        return []
    found = []
    for name, own in falls.items():
        others = [each for other, each in falls.items() if other != name]
        usual, between = _pooled(others)
        z = (own.log_odds - usual) / sqrt(own.variance + between)
        found.append(
            Found(
                "selective_silence", name, month.branch_of[name], "", own.long - own.short, own.long_expected,
                own.n, two_sided(z) / 2 if z < 0 else 1.0, own.long - own.short - own.long_expected <= -WORTH_POINTS,
                numbers={"long": own.long, "short": own.short},
            )
        )  # fmt: skip
    return found


def rate_score_coupling(month: Month) -> list[Found]:
    """Weeks of fewer votes are weeks of better ones: a negative correlation, beyond what the whole centre shows."""
    everybody = _sum_of_weeks(month.weeks)
    found = []
    for name in month.by_operator:
        own = month.weeks.get(name, [])
        pairs = []
        for week, whole in zip(own, everybody, strict=False):
            if week is None or week.votes < _LEAST_OF_WEEK or not week.eligible:
                continue
            eligible, votes, exemplary = (whole[n] - week[n] for n in range(3))
            if eligible and votes:
                rate = week.votes / week.eligible - votes / eligible
                pairs.append((rate, week.exemplary / week.votes - exemplary / votes))
        if len(pairs) >= MIN_WEEKS:
            found.append(_coupled(name, month.branch_of[name], pairs))
    return found


class _Fall(NamedTuple):
    log_odds: float
    variance: float
    n: int
    long: float
    short: float
    long_expected: float


def _response(month: Month) -> dict[str, Expected]:
    people: dict[str, dict[Cell, Trials]] = {}
    for name, calls in month.by_operator.items():
        own: dict[Cell, list[int]] = defaultdict(lambda: [0, 0])
        for call in calls:
            if call.eligible:
                trials = own[call.service or "", call.branch]
                trials[0] += bool(call.rating)
                trials[1] += 1
        if sum(n for _, n in own.values()) >= LEAST:
            people[name] = {cell: Trials(*trials) for cell, trials in own.items()}
    return expectations(people)


def _drops(month: Month, told: Mapping[str, Expected]) -> dict[str, tuple[float, float]]:
    """(change of the response against about two months before, p) against how peers changed meanwhile."""
    changes: dict[str, tuple[float, float]] = {}
    for name, each in told.items():
        weeks = [week for week in month.weeks.get(name, [])[:-_WEEKS_OF_MONTH][-_BEFORE_WEEKS:] if week]
        eligible, votes = sum(week.eligible for week in weeks), sum(week.votes for week in weeks)
        if eligible < 2 * LEAST:
            continue
        now, then = each.hits / each.n, votes / eligible
        changes[name] = now - then, now * (1 - now) / each.n + then * (1 - then) / eligible
    if len(changes) < MIN_PEERS:
        return {}
    usual = sorted(change for change, _ in changes.values())[len(changes) // 2]
    factor = drawn_in([(change - usual) ** 2 / variance for change, variance in changes.values() if variance > 0])
    typical = sum(variance for _, variance in changes.values()) / len(changes)
    between = max(0.0, factor - 1) * typical  # how much people change beyond chance
    found = {}
    for name, (change, variance) in changes.items():
        z = (change - usual) / sqrt(variance + between) if variance + between > 0 else 0.0
        found[name] = change, two_sided(z) / 2 if z < 0 else 1.0
    return found


_WEEKS_OF_MONTH = 4


def _falls(month: Month) -> dict[str, _Fall]:
    """Of each operator the log odds ratio of a vote in long calls against the others."""
    edges = _long_edges(month)
    counts: dict[str, list[list[int]]] = {}
    for name, calls in month.by_operator.items():
        own = [[0, 0], [0, 0]]  # short, long: silent, voted
        for call in calls:
            seconds = _served_ms(call)
            if seconds is not None and call.eligible:
                own[seconds > edges.get(call.service or "", seconds)][bool(call.rating)] += 1
        if sum(own[1]) >= LEAST and sum(own[0]) >= LEAST:
            counts[name] = own
    whole = [[sum(own[row][col] for own in counts.values()) for col in (0, 1)] for row in (0, 1)]
    found = {}
    for name, own in counts.items():
        a, b, c, d = (own[row][col] + 0.5 for row, col in ((1, 1), (1, 0), (0, 1), (0, 0)))
        rest = [[whole[row][col] - own[row][col] for col in (0, 1)] for row in (0, 1)]
        usual = _rate(rest[1]) - _rate(rest[0])
        variance = 1 / a + 1 / b + 1 / c + 1 / d
        found[name] = _Fall(
            log(a * d / b / c), variance, sum(own[0]) + sum(own[1]), _rate(own[1]), _rate(own[0]), usual
        )
    return found


def _rate(row: list[int]) -> float:
    return row[1] / sum(row) if sum(row) else 0.0


def _long_edges(month: Month) -> dict[str, int]:
    """By service, beyond how long a call is a long one."""
    lengths: dict[str, list[int]] = defaultdict(list)
    for calls in month.by_operator.values():
        for call in calls:
            length = _served_ms(call)
            if length is not None:
                lengths[call.service or ""].append(length)
    return {service: sorted(values)[int(len(values) * LONG)] for service, values in lengths.items()}


def _served_ms(call: Served) -> int | None:
    """How long the client was at the desk, where the queue says so: a next call does not tell when this one ended."""
    if call.outcome != "finished" or call.ended_unix_ms is None:
        return None
    return call.ended_unix_ms - call.called_unix_ms


def _pooled(others: list[_Fall]) -> tuple[float, float]:
    """The usual log odds ratio of the others and how much it differs between them (DerSimonian and Laird), with the
    scatter of the outermost drawn in as everywhere (peers.py)."""
    weights = [1 / each.variance for each in others]
    total = sum(weights)
    mean = sum(w * each.log_odds for w, each in zip(weights, others, strict=True)) / total
    factor = drawn_in([w * (each.log_odds - mean) ** 2 for w, each in zip(weights, others, strict=True)])
    spread = total - sum(w * w for w in weights) / total
    return mean, max(0.0, (factor - 1) * (len(others) - 1) / spread)


def _sum_of_weeks(weeks: Mapping[str, list[Weeks | None]]) -> list[tuple[int, int, int]]:
    length = max((len(each) for each in weeks.values()), default=0)
    sums = [[0, 0, 0] for _ in range(length)]
    for each in weeks.values():
        for place, week in enumerate(each):
            if week is not None:
                for n in range(3):
                    sums[place][n] += week[n]
    return [(a, b, c) for a, b, c in sums]


def _coupled(name: str, branch: str, pairs: list[tuple[float, float]]) -> Found:
    k = len(pairs)
    mean_x, mean_y = (sum(pair[n] for pair in pairs) / k for n in (0, 1))
    xx = sum((x - mean_x) ** 2 for x, _ in pairs)
    yy = sum((y - mean_y) ** 2 for _, y in pairs)
    xy = sum((x - mean_x) * (y - mean_y) for x, y in pairs)
    r = max(-0.999999, min(0.999999, xy / sqrt(xx * yy))) if xx > 0 and yy > 0 else 0.0
    p = float(scipy.special.stdtr(k - 2, r * sqrt((k - 2) / (1 - r * r))))
    half = 1.96 / sqrt(k - 3)
    low, high = (tanh(atanh(r) + sign * half) for sign in (-1, 1))
    spread = sqrt(xx / k)
    numbers = {"low": low, "high": high, "weeks": k}
    return Found("rate_score_coupling", name, branch, "", r, 0.0, k, p, spread >= WORTH_POINTS / 2, numbers=numbers)
