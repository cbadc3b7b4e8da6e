"""Operators who game their figures, each in one of the ways that the domain study (6.6) fears. Pure dice over calls.

What honest people did on a day (sim/year.py) is changed as if one of them had helped along. A rule has no exception
for the simulation: it makes calls and presses that a real office could show, and what comes of them is found out by the
same join and the same signals as of a real one.

Rules of the file
1.  Only calls of the gaming operator change; the day's other calls stay what they were.
2.  ``zeal``, 0..1, is how often the operator helps along where there is an occasion.
3.  A vote given early keeps the client's out: the first press wins (order P2.6).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from random import Random

from protocol.messages import BAD, EXEMPLARY
from sim.year import PastCall

_SECOND_MS = 1_000
_GHOST_MS = (5 * _SECOND_MS, 9 * _SECOND_MS)
_GHOST_GAP_MS = 2 * _SECOND_MS
_LONG_MS = 10 * 60 * _SECOND_MS

Way = Callable[[list[PastCall], float, Random], list[PastCall]]


def presses_after_call(calls: list[PastCall], zeal: float, dice: Random) -> list[PastCall]:
    """Presses "exemplary" at once, while the client is still on the way to the desk."""
    return [
        _pressed(call, call.called_ms + int(dice.uniform(900, 3500)))
        if _served(call) and dice.random() < zeal
        else call
        for call in calls
    ]


def presses_at_the_end(calls: list[PastCall], zeal: float, dice: Random) -> list[PastCall]:
    """Presses "exemplary" for silent clients just before ending the call."""
    return [
        _pressed(call, call.ended_ms - int(dice.uniform(300, 2500)))
        if _served(call) and not call.rating and dice.random() < zeal
        else call
        for call in calls
    ]


def calls_ghosts(calls: list[PastCall], zeal: float, dice: Random) -> list[PastCall]:
    """Between two clients calls a ticket that nobody holds, presses "exemplary" and ends the call."""
    found: list[PastCall] = []
    for call, following in zip_longest(calls, calls[1:]):
        found.append(call)
        gap_ms = (following.called_ms if following else call.ended_ms + 60_000) - call.ended_ms
        if gap_ms > _GHOST_MS[1] + 2 * _GHOST_GAP_MS and dice.random() < zeal:
            found.append(_ghost(call, call.ended_ms + _GHOST_GAP_MS, int(dice.uniform(*_GHOST_MS)), dice))
    return found


def calls_ghosts_in_a_row(calls: list[PastCall], zeal: float, dice: Random) -> list[PastCall]:
    """After the day's last client calls a series of tickets that nobody holds, one like the other."""
    if not calls:
        return calls
    found = list(calls)
    if not _served(found[-1]):  # an old queue that nobody tells of the day's last client's end
        last = found[-1]
        found[-1] = replace(last, ended_ms=min(last.ended_ms, last.called_ms + _LONG_MS), outcome="finished")
    length_ms = int(dice.uniform(*_GHOST_MS))
    for _ in range(int(zeal * 20)):
        last = found[-1]
        found.append(_ghost(last, last.ended_ms + _GHOST_GAP_MS, length_ms, dice))
    return found


def covers_the_pad(calls: list[PastCall], zeal: float, dice: Random) -> list[PastCall]:
    """Keeps the pad away from clients who look unhappy: most of those who would vote "bad", and many kept long."""
    found = []
    for call in calls:
        long = call.ended_ms - call.called_ms > _LONG_MS
        unhappy = (call.rating == BAD and dice.random() < 0.9) or (long and dice.random() < 0.9)
        found.append(_silent(call) if call.rating and unhappy and dice.random() < zeal else call)
    return found


def covers_the_pad_always(calls: list[PastCall], zeal: float, dice: Random) -> list[PastCall]:
    """Keeps the pad away from anybody."""
    return [_silent(call) if call.rating and dice.random() < zeal else call for call in calls]


def covers_the_pad_by_weeks(calls: list[PastCall], zeal: float, dice: Random) -> list[PastCall]:
    """In every other week lets only the contented vote."""
    found = []
    for call in calls:
        week = call.called_ms // (7 * 24 * 3600 * _SECOND_MS)
        discontented = call.rating and call.rating != EXEMPLARY
        found.append(_silent(call) if week % 2 and discontented and dice.random() < zeal else call)
    return found


def points_at_exemplary(calls: list[PastCall], zeal: float, dice: Random) -> list[PastCall]:
    """Tells voters which button to press."""
    return [replace(call, rating=EXEMPLARY) if call.rating and dice.random() < zeal else call for call in calls]


def unplugs_the_pad(calls: list[PastCall], zeal: float, dice: Random) -> list[PastCall]:
    """On some days pulls the pad's plug some time after the first clients."""
    if len(calls) < 6 or dice.random() >= zeal:
        return calls
    first = dice.randrange(2, len(calls) // 2)
    until = dice.randrange(first + 2, len(calls))
    return [replace(_silent(call), dark=True) if first <= place < until else call for place, call in enumerate(calls)]


WAYS: dict[str, Way] = {
    way.__name__: way
    for way in (
        presses_after_call,
        presses_at_the_end,
        calls_ghosts,
        calls_ghosts_in_a_row,
        covers_the_pad,
        covers_the_pad_always,
        covers_the_pad_by_weeks,
        points_at_exemplary,
        unplugs_the_pad,
    )
}


@dataclass(frozen=True)
class Gamer:
    """``way`` is one of WAYS; any other word changes no call, and is for who shows in pads' counters only."""

    way: str
    zeal: float


def gamed(calls: Iterable[PastCall], gamers: Mapping[str, Gamer], *, seed: int) -> list[PastCall]:
    """One day's calls, with the help of these operators."""
    others: list[PastCall] = []
    own: dict[str, list[PastCall]] = {name: [] for name in gamers}
    for call in calls:
        own.get(call.operator, others).append(call)
    for name, mine in own.items():
        others += gamed_by(mine, name, gamers[name], seed=seed)
    return others


def gamed_by(calls: list[PastCall], name: str, gamer: Gamer, *, seed: int) -> list[PastCall]:
    """The calls of one operator on one day with the operator's help."""
    way = WAYS.get(gamer.way)
    if way is None or not calls:
        return calls
    ordered = sorted(calls, key=lambda call: call.called_ms)
    dice = Random(f"{seed}/{ordered[0].called_ms}/{name}/{gamer.way}/{gamer.zeal}")
    return way(ordered, gamer.zeal, dice)


def _served(call: PastCall) -> bool:
    """Whether a client was there, as far as the call tells."""
    return call.outcome in ("finished", "next_call")


def _pressed(call: PastCall, pressed_ms: int) -> PastCall:
    return replace(call, rating=EXEMPLARY, pressed_ms=max(call.called_ms + 200, pressed_ms))


def _silent(call: PastCall) -> PastCall:
    return replace(call, rating=0, pressed_ms=0)


def _ghost(call: PastCall, called_ms: int, length_ms: int, dice: Random) -> PastCall:
    return replace(
        call,
        ticket=f"{dice.getrandbits(96):024x}",
        called_ms=called_ms,
        ended_ms=called_ms + length_ms,
        outcome="finished",
        rating=EXEMPLARY,
        pressed_ms=called_ms + length_ms // 2,
    )
