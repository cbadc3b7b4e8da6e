"""What a call with its vote adds to the daily figures. Pure; the adding up is the database's work.

Rules of the file
1.  A call lies on the local day on which it was called, however late its vote or its end is heard of.
2.  Every call is in all four cuts, under the key "" where the queue did not say: each cut adds up to its branch.
3.  A vote makes its call eligible whatever the outcome: nobody strikes out a vote by reporting the client as absent, or
    by writing into the register that a service is not rated.
4.  A call without a vote at whose desk no pad was lit is not eligible (order P3.4): its client could not be heard.
5.  A press well after the desk had called its next client is that client's, on a pad that nobody told of it (a dead
    feed, a cut line). It is stored, as every vote, and counts for nobody (DESIGN section 3, point 4).
6.  Every call is either eligible or left out for one reason, the first of REASONS that holds: calls = eligible + the
    five of them. "unrated" is what the call's row says: whether the register, when the service was last told, had it
    as one without a call on the call's own day (collector/ingest.py). Feeds open no calls for such services; one that
    comes all the same is of a feed that has not heard of it yet. A later change of the register moves no figure.
"""

from collections.abc import Iterable
from typing import NamedTuple

from collector.model import CallRow, VoteRow

# Raised whenever a rule of this file changes what a call counts for: files of before remain readable.
COUNTING = 4
CUTS = ("branch", "service", "operator", "desk")
# Why a call without a vote is left out of the response rate. unrated: its service is none that is rated; absent: the
# client did not come; passed_on: was served elsewhere or later, in a call of its own; withdrawn: the call was taken
# back; unlit: no pad was alight.
REASONS = ("unrated", "absent", "passed_on", "withdrawn", "unlit")
AMOUNTS = ("calls", "eligible", "bad", "good", "exemplary", *REASONS)
# Nobody was served at that desk in such a call, so its silence says nothing (queue-systems study, section 5.1).
REASON_OF = {
    "no_show": "absent",
    "absent": "absent",
    "transferred": "passed_on",
    "held": "passed_on",
    "resumed": "passed_on",
    "called_elsewhere": "passed_on",
    "void": "withdrawn",
    "removed": "withdrawn",
}
NOT_ELIGIBLE = frozenset(REASON_OF)
# These ended because the desk called its next client, at that moment.
_SUPERSEDED = frozenset({"next_call", "absent", "void"})

# How long after the next call a press may still be the former client's: news travels, polled queues tell it late.
STALE_AFTER_MS = 15_000

Key = tuple[str, str, str, int]  # cut, branch, key, day
Amounts = tuple[int, ...]  # in the order of AMOUNTS


class Joined(NamedTuple):
    """A call, the vote of its own desk, and whether there was no lit pad to vote with."""

    call: CallRow | None = None
    vote: VoteRow | None = None
    unavailable: bool = False


NOBODY = Joined()  # a call that is not known yet
NOTHING: Amounts = (0,) * len(AMOUNTS)


def _one(*names: str) -> Amounts:
    return tuple(int(name in names) for name in AMOUNTS)


# All that a call can count for. There is one value of each, so that what is the same is the same object.
_VOTED = {rating: _one("calls", "eligible", name) for rating, name in ((1, "bad"), (2, "good"), (3, "exemplary"))}
_SILENT = _one("calls", "eligible")
_LEFT_OUT = {reason: _one("calls", reason) for reason in REASONS}
_BY_OUTCOME = {outcome: _LEFT_OUT[reason] for outcome, reason in REASON_OF.items()}
_ALL = (NOTHING, _SILENT, *_VOTED.values(), *_LEFT_OUT.values())
# What is added where a call goes from one of them to another: the places that change, and by how much.
_STEPS: dict[tuple[Amounts, Amounts], tuple[tuple[int, int], ...]] = {
    (before, after): tuple(
        (place, new - old) for place, (old, new) in enumerate(zip(before, after, strict=True)) if new != old
    )
    for before in _ALL
    for after in _ALL
}


def amounts(call: CallRow | None, vote: VoteRow | None, unavailable: bool = False) -> Amounts:
    """What ``call``, with the vote of its own desk if there is one, counts for; see Joined."""
    if call is None:
        return NOTHING
    if vote is not None and not is_stale(call, vote):
        return _VOTED[vote.rating]
    if call.unrated:
        return _LEFT_OUT["unrated"]
    outcome = call.outcome
    if outcome is not None and outcome in _BY_OUTCOME:
        return _BY_OUTCOME[outcome]
    return _LEFT_OUT["unlit"] if unavailable else _SILENT


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
        was, now = amounts(*before), amounts(*after)
        if before.call is not None and after.call is not None and _is_elsewhere(before.call, after.call):
            _add(sums, before.call, _STEPS[was, NOTHING])
            _add(sums, after.call, _STEPS[NOTHING, now])
        elif was is not now:
            call = after.call or before.call
            assert call is not None
            _add(sums, call, _STEPS[was, now])
    return [(key, tuple(n)) for key, n in sorted(sums.items()) if any(n)]


def _is_elsewhere(before: CallRow, after: CallRow) -> bool:
    """Whether the call belongs to other rows of the roll-up than before."""
    return before[1:5] != after[1:5] or before.day != after.day  # branch, desk, operator, service


def _add(sums: dict[Key, list[int]], call: CallRow, step: tuple[tuple[int, int], ...]) -> None:
    for key in keys(call):
        row = sums.get(key)
        if row is None:
            row = sums[key] = [0] * len(AMOUNTS)
        for place, more in step:
            row[place] += more
