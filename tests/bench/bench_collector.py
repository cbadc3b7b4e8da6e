"""How many messages a second the collector takes, beside a subscriber that does nothing but acknowledge, and others.

All drain the same backlog (a call and its vote, 24 desks), queued by the broker while they are stopped, in turns, each
round with a fresh database. Ours do everything they do in an office: strict decoding, join, roll-ups, a commit that
survives a power cut, acknowledgements and receipts. Rates depend on the machine; compare the ratios within one run.

    python tests/bench/bench_collector.py [--messages 20000] [--rounds 5] [--only bare,sqlite] [--json FILE]
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import paho.mqtt.client as paho  # noqa: E402

from protocol import codec, topics  # noqa: E402
from sim.postgres import Postgres, find_programs  # noqa: E402
from tests.bench import contenders as field  # noqa: E402
from tests.bench.contenders import Contender  # noqa: E402
from tests.integration.collector_process import event, vote  # noqa: E402
from tests.integration.mosquitto import GuardedMosquitto  # noqa: E402

DESKS = tuple(f"centre-{number:02}" for number in range(1, 25))
USERS = ("collector", "collector-1", "collector-2", "feed", "it", "bench")
ON_THE_WAY = 20_000  # messages published and not yet acknowledged: a packet's number has 16 bits


@dataclass
class Drained:
    """One backlog taken in by one contender."""

    messages: int
    seconds: float
    cpu_seconds: float
    resident_bytes: int

    @property
    def rate(self) -> float:
        return self.messages / self.seconds

    @property
    def cpu_us(self) -> float:
        return self.cpu_seconds / self.messages * 1e6


def main() -> None:
    arguments = parse()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # PostgreSQL is another user
        results = measure(Path(folder), arguments)
    report(results)
    if arguments.json:
        told = {name: [asdict(each) for each in taken] for name, (_, taken) in results.items()}
        arguments.json.write_text(json.dumps({"load": os.getloadavg()[0], "results": told}, indent=1))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", type=int, default=20_000, help="a round, half of them votes")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", type=lambda text: text.split(","), help="names of contenders, with commas between")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every single measurement, for keeping")
    return parser.parse_args()


def measure(folder: Path, arguments: argparse.Namespace) -> dict[str, tuple[Contender, list[Drained]]]:
    wanted, programs = arguments.only, find_programs()
    cluster = None
    if programs and (not wanted or any(name.startswith("postgresql") for name in wanted)):
        cluster = Postgres(folder / "postgres", programs).start()  # with fsync, as in an office
    with_node_red = not wanted or any(name.startswith("node-red") for name in wanted)
    found = field.contenders(DESKS, cluster, with_node_red=with_node_red)
    results: dict[str, tuple[Contender, list[Drained]]] = {
        each.name: (each, []) for each in found if not wanted or each.name in wanted
    }
    try:
        for number in range(arguments.rounds):
            for contender, taken in results.values():
                place = folder / f"{contender.name}-{number}"
                place.mkdir()
                taken.append(drain(contender, place, min(arguments.messages, contender.most)))
                print(f"  {contender.name:13} {taken[-1].rate:8,.0f} messages/s", file=sys.stderr)
    finally:
        if cluster is not None:
            cluster.stop()
    return results


def drain(contender: Contender, folder: Path, messages: int) -> Drained:
    broker = make_broker(folder / "broker")
    running = contender.start(folder, broker)
    try:
        field.pause(running)
        publish(broker, messages // 2)
        cpu_before, begun = field.cpu_seconds(running), time.monotonic()
        field.go_on(running)
        field.wait_for_votes(running, messages // 2)
        seconds = time.monotonic() - begun
        return Drained(messages, seconds, field.cpu_seconds(running) - cpu_before, field.resident_bytes(running))
    finally:
        field.end(running)
        broker.stop()


def make_broker(folder: Path) -> GuardedMosquitto:
    broker = GuardedMosquitto(folder, USERS, options="max_queued_messages 0\nmax_inflight_messages 2000\n")
    with (folder / "acl").open("a") as acl:
        acl.write("user bench\ntopic readwrite #\n")
    return broker.start()


def publish(broker: GuardedMosquitto, calls: int) -> None:
    """``calls`` calls, each with its vote, and waits until the broker has them all."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.username_pw_set("bench", broker.password("bench"))
    client.max_inflight_messages_set(0)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    messages = backlog(0, calls)
    while part := list(islice(messages, ON_THE_WAY)):
        for each in [client.publish(topic, payload, 1) for topic, payload in part]:
            each.wait_for_publish(field.DEADLINE_S)
    client.disconnect()
    client.loop_stop()


def backlog(first: int, calls: int) -> Iterator[tuple[str, bytes]]:
    for number in range(first, first + calls):
        desk = DESKS[number % len(DESKS)]
        message = event(number, desk=desk, seq=number + 1, operator=f"op-{number % 60}")
        yield topics.queue("centre", "event"), codec.encode(message)
        yield topics.desk(desk, "vote"), codec.encode(vote(number, number % 3 + 1, seq=number + 1))


def report(results: dict[str, tuple[Contender, list[Drained]]]) -> None:
    heads = f"{'messages/s':>12}{'spread':>9}{'CPU µs each':>13}{'resident MB':>13}{'of bare, rate':>15}{'CPU':>7}"
    print(f"{'':36}{heads}")
    bare = results["bare"][1] if "bare" in results else []
    for contender, taken in results.values():
        rates = [each.rate for each in taken]
        rate, cpu = statistics.median(rates), statistics.median(each.cpu_us for each in taken)
        spread = (max(rates) - min(rates)) / rate / 2
        resident = max(each.resident_bytes for each in taken) / 1e6
        line = f"{contender.label:36}{rate:12,.0f}{f'±{spread:.0%}':>9}{cpu:13.0f}{resident:13.0f}"
        if bare:
            line += f"{_ratio(rates, [each.rate for each in bare]):15.2f}"
            line += f"{_ratio([each.cpu_us for each in taken], [each.cpu_us for each in bare]):7.2f}"
        print(line)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores: with neighbours, compare the CPU")
    print("CPU and memory are the subscriber's own; PostgreSQL comes on top. Spread: half the range")


def _ratio(ours: list[float], bare: list[float]) -> float:
    """The median of the ratios within each round."""
    return statistics.median(one / other for one, other in zip(ours, bare, strict=True))


if __name__ == "__main__":
    main()
