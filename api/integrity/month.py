"""A month as the signals see it: every operator's calls in order of time, and what surrounds them. Pure values.

Nobody's name is here, and no client: an operator is the register's pseudonym, a call has times, a service and perhaps a
vote. Votes that count for nobody (stale, see collector/rollup.py) are not here as votes.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from collector.store import PadDay, Served

# How far back a month's weeks reach, itself included.
WEEKS = 26
# Who has fewer votes (or calls) than this in a month is not looked at: nothing could be told from them.
LEAST = 30


class Weeks(NamedTuple):
    """One week of one operator: eligible calls, votes, exemplary ones."""

    eligible: int
    votes: int
    exemplary: int


@dataclass(frozen=True)
class Month:
    """``calls`` of all operators; ``weeks`` of each operator up to the month's end, oldest first, a missing one None;
    ``pads`` what every pad counted on every day; ``troubled`` the (desk, day) on which a pad's trouble began."""

    calls: Sequence[Served]
    weeks: Mapping[str, list[Weeks | None]] = field(default_factory=dict)
    pads: Sequence[PadDay] = ()
    troubled: frozenset[tuple[str, int]] = frozenset()

    @cached_property
    def by_operator(self) -> dict[str, list[Served]]:
        """Calls of each operator in order of time; those of which the queue named nobody are left out."""
        found: dict[str, list[Served]] = defaultdict(list)
        for call in self.calls:
            if call.operator:
                found[call.operator].append(call)
        for calls in found.values():
            calls.sort(key=lambda call: call.called_unix_ms)
        return dict(sorted(found.items()))

    def without(self, names: Collection[str]) -> "Month":
        """The same month without these operators and the days on which they had the desks."""
        return Month(
            [call for call in self.calls if call.operator not in names],
            {name: weeks for name, weeks in self.weeks.items() if name not in names},
            [each for each in self.pads if self.seated.get((each.desk, each.day)) not in names],
            self.troubled,
        )

    @cached_property
    def branch_of(self) -> dict[str, str]:
        """Where each operator had most calls."""
        return {name: _most(call.branch for call in calls) for name, calls in self.by_operator.items()}

    @cached_property
    def seated(self) -> dict[tuple[str, int], str]:
        """Who had most calls at a desk on a day."""
        seats: dict[tuple[str, int], list[str]] = defaultdict(list)
        for name, calls in self.by_operator.items():
            for call in calls:
                seats[call.desk, call.day].append(name)
        return {place: _most(names) for place, names in seats.items()}


def pressed_unix_ms(call: Served) -> int:
    """When the client pressed: a pad counts from arming, within two seconds of the call (order P3.3)."""
    return call.called_unix_ms + call.after_ms


def _most(names: Iterable[str]) -> str:
    counts: dict[str, int] = defaultdict(int)
    for name in names:
        counts[name] += 1
    return max(sorted(counts), key=counts.__getitem__)
