"""A backlog after an outage, drained: whether rate and memory stay what they are, however long it is.

python tests/bench/bench_backlog.py [--messages 100000]        1000000 for the proof; the broker then holds 500 MB
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from collector.store import Store  # noqa: E402
from tests.bench import contenders as field  # noqa: E402
from tests.bench.bench_collector import DESKS, make_broker, publish  # noqa: E402

PARTS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000, help="half of them votes")
    votes = parser.parse_args().messages // 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = make_broker(folder / "broker")
        sqlite = next(each for each in field.contenders(DESKS, None, with_node_red=False) if each.name == "sqlite")
        running = sqlite.start(folder, broker)
        try:
            field.pause(running)
            publish(broker, votes)
            print(f"{2 * votes:,} messages wait at the broker; resident {field.resident_bytes(running) / 1e6:.0f} MB")
            field.go_on(running)
            drain(running, votes)
        finally:
            field.end(running)
            broker.stop()
        with Store.open(f"sqlite:///{folder / 'bench.db'}") as store:
            assert store.counts()["votes"] == votes and store.counts()["waiting"] == 0
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores: with neighbours, compare the CPU")


def drain(running: field.Running, votes: int) -> None:
    """One line a tenth. The rows are counted by a third process's connection, which costs more the more there are."""
    print(f"{'of all':>8}{'messages/s':>12}{'CPU µs each':>14}{'resident MB':>14}")
    before, cpu_before, begun = 0, field.cpu_seconds(running), time.monotonic()
    for part in range(1, PARTS + 1):
        goal = votes * part // PARTS
        while (now := running.votes()) < goal:
            time.sleep(0.05)
        messages, cpu, moment = 2 * (now - before), field.cpu_seconds(running), time.monotonic()
        rate, each_us = messages / (moment - begun), (cpu - cpu_before) / messages * 1e6
        print(f"{part / PARTS:8.0%}{rate:12,.0f}{each_us:14.0f}{field.resident_bytes(running) / 1e6:14.0f}")
        before, cpu_before, begun = now, cpu, moment


if __name__ == "__main__":
    main()
