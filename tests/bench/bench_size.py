"""What a message costs the collector when so much is stored already: its CPU, and the time of a transaction.

    python tests/bench/bench_size.py sqlite:///big.db [--batches 300]

The database is one that tests/bench/filled.py made, of any size. Ingested are batches of 100 messages as an office
sends them at its busiest: 50 calls and the votes of the 50 before, at desks drawn by chance out of all of them. Time is
that of this process's CPU (on PostgreSQL the server's comes on top: see the transaction), medians over all batches.
"""

import argparse
import random
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from sqlalchemy import text  # noqa: E402

from collector.feed.steps import call_id  # noqa: E402
from collector.store import Arrival, Store  # noqa: E402
from collector.store.engine import make_engine, reading  # noqa: E402
from protocol import codec, topics  # noqa: E402
from protocol.messages import QueueEvent, Vote  # noqa: E402
from schemas.months import unix_ms_of_id  # noqa: E402

_HALF = 50
_WARM_UP = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url", help="of a filled database; SQLAlchemy's form")
    parser.add_argument("--batches", type=int, default=300)
    arguments = parser.parse_args()
    stored, size, begin = measure_store(arguments.url)
    with Store.open(arguments.url) as store:
        store.look_after(begin)
        took = ingest(store, begin, arguments.batches)
    cpu_us = statistics.median(cpu for cpu, _ in took) * 1e6 / (2 * _HALF)
    walls = sorted(wall * 1e3 for _, wall in took)
    tail = walls[int(len(walls) * 0.99)]
    print(
        f"{stored:>12,} calls, {size / 2**30:.2f} GiB, {size / max(stored, 1):.0f} bytes a call with vote and figures;"
        f"  {cpu_us:6.1f} µs a message  transaction {statistics.median(walls):6.2f} ms, p99 {tail:7.2f} ms"
    )


def measure_store(url: str) -> tuple[int, int, int]:
    """Calls by the roll-up, bytes, and when the day after the last call begins."""
    engine = make_engine(url)
    with reading(engine) as connection:
        calls = connection.execute(text("SELECT sum(calls) FROM rollup_day WHERE cut = 'branch'")).scalar() or 0
        last = connection.execute(text("SELECT max(id) FROM call")).scalar()
        if engine.dialect.name == "sqlite":
            size = connection.execute(text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"))
        else:
            size = connection.execute(text("SELECT pg_database_size(current_database())"))
        found = int(calls), int(size.scalar_one()), unix_ms_of_id(str(last)) + 86_400_000
    engine.dispose()
    return found


def ingest(store: Store, begin_unix_ms: int, batches: int) -> list[tuple[float, float]]:
    """CPU and wall seconds of each batch."""
    chance = random.Random(4)
    desks, branch_of = sorted(store.office().desks), store.office().desks
    journal, seq, waiting, took = f"{chance.getrandbits(32):08x}", 0, [], []
    for _ in range(batches + _WARM_UP):
        arrivals = list(waiting)
        waiting = []
        for place in range(_HALF):
            seq += 1
            desk, called = chance.choice(desks), begin_unix_ms + seq * 17
            call = call_id(branch_of[desk], desk, str(seq), called)
            said = QueueEvent(
                f"e{seq}", "0badcafe", seq, "called", called, call=call, called_unix_ms=called, desk=desk,
                operator=f"op-{place}", service="service-01", ticket="t",
            )  # fmt: skip
            arrivals.append(Arrival(topics.queue(branch_of[desk], "event"), codec.encode(said), called))
            vote = Vote(call, 1 + seq % 3, 3000, journal, 1, seq)
            waiting.append(Arrival(topics.desk(desk, "vote"), codec.encode(vote), called))
        cpu, wall = time.process_time(), time.perf_counter()
        store.ingest(arrivals)
        took.append((time.process_time() - cpu, time.perf_counter() - wall))
    return took[_WARM_UP:]


if __name__ == "__main__":
    main()
