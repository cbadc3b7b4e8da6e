"""``/metrics`` of a real collector at a real broker, with TLS: what it counts, and that nothing of it names a desk."""

import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.host.ca import Authority
from protocol import topics
from tests.integration.collector_process import NOON_UNIX_MS, CollectorProcess, Wire, event, vote
from tests.integration.office import OfficeBroker

DESK = "centre-01"


def promtool() -> str:
    found = shutil.which("promtool")
    if not found:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    return found


class Scraped:
    def __init__(self, port: str):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
            self.text = answer.read().decode()

    def __getitem__(self, name: str) -> float:
        (value,) = re.findall(rf"^{re.escape(name)} (\S+)$", self.text, re.MULTILINE)
        return float(value)


@pytest.fixture
def collector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[CollectorProcess, OfficeBroker]]:
    authority = Authority(tmp_path / "ca")
    authority.init("Office")
    broker = OfficeBroker(tmp_path / "broker", authority, (DESK,))
    broker.start()
    monkeypatch.setenv("ZRAZKOVO_COLLECTOR_METRICS_PORT", "0")
    monkeypatch.setenv("ZRAZKOVO_COLLECTOR_BROKER_CA", str(authority.folder / "ca.pem"))
    process = CollectorProcess(tmp_path, broker.tls_port, f"sqlite:///{tmp_path / 'zrazkovo.db'}", (DESK,)).start()
    yield process, broker
    process.kill()
    broker.stop()


def port_of(process: CollectorProcess) -> str:
    return re.findall(r"metrics on http://127.0.0.1:(\d+)/metrics", process.says)[-1]


def test_everything_that_comes_in_is_counted(collector: tuple[CollectorProcess, OfficeBroker]) -> None:
    process, broker = collector
    port = port_of(process)
    feed, pad = Wire.of_feed(broker), Wire.of_pad(broker, DESK)
    feed.event(event(1, desk=DESK, seq=1))
    feed.wait_for_ack(1, "0badcafe")
    # A vote, another for the same call, and one whose call is not known yet.
    for seq, (call, rating) in enumerate([(1, 3), (1, 1), (2, 2)], 1):
        pad.vote(DESK, vote(call, rating, seq=seq))
        pad.wait_for_ack(seq, "11111111")
    pad.send(topics.desk(DESK, "vote"), b"{")
    name = "zrazkovo_collector_messages_total"
    process.wait_for(lambda: Scraped(port)[f'{name}{{disposition="malformed"}}'] == 1)
    process.wait_for(lambda: Scraped(port)["zrazkovo_collector_waiting_votes"] == 1)  # asked once in five seconds

    def counted() -> bool:
        """One thing after the other: whoever looks meanwhile sees a part."""
        counts = Scraped(port)
        batches, commits = (counts[f"zrazkovo_collector_{each}_count"] for each in ("batch_messages", "commit_seconds"))
        return counts["zrazkovo_collector_batch_messages_sum"] == 5 and batches == commits

    process.wait_for(counted)
    seen = Scraped(port)
    assert seen[f'{name}{{disposition="taken"}}'] == 2
    assert seen[f'{name}{{disposition="waiting"}}'] == seen[f'{name}{{disposition="repeat"}}'] == 1
    assert seen["zrazkovo_collector_commit_seconds_count"] == seen["zrazkovo_collector_batch_messages_count"] >= 1
    assert seen["zrazkovo_collector_batch_messages_sum"] == 5
    assert seen["zrazkovo_collector_receipts_total"] == 4
    assert seen["zrazkovo_collector_broker_up"] == seen["zrazkovo_collector_database_up"] == 1
    assert 0 <= time.time() - seen['zrazkovo_collector_last_vote_timestamp_seconds{branch="centre"}'] < 120
    assert seen["zrazkovo_collector_waiting_oldest_seconds"] > 0
    assert seen["zrazkovo_collector_database_disk_free_bytes"] > 0
    for what, days in (("broker", 825), ("authority", 7305)):
        end = seen[f'zrazkovo_collector_certificate_end_timestamp_seconds{{what="{what}"}}']
        assert days - 2 < (end - time.time()) / 86_400 < days + 1
    assert seen["zrazkovo_backup_timestamp_seconds"] == 0
    assert DESK not in seen.text and "op-1" not in seen.text and str(NOON_UNIX_MS) not in seen.text
    linted = subprocess.run(
        [promtool(), "check", "metrics"], input=seen.text, capture_output=True, text=True, check=False
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_a_lost_broker_is_seen_and_the_way_back_is_counted(collector: tuple[CollectorProcess, OfficeBroker]) -> None:
    process, broker = collector
    port = port_of(process)
    broker.stop()
    process.wait_for(lambda: "connecting again" in process.says)
    process.wait_for(lambda: Scraped(port)["zrazkovo_collector_broker_up"] == 0)
    broker.start()
    process.wait_for(lambda: "connected again" in process.says)
    process.wait_for(lambda: Scraped(port)["zrazkovo_collector_broker_up"] == 1)
    process.wait_for(lambda: Scraped(port)["zrazkovo_collector_broker_connects_total"] >= 2)
    assert Scraped(port)["zrazkovo_collector_broker_connects_total"] == 2
    assert Scraped(port)["zrazkovo_collector_broker_errors_total"] >= 1


def test_a_taken_port_stops_no_vote(collector: tuple[CollectorProcess, OfficeBroker], tmp_path: Path) -> None:
    process, broker = collector
    other = tmp_path / "other"
    other.mkdir()
    os.environ["ZRAZKOVO_COLLECTOR_METRICS_PORT"] = port_of(process)  # the fixture's monkeypatch puts it back
    process.stop()
    with socket.create_server(("127.0.0.1", int(os.environ["ZRAZKOVO_COLLECTOR_METRICS_PORT"]))):
        process.start()
        assert "no metrics: 127.0.0.1:" in process.says
        pad = Wire.of_pad(broker, DESK)
        pad.vote(DESK, vote(1, 3, seq=1))
        pad.wait_for_ack(1, "11111111")
