"""Signals about single votes: given at once, given in the last seconds, given where nobody was served (6.6)."""

from collections import defaultdict
from collections.abc import Callable, Mapping

from api.integrity.found import Found
from api.integrity.month import LEAST, Month, pressed_unix_ms
from api.integrity.peers import MIN_PEERS, Cell, Expected, Trials, expectations, share_above, share_scatter
from collector.store import Served

LAST_MS = 3_000
EMPTY_MS = 15_000
# By these outcomes the client never sat at the desk.
NOBODY_THERE = frozenset({"no_show", "absent", "void", "removed", "called_elsewhere"})
# Fewer votes beyond what is expected are nobody's time worth.
WORTH_VOTES = 5.0
FAST_SHARE = 0.01
FAST_MS = 20_000
_LEAST_OF_SERVICE = 200  # votes of others that a percentile of a service needs


def fast_votes(month: Month) -> list[Found]:
    """Votes given before anybody can have been served: within 20 seconds of the call, and sooner than all but 1 % of
    the others' votes in the same service. (Without the first condition, who is quick at work would seem to cheat.)
    """
    people = {name: calls for name, calls in month.by_operator.items() if _votes(calls) >= LEAST}
    by_service = _delays(people)
    marks: dict[str, frozenset[int]] = {}
    told: dict[str, Expected] = {}
    for name, calls in people.items():
        limits: dict[str, tuple[float, float]] = {}
        marked, expected = set(), 0.0
        for place, call in enumerate(calls):
            if not call.rating:
                continue
            service = call.service or ""
            if service not in limits:
                own = sum(1 for each in calls if each.rating and (each.service or "") == service)
                limits[service] = _edge(by_service[service], own, name)
                if not limits[service][0]:
                    limits[service] = _edge(by_service[None], _votes(calls), name)
            edge, share = limits[service]
            expected += share
            if call.after_ms < edge:
                marked.add(place)
        marks[name] = frozenset(marked)
        told[name] = Expected(len(marked), _votes(calls), expected)
    return _founds("fast_vote", month, told, marks)


def last_second_votes(month: Month) -> list[Found]:
    """Exemplary votes given within three seconds of the call's end, against peers of the same service and branch."""

    def late(call: Served) -> bool | None:
        if not call.rating or call.ended_unix_ms is None:
            return None
        return call.rating == 3 and 0 <= call.ended_unix_ms - pressed_unix_ms(call) <= LAST_MS

    return _against_peers("last_second_vote", month, late)


def empty_service_votes(month: Month) -> list[Found]:
    """Votes in calls that were over within fifteen seconds, or in which by their outcome nobody came."""

    def empty(call: Served) -> bool | None:
        if not call.rating:
            return None
        short = call.ended_unix_ms is not None and 0 <= call.ended_unix_ms - call.called_unix_ms < EMPTY_MS
        return short or call.outcome in NOBODY_THERE

    return _against_peers("empty_service", month, empty)


def _against_peers(signal: str, month: Month, test: Callable[[Served], bool | None]) -> list[Found]:
    """``test`` says of a call whether it is one, or None where it cannot be one."""
    cells: dict[str, dict[Cell, list[int]]] = {}
    marks: dict[str, frozenset[int]] = {}
    for name, calls in month.by_operator.items():
        own: dict[Cell, list[int]] = defaultdict(lambda: [0, 0])
        marked = set()
        for place, call in enumerate(calls):
            verdict = test(call)
            if verdict is None:
                continue
            trials = own[call.service or "", call.branch]
            trials[0] += verdict
            trials[1] += 1
            if verdict:
                marked.add(place)
        if sum(n for _, n in own.values()) >= LEAST:
            cells[name] = own
            marks[name] = frozenset(marked)
    told = expectations({name: {cell: Trials(*t) for cell, t in own.items()} for name, own in cells.items()})
    return _founds(signal, month, told, marks)


def _founds(
    signal: str, month: Month, told: Mapping[str, Expected], marks: Mapping[str, frozenset[int]]
) -> list[Found]:
    if len(told) < MIN_PEERS:
        return []
    scatter = share_scatter(told.values())
    return [
        Found(
            signal,
            name,
            month.branch_of[name],
            "",
            each.hits / each.n,
            each.expected / each.n,
            each.n,
            share_above(each, scatter),
            each.hits - each.expected >= WORTH_VOTES,
            marks[name],
            {"count": each.hits, "expected": each.expected},
        )
        for name, each in told.items()
    ]


def _votes(calls: list[Served]) -> int:
    return sum(1 for call in calls if call.rating)


def _delays(people: Mapping[str, list[Served]]) -> dict[str | None, list[tuple[int, str]]]:
    """Everybody's delays by service, and all together under None, shortest first."""
    found: dict[str | None, list[tuple[int, str]]] = defaultdict(list)
    for name, calls in people.items():
        for call in calls:
            if call.rating:
                found[call.service or ""].append((call.after_ms, name))
                found[None].append((call.after_ms, name))
    for delays in found.values():
        delays.sort()
    return found


def _edge(delays: list[tuple[int, str]], own: int, name: str) -> tuple[float, float]:
    """The delay, at most ``FAST_MS``, below which lie at most 1 % of the others' votes, and which share of them.

    Zeros for too few votes. Half a vote stands for those that nobody happened to give.

    ``own`` of the votes are ``name``'s.
    """
    others = len(delays) - own
    if others < _LEAST_OF_SERVICE:
        return 0.0, 0.0
    wanted, below = int(others * FAST_SHARE), 0
    for delay, who in delays:
        if who == name:
            continue
        if below == wanted or delay >= FAST_MS:
            return min(delay, FAST_MS), (below + 0.5) / (others + 1)
        below += 1
    return 0.0, 0.0
