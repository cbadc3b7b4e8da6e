"""Readers beside full ingest: does anybody get an error, and does anything get lost?

A real Mosquitto, a real collector and a real api on one SQLite database, on loopback. One process publishes calls and
votes as fast as the broker takes them (``--rate`` bounds it), ``--readers`` threads ask for figures, pages and health
without a pause, each with a connection of its own. Then the ingest comes to its end, and every vote is looked for.

    python tests/bench/bench_readers.py [--readers 200] [--seconds 20] [--rate 2000]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import httpx2  # noqa: E402
import paho.mqtt.client as paho  # noqa: E402

from collector.store import Store  # noqa: E402
from protocol import codec, topics  # noqa: E402
from sim import ports  # noqa: E402
from tests.bench.bench_collector import DESKS, make_broker  # noqa: E402
from tests.integration.collector_process import CollectorProcess, event, vote  # noqa: E402
from tests.integration.mosquitto import GuardedMosquitto  # noqa: E402

SCOPES = ("figures", "operators", "devices", "metrics")
ASKED = (
    "/v1/aggregates?by=centre",
    "/v1/aggregates?by=branch&period=day",
    "/v1/aggregates?by=service&period=year",
    "/v1/aggregates?by=desk&purpose=analysis",
    "/v1/desks",
    "/v1/health",
    "/figures",
    "/overview",
)
DEADLINE_S = 120


class Reader(threading.Thread):
    """Asks one thing after another until told to stop."""

    def __init__(self, address: str, token: str, number: int, over: threading.Event):
        super().__init__(name=f"reader-{number}")
        self.answers: Counter[str] = Counter()
        self.took_s: list[float] = []
        self._address, self._token, self._place, self._over = address, token, number, over

    def run(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        with httpx2.Client(base_url=self._address, headers=headers, timeout=60) as client:
            while not self._over.is_set():
                path = ASKED[self._place % len(ASKED)]
                self._place += 1
                began = time.perf_counter()
                try:
                    page = {} if path.startswith("/v1/") else {"Accept": "text/html"}
                    self.answers[str(client.get(path, headers=page).status_code)] += 1
                except httpx2.HTTPError as error:
                    self.answers[type(error).__name__] += 1
                self.took_s.append(time.perf_counter() - began)


class Writer(threading.Thread):
    """Publishes calls and, half a second later, their votes; what the broker has not confirmed is sent again."""

    def __init__(self, broker: GuardedMosquitto, rate: int, over: threading.Event):
        super().__init__(name="writer")
        self.votes = 0
        self._rate, self._over = rate, over
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.username_pw_set("bench", broker.password("bench"))
        self._client.max_inflight_messages_set(1000)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def run(self) -> None:
        begun, last = time.perf_counter(), None
        while not self._over.is_set():
            ahead_s = begun + 2 * self.votes / self._rate - time.perf_counter()
            if ahead_s > 0:
                time.sleep(ahead_s)
            number = self.votes
            place, seq = number % len(DESKS), number // len(DESKS) + 1
            told = event(number, desk=DESKS[place], seq=number + 1)
            self._client.publish(topics.queue("centre", "event"), codec.encode(told), 1)
            pressed = vote(number, number % 3 + 1, seq=seq, journal=f"{place:08x}")
            last = self._client.publish(topics.desk(DESKS[place], "vote"), codec.encode(pressed), 1)
            self.votes += 1
            if number % 200 == 199:  # no further ahead than the broker follows
                last.wait_for_publish(DEADLINE_S)
        if last is not None:
            last.wait_for_publish(DEADLINE_S)
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def at_work(folder: Path) -> Iterator[tuple[GuardedMosquitto, str, str, str]]:
    """The broker, the database's URL, the api's address and a reader's token."""
    url = f"sqlite:///{folder / 'bench.db'}"
    broker = make_broker(folder / "broker")
    collector = CollectorProcess(folder, broker.port, url, DESKS).start()
    with Store.open(url) as store:
        token = store.create_token("bench", SCOPES)
    port = ports.choose(0)
    environment = {"ZRAZKOVO_API_DATABASE_URL": url, "ZRAZKOVO_API_LISTEN_PORT": str(port)}
    with (folder / "api.log").open("wb") as log:
        api = subprocess.Popen([sys.executable, "-m", "api"], env=os.environ | environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address)
        yield broker, url, address, token
    finally:
        api.terminate()
        api.wait(30)
        collector.kill()
        broker.stop()


def wait_for(address: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            httpx2.get(f"{address}/v1/health").raise_for_status()
        except httpx2.HTTPError:
            assert time.monotonic() < deadline, "the api does not serve"
            time.sleep(0.1)
        else:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rate", type=int, default=2000, help="messages a second at most")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, at_work(Path(name)) as (broker, url, address, token):
        over = threading.Event()
        writer = Writer(broker, arguments.rate, over)
        readers = [Reader(address, token, number, over) for number in range(arguments.readers)]
        for thread in (writer, *readers):
            thread.start()
        time.sleep(arguments.seconds)
        over.set()
        for thread in (writer, *readers):
            thread.join()
        lost, repeats, differences = settled(url, writer.votes)
        tell(arguments.seconds, writer.votes, readers, lost, repeats, differences)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def settled(url: str, votes: int) -> tuple[int, dict[str, int], list[str]]:
    """How many votes are missing once the collector has had its time, what was kept apart, what does not agree."""
    deadline = time.monotonic() + DEADLINE_S
    with Store.open(url) as store:
        while store.counts()["votes"] < votes and time.monotonic() < deadline:
            time.sleep(0.2)
        counts = store.counts()
        return votes - counts["votes"], counts["kept"], store.recount()


def tell(
    seconds: int, votes: int, readers: list[Reader], lost: int, kept: dict[str, int], differences: list[str]
) -> None:
    answers = sum((reader.answers for reader in readers), Counter[str]())
    took_ms = sorted(took * 1000 for reader in readers for took in reader.took_s)
    errors = sum(number for status, number in answers.items() if status != "200")
    print(
        f"{len(readers)} readers, {seconds} s: {sum(answers.values()):,} answers, {errors} errors {dict(answers)},"
        f" median {took_ms[len(took_ms) // 2]:.0f} ms, p99 {took_ms[len(took_ms) * 99 // 100]:.0f} ms"
    )
    print(
        f"beside them {votes:,} calls and votes, {2 * votes / seconds:,.0f} messages a second: {lost} votes lost,"
        f" kept apart {kept}, {len(differences)} figures that do not agree"
    )
    if lost or errors or kept or differences:
        sys.exit(1)


if __name__ == "__main__":
    main()
