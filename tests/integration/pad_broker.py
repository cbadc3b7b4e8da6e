"""A real Mosquitto on a port of its own, and the centre's end of the wire for tests of a pad.

The queue and the collector are played by the tests themselves: this only publishes, and remembers what it hears.
"""

import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from protocol import codec, topics
from protocol.messages import Ack, CallClosed, CallOpened, Health, Message, PadStatus, Vote
from sim.ports import choose_lasting
from tests.integration.pad_process import DEADLINE_S, PadProcess

MISSING = "mosquitto is not installed: apt-get install mosquitto"


def mosquitto_binary() -> str:
    """Where Mosquitto is. Skips the test without it (tests/conftest.py: in CI that is a failure)."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if not found:
        pytest.skip(MISSING)
    return found


class Mosquitto:
    """Starts and stops on the same port, with nothing kept in between: what a restart of an office's broker is."""

    def __init__(self, folder: Path):
        self.port = choose_lasting()
        self._process: subprocess.Popen[bytes] | None = None
        self._config = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        folder.mkdir(parents=True, exist_ok=True)
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nlog_type all\n"
        )

    def start(self) -> "Mosquitto":
        binary = mosquitto_binary()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([binary, "-c", str(self._config)], stdout=log, stderr=log)
        deadline = time.monotonic() + DEADLINE_S
        while not _accepts(self.port):
            assert time.monotonic() < deadline and self._process.poll() is None, self._log.read_text()
            time.sleep(0.01)
        return self

    def stop(self, sign: int = signal.SIGKILL) -> None:
        if self._process:
            self._process.send_signal(sign)
            self._process.wait(DEADLINE_S)
            self._process = None

    def signal(self, sign: int) -> None:
        assert self._process
        self._process.send_signal(sign)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Centre:
    """Everything a pad talks to: opens and closes calls, acknowledges, and waits for what pads say."""

    def __init__(self, port: int, desk: str = "desk-1"):
        self.desk = desk
        self.heard: list[tuple[float, str, Message, bool]] = []
        self._changed = threading.Condition()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="", reconnect_on_failure=True)
        self._client.reconnect_delay_set(1, 1)
        self._subscribed = threading.Event()
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(topics.every_desk(kind), 1) for kind in ("vote", "status", "health")]
        )
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(DEADLINE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, kind: str, payload: bytes, *, retain: bool) -> None:
        """Sends any bytes at all to the pad, and waits until the broker has them."""
        deadline = time.monotonic() + DEADLINE_S
        while not self._client.is_connected():
            assert time.monotonic() < deadline, "the broker does not come back"
            time.sleep(0.01)
        info = self._client.publish(topics.desk(self.desk, kind), payload, 1, retain)
        info.wait_for_publish(DEADLINE_S)

    def open_call(self, call: str, *, opened_s: int = 0, for_s: int = 600, retain: bool = True) -> None:
        """Calls a client to the desk, ``opened_s`` seconds from now (usually 0)."""
        opened_unix_ms = int(time.time() * 1000) + opened_s * 1000
        message = CallOpened(call, opened_unix_ms, opened_unix_ms + for_s * 1000)
        self.publish("call", codec.encode(message), retain=retain)

    def close_call(self, call: str) -> None:
        self.publish("call", codec.encode(CallClosed(call, int(time.time() * 1000))), retain=True)

    def acknowledge(self, vote: Vote) -> None:
        ack = Ack(vote.journal, vote.seq, int(time.time() * 1000))
        self.publish("ack", codec.encode(ack), retain=True)

    def wait_for(self, wanted: Callable[[Message], bool], times: int = 1) -> Message:
        """The ``times``-th message heard so far that is ``wanted``; waits for it."""
        found: list[Message] = []

        def reached() -> bool:
            found[:] = [message for _, _, message, _ in self.heard if wanted(message)]
            return len(found) >= times

        with self._changed:
            assert self._changed.wait_for(reached, DEADLINE_S), f"not heard, but: {self.heard}"
        return found[times - 1]

    def wait_for_report(self, command: bytes, **fields: object) -> None:
        """Asks the pad for its health until these fields have these values: what it was told otherwise may lag."""

        def said() -> bool:
            reports = [message for _, _, message, _ in self.heard if isinstance(message, Health)]
            return any(all(getattr(each, key) == value for key, value in fields.items()) for each in reports)

        deadline = time.monotonic() + DEADLINE_S
        while True:
            self.publish("command", command, retain=False)  # not under the lock: what arrives meanwhile needs it
            with self._changed:
                if self._changed.wait_for(said, 0.5):
                    return
                assert time.monotonic() < deadline, f"not reported, but: {self.heard}"

    def wait_for_vote(self, call: str, times: int = 1) -> Vote:
        vote = self.wait_for(lambda message: isinstance(message, Vote) and message.call == call, times)
        assert isinstance(vote, Vote)
        return vote

    def wait_for_status(self, times: int = 1, **fields: object) -> PadStatus:
        """A status whose ``fields`` have these values."""
        status = self.wait_for(
            lambda message: (
                isinstance(message, PadStatus) and all(getattr(message, key) == value for key, value in fields.items())
            ),
            times,
        )
        assert isinstance(status, PadStatus)
        return status

    def cut_power(self, pad: PadProcess) -> None:
        """Cuts the pad's power; only what is heard of its next starts counts.

        What it said before may still be on its way then. It is all there when the broker gives its will out.
        """
        self.forget()
        pad.kill()
        self.wait_for_status(state="offline")
        self.forget()

    def forget(self) -> None:
        """Only what is heard from now on counts."""
        with self._changed:
            self.heard.clear()

    @property
    def votes(self) -> list[Vote]:
        with self._changed:
            return [message for _, _, message, _ in self.heard if isinstance(message, Vote)]

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        if not message.payload:
            return
        kind = topics.parse(message.topic)[2]
        with self._changed:
            self.heard.append((time.monotonic(), message.topic, codec.decode(kind, message.payload), message.retain))
            self._changed.notify_all()


# For modules whose pads need neither TLS nor passwords: ``broker = plain_broker``, ``centre = plain_centre``.
@pytest.fixture
def plain_broker(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path / "broker").start()
    yield broker
    broker.stop()


@pytest.fixture
def plain_centre(broker: Mosquitto) -> Iterator[Centre]:
    centre = Centre(broker.port)
    yield centre
    centre.close()
