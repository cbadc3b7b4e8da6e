"""Every server process as systemd runs it: says that it is ready and lives, ends soon, logs no person's data."""

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.store import Store
from collector.store.upkeep import RECOUNT
from protocol import codec, topics
from schemas.service import Service
from sim.ports import choose_lasting
from tests.integration.collector_process import ROOT, CollectorProcess, Wire, call_id, vote
from tests.integration.mosquitto import GuardedMosquitto
from tests.integration.test_collector_metrics import promtool
from tests.integration.test_restored_backups import DESK, REGISTER
from tests.starved import took_to_end_s
from tests.unit.test_alerts import rules

DEADLINE_S = 60
STOPS_WITHIN_S = 8.0  # five of a working program's, and a machine full of other tests
TICKET, OPERATOR, TOKEN = "A-47-planted", "op-planted", "planted-token-of-the-queue"
REGISTER_TOML = """
organisation = {name = "Центр", name_en = "Centre"}
branch = [{id = "centre", name = "Центр", name_en = "Centre"}]
service = [{id = "passport", name = "Паспорт", name_en = "Passport"}]
desk = [{id = "centre-01", branch = "centre", label = "1"}]
"""


class Systemd:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, path: Path):
        self.path = path
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def wait_for(self, word: str, times: int = 1) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while sum(word in each for each in self.heard) < times:
            assert time.monotonic() < deadline, f"no {word}, only {self.heard}"
            time.sleep(0.02)

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.sendto(b"", str(self.path))
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while word := self._socket.recv(4096):
            self.heard.append(word.decode())


class Server:
    """One of ours, with its log in a file."""

    def __init__(self, module: str, folder: Path, **settings: str):
        name = module.rpartition(".")[2]
        self.systemd = Systemd(folder / f"{name}.sock")
        self.log = folder / f"{name}.log"
        prefix = f"ZRAZKOVO_{name.upper()}_"
        environ = {each: value for each, value in os.environ.items() if not each.startswith("ZRAZKOVO_")}
        environ |= {prefix + each.upper(): value for each, value in settings.items()}
        environ |= {prefix + "LOG_FORMAT": "json", "NOTIFY_SOCKET": str(self.systemd.path), "WATCHDOG_USEC": "1000000"}
        with self.log.open("wb") as output:
            self.process = subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, env=environ, stderr=output)

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def wait_for(self, reached: Callable[[], object]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not reached():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    def stop(self) -> float:
        """How long it took, from the signal to its end; it ended well."""
        took_s = took_to_end_s(self.process)
        assert self.process.returncode == 0, self.log.read_text()
        return took_s

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.systemd.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[GuardedMosquitto]:
    broker = GuardedMosquitto(tmp_path / "broker", ("collector", "feed", "it", DESK)).start()
    yield broker
    broker.stop()


@pytest.fixture
def office(tmp_path: Path, broker: GuardedMosquitto) -> Iterator[dict[str, Server]]:
    """Collector, feed, fleet and api at work on one database."""
    register = tmp_path / "register.toml"
    register.write_text(REGISTER_TOML)
    url = f"sqlite:///{tmp_path / 'zrazkovo.db'}"
    with Store.open(url) as store:
        store.load_register(REGISTER)
        store.upkeep.note(RECOUNT, "test", ok=True, amount=0)
    at_broker = {"broker_port": str(broker.port), "database_url": url}
    servers = {
        "collector": Server(
            "collector", tmp_path, **at_broker, broker_password=broker.password("collector"), metrics_port="0"
        ),
        "feed": Server(
            "collector.feed", tmp_path, broker_port=str(broker.port), broker_password=broker.password("feed"),
            database_url=f"sqlite:///{tmp_path / 'feed.db'}", register_file=str(register),
            listen_port=str(choose_lasting()), ticket_secret="planted-ticket-secret",
            tokens=json.dumps([hashlib.sha256(TOKEN.encode()).hexdigest()]),
        ),
        "fleet": Server(
            "collector.fleet", tmp_path, **at_broker, broker_password=broker.password("it"), metrics_port="0"
        ),
        "api": Server("api", tmp_path, database_url=url, listen_port="0"),
    }  # fmt: skip
    yield servers
    for server in servers.values():
        server.close()


def said(server: Server, words: str) -> str:
    """The first message with ``words``."""
    server.wait_for(lambda: any(words in str(line["message"]) for line in server.lines()))
    return next(str(line["message"]) for line in server.lines() if words in str(line["message"]))


def fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=DEADLINE_S) as answer:
        text: str = answer.read().decode()
        return text


def post(port: str, token: str, body: object) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{port}/v1/queue-events", json.dumps(body).encode(), headers)
    try:
        urllib.request.urlopen(request, timeout=DEADLINE_S).close()
    except urllib.error.HTTPError as error:
        error.close()


