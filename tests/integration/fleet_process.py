"""The fleet service as a process of its own, and a pad and a feed for it to look at: plain MQTT clients."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho

from collector.store import Branch, Desk, Organisation, Register, Service, Store
from protocol import codec, topics
from protocol.messages import CallClosed, CallOpened, Health, Message, PadStatus
from tests.integration.mosquitto import GuardedMosquitto

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60
DESKS = tuple(f"centre-{number:02}" for number in range(1, 13))
REGISTER = Register(
    organisation=Organisation(name="Центр", name_en="Centre"),
    branches=(Branch(id="centre", name="Центр", name_en="Centre"),),
    services=(Service(id="passport", name="Паспорт", name_en="Passport"),),
    desks=tuple(Desk(id=desk, branch="centre", label=desk[-2:]) for desk in DESKS),
)
FOR_EVER = 4_102_444_800_000


def until(condition: Callable[[], Any], what: str, within_s: float = DEADLINE_S) -> Any:
    """The first true answer of ``condition``."""
    deadline = time.monotonic() + within_s
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.02)


def call_id(number: int) -> str:
    return f"01kb3x9c{number:08d}"


class FleetProcess:
    """``python -m collector.fleet run`` on a broker and a database."""

    def __init__(self, folder: Path, broker: GuardedMosquitto, database_url: str, **environ: str):
        self.log = folder / "fleet.log"
        self.environ = os.environ | {
            "ZRAZKOVO_FLEET_BROKER_PORT": str(broker.port),
            "ZRAZKOVO_FLEET_BROKER_PASSWORD": broker.password("it"),
            "ZRAZKOVO_FLEET_DATABASE_URL": database_url,
            "ZRAZKOVO_FLEET_GRACE_S": "0",
            **{f"ZRAZKOVO_FLEET_{name.upper()}": value for name, value in environ.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def start(self) -> "FleetProcess":
        began = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "collector.fleet"], cwd=ROOT, env=self.environ, stdout=output, stderr=output
            )
        until(lambda: b"ready" in self.log.read_bytes()[began:], "the fleet service is ready")
        return self

    def stop(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            assert self._process.wait(DEADLINE_S) == 0, self.log.read_text()
            self._process = None

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def cli(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "collector.fleet", *arguments],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


class Player:
    """A client with a thread of its own; what it was sent lies in ``heard``."""

    def __init__(self, broker: GuardedMosquitto, user: str, *filters: str):
        self.heard: list[tuple[str, Message]] = []
        self.on: Callable[[str, Message], None] = lambda topic, message: None
        self.client = broker.client(user, user)
        self.client.on_message = self._on_message
        self._granted = threading.Event()
        answers: list[object] = []
        self.client.on_subscribe = lambda *_: (answers.append(_), len(answers) == len(filters) and self._granted.set())
        for each in filters:
            self.client.subscribe(each, 1)
        self.client.loop_start()
        assert not filters or self._granted.wait(DEADLINE_S)

    def tell(self, topic: str, message: Message, *, retain: bool = True) -> None:
        self.client.publish(topic, codec.encode(message), qos=1, retain=retain).wait_for_publish(DEADLINE_S)

    def leave(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def _on_message(self, client: paho.Client, userdata: object, message: paho.MQTTMessage) -> None:
        if message.payload:
            kind = topics.parse(message.topic)[2]
            decoded = codec.decode(kind, bytes(message.payload))
            self.heard.append((message.topic, decoded))
            self.on(message.topic, decoded)


class Feed(Player):
    def __init__(self, broker: GuardedMosquitto):
        super().__init__(broker, "feed")

    def call(self, desk: str, number: int) -> None:
        self.tell(topics.desk(desk, "call"), CallOpened(call_id(number), time.time_ns() // 1_000_000, FOR_EVER))

    def close(self, desk: str, number: int) -> None:
        self.tell(topics.desk(desk, "call"), CallClosed(call_id(number), time.time_ns() // 1_000_000))


class FakePad(Player):
    """A pad that says what the test wants it to say."""

    def __init__(self, broker: GuardedMosquitto, desk: str):
        kinds = ("command", "update", "piece", "settings")
        self.desk = desk
        self.words: dict[str, Any] = {
            "state": "online",
            "phase": "dark",
            "call": None,
            "journal": "11111111",
            "boot": 1,
            "firmware": "1",
            "reset": "power",
            "lamps": "ok",
            "buttons": "ok",
            "storage": "ok",
        }
        super().__init__(broker, desk, *(topics.desk(desk, kind) for kind in kinds))

    def say(self, **words: Any) -> None:
        self.words |= words
        self.tell(topics.desk(self.desk, "status"), PadStatus(**self.words))

    def health(self, **counts: int) -> None:
        fields: dict[str, Any] = dict.fromkeys(
            ("uptime_s", "heap_used_bytes", "heap_free_bytes", "stall_max_ms", "outbox", "votes", "repeats"), 0
        )
        fields |= {"no_call": 0, "late": 0, "reconnects": 0, "refused_messages": 0, "signal_dbm": None, **counts}
        self.tell(topics.desk(self.desk, "health"), Health(**fields), retain=False)


def open_store(url: str) -> Store:
    store = Store.open(url)
    store.load_register(REGISTER)
    return store
