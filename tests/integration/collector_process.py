"""The collector as a process of its own, and what tests say to it: through a real broker, as feed and pads do."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as paho

from protocol import codec, topics
from protocol.messages import Ack, QueueEvent, Vote
from tests.integration.mosquitto import DEADLINE_S, GuardedMosquitto

ROOT = Path(__file__).parents[2]
NOON_UNIX_MS = 1795341600000  # 2026-11-22 10:00 UTC, noon in Kyiv
NOON_DAY = 20261122
_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"

REGISTER = """
[organisation]
name = "Прозорий офіс"
name_en = "Transparent Office"
simulated = true

[[branch]]
id = "centre"
name = "Центр"
name_en = "Centre"

[[service]]
id = "passport"
name = "Паспорт"
name_en = "Passport"
"""


def register_file(folder: Path, desks: tuple[str, ...]) -> Path:
    text = REGISTER + "".join(f'\n[[desk]]\nid = "{desk}"\nbranch = "centre"\nlabel = "{desk}"\n' for desk in desks)
    path = folder / "register.toml"
    path.write_text(text, encoding="utf-8")
    return path


def call_id(number: int) -> str:
    """Sixteen characters that rise with ``number``, as the feed's ids do with time."""
    digits = []
    for _ in range(7):
        number, digit = divmod(number, 32)
        digits.append(_BASE32[digit])
    return "01kb3x9c0" + "".join(reversed(digits))


def event(number: int, type: str = "called", *, desk: str, seq: int, **fields: str) -> QueueEvent:  # noqa: A002
    """A queue event about call ``number``, a minute after the one before."""
    called = NOON_UNIX_MS + number * 60
    return QueueEvent(
        f"e{seq}",
        "0badcafe",
        seq,
        type,
        called + (0 if type == "called" else 30),
        call=call_id(number),
        called_unix_ms=called,
        desk=desk,
        operator=fields.get("operator", "op-1"),
        service=fields.get("service", "passport"),
        ticket="t1",
        reason=fields.get("reason"),
    )


def vote(number: int, rating: int, *, seq: int, journal: str = "11111111") -> Vote:
    return Vote(call_id(number), rating, 2500, journal, 1, seq)


class CollectorProcess:
    """``python -m collector`` with its output in a file."""

    def __init__(
        self, folder: Path, broker_port: int, database_url: str, desks: tuple[str, ...], *, member: str | None = None
    ):
        """``member`` is its user name at the broker if it is one of a group that shares the load."""
        folder.mkdir(exist_ok=True)
        self._user = member or "collector"
        self._log = folder / "collector.log"
        self._config = folder / "collector.toml"
        self._config.touch(mode=0o600)  # the URL of a PostgreSQL holds its password
        self._config.write_text(
            f'database_url = "{database_url}"\nbroker_port = {broker_port}\n'
            f'register_file = "{register_file(folder, desks)}"\n'
            + (f'broker_user = "{member}"\nshared_group = "collectors"\n' if member else "")
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "CollectorProcess":
        """Starts it and waits until it says that it is ready."""
        before = self.says.count("ready")
        self.start_only()
        self.wait_for(lambda: self.says.count("ready") > before)
        return self

    def start_only(self) -> None:
        secret = {"ZRAZKOVO_COLLECTOR_BROKER_PASSWORD": GuardedMosquitto.password(self._user)}
        with self._log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "collector", "--config", str(self._config)],
                cwd=ROOT,
                env=os.environ | secret,
                stderr=output,
            )

    @property
    def says(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def wait_for(self, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not reached():
            assert self.process and self.process.poll() is None, self.says
            assert time.monotonic() < deadline, self.says
            time.sleep(0.01)

    def kill(self) -> None:
        """As a power cut would."""
        if self.process:
            self.process.kill()
            self.process.wait(DEADLINE_S)
            self.process = None

    def stop(self) -> int:
        """Asks it to end; gives its exit code."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(DEADLINE_S)
        self.process = None
        return code


class Wire:
    """One user at the broker: publishes, and remembers the receipts that come back."""

    def __init__(self, broker: GuardedMosquitto, user: str, listen: str):
        self.acks: list[Ack] = []
        self._sent: list[paho.MQTTMessageInfo] = []
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._client = broker.client(user)
        self._client.on_connect = lambda client, *_: client.subscribe(listen, 1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_message
        self._client.loop_start()
        assert self._ready.wait(DEADLINE_S)

    @classmethod
    def of_feed(cls, broker: GuardedMosquitto) -> "Wire":
        return cls(broker, "feed", topics.queue("centre", "ack"))

    @classmethod
    def of_pad(cls, broker: GuardedMosquitto, desk: str) -> "Wire":
        return cls(broker, desk, topics.desk(desk, "ack"))

    def send(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Returns when the broker has it."""
        self._client.publish(topic, payload, qos, retain).wait_for_publish(DEADLINE_S)

    def start_sending(self, topic: str, payload: bytes) -> None:
        """For many at once; ``finish_sending`` then waits for the broker."""
        self._sent.append(self._client.publish(topic, payload, 1))

    def finish_sending(self) -> None:
        for each in self._sent:
            each.wait_for_publish(DEADLINE_S)
        self._sent.clear()

    def event(self, message: QueueEvent) -> None:
        self.send(topics.queue("centre", "event"), codec.encode(message))

    def vote(self, desk: str, message: Vote) -> None:
        self.send(topics.desk(desk, "vote"), codec.encode(message))

    def wait_for_ack(self, seq: int, journal: str) -> Ack:
        def found() -> Ack | None:
            return next((ack for ack in self.acks if ack.seq == seq and ack.journal == journal), None)

        with self._changed:
            assert self._changed.wait_for(lambda: found() is not None, DEADLINE_S), f"no receipt, but {self.acks}"
            ack = found()
        assert ack
        return ack

    def has_ack(self, seq: int, journal: str, timeout_s: float) -> bool:
        """Whether a receipt for ``seq`` or a later one is there within ``timeout_s``."""

        def found() -> bool:
            return any(ack.journal == journal and ack.seq >= seq for ack in self.acks)

        with self._changed:
            return self._changed.wait_for(found, timeout_s)

    def hears_within(self, timeout_s: float) -> bool:
        """Whether any receipt comes in ``timeout_s``: for tests of silence, the only kind that has to wait."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self.acks), timeout_s)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        ack = codec.decode("ack", message.payload)
        assert isinstance(ack, Ack)
        with self._changed:
            self.acks.append(ack)
            self._changed.notify_all()