def test_all_processes_are_ready_alive_measured_discreet_and_end_soon(
    office: dict[str, Server], broker: GuardedMosquitto
) -> None:
    for server in office.values():
        server.systemd.wait_for("READY=1")
        server.systemd.wait_for("WATCHDOG=1", times=3)
    feed = said(office["feed"], "ready").removeprefix("ready: ")
    news = {
        "event": "e1", "type": "called", "branch": "centre", "desk": DESK, "operator": OPERATOR, "service": "passport",
        "ticket": {"key": TICKET, "label": TICKET}, "occurred_at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    for token, body in ((TOKEN, news), (TOKEN, {**news, "desk": 47}), ("planted-wrong-token", news)):
        post(feed, token, body)
    pad = Wire.of_pad(broker, DESK)
    pad.vote(DESK, vote(1, 2, seq=1))
    pad.wait_for_ack(1, "11111111")
    assert "took 1 events" in said(office["feed"], "took")
    pad.send(topics.desk(DESK, "vote"), b'{"call":"planted"}')
    office["feed"].wait_for(lambda: 'outbox_events{branch="centre"} 0.0' in fetched(f"{feed}/metrics"))
    measured(office, feed)
    api = said(office["api"], "ready on ").removeprefix("ready on ")
    post(f"{api}/nowhere?operator={OPERATOR}", "planted-token-of-a-reader", {})
    for name, server in office.items():
        seconds = server.stop()
        assert seconds < STOPS_WITHIN_S, f"{name} took {seconds:.1f} s to end"
        server.systemd.wait_for("STOPPING=1")
    for server in office.values():
        discreet(server, broker)


def measured(office: dict[str, Server], feed: str) -> None:
    """Their metrics are of the form that Prometheus wants, and name no operator and no desk."""
    texts = [fetched(f"{feed}/metrics")]
    texts += [fetched(said(office[name], "metrics on ").removeprefix("metrics on ")) for name in ("collector", "fleet")]
    for text in texts:
        tool = [promtool(), "check", "metrics"]
        linted = subprocess.run(tool, input=text, capture_output=True, text=True, check=False)
        assert linted.returncode == 0, linted.stdout + linted.stderr
        assert "broker_up 1.0" in text and "_build_info{" in text
        assert OPERATOR not in text and DESK not in text and "planted" not in text
    shown = set(re.findall(r"^# TYPE (\w+)", "".join(texts), re.MULTILINE))
    for name in set(re.findall(r"zrazkovo_\w+", " ".join(str(each["expr"]) for each in rules()))):
        if name.endswith("_"):  # the beginning of several
            assert any(each.startswith(name) for each in shown), name
        elif name != "zrazkovo_pads_outbox":  # of the api
            assert re.sub("_bucket$", "", name) in shown, f"an alert asks for {name}, which nobody shows"
    assert 'zrazkovo_feed_outbox_events{branch="centre"}' in texts[0]
    assert 'zrazkovo_fleet_faults{kind="dark"} ' in texts[2]


def discreet(server: Server, broker: GuardedMosquitto) -> None:
    lines = server.lines()
    assert len(lines) >= 2 and all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    text = server.log.read_text()
    secrets = [broker.password(user) for user in ("collector", "feed", "it")]
    for planted in (TICKET, OPERATOR, TOKEN, "planted", "rating", call_id(1), *secrets):
        assert planted not in text, f"{planted!r} in the log of {server.log.stem}"


def test_what_nobody_reads_holds_up_nobody(tmp_path: Path) -> None:
    """systemd busy with other things: its socket's queue is full."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as unread:
        unread.bind(str(path))
        service = Service({"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "1"})
        for _ in range(2000):
            service.alive()
    service.stopping()  # and nobody there at all


def test_asked_to_end_in_full_work_the_collector_acknowledges_what_it_has_committed(
    tmp_path: Path, broker: GuardedMosquitto
) -> None:
    url = f"sqlite:///{tmp_path / 'zrazkovo.db'}"
    process = CollectorProcess(tmp_path, broker.port, url, (DESK,)).start()
    pad = Wire.of_pad(broker, DESK)
    for seq in range(1, 1501):
        pad.start_sending(topics.desk(DESK, "vote"), codec.encode(vote(seq, 3, seq=seq)))
    process.wait_for(lambda: bool(pad.acks))
    assert process.process
    assert took_to_end_s(process.process) < STOPS_WITHIN_S
    assert process.stop() == 0
    with Store.open(url) as store:
        committed = store.upkeep.vitals().waiting
        assert committed > 0 and store.recount() == []
    pad.wait_for_ack(committed, "11111111")  # votes come in order, so this is a receipt for all of them
    assert max(ack.seq for ack in pad.acks) == committed
