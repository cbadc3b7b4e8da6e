"""What the feed says of itself at ``GET /v1/health``: for monitoring and for whoever connects a queue system."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

from collector.feed.intake import Intake
from collector.feed.publisher import Publisher
from collector.feed.source import Site, Source
from collector.feed.store import FeedStore
from protocol.messages import Pulse

UNPLACED_MS = 86_400_000  # whoever called to no known desk within a day is still named
PULSE_S = 60.0
MOST_UNKNOWN = 20  # words of a queue system that are listed; the number is whole


def health(
    publisher: Publisher, store: FeedStore, sources: Sequence[Source], site: Site, now_unix_ms: int
) -> dict[str, object]:
    """``unplaced``: calls of the last day to a desk that nobody could name, no pad was armed; ``clock_behind_ms``: the
    branch's queue clock against ours, delay included.
    """
    well = publisher.connected and not publisher.stale and all(each.up for each in sources)
    depths = store.depths()
    return {
        "status": "ok" if well else "degraded",
        "broker": {"connected": publisher.connected},
        "outbox": {branch: depths.get(branch, 0) for branch in site.branches},
        "sources": {each.name: _source(each) for each in sources},
        "unplaced": [asdict(each) for each in store.unplaced(now_unix_ms - UNPLACED_MS)],
        "clock_behind_ms": {branch: clock.offset_ms for branch, clock in store.clocks().items()},
    }


class Heart:
    """Tells the fleet service every minute that the feed is there, a pulse a branch."""

    def __init__(self, publisher: Publisher, store: FeedStore, intake: Intake, clock: Callable[[], int]):
        self._publisher, self._store, self._intake, self._clock = publisher, store, intake, clock
        self._started_unix_ms = clock()
        self._due_s = 0.0

    def beat(self, sources: Sequence[Source]) -> None:
        """To be called every second or so. The first one waits for a connection."""
        if time.monotonic() < self._due_s or not self._publisher.connected:
            return
        self._due_s = time.monotonic() + PULSE_S
        now = self._clock()
        depths, unplaced = self._store.depths(), self._store.unplaced(now - UNPLACED_MS)
        for branch in self._intake.branches:
            pulse = Pulse(
                uptime_s=max(0, now - self._started_unix_ms) // 1000,
                outbox=depths.get(branch, 0),
                sources_down=sum(branch in each.branches and not each.up for each in sources),
                unplaced=sum(each.branch == branch for each in unplaced),
                last_event_unix_ms=self._intake.last_event_unix_ms.get(branch),
            )
            self._publisher.pulse(branch, pulse)


def _source(source: Source) -> dict[str, object]:
    return {
        "kind": source.KIND,
        "up": source.up,
        "unknown": len(source.unknown),
        "unknown_words": sorted(source.unknown)[:MOST_UNKNOWN],
        "unreadable": source.unreadable,
        "lost": source.lost,
        "missed": source.missed,
        "last_heard_unix_ms": source.last_heard_unix_ms,
    }
