"""What a message costs when a thousand calls are stored, and when millions are. In one process, without a broker.

Each size gets a database of its own (tests/bench/filled.py); then batches are taken in by all of them in turns.

    python tests/bench/bench_stored.py [--sizes 1000,1000000,10000000] [--messages 20000] [--keep FOLDER]
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from collector.feed.steps import call_id  # noqa: E402
from collector.mqtt import BATCH_MESSAGES  # noqa: E402
from collector.store import Arrival, Store  # noqa: E402
from protocol import codec, topics  # noqa: E402
from protocol.messages import QueueEvent, Vote  # noqa: E402
from tests.bench.filled import Office, fill  # noqa: E402

OFFICE = Office(branches=40, desks=25)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", default="1000,1000000", help="calls stored, with commas between")
    parser.add_argument("--messages", type=int, default=20_000, help="into each, half of them votes")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="databases are made here and found here again")
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",")]
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        report(measure(folder, sizes, arguments.messages))


def measure(folder: Path, sizes: list[int], messages: int) -> dict[int, tuple[list[float], list[float], int]]:
    """By size: CPU and wall time of a message in each batch, µs, and the bytes of the file."""
    paths = {size: folder / f"{size}.db" for size in sizes}
    for size, path in paths.items():
        if not path.exists():
            fill(f"sqlite:///{path}", size, OFFICE)
    stores = {size: Store.open(f"sqlite:///{path}") for size, path in paths.items()}
    results: dict[int, tuple[list[float], list[float], int]] = {
        size: ([], [], path.stat().st_size) for size, path in paths.items()
    }
    arrivals = day(time.time_ns() // 1_000_000)
    for _ in range(messages // BATCH_MESSAGES):
        batch = list(islice(arrivals, BATCH_MESSAGES))
        for size, store in stores.items():
            cpu, wall = time.process_time(), time.perf_counter()
            answers = store.ingest(batch)
            results[size][0].append((time.process_time() - cpu) / len(batch) * 1e6)
            results[size][1].append((time.perf_counter() - wall) / len(batch) * 1e6)
            assert {answer.disposition for answer in answers} == {"taken"}
    for store in stores.values():
        store.close()
    return results


def day(now_unix_ms: int) -> Iterator[Arrival]:
    """Calls and their votes from now on, at every desk in turn, as a country's morning brings them."""
    desks = OFFICE.desk_names()
    number = 0
    while True:
        desk, called = desks[number % len(desks)], now_unix_ms + number * 10
        branch = desk[:-3]
        call = call_id(branch, desk, str(number), called)
        told = QueueEvent(
            f"e{number}", "0badcafe", number + 1, "called", called, call=call, called_unix_ms=called, desk=desk,
            operator=f"op-{number % len(desks):05}", service=f"service-{number % 12 + 1:02}", ticket=f"{number:024x}",
        )  # fmt: skip
        journal = f"{now_unix_ms // 1000 % 2**32:08x}"
        pressed = Vote(call, number % 3 + 1, 2500, journal, 1, number // len(desks) + 1)
        yield Arrival(topics.queue(branch, "event"), codec.encode(told), called)
        yield Arrival(topics.desk(desk, "vote"), codec.encode(pressed), called)
        number += 1


def report(results: dict[int, tuple[list[float], list[float], int]]) -> None:
    print(f"{'calls stored':>14}{'CPU µs each':>14}{'wall µs each':>14}{'file MB':>10}{'CPU, of the first':>20}")
    first = next(iter(results.values()))[0]
    for size, (cpu, wall, size_bytes) in results.items():
        ratio = statistics.median(one / other for one, other in zip(cpu, first, strict=True))
        shown = f"{statistics.median(cpu):14.1f}{statistics.median(wall):14.1f}{size_bytes / 1e6:10.0f}{ratio:20.2f}"
        print(f"{size:14,}{shown}")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores: with neighbours, compare the CPU")


if __name__ == "__main__":
    main()
