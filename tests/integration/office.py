"""An office's broker as the field has it (TLS, credentials, access list), and the centre's part behind it.

The collector here is a model of the real one's promise: the first vote for a call is counted, copies of it are not, and
what was received is acknowledged. It fails the test when two votes contradict each other.
"""

import signal
import threading
import time
from pathlib import Path

import paho.mqtt.client as paho

from firmware.host.ca import Authority
from protocol import codec, topics
from protocol.access import MOSQUITTO_LISTENER_RULES
from protocol.messages import Ack, CallClosed, CallOpened, Command, Health, Message, PadStatus, Vote
from sim.ports import choose_lasting
from tests.integration.mosquitto import GuardedMosquitto
from tests.integration.pad_process import DEADLINE_S

USERS = ("collector", "feed", "it")


class OfficeBroker(GuardedMosquitto):
    """Mosquitto with a plain listener for the centre on this machine, and one with TLS for pads."""

    def __init__(self, folder: Path, authority: Authority, desks: tuple[str, ...] = ("desk-1",), options: str = ""):
        self.tls_port = choose_lasting()
        self.certificate = authority.server(["127.0.0.1", "localhost", "broker.office.example"])
        own = "".join(f"{rule}\n" for rule in MOSQUITTO_LISTENER_RULES)
        lines = f"listener {self.tls_port} 127.0.0.1\n{own}{_tls_lines(self.certificate)}{options}"
        super().__init__(folder, (*USERS, *desks), options=lines)

    def signal(self, sign: int) -> None:
        assert self._process
        self._process.send_signal(sign)

    def reload(self) -> None:
        """It reads passwords, access list and certificates again."""
        self.signal(signal.SIGHUP)

    def wipe(self) -> None:
        """Ends it and forgets all it kept: retained messages, sessions."""
        self.stop()
        (self._folder / "mosquitto.db").unlink(missing_ok=True)


def _tls_lines(certificate: Path) -> str:
    return f"certfile {certificate}\nkeyfile {certificate.with_suffix('.key')}\n"


class Office:
    """Feed, collector and IT at one broker; every part reconnects by itself."""

    def __init__(self, broker: OfficeBroker, desk: str = "desk-1"):
        self.desk = desk
        self.votes: dict[str, Vote] = {}  # by call
        self._numbered: dict[tuple[str, int], Vote] = {}
        self.copies = 0
        self.statuses: list[PadStatus] = []
        self.healths: list[Health] = []
        self.acknowledges = True
        self._next = 0
        self._changed = threading.Condition()
        kinds = ("vote", "status", "health")
        self._collector = self._client(broker, "collector", [(topics.every_desk(kind), 1) for kind in kinds])
        self._feed = self._client(broker, "feed", [])
        self._it = self._client(broker, "it", [])

    def close(self) -> None:
        for client in (self._collector, self._feed, self._it):
            client.disconnect()
            client.loop_stop()

    def open_call(self, call: str | None = None, for_s: int = 600) -> str:
        """Calls the next client to the desk; returns the call's id."""
        self._next += 1
        call = call or f"{self._next:016d}"
        now = _now()
        self._publish(self._feed, "call", CallOpened(call, now, now + for_s * 1000), retain=True)
        return call

    def close_call(self, call: str) -> None:
        self._publish(self._feed, "call", CallClosed(call, _now()), retain=True)

    def report(self) -> Health:
        """The pad's counters, asked for now; asked again, because a command is not kept for a pad that is away."""
        with self._changed:
            before = len(self.healths)
        deadline = time.monotonic() + DEADLINE_S
        while True:
            self._publish(self._it, "command", Command("test", "report"), retain=False)
            with self._changed:
                if self._changed.wait_for(lambda: len(self.healths) > before, 0.5):
                    return self.healths[-1]
            assert time.monotonic() < deadline, "the pad does not report"

    def wait_for(self, reached: "object", what: str, deadline_s: float = DEADLINE_S) -> None:
        assert callable(reached)
        with self._changed:
            assert self._changed.wait_for(reached, deadline_s), f"no {what}; votes {self.votes}, {self.statuses}"

    def wait_for_call(self, call: str, deadline_s: float = DEADLINE_S) -> Vote:
        """The vote for ``call``; waits for it."""
        self.wait_for(lambda: call in self.votes, f"vote for {call}", deadline_s)
        return self.votes[call]

    def wait_for_status(self, times: int = 1, **fields: object) -> None:
        """Waits until a status with these values has been heard that many times."""

        def count() -> int:
            return sum(all(getattr(status, key) == value for key, value in fields.items()) for status in self.statuses)

        self.wait_for(lambda: count() >= times, f"{times} x status {fields}")

    def check(self, given: dict[str, int]) -> None:
        """Every press in ``given`` (call -> rating) was counted, once, and nothing else was."""
        for call in given:
            self.wait_for_call(call, 60)
        assert {call: vote.rating for call, vote in self.votes.items()} == given

    def _client(self, broker: OfficeBroker, user: str, filters: list[tuple[str, int]]) -> paho.Client:
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, reconnect_on_failure=True)
        client.username_pw_set(user, broker.password(user))
        client.reconnect_delay_set(1, 1)
        ready = threading.Event()
        if filters:
            client.on_connect = lambda client, *_: client.subscribe(filters)
            client.on_subscribe = lambda *_: ready.set()
            client.on_message = self._on_message
        else:
            client.on_connect = lambda *_: ready.set()
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        assert ready.wait(DEADLINE_S)
        return client

    def _publish(self, client: paho.Client, kind: str, message: Message, *, retain: bool) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not client.is_connected():
            assert time.monotonic() < deadline, "the broker does not come back"
            time.sleep(0.01)
        client.publish(topics.desk(self.desk, kind), codec.encode(message), 1, retain)

    def _on_message(self, client: paho.Client, _data: object, packet: paho.MQTTMessage) -> None:
        kind = topics.parse(packet.topic)[2]
        message = codec.decode(kind, packet.payload)
        with self._changed:
            if isinstance(message, Vote):
                self._count(client, message)
            elif isinstance(message, PadStatus):
                self.statuses.append(message)
            elif isinstance(message, Health):
                self.healths.append(message)
            self._changed.notify_all()

    def _count(self, client: paho.Client, vote: Vote) -> None:
        first = self._numbered.setdefault((vote.journal, vote.seq), vote)
        assert first == vote, "one number, two votes"
        if vote.call in self.votes:
            assert self.votes[vote.call].rating == vote.rating, "one call, two votes"
            self.copies += 1
        self.votes.setdefault(vote.call, vote)
        if self.acknowledges:
            ack = Ack(vote.journal, vote.seq, _now())
            client.publish(topics.desk(self.desk, "ack"), codec.encode(ack), 1, True)


def _now() -> int:
    return int(time.time() * 1000)
