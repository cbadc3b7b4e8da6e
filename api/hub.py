"""The live hub: looks at the store when something was committed and tells the subscribers what changed.

One background task a process, so a hundred open pages cost the database what one costs. It never shows a single vote:
the three counts go out for branches and the centre only (order P3.2e). It is not a queue: a subscriber that does not
read is dropped, and its page starts afresh with a new snapshot.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from api.livestate import LiveState, look
from collector.store import Store, StoreError
from schemas.resources import LampState, LiveLamps, Resource

log = logging.getLogger("api.hub")

LOOK_EVERY_S = 0.1  # the change mark costs microseconds
# A new day begins without a commit: look at least this often while somebody watches.
LOOK_AT_LEAST_EVERY_S = 10.0
BACKLOG = 64  # events a subscriber may be behind
SUBSCRIBERS = 200


@dataclass(eq=False)
class Subscription:
    """One open stream: encoded events, oldest first; None ends it. ``branches``: of which it tells; None for all."""

    lamps: bool
    branches: frozenset[str] | None = None
    events: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(BACKLOG + 1))


class Hub:
    """Made once a process; ``run`` is its background task. Not thread-safe: it lives in the event loop."""

    def __init__(self, store: Store):
        self._store = store
        self._subscribers: set[Subscription] = set()
        self._lamps: dict[str, LampState] = {}
        self._state: LiveState | None = None
        self._mark = -1
        self._looked_at = 0.0
        self._looking = asyncio.Lock()
        self._closed = False

    @property
    def subscribers(self) -> int:
        return len(self._subscribers)

    async def run(self) -> None:
        """Watch the store until cancelled. A database that does not answer is waited for."""
        answering = True
        while True:
            try:
                await self._watch_once()
                answering = True
            except StoreError as error:
                if answering:
                    log.error("the database does not answer, live pages stand still: %s", error)
                answering = False
            except Exception:
                # The one catch-all of this loop: a live page that stands still is worse than a logged error.
                log.exception("live pages stand still")
                await asyncio.sleep(1)
            await asyncio.sleep(LOOK_EVERY_S)

    async def subscribe(self, *, lamps: bool, branches: frozenset[str] | None = None) -> Subscription | None:
        """A stream that begins with a snapshot, of the lamps too with ``lamps``; None when there is no room.

        Raises StoreError when the database does not answer.
        """
        if self._closed or len(self._subscribers) >= SUBSCRIBERS:
            return None
        async with self._looking:
            state = await self._look()
            if self._closed or len(self._subscribers) >= SUBSCRIBERS:  # others came while this one looked
                return None
            subscription = Subscription(lamps, branches)
            self._subscribers.add(subscription)
            subscription.events.put_nowait(encoded("snapshot", state.within(branches).snapshot()))
            if lamps:
                subscription.events.put_nowait(_lamps_event(self._lamps.values()))
        return subscription

    def leave(self, subscription: Subscription) -> None:
        self._subscribers.discard(subscription)

    def show_lamps(self, changed: Iterable[LampState]) -> None:
        """Tell those who may try the pads what their lamps show now."""
        changed = list(changed)
        self._lamps.update((each.desk, each) for each in changed)
        if not changed:
            return
        event = _lamps_event(changed)
        for subscription in [each for each in self._subscribers if each.lamps]:
            self._send(subscription, event)

    def close(self) -> None:
        """End every stream now; nobody can subscribe any more."""
        self._closed = True
        for subscription in list(self._subscribers):
            self._drop(subscription)

    async def _watch_once(self) -> None:
        if not self._subscribers:
            return
        mark = await asyncio.to_thread(self._store.change_mark)
        due = time.monotonic() - self._looked_at > LOOK_AT_LEAST_EVERY_S
        if mark == self._mark and not due:
            return
        async with self._looking:
            # The mark from before the look: a commit in between is looked at once more, never missed.
            self._mark = mark
            await self._look()

    async def _look(self) -> LiveState:
        """The state now; what differs from the last one goes to every subscriber. Hold ``_looking``."""
        state = await asyncio.to_thread(look, self._store, time.time_ns() // 1_000_000)
        before, self._state = self._state, state
        self._looked_at = time.monotonic()
        if before is not None:
            for branches in {subscription.branches for subscription in self._subscribers}:
                for name, value in state.within(branches).changes_since(before.within(branches)):
                    event = encoded(name, value)
                    for subscription in [each for each in self._subscribers if each.branches == branches]:
                        self._send(subscription, event)
        return state

    def _send(self, subscription: Subscription, event: bytes) -> None:
        if subscription.events.qsize() >= BACKLOG:
            log.warning("a live stream does not read and is dropped")
            self._drop(subscription)
        else:
            subscription.events.put_nowait(event)

    def _drop(self, subscription: Subscription) -> None:
        self._subscribers.discard(subscription)
        with contextlib.suppress(asyncio.QueueFull):  # the queue keeps one place free for this
            subscription.events.put_nowait(None)


def encoded(name: str, value: Resource) -> bytes:
    """One server-sent event (HTML standard, section 9.2); JSON has no line breaks of its own."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), value.model_dump_json().encode())


def _lamps_event(lamps: Iterable[LampState]) -> bytes:
    return encoded("lamps", LiveLamps(lamps=list(lamps)))
