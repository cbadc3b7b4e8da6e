"""Takes events in: one transaction writes everything they mean, then the desks are told. It speaks no HTTP and no MQTT.

One lock spans the transaction and the telling, so that a desk is told its calls in the order in which they changed.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from collector.feed import calls, clock
from collector.feed.model import Branch, BranchState, Event, Fact
from collector.feed.steps import desks_changed, on_desk
from collector.feed.store import FeedStore, Transaction
from protocol.messages import CallClosed, CallOpened

logger = logging.getLogger(__name__)

# A repeated event is recognised for this long; after that its age alone makes it history.
REMEMBERED_MS = 60 * 86_400_000
FORGET_EVERY_MS = 3_600_000
PAST_MS = 2 * 86_400_000  # so long may a call's ending be corrected


class Audience(Protocol):
    """Who is told what has changed; both calls return at once."""

    def tell(self, desk: str, message: CallOpened | CallClosed) -> None: ...

    def posted(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Accepted:
    accepted: int
    repeated: int


class Intake:
    """The one way into the feed's state. Thread-safe.

    Args:
        branches: the rules of every branch this feed serves, by id.
        desks: the branch of every desk of theirs.
        clock: the wall clock, Unix milliseconds.
    """

    def __init__(
        self,
        store: FeedStore,
        audience: Audience,
        *,
        branches: Mapping[str, Branch],
        desks: Mapping[str, str],
        clock: Callable[[], int],
    ):
        self.branches = branches
        self.desks = desks
        self._store = store
        self._audience = audience
        self._clock = clock
        self._lock = threading.Lock()
        self._forgot_unix_ms = 0
        self.last_event_unix_ms: dict[str, int] = {}  # when a new event of each branch came, since the start

    def accept(self, events: Mapping[str, Sequence[Event]], *, source: tuple[str, bytes] | None = None) -> Accepted:
        """Takes events by branch; what was taken before changes nothing. On return it is on disk and told.

        Args:
            source: name and snapshot of the polled source they come from, to be kept with them.

        Raises:
            StoreError: nothing of it was taken.
        """
        taken = repeated = 0
        with self._lock:
            now, steps = self._clock(), []
            with self._store.transaction() as transaction:
                if source is not None:
                    transaction.keep_source(*source)
                for branch, said in events.items():
                    fresh = _fresh(said, transaction.known(branch, [event.event for event in said]))
                    transaction.remember(branch, [event.event for event in fresh], now)
                    before = transaction.clock(branch)
                    true, after = on_our_clock(before, fresh, now)
                    if after is not None and after != before:
                        transaction.save_clock(branch, after)
                        _log_clock(branch, before, after)
                    steps.append(self._advance(transaction, branch, dated(true, now), now))
                    if fresh:
                        self.last_event_unix_ms[branch] = now
                    taken, repeated = taken + len(fresh), repeated + len(said) - len(fresh)
            self._tell(steps)
        return Accepted(taken, repeated)

    def expire(self) -> None:
        """Closes what the clock has closed, and forgets event ids that are too old to come again."""
        with self._lock:
            now, steps = self._clock(), []
            with self._store.transaction() as transaction:
                if now - self._forgot_unix_ms > FORGET_EVERY_MS:
                    transaction.forget_received(now - REMEMBERED_MS)
                    transaction.forget_past(now - PAST_MS)
                    self._forgot_unix_ms = now
                for branch in self.branches:
                    steps.append(self._advance(transaction, branch, (), now))
            self._tell(steps)

    def tell_all(self) -> None:
        """Tells every desk its current call again; a desk never called to is told that nothing is open."""
        with self._lock, self._store.transaction() as transaction:
            known = {desk: call for branch in self.branches for desk, call in transaction.state(branch).calls.items()}
            for desk in self.desks:
                if desk not in known:
                    self._audience.tell(desk, CallClosed(None, self._clock()))
            for desk, call in known.items():
                self._audience.tell(desk, on_desk(call))

    def _advance(
        self, transaction: Transaction, branch: str, events: Sequence[Event], now: int
    ) -> tuple[BranchState, BranchState]:
        rules = self.branches[branch]
        before = state = transaction.state(branch, {event.ticket_key for event in events if event.ticket_key})
        facts: list[Fact] = []
        for event in events:
            step = calls.take(rules, state, event)
            state, facts = step.state, [*facts, *step.facts]
        last = calls.expire(rules, state, now)
        facts.extend(last.facts)
        transaction.save(branch, before, last.state)
        transaction.post(branch, facts, now)
        for fact in facts:
            if fact.type in calls.SUMMONS and fact.call is None:
                _stray(transaction, branch, fact, now)
        return before, last.state

    def _tell(self, steps: Sequence[tuple[BranchState, BranchState]]) -> None:
        for before, after in steps:
            for desk in desks_changed(before, after):
                self._audience.tell(desk, on_desk(after.calls[desk]))
        self._audience.posted()


def dated(events: Sequence[Event], now_unix_ms: int) -> list[Event]:
    """The events in the order in which they happened, none of them in the future.

    A queue system whose clock is ahead (an hour, when it takes local time for UTC) would otherwise make everything
    that comes after it late. What claims to lie ahead is dated on arrival, in order.
    """
    ordered = sorted(events, key=lambda event: event.occurred_unix_ms)
    return [
        replace(event, occurred_unix_ms=min(event.occurred_unix_ms, now_unix_ms + place))
        for place, event in enumerate(ordered)
    ]


def _fresh(said: Sequence[Event], known: set[str]) -> list[Event]:
    fresh: dict[str, Event] = {}
    for event in said:
        if event.event not in known:
            fresh.setdefault(event.event, event)
    return list(fresh.values())


def on_our_clock(
    known: clock.Clock | None, events: Sequence[Event], now_unix_ms: int
) -> tuple[list[Event], clock.Clock | None]:
    """The events at our times, should the queue's clock have been set back, and what is known of that clock now. Only
    a summons tells a clock: other events may be dated by whoever noticed them.
    """
    found = []
    for event in events:
        if event.type in calls.SUMMONS:
            known = clock.heard(known, event.occurred_unix_ms, now_unix_ms)
        at = known.corrected(event.occurred_unix_ms) if known else event.occurred_unix_ms
        found.append(replace(event, occurred_unix_ms=at))
    return found, known


def _log_clock(branch: str, before: clock.Clock | None, after: clock.Clock) -> None:
    if after.behind_ms != (before.behind_ms if before else 0):
        logger.warning("%s: the queue's clock is %d s behind what it was", branch, after.behind_ms // 1000)


def _stray(transaction: Transaction, branch: str, fact: Fact, now_unix_ms: int) -> None:
    """A summons that opened no call. Of which desk nobody could name is kept for people to see."""
    if fact.desk is None:
        transaction.unplaced(branch, fact.operator or "", now_unix_ms)
    if fact.type == "called":
        why = "names no desk" if fact.desk is None else "is late or of a service without calls"
        logger.warning("%s: event %s opened no call: it %s", branch, fact.event, why)
