"""How many messages a second the collector takes, beside a subscriber that does nothing but acknowledge.

Both drain the same kind of backlog (a call and its vote, 24 desks) from Mosquitto's queue for a persistent session,
in turns, three rounds, medians. The collector does everything it does in an office: strict decoding, join, roll-up,
a commit that survives a power cut, acknowledgements and receipts. Rates depend on the machine; compare the ratio.

    python tests/bench/bench_collector.py [--messages 20000] [--rounds 3]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import paho.mqtt.client as paho  # noqa: E402
import psutil  # noqa: E402

from collector.mqtt import SUBSCRIPTIONS  # noqa: E402
from collector.store import Store  # noqa: E402
from protocol import codec, topics  # noqa: E402
from tests.integration.collector_process import CollectorProcess, event, vote  # noqa: E402
from tests.integration.mosquitto import GuardedMosquitto  # noqa: E402

DESKS = tuple(f"centre-{number:02}" for number in range(1, 25))
CLIENT_IDS = {"bare": "bare-1", "collector": "collector-1"}
DEADLINE_S = 180


@dataclass
class Drained:
    """One backlog taken in by one subscriber."""

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
    if arguments.bare:
        bare(arguments.bare, arguments.messages)
        return
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder), arguments.messages, arguments.rounds)
    report(results)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", type=int, default=20_000, help="a round, half of them votes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bare", type=int, metavar="PORT", help=argparse.SUPPRESS)  # be the bare subscriber
    return parser.parse_args()


def measure(folder: Path, messages: int, rounds: int) -> dict[str, list[Drained]]:
    options = "max_queued_messages 0\nmax_inflight_messages 1000\n"
    broker = GuardedMosquitto(folder / "broker", ("collector", "feed", "it", "bench"), options=options)
    with (folder / "broker" / "acl").open("a") as acl:
        acl.write("user bench\ntopic readwrite #\n")
    broker.start()
    collector = CollectorProcess(folder, broker.port, f"sqlite:///{folder / 'bench.db'}", DESKS)
    results: dict[str, list[Drained]] = {"bare": [], "collector": []}
    try:
        collector.start().stop()  # makes the database and the session
        for number in range(rounds):
            for name, taken in results.items():
                leave_session(broker, name)
                publish(broker, number * messages // 2, messages // 2)
                taken.append(drain_bare(broker, messages) if name == "bare" else drain(collector, folder, messages))
                print(f"  {name:9} {taken[-1].rate:8,.0f} messages/s", file=sys.stderr)
                forget_session(broker, name)
    finally:
        collector.kill()
        broker.stop()
    return results


def leave_session(broker: GuardedMosquitto, name: str) -> None:
    """Subscribes and goes, so that the broker queues what comes."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, CLIENT_IDS[name], clean_session=False)
    client.username_pw_set("collector", broker.password("collector"))
    done: list[bool] = []
    client.on_connect = lambda client, *_: client.subscribe(list(SUBSCRIPTIONS))
    client.on_subscribe = lambda *_: done.append(True)
    client.connect("127.0.0.1", broker.port)
    while not done:
        client.loop(0.1)
    client.disconnect()


def forget_session(broker: GuardedMosquitto, name: str) -> None:
    """A clean session of the same name ends the queue: the other subscriber's turn would fill it for nothing."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, CLIENT_IDS[name], clean_session=True)
    client.username_pw_set("collector", broker.password("collector"))
    done: list[bool] = []
    client.on_connect = lambda *_: done.append(True)
    client.connect("127.0.0.1", broker.port)
    while not done:
        client.loop(0.1)
    client.disconnect()


def publish(broker: GuardedMosquitto, first: int, calls: int) -> None:
    """``calls`` calls, each with its vote, and waits until the broker has them all."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.username_pw_set("bench", broker.password("bench"))
    client.max_inflight_messages_set(0)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    sent = [client.publish(topic, payload, 1) for topic, payload in backlog(first, calls)]
    for each in sent:
        each.wait_for_publish(DEADLINE_S)
    client.disconnect()
    client.loop_stop()


