"""From a press to its committed row, at so many votes a second: what the writer's receipt says, so never too little.

Each vote's call is told half a second before. The time runs from handing the vote to the MQTT library until the receipt
is back: two hops more than the row's own time. SQLite, one collector, everything on.

    python tests/bench/bench_latency.py [--rate 500] [--seconds 20]
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import paho.mqtt.client as paho  # noqa: E402

from protocol import codec, topics  # noqa: E402
from protocol.messages import Ack  # noqa: E402
from tests.bench.bench_collector import DESKS, make_broker  # noqa: E402
from tests.integration.collector_process import CollectorProcess, event, vote  # noqa: E402
from tests.integration.mosquitto import GuardedMosquitto  # noqa: E402

DEADLINE_S = 60


class Pads:
    """All desks' pads in one connection: a journal each, a receipt covers every number up to its own."""

    def __init__(self, broker: GuardedMosquitto):
        self.took_s: list[float] = []
        self._sent: dict[str, deque[tuple[int, float]]] = {f"{number:08x}": deque() for number in range(len(DESKS))}
        self._ready = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.username_pw_set("bench", broker.password("bench"))
        self._client.max_inflight_messages_set(0)
        self._client.on_connect = lambda client, *_: client.subscribe(topics.every_desk("ack"), 1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_ack
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        assert self._ready.wait(DEADLINE_S)

    def call(self, number: int) -> None:
        message = event(number, desk=DESKS[number % len(DESKS)], seq=number + 1)
        self._client.publish(topics.queue("centre", "event"), codec.encode(message), 1)

    def press(self, number: int) -> None:
        place, seq = number % len(DESKS), number // len(DESKS) + 1
        journal = f"{place:08x}"
        payload = codec.encode(vote(number, number % 3 + 1, seq=seq, journal=journal))
        self._sent[journal].append((seq, time.perf_counter()))
        self._client.publish(topics.desk(DESKS[place], "vote"), payload, 1)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_ack(self, _: Any, __: Any, message: paho.MQTTMessage) -> None:
        now = time.perf_counter()
        ack = codec.decode("ack", message.payload)
        assert isinstance(ack, Ack)
        waiting = self._sent[ack.journal]
        while waiting and waiting[0][0] <= ack.seq:
            self.took_s.append(now - waiting.popleft()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=int, default=500, help="votes a second")
    parser.add_argument("--seconds", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = make_broker(folder / "broker")
        collector = CollectorProcess(folder, broker.port, f"sqlite:///{folder / 'bench.db'}", DESKS).start()
        pads = Pads(broker)
        try:
            took_s = measure(pads, arguments.rate, arguments.rate * arguments.seconds)
        finally:
            pads.close()
            collector.kill()
            broker.stop()
    took_ms = sorted(each * 1000 for each in took_s)
    shown = "  ".join(f"p{part} {took_ms[len(took_ms) * part // 100]:.1f}" for part in (50, 90, 99))
    print(f"press to receipt, ms, {len(took_ms)} votes, {arguments.rate} a second: {shown}  longest {took_ms[-1]:.1f}")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def measure(pads: Pads, rate: int, votes: int) -> list[float]:
    begun = time.perf_counter()
    for number in range(votes + rate // 2):
        ahead_s = begun + number / rate - time.perf_counter()
        if ahead_s > 0:
            time.sleep(ahead_s)
        if number < votes:
            pads.call(number)
        if number >= rate // 2:
            pads.press(number - rate // 2)
    deadline = time.monotonic() + DEADLINE_S
    while len(pads.took_s) < votes:
        assert time.monotonic() < deadline, f"{len(pads.took_s)} receipts of {votes}"
        time.sleep(0.05)
    return pads.took_s


if __name__ == "__main__":
    main()
