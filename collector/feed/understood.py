"""How the rules understood a recorded day: every call with its end and why, and what somebody should look at. Pure.

The rules are the real ones (calls.py, clock.py, intake.py's dating); only the store and the broker are left out.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from collector.feed import calls
from collector.feed.calls import ENDINGS
from collector.feed.clock import Clock
from collector.feed.intake import dated, on_our_clock
from collector.feed.model import Branch, BranchState, Event, Fact
from collector.feed.recorded_day import Day, Heard
from collector.rollup import NOT_ELIGIBLE

SHORT_MS, LONG_MS, GAP_MS = 20_000, 3_600_000, 1_800_000
_DAY_MS = 86_400_000


@dataclass(slots=True)
class Understood:
    """One call. ``armed_unix_ms``: when its pad was told, None if it was over by then. ``ending``: None while open."""

    call: str
    branch: str
    desk: str
    ticket: str
    operator: str | None
    called_unix_ms: int
    armed_unix_ms: int | None
    opened_by: str
    services: list[str] = field(default_factory=list)
    recalls: int = 0
    started_unix_ms: int | None = None
    ended_unix_ms: int | None = None
    ending: str | None = None
    corrected: str | None = None  # our own ending, before the queue's

    @property
    def lasted_ms(self) -> int | None:
        return None if self.ended_unix_ms is None else self.ended_unix_ms - self.called_unix_ms

    @property
    def implied(self) -> bool:
        """Whether the queue never said how it ended."""
        return self.ending is not None and self.ending not in ENDINGS

    @property
    def eligible(self) -> bool:
        """Whether a client who did not vote counts in the response rate."""
        return self.ending not in NOT_ELIGIBLE


@dataclass(slots=True)
class Findings:
    """What an integrator must look at. ``not_understood`` and ``unplaced`` (by operator) are what no pad heard of."""

    events: int = 0
    repeated: int = 0
    not_understood: dict[str, int] = field(default_factory=dict)
    unplaced: Counter[str] = field(default_factory=Counter)
    late_summonses: int = 0
    not_called: Counter[str] = field(default_factory=Counter)  # by service: never called, by the settings
    out_of_order: int = 0
    most_out_of_order_ms: int = 0
    ahead: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    corrected: int = 0
    short: int = 0
    long: int = 0
    gaps: list[tuple[str, int, int]] = field(default_factory=list)  # branch, from, to
    clocks: dict[str, int] = field(default_factory=dict)  # by branch: behind ours, delay included
    set_back: dict[str, int] = field(default_factory=dict)
    at_two_desks: Counter[str] = field(default_factory=Counter)  # operators, calls that overlap

    @property
    def understood(self) -> bool:
        return not self.not_understood and not self.unplaced


@dataclass(slots=True)
class Result:
    calls: list[Understood]
    findings: Findings


class _Branch:
    """One branch's day, event by event."""

    def __init__(self, rules: Branch, findings: Findings):
        self.calls: dict[str, Understood] = {}
        self.last_unix_ms: int | None = None
        self._rules = rules
        self._findings = findings
        self._state = BranchState()
        self._clock: Clock | None = None
        self._known: set[str] = set()
        self._newest_unix_ms = 0

    def hear(self, heard: Heard) -> None:
        fresh = [event for event in heard.events if event.event not in self._known]
        self._known.update(event.event for event in fresh)
        self._findings.events += len(fresh)
        self._findings.repeated += len(heard.events) - len(fresh)
        self._look_at_times(fresh, heard.at_unix_ms)
        true, self._clock = on_our_clock(self._clock, fresh, heard.at_unix_ms)
        for event in dated(true, heard.at_unix_ms):
            step = calls.take(self._rules, self._state, event)
            self._state = step.state
            for fact in step.facts:
                self._learn(fact, event, heard.at_unix_ms)
        self._expire(heard.at_unix_ms)
        if self.last_unix_ms is not None and heard.at_unix_ms - self.last_unix_ms >= GAP_MS:
            self._findings.gaps.append((heard.branch, self.last_unix_ms, heard.at_unix_ms))
        self.last_unix_ms = heard.at_unix_ms

    def end(self) -> None:
        self._expire((self.last_unix_ms or 0) + 2 * _DAY_MS)
        if self._clock is not None:
            self._findings.clocks[self._rules.id] = self._clock.base_ms
            if self._clock.behind_ms:
                self._findings.set_back[self._rules.id] = self._clock.behind_ms

    def _expire(self, now_unix_ms: int) -> None:
        step = calls.expire(self._rules, self._state, now_unix_ms)
        self._state = step.state
        for fact in step.facts:
            self._learn(fact, None, now_unix_ms)

    def _look_at_times(self, fresh: list[Event], at_unix_ms: int) -> None:
        for event in fresh:
            late_ms = self._newest_unix_ms - event.occurred_unix_ms
            if late_ms > 0:
                self._findings.out_of_order += 1
                self._findings.most_out_of_order_ms = max(self._findings.most_out_of_order_ms, late_ms)
            self._findings.ahead += event.occurred_unix_ms > at_unix_ms + 1000
            self._newest_unix_ms = max(self._newest_unix_ms, event.occurred_unix_ms)

    def _learn(self, fact: Fact, event: Event | None, at_unix_ms: int) -> None:
        if fact.call is None or fact.desk is None or fact.called_unix_ms is None:
            self._stray(fact, event)
            return
        call = self.calls.get(fact.call)
        if call is None:
            is_open = self._state.calls[fact.desk].open
            call = self.calls[fact.call] = Understood(
                fact.call,
                self._rules.id,
                fact.desk,
                fact.ticket or "",
                fact.operator,
                fact.called_unix_ms,
                at_unix_ms if is_open else None,
                fact.type,
            )
        elif fact.type == "recalled":
            call.recalls += 1
        call.operator = call.operator or fact.operator
        if fact.service is not None and fact.service not in call.services:
            call.services.append(fact.service)
        if fact.type == "started" and call.started_unix_ms is None:
            call.started_unix_ms = fact.occurred_unix_ms
        if fact.type == "closed" or fact.type in ENDINGS:
            if call.implied and fact.type != "closed":
                call.corrected = call.ending
            call.ending = fact.reason if fact.type == "closed" else fact.type
            call.ended_unix_ms = fact.occurred_unix_ms

    def _stray(self, fact: Fact, event: Event | None) -> None:
        if event is None or fact.type not in calls.SUMMONS:
            return
        if fact.desk is None:
            self._findings.unplaced[fact.operator or "?"] += 1
        elif not self._rules.opens_a_call(fact.service, fact.occurred_unix_ms):
            self._findings.not_called[fact.service or "?"] += 1
        else:
            self._findings.late_summonses += 1