def backlog(first: int, calls: int) -> Iterator[tuple[str, bytes]]:
    for number in range(first, first + calls):
        desk = DESKS[number % len(DESKS)]
        message = event(number, desk=desk, seq=number + 1, operator=f"op-{number % 60}")
        yield topics.queue("centre", "event"), codec.encode(message)
        yield topics.desk(desk, "vote"), codec.encode(vote(number, number % 3 + 1, seq=number + 1))


def drain(collector: CollectorProcess, folder: Path, messages: int) -> Drained:
    with Store.open(f"sqlite:///{folder / 'bench.db'}") as store:
        goal = store.counts()["votes"] + messages // 2
        collector.start_only()
        assert collector.process
        # The backlog comes before the broker's answer to the subscription, so "ready" would be too late.
        while store.counts()["votes"] == goal - messages // 2:
            time.sleep(0.002)
        begun, already = Stopwatch(collector.process.pid), store.counts()["votes"] - goal + messages // 2
        while store.counts()["votes"] < goal:
            time.sleep(0.02)
            assert begun.seconds < DEADLINE_S, collector.says
        result = begun.result(messages - 2 * already)
        collector.stop()
        assert store.counts()["kept"] == {} and store.counts()["waiting"] == 0
    return result


def drain_bare(broker: GuardedMosquitto, messages: int) -> Drained:
    process = subprocess.Popen(
        [sys.executable, __file__, "--bare", str(broker.port), "--messages", str(messages)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"BENCH_PASSWORD": broker.password("collector")},
        text=True,
    )
    assert process.stdout and process.stdin
    assert process.stdout.readline() == "ready\n"
    begun = Stopwatch(process.pid)
    assert process.stdout.readline() == "done\n"
    result = begun.result(messages)
    process.communicate("\n", DEADLINE_S)
    return result


def bare(port: int, messages: int) -> None:
    """The subscriber to compare with: paho, one thread, every message acknowledged by hand, nothing else."""
    count = 0

    def on_message(client: paho.Client, _: object, message: paho.MQTTMessage) -> None:
        nonlocal count
        client.ack(message.mid, message.qos)
        count += 1

    client = paho.Client(paho.CallbackAPIVersion.VERSION2, CLIENT_IDS["bare"], clean_session=False, manual_ack=True)
    client.username_pw_set("collector", os.environ["BENCH_PASSWORD"])
    client.on_connect = lambda client, *_: client.subscribe(list(SUBSCRIPTIONS))
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    while count < messages:
        client.loop(1.0)
    print("done", flush=True)
    sys.stdin.readline()
    client.disconnect()


class Stopwatch:
    """Wall clock and CPU time of a process from here on."""

    def __init__(self, pid: int):
        self._process = psutil.Process(pid)
        self._cpu = self._cpu_seconds()
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    def result(self, messages: int) -> Drained:
        return Drained(messages, self.seconds, self._cpu_seconds() - self._cpu, self._process.memory_info().rss)

    def _cpu_seconds(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)


def report(results: dict[str, list[Drained]]) -> None:
    print(f"{'':22}{'messages/s':>12}{'CPU µs each':>14}{'resident MB':>14}")
    for name, label in (("bare", "bare paho subscriber"), ("collector", "collector")):
        taken = results[name]
        rate = statistics.median(each.rate for each in taken)
        cpu = statistics.median(each.cpu_us for each in taken)
        resident = max(each.resident_bytes for each in taken) / 1e6
        print(f"{label:22}{rate:12,.0f}{cpu:14.0f}{resident:14.0f}")
    rates = [one.rate / other.rate for one, other in zip(results["collector"], results["bare"], strict=True)]
    costs = [one.cpu_us / other.cpu_us for one, other in zip(results["collector"], results["bare"], strict=True)]
    print(f"ratio: {statistics.median(rates):.2f} of the bare rate, {statistics.median(costs):.2f} times its CPU")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores: with neighbours, compare the CPU")


if __name__ == "__main__":
    main()
