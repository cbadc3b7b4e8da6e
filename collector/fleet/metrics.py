"""The numbers of the fleet service's ``/metrics``: its broker, open faults by kind, messages that nobody got yet.

Pads one by one are in the api's (api/pad_metrics.py).
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric

from collector.errors import StoreError
from collector.exposition import Surroundings, labelled
from collector.fleet.settings import Settings
from collector.store import FAULT_KINDS, Store

_NAME = "zrazkovo_fleet"
_FAULTS = 100_000


def registry(store: Store, settings: Settings, broker_up: Callable[[], bool]) -> CollectorRegistry:
    """What an endpoint shows."""
    made = CollectorRegistry()
    certificates = {"authority": settings.broker_ca, "own": settings.broker_certificate}
    made.register(Surroundings("fleet", settings.database_url, certificates))
    made.register(_Faults(store, broker_up))
    return made


class _Faults:
    def __init__(self, store: Store, broker_up: Callable[[], bool]):
        self._store, self._broker_up = store, broker_up

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(f"{_NAME}_broker_up", "1: connected.", self._broker_up())
        try:
            kinds = Counter(fault.kind for fault in self._store.fleet.faults(is_open=True, limit=_FAULTS))
            notices = self._store.fleet.notices()
        except StoreError:
            yield GaugeMetricFamily(f"{_NAME}_database_up", "1: the database answers.", 0)
            return
        yield GaugeMetricFamily(f"{_NAME}_database_up", "1: the database answers.", 1)
        counted: dict[tuple[str, ...], float] = {(kind,): kinds[kind] for kind in FAULT_KINDS}
        yield labelled(f"{_NAME}_faults", "Open faults, by kind.", ("kind",), counted)
        yield GaugeMetricFamily(f"{_NAME}_notices_waiting", "Messages about faults not delivered yet.", len(notices))
        now_unix_ms = time.time_ns() // 1_000_000
        late = max((now_unix_ms - notice.due_unix_ms for notice in notices), default=0)
        yield GaugeMetricFamily(f"{_NAME}_notices_late_seconds", "How long the oldest is due.", max(0, late) / 1000)
