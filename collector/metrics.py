"""The numbers of the collector's ``/metrics``. No label names a desk or an operator, and no number tells of one vote.

Rules of the file
1.  The working thread only counts, once a batch; whatever costs more is done in the thread of whoever asks.
2.  What the database says is asked at most every ASK_EVERY_S; when it does not answer, everything else is told.
3.  When the last vote came is told by branch, to the minute: beside a desk's name, or to the second, it would help to
    find out who voted (order P3.2e).
"""

import threading
import time
from collections import Counter as Tally
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from collector.certificates import validity
from collector.errors import StoreError
from collector.exposition import Surroundings, labelled
from collector.model import FAILED, KEPT_REASONS, KNOWN, TAKEN, WAITING, Answer
from collector.serve import Observer
from collector.settings import Settings
from collector.store import Store
from collector.store.upkeep import RECOUNT, Vitals
from protocol import topics
from protocol.messages import Ack

ASK_EVERY_S = 5.0
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 350, 500, 1000)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_NAME = "zrazkovo_collector"


class Metrics(Observer):
    """What the collector counts of its own work; ``registry`` is what an endpoint shows."""

    def __init__(self, store: Store, settings: Settings):
        self.registry = CollectorRegistry()
        messages = Counter(
            f"{_NAME}_messages", "Messages, by what became of them.", ("disposition",), registry=self.registry
        )
        self._messages = {each: messages.labels(each) for each in (TAKEN, WAITING, KNOWN, FAILED, *KEPT_REASONS)}
        self._sizes = Histogram(f"{_NAME}_batch_messages", "Messages a batch.", buckets=_SIZES, registry=self.registry)
        self._seconds = Histogram(
            f"{_NAME}_commit_seconds", "From a batch in hand to its commit.", buckets=_SECONDS, registry=self.registry
        )
        self._receipts = Counter(f"{_NAME}_receipts", "Receipts sent after a commit.", registry=self.registry)
        self._connects = Counter(f"{_NAME}_broker_connects", "Connections to the broker made.", registry=self.registry)
        self._losses = Counter(f"{_NAME}_broker_errors", "Connections lost or refused.", registry=self.registry)
        self._errors = Counter(f"{_NAME}_database_errors", "Times the database did not answer.", registry=self.registry)
        self.broker_up = False
        self.peer_ends_unix_s: int | None = None
        self._last_unix_s: dict[str, float] = {}  # the last receipt, by topic
        certificates = {"authority": settings.broker_ca, "own": settings.broker_certificate}
        self.registry.register(
            Surroundings("collector", settings.database_url, certificates, lambda: self.peer_ends_unix_s)
        )
        self.registry.register(_Database(store, self._last_unix_s))
        self.registry.register(_Connection(self))

    # ---- the working thread
    def batch(self, answers: Sequence[Answer], receipts: Sequence[tuple[str, Ack]], seconds: float) -> None:
        now = time.time()
        self._last_unix_s.update((topic, now) for topic, _ in receipts)
        for disposition, number in Tally([answer.disposition for answer in answers]).items():
            self._messages[disposition].inc(number)
        self._sizes.observe(len(answers))
        self._seconds.observe(seconds)
        self._receipts.inc(len(receipts))

    def connected(self, peer_certificate: bytes | None) -> None:
        self.broker_up = True
        try:
            self.peer_ends_unix_s = validity(peer_certificate).ends_unix_s if peer_certificate else None
        except ValueError:  # TLS has taken it, so it is well; its date is only for people
            self.peer_ends_unix_s = None
        self._connects.inc()

    def disconnected(self) -> None:
        self.broker_up = False

    def broker_error(self) -> None:
        self.broker_up = False
        self._losses.inc()

    def database_error(self) -> None:
        self._errors.inc()


class _Connection:
    def __init__(self, metrics: Metrics):
        self._metrics = metrics

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(f"{_NAME}_broker_up", "1: connected and subscribed.", self._metrics.broker_up)


class _Database:
    """Asked when scraped, in the scraper's thread and on a connection of its own."""

    def __init__(self, store: Store, last_unix_s: dict[str, float]):
        self._store = store
        self._last_unix_s = last_unix_s
        self._lock = threading.Lock()
        self._asked_s = -ASK_EVERY_S
        self._vitals: Vitals | None = None
        self._branches: dict[str, str] = {}

    def describe(self) -> list[Metric]:
        return []  # asked at registration, when the database need not be there

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            if time.monotonic() - self._asked_s >= ASK_EVERY_S:
                self._ask()
            vitals = self._vitals
        yield GaugeMetricFamily(f"{_NAME}_database_up", "1: the database answers.", vitals is not None)
        yield labelled(f"{_NAME}_last_vote_timestamp_seconds", "The last vote, by branch.", ("branch",), self._last())
        if vitals is not None:
            yield from _told(vitals)

    def _ask(self) -> None:
        try:
            self._vitals = self._store.upkeep.vitals()
            self._branches = self._store.office().desks
        except StoreError:
            self._vitals = None
        self._asked_s = time.monotonic()

    def _last(self) -> dict[tuple[str, ...], float]:
        latest: dict[tuple[str, ...], float] = {}
        for topic, at in list(self._last_unix_s.items()):
            room, name, _ = topics.parse(topic)
            branch = self._branches.get(name) if room == "desk" else None
            if branch is not None:
                latest[(branch,)] = max(latest.get((branch,), 0.0), at // 60 * 60)
        return latest


def _told(vitals: Vitals) -> Iterator[Metric]:
    yield GaugeMetricFamily(f"{_NAME}_waiting_votes", "Votes whose call is not known yet.", vitals.waiting)
    oldest = vitals.oldest_waiting_unix_ms
    age_s = 0.0 if oldest is None else max(0.0, time.time() - oldest / 1000)
    yield GaugeMetricFamily(f"{_NAME}_waiting_oldest_seconds", "Age of the oldest of them; 0 without any.", age_s)
    for name, text, values in (
        ("kept", "Messages in quarantine, each once, by reason.", vitals.kept),
        ("kept_times", "How often they came, by reason.", vitals.kept_times),
    ):
        every: dict[tuple[str, ...], float] = {(reason,): values.get(reason, 0) for reason in KEPT_REASONS}
        yield labelled(f"{_NAME}_{name}", text, ("reason",), every)
    recount = vitals.book.get(RECOUNT)
    if recount is not None:
        at = recount.at_unix_ms / 1000
        yield GaugeMetricFamily("zrazkovo_recount_timestamp_seconds", "When figures were last counted again.", at)
        yield GaugeMetricFamily("zrazkovo_recount_differences", "What that recount found wrong.", recount.amount)
    # 0 for "never" makes an alert on its age fire for an office that has not thought of backups at all.
    backup = (vitals.last_backup_unix_ms or 0) / 1000
    yield GaugeMetricFamily("zrazkovo_backup_timestamp_seconds", "The last good backup; 0 without any.", backup)
