"""The numbers of ``/metrics``: totals of the store at the moment of asking, and this process's own answers.

A registry of its own, so that two applications in one process do not meet. No label ever names an operator. A desk is
named for its device's health only (api/pad_metrics.py), never beside anything that counts calls, presses or votes.
"""

import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.types import Scope

from api.livestate import FAULTS
from api.pad_metrics import pad_metrics
from collector.store import Store


class Telemetry:
    """Counts this process's answers; shows the store's totals when asked. ``streams`` gives the open live streams."""

    def __init__(self, store: Store, streams: Callable[[], int]):
        self._registry = CollectorRegistry()
        self._registry.register(_Totals(store, streams))
        self._requests = Counter(
            "zrazkovo_http_requests",
            "Answers, by route and status.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "zrazkovo_http_first_byte_seconds",
            "Time to the first byte of an answer.",
            ("route",),
            buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=self._registry,
        )

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", None) or "none"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Prometheus text. Raises StoreError when the database does not answer."""
        return generate_latest(self._registry)


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class _Totals:
    """Asks the store once a scrape."""

    def __init__(self, store: Store, streams: Callable[[], int]):
        self._store = store
        self._streams = streams

    def describe(self) -> list[Metric]:
        return []  # asked at registration, when the database need not be there

    def collect(self) -> Iterator[Metric]:
        counts = self._store.counts()
        yield GaugeMetricFamily("zrazkovo_calls", "Calls in the figures.", counts["calls"])
        yield GaugeMetricFamily("zrazkovo_votes", "Votes in the figures.", counts["votes"])
        yield GaugeMetricFamily("zrazkovo_waiting", "Votes whose call is not known yet.", counts["waiting"])
        kept = GaugeMetricFamily("zrazkovo_kept", "Messages kept and not counted, by reason.", labels=("reason",))
        for reason, number in counts["kept"].items():
            kept.add_metric((reason,), number)
        yield kept
        times = GaugeMetricFamily("zrazkovo_kept_times", "How often they came, by reason.", labels=("reason",))
        for reason, number in counts["kept_times"].items():
            times.add_metric((reason,), number)
        yield times
        pads = GaugeMetricFamily("zrazkovo_pads", "Desks, by the state of their pad.", labels=("state",))
        for state, number in counts["pads"].items():
            pads.add_metric((state,), number)
        yield pads
        yield from _nights(self._store)
        yield from _sums(self._store)
        yield GaugeMetricFamily("zrazkovo_live_streams", "Open live streams.", self._streams())
        now_unix_ms = time.time_ns() // 1_000_000
        yield from pad_metrics(self._store.pads(), self._store.fleet.faults(is_open=True, limit=FAULTS), now_unix_ms)


def _nights(store: Store) -> Iterator[Metric]:
    ended = GaugeMetricFamily(
        "zrazkovo_nightly_ended_timestamp_seconds", "When a chore of the night last came to its end.", labels=("chore",)
    )
    failed = GaugeMetricFamily("zrazkovo_nightly_failed", "1 if that time it failed.", labels=("chore",))
    for name, run in sorted(store.nights.last().items()):
        ended.add_metric((name,), (run.ended_unix_ms or 0) / 1000)
        failed.add_metric((name,), 0 if run.ok else 1)
    yield from (ended, failed)


def _sums(store: Store) -> Iterator[Metric]:
    differ = GaugeMetricFamily(
        "zrazkovo_reconciliation_differences",
        "Sums of figures that did not agree when last compared.",
        labels=("check",),
    )
    for last in store.totals.reconciled():
        for check in last.checks:
            differ.add_metric((check.name,), check.differ)
    yield differ
