"""How long the calls of a month took, and who was called for: what is kept of both by month. Pure.

Rules of the file
1.  A call lies in the month of its local day, as in all figures (collector/rollup.py), under "" where the queue did not
    say its service or operator.
2.  How long it took is known of a call that ended by being finished: from the call of the client to the end. What took
    longer than a day was forgotten, not served, and what ended before it began was told by a clock that was set back.
3.  Times are kept by service, never by operator: of people it is only kept for which services they called.
"""

from collections.abc import Iterable

from collector.model import CallRow
from collector.rollup import Joined

LONGEST_MS = 86_400_000
FINISHED = "finished"

Place = tuple[int, str, str]  # month (yyyymm), branch, service
Behind = tuple[int, str, str, str]  # and operator
Served = tuple[int, int, int]  # of how many calls, milliseconds, squares of tenths of a second
NONE: Served = (0, 0, 0)


class Sums:
    """What calls add up to; amounts that come to nothing are left out when they are asked for."""

    def __init__(self) -> None:
        self._behind: dict[Behind, int] = {}
        self._served: dict[Place, list[int]] = {}

    def add(self, call: CallRow, sign: int = 1) -> None:
        month, branch, service = place = call.day // 100, call.branch, call.service or ""
        behind = (month, branch, service, call.operator or "")
        self._behind[behind] = self._behind.get(behind, 0) + sign
        took = served(call)
        if took is not NONE:
            row = self._served.setdefault(place, [0, 0, 0])
            for number, more in enumerate(took):
                row[number] += sign * more

    def behind(self) -> dict[Behind, int]:
        return {place: calls for place, calls in sorted(self._behind.items()) if calls}

    def served(self) -> dict[Place, Served]:
        return {place: (row[0], row[1], row[2]) for place, row in sorted(self._served.items()) if any(row)}


def served(call: CallRow) -> Served:
    """What a call adds to the times of its service."""
    if call.outcome != FINISHED or call.ended_unix_ms is None:
        return NONE
    took_ms = call.ended_unix_ms - call.called_unix_ms
    if not 0 <= took_ms <= LONGEST_MS:
        return NONE
    tenths = (took_ms + 50) // 100
    return 1, took_ms, tenths * tenths


def moved(changes: Iterable[tuple[Joined, Joined]], before_day: int) -> Sums:
    """What to add when each (before, after) has come about, of days before ``before_day`` only."""
    sums = Sums()
    for before, after in changes:
        if before.call == after.call:
            continue
        for call, sign in ((before.call, -1), (after.call, 1)):
            if call is not None and call.day < before_day:
                sums.add(call, sign)
    return sums
