"""What the live pages show, as one value, and what changed between two of them. No streams, no loop.

Figures of today are counted for branches and the centre only, and of a real office without their ratings: nobody is to
watch a single vote (order P3.2e).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from api.figures import Tally
from collector.store import PadRow, Register, Store
from schemas.periods import day_date, day_of
from schemas.resources import (
    LiveCounts,
    LiveDesk,
    LiveDesks,
    LiveSnapshot,
    LiveToday,
    PadState,
    Resource,
)

# Enough open faults for every desk of a large office; more are not a list that anybody reads.
FAULTS = 5000


@dataclass(frozen=True)
class LiveState:
    simulated: bool
    desks: dict[str, LiveDesk]  # in register order
    today: LiveToday

    def snapshot(self) -> LiveSnapshot:
        return LiveSnapshot(simulated=self.simulated, desks=list(self.desks.values()), today=self.today)

    def within(self, branches: frozenset[str] | None) -> "LiveState":
        """Of these branches only, the centre's counts being theirs added up; everything for None."""
        if branches is None:
            return self
        desks = {name: desk for name, desk in self.desks.items() if desk.branch in branches}
        mine = [each for each in self.today.branches if each.branch in branches]
        return LiveState(self.simulated, desks, LiveToday(centre=_together(mine, self.today.centre), branches=mine))

    def changes_since(self, before: "LiveState") -> list[tuple[str, Resource]]:
        """The (event name, value) pairs that bring a page from ``before`` to here."""
        if self.desks.keys() != before.desks.keys() or self.simulated != before.simulated:
            return [("snapshot", self.snapshot())]  # the register was loaded anew
        changes: list[tuple[str, Resource]] = []
        changed = [desk for name, desk in self.desks.items() if desk != before.desks[name]]
        if changed:
            changes.append(("desks", LiveDesks(desks=changed)))
        if self.today != before.today:
            changes.append(("today", self.today))
        return changes


def look(store: Store, now_unix_ms: int) -> LiveState:
    """The state of every desk and today's figures at ``now_unix_ms``, out of the store."""
    register = store.register()
    calls = store.open_calls()
    faults = open_faults(store)
    desks = {
        pad.desk: LiveDesk(
            desk=pad.desk,
            branch=pad.branch,
            label=pad.label,
            state=pad_state(pad),
            call_open=pad.desk in calls,
            faults=faults.get(pad.desk, []),
        )
        for pad in store.pads()
    }
    return LiveState(register.organisation.simulated, desks, _today(store, register, now_unix_ms))


def open_faults(store: Store) -> dict[str, list[str]]:
    """Kinds of the open faults by desk, the oldest first."""
    found: dict[str, list[str]] = {}
    for fault in reversed(store.fleet.faults(is_open=True, limit=FAULTS)):
        found.setdefault(fault.desk, []).append(fault.kind)
    return found


def pad_state(pad: PadRow) -> PadState:
    """What a desk's pad is doing, as far as its last word says."""
    if pad.state is None:
        return "never"
    if pad.state == "offline":
        return "offline"
    phase: PadState = pad.phase  # type: ignore[assignment]  # checked against PadStatus when it came in
    return phase


def _today(store: Store, register: Register, now_unix_ms: int) -> LiveToday:
    days = {branch.id: day_of(now_unix_ms, branch.timezone) for branch in register.branches}
    if not days:
        empty = _counts(None, day_date(day_of(now_unix_ms, "UTC")), Tally(), with_ratings=False)
        return LiveToday(centre=empty, branches=[])
    tallies = {branch: Tally() for branch in days}
    for row in store.rollups("branch", min(days.values()), max(days.values())):
        if days.get(row.branch) == row.day:
            tallies[row.branch] += Tally.of(row)
    centre = sum(tallies.values(), Tally())
    with_ratings = register.organisation.simulated
    return LiveToday(
        centre=_counts(None, day_date(max(days.values())), centre, with_ratings=with_ratings),
        branches=[
            _counts(branch, day_date(days[branch]), tally, with_ratings=with_ratings)
            for branch, tally in tallies.items()
        ],
    )


def _together(counts: Sequence[LiveCounts], centre: LiveCounts) -> LiveCounts:
    def total(name: str) -> int | None:
        return sum(getattr(each, name) or 0 for each in counts) if getattr(centre, name) is not None else None

    names = ("calls", "eligible_calls", "votes", "bad", "good", "exemplary")
    return centre.model_copy(update={name: total(name) for name in names})


def _counts(branch: str | None, day: date, tally: Tally, *, with_ratings: bool) -> LiveCounts:
    return LiveCounts(
        branch=branch,
        day=day,
        calls=tally.calls,
        eligible_calls=tally.eligible,
        votes=tally.votes,
        bad=tally.bad if with_ratings else None,
        good=tally.good if with_ratings else None,
        exemplary=tally.exemplary if with_ratings else None,
    )
