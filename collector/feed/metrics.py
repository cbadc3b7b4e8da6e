"""The numbers of the feed's ``/metrics``, gathered when asked. No label names a desk, a ticket or an operator."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from collector.errors import StoreError
from collector.exposition import Surroundings, labelled
from collector.feed.health import UNPLACED_MS
from collector.feed.publisher import Publisher
from collector.feed.settings import Settings
from collector.feed.source import Source
from collector.feed.store import FeedStore
from protocol import codec
from protocol.messages import QueueEvent

_NAME = "zrazkovo_feed"
_SOURCE = ("source", "kind")


class Metrics:
    """``last_events``: when the last event of each branch came, Unix milliseconds; read when asked."""

    def __init__(
        self,
        settings: Settings,
        store: FeedStore,
        publisher: Publisher,
        sources: Sequence[Source],
        branches: Sequence[str],
        *,
        last_events: Mapping[str, int],
        clock: Callable[[], int],
    ):
        self._store, self._publisher, self._sources, self._branches = store, publisher, sources, branches
        self._last_events, self._clock = last_events, clock
        self._registry = CollectorRegistry()
        certificates = {
            "authority": settings.broker_ca, "own": settings.broker_certificate, "https": settings.listen_certificate,
        }  # fmt: skip
        self._registry.register(Surroundings("feed", settings.database_url, certificates))
        self._registry.register(self)

    def text(self) -> bytes:
        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(f"{_NAME}_broker_up", "1: connected.", self._publisher.connected)
        yield from self._outbox()
        yield from self._queues()
        events: dict[tuple[str, ...], float] = {(branch,): at / 1000 for branch, at in list(self._last_events.items())}
        yield labelled(f"{_NAME}_last_event_timestamp_seconds", "The last event, by branch.", ("branch",), events)
        for name, text, value in (
            ("up", "1: the queue system answers.", lambda source: source.up),
            ("unknown", "Names it gave that our tables do not know.", lambda source: len(source.unknown)),
            ("unreadable", "Answers of another form, since the start.", lambda source: source.unreadable),
            ("lost", "Words that could not be kept, since the start.", lambda source: source.lost),
            ("missed", "Words that never came, since the start.", lambda source: source.missed),
        ):
            values: dict[tuple[str, ...], float] = {
                (each.name, each.KIND): float(value(each)) for each in self._sources
            }
            yield labelled(f"{_NAME}_source_{name}", text, _SOURCE, values)
        heard: dict[tuple[str, ...], float] = {
            (each.name, each.KIND): each.last_heard_unix_ms / 1000
            for each in self._sources
            if each.last_heard_unix_ms is not None
        }
        yield labelled(f"{_NAME}_source_heard_timestamp_seconds", "When it was last heard.", _SOURCE, heard)

    def _outbox(self) -> Iterator[Metric]:
        depths: dict[tuple[str, ...], float] = {}
        ages: dict[tuple[str, ...], float] = {}
        try:
            waiting, heads = self._store.depths(), self._store.heads()
        except StoreError:
            yield GaugeMetricFamily(f"{_NAME}_database_up", "1: the feed's own store answers.", 0)
            return
        yield GaugeMetricFamily(f"{_NAME}_database_up", "1: the feed's own store answers.", 1)
        for branch in self._branches:
            depths[(branch,)] = waiting.get(branch, 0)
            ages[(branch,)] = self._age_s(heads[branch][1]) if branch in heads else 0.0
        yield labelled(f"{_NAME}_outbox_events", "Events that wait for the collector.", ("branch",), depths)
        yield labelled(f"{_NAME}_outbox_oldest_seconds", "Age of the oldest; 0 without any.", ("branch",), ages)

    def _queues(self) -> Iterator[Metric]:
        """Calls to a desk that nobody could name, and how each branch's queue clock goes."""
        try:
            unplaced, clocks = self._store.unplaced(self._clock() - UNPLACED_MS), self._store.clocks()
        except StoreError:
            return
        named: dict[tuple[str, ...], float] = dict.fromkeys(((branch,) for branch in self._branches), 0.0)
        for each in unplaced:
            named[(each.branch,)] = named.get((each.branch,), 0.0) + 1
        text = "Operators who called to no known desk within a day: no pad was armed."
        yield labelled(f"{_NAME}_unplaced_operators", text, ("branch",), named)
        behind: dict[tuple[str, ...], float] = {(name,): each.offset_ms / 1000 for name, each in clocks.items()}
        text = "How far the queue's clock is behind ours, delay included."
        yield labelled(f"{_NAME}_queue_clock_behind_seconds", text, ("branch",), behind)

    def _age_s(self, payload: bytes) -> float:
        event = codec.decode("event", payload)
        assert isinstance(event, QueueEvent)
        return max(0.0, (self._clock() - event.occurred_unix_ms) / 1000)
