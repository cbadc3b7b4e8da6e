"""A small HTTP endpoint for Prometheus in a thread of its own, and the numbers that every process has.

It listens on loopback unless told otherwise. Whatever goes wrong in it stays in it: a port that is taken is logged, and
the process goes on with its work.
"""

import logging
import platform
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric

from collector.certificates import first_to_end
from schemas.settings import MetricsSettings, version

log = logging.getLogger("metrics")


class Endpoint:
    """``GET /metrics`` of one registry, from construction to ``close``."""

    def __init__(self, registry: CollectorRegistry, settings: MetricsSettings):
        assert settings.metrics_port is not None
        host = settings.metrics_host
        self._server, self._thread = start_http_server(settings.metrics_port, host, registry)
        self.port: int = self._server.server_port
        if not _is_loopback(host):
            log.warning("the metrics are open beyond this machine: let a firewall or a proxy guard %s", host)
        log.info("metrics on http://%s:%d/metrics", host, self.port)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def expose(registry: CollectorRegistry, settings: MetricsSettings) -> Endpoint | None:
    """An endpoint if ``settings`` name a port, and it can be had."""
    if settings.metrics_port is None:
        return None
    try:
        return Endpoint(registry, settings)
    except OSError as error:
        address = f"{settings.metrics_host}:{settings.metrics_port}"
        log.error("no metrics: %s: %s; work goes on without", address, error.strerror)
        return None


class Surroundings:
    """What a process stands on, looked at when asked: its build, the disk of its database, its certificates.

    Args:
        name: of the process, as in its metrics: collector, feed, fleet.
        database_url: only an SQLite file's disk can be seen from here.
        certificates: the files, by what they are for.
        peer: when the certificate ends that the broker last showed; None on a plain line.
    """

    def __init__(
        self,
        name: str,
        database_url: str,
        certificates: Mapping[str, Path | None],
        peer: Callable[[], int | None] = lambda: None,
    ):
        self._name = name
        self._folder = sqlite_folder(database_url)
        self._certificates = {what: path for what, path in certificates.items() if path is not None}
        self._peer = peer
        self._started_unix_s = time.time()

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        build = {"version": version(), "python": platform.python_version()}
        yield InfoMetricFamily(f"zrazkovo_{self._name}_build", "What runs here.", value=build)
        yield GaugeMetricFamily(
            f"zrazkovo_{self._name}_start_timestamp_seconds", "When it started.", self._started_unix_s
        )
        yield from self._disk()
        ends = GaugeMetricFamily(
            f"zrazkovo_{self._name}_certificate_end_timestamp_seconds", "When it ends.", labels=("what",)
        )
        for what, unix_s in self._ends():
            ends.add_metric((what,), unix_s)
        yield ends

    def _disk(self) -> Iterator[Metric]:
        if self._folder is None:
            return
        try:
            usage = shutil.disk_usage(self._folder)
        except OSError:
            return
        name = f"zrazkovo_{self._name}_database_disk"
        yield GaugeMetricFamily(f"{name}_free_bytes", "Free where the database lies.", usage.free)
        yield GaugeMetricFamily(f"{name}_bytes", "Size of the disk where the database lies.", usage.total)

    def _ends(self) -> Iterator[tuple[str, float]]:
        for what, path in self._certificates.items():
            try:
                yield what, first_to_end(path).ends_unix_s
            except (OSError, ValueError):
                continue  # the connection, or the doctor, says more about it
        peer = self._peer()
        if peer is not None:
            yield "broker", peer


def sqlite_folder(database_url: str) -> Path | None:
    """Where the database's file lies; None for a server."""
    kind, _, path = database_url.partition(":///")
    return Path(path).absolute().parent if kind.startswith("sqlite") else None


def labelled(name: str, text: str, labels: Iterable[str], values: Mapping[tuple[str, ...], float]) -> GaugeMetricFamily:
    """A gauge with a value for each combination of labels."""
    family = GaugeMetricFamily(name, text, labels=tuple(labels))
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