def understand(day: Day, branches: Mapping[str, Branch]) -> Result:
    """Lets the rules hear ``day``. Calls come by branch and desk, oldest first."""
    findings = Findings(not_understood=dict(day.not_understood))
    each = {name: _Branch(rules, findings) for name, rules in branches.items()}
    for heard in day.heard:
        each[heard.branch].hear(heard)
    found: list[Understood] = []
    for branch in each.values():
        branch.end()
        found += branch.calls.values()
    found = [replace(call, ticket=day.labels.get(call.ticket, call.ticket[:6])) for call in found]
    found.sort(key=lambda call: (call.branch, call.desk, call.called_unix_ms))
    _look_at_calls(found, findings)
    return Result(found, findings)


def _look_at_calls(found: list[Understood], findings: Findings) -> None:
    by_operator: dict[str, list[Understood]] = {}
    for call in found:
        findings.endings[call.ending or "open"] += 1
        findings.corrected += call.corrected is not None
        lasted_ms = call.lasted_ms
        if lasted_ms is not None and call.eligible:
            findings.short += lasted_ms < SHORT_MS
            findings.long += lasted_ms > LONG_MS
        if call.operator is not None:
            by_operator.setdefault(call.operator, []).append(call)
    for operator, mine in by_operator.items():
        mine.sort(key=lambda call: call.called_unix_ms)
        for before, after in pairwise(mine):
            overlaps = before.ended_unix_ms is None or after.called_unix_ms < before.ended_unix_ms
            if before.desk != after.desk and overlaps:
                findings.at_two_desks[operator] += 1
