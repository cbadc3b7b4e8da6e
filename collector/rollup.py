"""What a call with its vote adds to the daily figures. Pure; the adding up is the database's work.

Rules of the file
1.  A call lies on the local day on which it was called, however late its vote or its end is heard of.
2.  Every call is in all four cuts, under the key "" where the queue did not say: each cut adds up to its branch.
3.  A vote makes its call eligible whatever the outcome: nobody strikes out a vote by reporting the client as absent.
4.  A call without a vote at whose desk no pad was lit is not eligible (order P3.4): its client could not be heard.
5.  A press well after the desk had called its next client is that client's, on a pad that nobody told of it (a dead
    feed, a cut line). It is stored, as every vote, and counts for nobody (DESIGN section 3, point 4).
"""

from collections.abc import Iterable
from typing import NamedTuple

from collector.model import CallRow, VoteRow

# Raised whenever a rule of this file changes what a call counts for: files of before remain readable.
COUNTING = 3
CUTS = ("branch", "service", "operator", "desk")
# Nobody was served at that desk in such a call, so its silence says nothing (queue-systems study, section 5.1).
NOT_ELIGIBLE = frozenset({"no_show", "absent", "void", "transferred", "held", "removed", "resumed", "called_elsewhere"})
# These ended because the desk called its next client, at that moment.
_SUPERSEDED = frozenset({"next_call", "absent", "void"})

# How long after the next call a press may still be the former client's: news travels, polled queues tell it late.
STALE_AFTER_MS = 15_000

Key = tuple[str, str, str, int]  # cut, branch, key, day
Amounts = tuple[int, int, int, int, int]  # calls, eligible, bad, good, exemplary


class Joined(NamedTuple):
    """A call, the vote of its own desk, and whether there was no lit pad to vote with."""

    call: CallRow | None = None
    vote: VoteRow | None = None
    unavailable: bool = False


NOBODY = Joined()  # a call that is not known yet
NOTHING: Amounts = (0, 0, 0, 0, 0)
_VOTED: dict[int, Amounts] = {1: (1, 1, 1, 0, 0), 2: (1, 1, 0, 1, 0), 3: (1, 1, 0, 0, 1)}


def amounts(call: CallRow | None, vote: VoteRow | None, unavailable: bool = False) -> Amounts:
    """What ``call``, with the vote of its own desk if there is one, counts for; see Joined."""
    if call is None:
        return NOTHING
    if vote is not None and not is_stale(call, vote):
        return _VOTED[vote.rating]
    return (1, 0, 0, 0, 0) if unavailable or call.outcome in NOT_ELIGIBLE else (1, 1, 0, 0, 0)


def is_stale(call: CallRow, vote: VoteRow) -> bool:
    """Whether ``vote`` was given when the next client had long been called to the desk.

    A pad arms after the call, so the press came no earlier than ``after_ms`` after it; both moments are the queue's. A
    call that ended before it began was told by a clock that was set back meanwhile, and nothing is known from that.
    """
    if call.outcome not in _SUPERSEDED or call.ended_unix_ms is None or call.ended_unix_ms < call.called_unix_ms:
        return False
    return call.called_unix_ms + vote.after_ms > call.ended_unix_ms + STALE_AFTER_MS


def keys(call: CallRow) -> tuple[Key, Key, Key, Key]:
    """The rows of the roll-up that ``call`` belongs to, one a cut."""
    branch, day = call.branch, call.day
    return (
        ("branch", branch, "", day),
        ("service", branch, call.service or "", day),
        ("operator", branch, call.operator or "", day),
        ("desk", branch, call.desk, day),
    )


def differences(changes: Iterable[tuple[Joined, Joined]]) -> list[tuple[Key, Amounts]]:
    """What to add to which row when each (before, after) has come about: sorted by key, without zeros."""
    sums: dict[Key, list[int]] = {}
    for before, after in changes:
        _add(sums, before, -1)
        _add(sums, after, 1)
    return [(key, (n[0], n[1], n[2], n[3], n[4])) for key, n in sorted(sums.items()) if any(n)]


def _add(sums: dict[Key, list[int]], joined: Joined, sign: int) -> None:
    call, vote, unavailable = joined
    if call is None:
        return
    calls, eligible, bad, good, exemplary = amounts(call, vote, unavailable)
    for key in keys(call):
        row = sums.get(key)
        if row is None:
            row = sums[key] = [0, 0, 0, 0, 0]
        row[0] += sign * calls
        row[1] += sign * eligible
        row[2] += sign * bad
        row[3] += sign * good
        row[4] += sign * exemplary
