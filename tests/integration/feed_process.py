"""A real feed process beside a guarded Mosquitto, and ears on both sides of it. No test is in it."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from protocol import access, codec, topics
from protocol.messages import Ack, CallClosed, CallOpened, QueueEvent
from sim.ports import choose_lasting
from tests.integration.pad_broker import Mosquitto

DEADLINE_S = 60.0
TOKEN = "token-of-the-tests"
PASSWORD = "password-of-the-tests"
DESKS = ("centre-1", "centre-2", "zamostia-1")
REGISTER = """
organisation = {name = "Центр", name_en = "Centre"}
branch = [
  {id = "centre", name = "Центр", name_en = "Centre"},
  {id = "zamostia", name = "Замостя", name_en = "Zamostia"},
]
desk = [
  {id = "centre-1", branch = "centre", label = "1"},
  {id = "centre-2", branch = "centre", label = "2"},
  {id = "zamostia-1", branch = "zamostia", label = "1"},
]
"""


class GuardedMosquitto(Mosquitto):
    """With a password for each, and our access list; what it retains it forgets when it stops."""

    def __init__(self, folder: Path, desks: Sequence[str] = DESKS):
        super().__init__(folder)
        passwords, rules = folder / "passwords", folder / "acl"
        passwords.touch(mode=0o600)
        tool = shutil.which("mosquitto_passwd") or "/usr/bin/mosquitto_passwd"
        for user in ("feed", "collector", *desks):
            subprocess.run([tool, "-b", str(passwords), user, PASSWORD], check=True, capture_output=True)
        rules.write_text(access.mosquitto_acl())
        rules.chmod(0o600)
        config = f"listener {self.port} 127.0.0.1\nuser root\npassword_file {passwords}\nacl_file {rules}\n"
        self._config.write_text("\n".join((config, *access.MOSQUITTO_RULES, "set_tcp_nodelay true\n")))


def until(reached: Callable[[], Any], what: str) -> Any:
    """Polls until ``reached`` says something true; that is the result."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        found = reached()
        if found:
            return found
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.005)


class Ear:
    """One user of the broker who listens, remembers, and may answer."""

    def __init__(self, port: int, user: str, topic_filter: str):
        self.heard: list[tuple[float, str, bytes]] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="ear-of-" + user)
        self._client.username_pw_set(user, PASSWORD)
        self._client.reconnect_delay_set(1, 1)
        subscribed = threading.Event()
        self._client.on_connect = lambda client, *_: client.subscribe(topic_filter, 1)
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert subscribed.wait(DEADLINE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, 1, retain)

    def heard_of(self, kind: str) -> list[tuple[float, Any]]:
        return [
            (at, codec.decode(kind, payload))
            for at, topic, payload in list(self.heard)
            if topics.parse(topic)[2] == kind
        ]

    def _on_message(self, client: object, data: object, message: paho.MQTTMessage) -> None:
        self.heard.append((time.monotonic(), message.topic, bytes(message.payload)))


class PadEar(Ear):
    """What one desk's pad hears."""

    def __init__(self, port: int, desk: str):
        super().__init__(port, desk, topics.desk(desk, "call"))

    @property
    def calls(self) -> list[CallOpened | CallClosed]:
        return [message for _, message in self.heard_of("call")]


class CollectorEar(Ear):
    """A collector that commits to memory: acknowledges what it hears, unless told to be slow."""

    def __init__(self, port: int, *, acknowledges: bool = True):
        self.acknowledges = acknowledges
        super().__init__(port, "collector", topics.every_queue("event"))

    @property
    def events(self) -> list[QueueEvent]:
        return [message for _, message in self.heard_of("event")]

    def acknowledge(self, branch: str, event: QueueEvent) -> None:
        ack = Ack(event.journal, event.seq, int(time.time() * 1000))
        self.publish(topics.queue(branch, "ack"), codec.encode(ack), retain=True)

    def _on_message(self, client: object, data: object, message: paho.MQTTMessage) -> None:
        super()._on_message(client, data, message)
        if self.acknowledges:
            event = codec.decode("event", bytes(message.payload))
            assert isinstance(event, QueueEvent)
            self.acknowledge(topics.parse(message.topic)[1], event)


class FeedProcess:
    """``python -m collector.feed`` with a store of its own; may be killed and started again."""

    def __init__(self, folder: Path, broker_port: int, *, register: str = REGISTER, tables: str = ""):
        self.port = choose_lasting()
        self.log: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self.config = folder / "feed.toml"
        self.store = folder / "feed.db"
        (folder / "register.toml").write_text(register)
        self.config.write_text(
            f'database_url = "sqlite:///{self.store}"\nregister_file = "{folder}/register.toml"\n'
            f"broker_port = {broker_port}\nlisten_port = {self.port}\n"
            f'tokens = ["{hashlib.sha256(TOKEN.encode()).hexdigest()}"]\n{tables}'
        )

    def start(self) -> "FeedProcess":
        self.launch()
        until(lambda: self.log and "ready" in "".join(self.log), f"ready, in {self.log}")
        return self

    def launch(self) -> None:
        secrets = {"ZRAZKOVO_FEED_BROKER_PASSWORD": PASSWORD, "ZRAZKOVO_FEED_TICKET_SECRET": "secret-of-the-tests"}
        self.log = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "collector.feed", "--config", str(self.config)],
            env={**os.environ, **secrets},
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read, args=(self._process, self.log), daemon=True).start()

    @staticmethod
    def _read(process: "subprocess.Popen[str]", log: list[str]) -> None:
        assert process.stderr
        log.extend(iter(process.stderr.readline, ""))

    def stop(self, sign: int = signal.SIGTERM) -> int:
        """Sends a signal and waits; the exit code."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(sign)
        return process.wait(DEADLINE_S)

    def post(self, events: object) -> dict[str, int]:
        """What the webhook answers. Raises OSError (also for a refusal, urllib's HTTPError)."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/queue-events",
            json.dumps(events).encode(),
            {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            accepted: dict[str, int] = json.load(answer)
        return accepted

    def health(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v1/health", timeout=DEADLINE_S) as answer:
            health: dict[str, Any] = json.load(answer)
        return health


def called(event: str, ticket: str, desk: str = "centre-1", kind: str = "called") -> dict[str, object]:
    """A queue event of this moment."""
    return {
        "event": event,
        "type": kind,
        "occurred_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "branch": desk.rpartition("-")[0],
        "desk": desk,
        "ticket": {"key": ticket, "label": "label-of-" + ticket},
        "operator": "op-1",
        "service": "passport",
    }


def once_each(events: Sequence[QueueEvent]) -> list[QueueEvent]:
    """The events without their repetitions; the same number is always the same event."""
    by_number: dict[tuple[str, int], QueueEvent] = {}
    for event in events:
        assert by_number.setdefault((event.journal, event.seq), event) == event
    return [by_number[number] for number in sorted(by_number, key=lambda number: number[1])]
