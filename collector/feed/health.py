"""What the feed says of itself at ``GET /v1/health``: for monitoring and for whoever connects a queue system."""

from collections.abc import Sequence
from dataclasses import asdict

from collector.feed.publisher import Publisher
from collector.feed.source import Site, Source
from collector.feed.store import FeedStore

UNPLACED_MS = 86_400_000  # whoever called to no known desk within a day is still named
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
