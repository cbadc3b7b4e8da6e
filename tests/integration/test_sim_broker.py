"""The embedded broker as a process, met by real paho clients and by raw sockets that behave badly."""

import queue
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from protocol import topics
from sim.passwords import password_file, write_private

ROOT = Path(__file__).parents[2]
PASSWORDS = {"desk-a": "secret-a", "desk-b": "secret-b", "collector": "secret-c", "feed": "secret-f", "it": "secret-i"}
PASSWORDS |= {f"desk-0{number:02}": f"secret-{number}" for number in range(24)}
PASSWORDS["feed-centre"] = "secret-fc"
REGISTER = """
organisation = {name = "Центр", name_en = "Centre"}
branch = [{id = "centre", name = "Центр", name_en = "Centre"}]
desk = [{id = "desk-a", branch = "centre", label = "1"}]
"""
REFUSED_FILTER = 128


def wait_until(condition: Callable[[], object], within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "not within the deadline"
        time.sleep(0.01)


@contextmanager
def running(folder: Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """(port, process) of a broker that knows PASSWORDS."""
    write_private(folder / "passwords", password_file(PASSWORDS))
    config = folder / "broker.toml"
    (folder / "register.toml").write_text(REGISTER, encoding="utf-8")
    files = f'password_file = "{folder}/passwords"\nregister_file = "{folder}/register.toml"\n'
    config.write_text(f"listen_port = 0\n{files}", encoding="utf-8")
    command = [sys.executable, "-m", "sim", "broker", "--config", str(config)]
    log = folder / "broker.log"
    with log.open("w") as stderr:
        process = subprocess.Popen(command, cwd=ROOT, stderr=stderr, text=True)
    try:
        wait_until(lambda: " ready on " in log.read_text() or process.poll() is not None)
        yield int(log.read_text().split(" ready on 127.0.0.1:")[1].split()[0]), process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """One of its own, which has retained nothing yet."""
    with running(tmp_path) as started:
        yield started


@pytest.fixture(scope="module")
def strict_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """One for all tests of refusals, after which it must be as it was."""
    with running(tmp_path_factory.mktemp("broker")) as started:
        yield started


class Client:
    """A paho client whose news arrive in queues."""

    def __init__(self, port: int, user: str, password: str | None = None, **options: object):
        client_id = str(options.pop("client_id", user if user.startswith("desk") else user + "-1"))
        self.messages: queue.Queue[paho.MQTTMessage] = queue.Queue()
        self.connected: queue.Queue[str] = queue.Queue()
        self.granted: queue.Queue[int] = queue.Queue()
        clean = bool(options.pop("clean_session", True))
        self.paho = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean)
        self.paho.username_pw_set(user, PASSWORDS.get(user) if password is None else password)
        self.paho.on_message = lambda _c, _u, message: self.messages.put(message)
        self.paho.on_connect = lambda _c, _u, _f, reason, _p: self.connected.put(str(reason))
        self.paho.on_subscribe = lambda _c, _u, _m, reasons, _p: self.granted.put(reasons[0].value)
        if "will" in options:
            self.paho.will_set(str(options["will"]), b"gone", 1, retain=True)
        self.paho.connect("127.0.0.1", port, keepalive=int(str(options.get("keepalive", 30))))
        self.paho.loop_start()

    def subscribe(self, topic: str) -> int:
        self.paho.subscribe(topic, 1)
        return self.granted.get(timeout=60)

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self.paho.publish(topic, payload, 1, retain).wait_for_publish(60)

    def next(self) -> tuple[str, bytes]:
        message = self.messages.get(timeout=60)
        return message.topic, message.payload

    def leave(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()

    def drop(self) -> None:
        """The network goes away without a farewell."""
        sock = self.paho.socket()
        assert sock is not None
        self.paho.on_disconnect = lambda *_: self.paho.disconnect()
        sock.shutdown(socket.SHUT_RDWR)
        self.paho.loop_stop()


def joined(client: Client) -> Client:
    assert client.connected.get(timeout=60) == "Success"
    return client


def test_a_pad_reads_its_own_call_and_its_vote_reaches_the_collector(broker: tuple[int, object]) -> None:
    port, _ = broker
    pad, collector, feed = (joined(Client(port, user)) for user in ("desk-a", "collector", "feed"))
    assert pad.subscribe(topics.desk("desk-a", "call")) == 1
    assert collector.subscribe(topics.every_desk("vote")) == 1
    feed.publish(topics.desk("desk-a", "call"), b"open", retain=True)
    assert pad.next() == (topics.desk("desk-a", "call"), b"open")
    pad.publish(topics.desk("desk-a", "vote"), b"3")
    assert collector.next() == (topics.desk("desk-a", "vote"), b"3")
    for client in (pad, collector, feed):
        client.leave()


@pytest.mark.parametrize(
    "forbidden",
    ["#", "+/+/+/+/+", topics.every_desk("call"), topics.desk("desk-b", "call"), topics.every_queue("event"), "$SYS/#"],
)
def test_a_pad_may_not_subscribe_outside_its_room(strict_broker: tuple[int, object], forbidden: str) -> None:
    pad = joined(Client(strict_broker[0], "desk-a"))
    assert pad.subscribe(forbidden) == REFUSED_FILTER
    pad.leave()


def test_a_share_in_a_subscription_is_refused_for_this_broker_has_none(
    strict_broker: tuple[int, subprocess.Popen[str]],
) -> None:
    """A collector with ``shared_group`` is told so at once, instead of never hearing anything."""
    collector = joined(Client(strict_broker[0], "collector"))
    assert collector.subscribe(topics.shared("collectors", topics.every_desk("vote"))) == REFUSED_FILTER
    collector.leave()


def test_a_vote_for_another_desk_goes_nowhere(strict_broker: tuple[int, object]) -> None:
    port, _ = strict_broker
    collector, pad = joined(Client(port, "collector")), joined(Client(port, "desk-a"))
    collector.subscribe(topics.every_desk("vote"))
    pad.publish(topics.desk("desk-b", "vote"), b"forged")
    pad.publish(topics.desk("desk-a", "ack"), b"forged")
    pad.publish(topics.desk("desk-a", "vote"), b"own")
    assert collector.next() == (topics.desk("desk-a", "vote"), b"own")
    collector.leave()
    pad.leave()


def test_a_branch_s_feed_opens_calls_at_its_own_desks_only(broker: tuple[int, object]) -> None:
    port, _ = broker
    own, other, feed = (joined(Client(port, user)) for user in ("desk-a", "desk-b", "feed-centre"))
    for pad, desk in ((own, "desk-a"), (other, "desk-b")):
        assert pad.subscribe(topics.desk(desk, "call")) == 1
    feed.publish(topics.desk("desk-b", "call"), b"open", retain=True)
    feed.publish(topics.desk("desk-a", "call"), b"open", retain=True)
    assert own.next() == (topics.desk("desk-a", "call"), b"open")
    assert other.messages.empty()
    assert feed.subscribe(topics.every_queue("ack")) == REFUSED_FILTER
    assert feed.subscribe(topics.queue("centre", "ack")) == 1
    for client in (own, other, feed):
        client.leave()


def test_nobody_but_the_feed_and_its_desk_hears_of_a_retained_call(broker: tuple[int, object]) -> None:
    port, _ = broker
    feed, other = joined(Client(port, "feed")), joined(Client(port, "desk-b"))
    other.subscribe(topics.desk("desk-b", "call"))
    feed.publish(topics.desk("desk-b", "call"), b"for b", retain=True)
    assert other.next()[1] == b"for b"
    pad = joined(Client(port, "desk-a"))
    feed.publish(topics.desk("desk-a", "call"), b"for a", retain=True)
    pad.subscribe(topics.desk("desk-a", "call"))
    assert pad.next() == (topics.desk("desk-a", "call"), b"for a")
    assert pad.messages.empty()
    for client in (feed, other, pad):
        client.leave()


@pytest.mark.parametrize(
    ("user", "password"),
    [("desk-a", "wrong"), ("desk-a", ""), ("desk-a", "secret-b"), ("nobody", "secret-a"), ("", "")],
)
def test_a_wrong_password_is_refused(strict_broker: tuple[int, object], user: str, password: str) -> None:
    client = Client(strict_broker[0], user, password, client_id="desk-a")
    assert client.connected.get(timeout=60) in ("Bad user name or password", "Not authorized")
    client.leave()


def test_an_anonymous_client_is_refused(strict_broker: tuple[int, object]) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="desk-a")
    answers: queue.Queue[bool] = queue.Queue()
    client.on_connect = lambda _c, _u, _f, reason, _p: answers.put(reason.is_failure)
    client.connect("127.0.0.1", strict_broker[0])
    client.loop_start()
    assert answers.get(timeout=60)
    client.disconnect()
    client.loop_stop()


def test_a_wrong_password_does_not_disturb_the_one_who_is_connected(broker: tuple[int, object]) -> None:
    port, _ = broker
    pad, feed = joined(Client(port, "desk-a")), joined(Client(port, "feed"))
    pad.subscribe(topics.desk("desk-a", "call"))
    thief = Client(port, "desk-a", "wrong")
    assert thief.connected.get(timeout=60) != "Success"
    thief.leave()
    feed.publish(topics.desk("desk-a", "call"), b"still here", retain=True)
    assert pad.next()[1] == b"still here"
    assert pad.connected.empty()
    pad.leave()
    feed.leave()


def test_a_user_cannot_take_the_session_of_another(strict_broker: tuple[int, object]) -> None:
    client = Client(strict_broker[0], "desk-a", client_id="collector-1", clean_session=False)
    assert client.connected.get(timeout=60) == "Not authorized"
    client.leave()


def test_a_last_will_for_another_desk_is_refused(strict_broker: tuple[int, object]) -> None:
    client = Client(strict_broker[0], "desk-a", will=topics.desk("desk-b", "vote"))
    assert client.connected.get(timeout=60) == "Not authorized"
    client.leave()


def test_the_last_will_of_a_dropped_pad_is_published_and_kept(broker: tuple[int, object]) -> None:
    port, _ = broker
    collector = joined(Client(port, "collector"))
    collector.subscribe(topics.every_desk("status"))
    joined(Client(port, "desk-a", will=topics.desk("desk-a", "status"))).drop()
    assert collector.next() == (topics.desk("desk-a", "status"), b"gone")
    late = joined(Client(port, "it"))
    late.subscribe(topics.every_desk("status"))
    assert late.next() == (topics.desk("desk-a", "status"), b"gone")
    collector.leave()
    late.leave()


def test_a_pad_that_falls_silent_is_declared_gone(broker: tuple[int, object]) -> None:
    """A cut line sends no end of stream; only the keep-alive tells."""
    port, _ = broker
    collector = joined(Client(port, "collector"))
    collector.subscribe(topics.every_desk("status"))
    pad = joined(Client(port, "desk-a", will=topics.desk("desk-a", "status"), keepalive=1))
    pad.paho.loop_stop()  # no more pings, though the socket stays open
    assert collector.next() == (topics.desk("desk-a", "status"), b"gone")
    collector.leave()


def test_a_second_connection_of_the_same_pad_takes_over(broker: tuple[int, object]) -> None:
    port, _ = broker
    collector, feed = joined(Client(port, "collector")), joined(Client(port, "feed"))
    collector.subscribe(topics.every_desk("status"))
    old = joined(Client(port, "desk-a", will=topics.desk("desk-a", "status"), clean_session=False))
    old.paho.on_disconnect = lambda *_: old.paho.disconnect()
    new = joined(Client(port, "desk-a", clean_session=False))
    assert collector.next()[1] == b"gone"
    new.subscribe(topics.desk("desk-a", "call"))
    feed.publish(topics.desk("desk-a", "call"), b"for the new one")
    assert new.next()[1] == b"for the new one"
    for client in (collector, feed, new, old):
        client.leave()


def test_votes_wait_for_a_collector_that_is_away_and_come_once(broker: tuple[int, object]) -> None:
    port, _ = broker
    collector = joined(Client(port, "collector", clean_session=False))
    collector.subscribe(topics.every_desk("vote"))
    collector.drop()
    pad = joined(Client(port, "desk-a"))
    for number in range(20):
        pad.publish(topics.desk("desk-a", "vote"), b"%d" % number)
    back = joined(Client(port, "collector", clean_session=False))
    # The last one may overtake the others: amqtt acknowledges before it hands out, so it may meet the open session.
    assert sorted(int(back.next()[1]) for _ in range(20)) == list(range(20))
    pad.publish(topics.desk("desk-a", "vote"), b"fence")
    assert back.next()[1] == b"fence"
    pad.leave()
    back.leave()


def test_what_a_client_sent_before_it_left_at_once_arrives(broker: tuple[int, object]) -> None:
    port, _ = broker
    collector = joined(Client(port, "collector"))
    collector.subscribe(topics.every_desk("vote"))
    pad = joined(Client(port, "desk-a"))
    sent = [pad.paho.publish(topics.desk("desk-a", "vote"), b"%d" % number, 1) for number in range(200)]
    for info in sent:
        info.wait_for_publish(60)
    pad.leave()
    assert {collector.next()[1] for _ in range(200)} == {b"%d" % number for number in range(200)}
    collector.leave()


def test_two_dozen_pads_come_in_at_once_while_messages_are_handed_out(broker: tuple[int, object]) -> None:
    """Every subscription changes what the broker is just looping over: nobody may miss a message by it."""
    port, _ = broker
    collector, it, busy = (joined(Client(port, user)) for user in ("collector", "it", "desk-a"))
    collector.subscribe(topics.every_desk("health"))
    it.subscribe(topics.desk("desk-a", "health"))
    began = time.monotonic()
    pads = [Client(port, desk) for desk in PASSWORDS if desk.startswith("desk-0")]
    assert len(pads) == 24
    for number in range(240):
        busy.paho.publish(topics.desk("desk-a", "health"), b"%d" % number, 1)
        pad, kind = pads[number % 24], ("call", "ack", "command")[number // 24 % 3]
        pad.paho.subscribe(topics.desk(str(pad.paho.username), kind), 1)
    for reader in (collector, it):
        assert {reader.next()[1] for _ in range(240)} == {b"%d" % number for number in range(240)}
    for pad in pads:
        joined(pad)
    assert time.monotonic() - began < 10
    for client in (collector, it, busy, *pads):
        client.leave()


@pytest.mark.parametrize(
    "attack",
    [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff\xff\xff\xff", b"\x30\x02\x00\x01", b"\x10\x7f" + b"\xff" * 127],
    ids=["nothing", "http", "length", "publish first", "garbage"],
)
def test_a_stranger_with_odd_bytes_harms_nobody(
    strict_broker: tuple[int, subprocess.Popen[str]], attack: bytes
) -> None:
    port, process = strict_broker
    with socket.create_connection(("127.0.0.1", port)) as stranger:
        stranger.sendall(attack)
        stranger.shutdown(socket.SHUT_WR)
        stranger.settimeout(60)
        assert stranger.recv(100) == b""
    joined(Client(port, "desk-a")).leave()
    assert process.poll() is None


def test_a_huge_packet_ends_the_connection_that_sent_it(strict_broker: tuple[int, object]) -> None:
    port, _ = strict_broker
    pad = joined(Client(port, "desk-a"))
    gone: queue.Queue[object] = queue.Queue()
    pad.paho.on_disconnect = lambda *_: (gone.put(True), pad.paho.disconnect())
    pad.paho.publish(topics.desk("desk-a", "vote"), b"x" * 1_000_000, 0)
    assert gone.get(timeout=60)
    pad.leave()
    joined(Client(port, "desk-a")).leave()


def test_sigterm_stops_it_with_clients_connected(broker: tuple[int, subprocess.Popen[str]]) -> None:
    port, process = broker
    pad = joined(Client(port, "desk-a"))
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    pad.leave()


@pytest.mark.parametrize(
    ("text", "mode", "named"),
    [
        ("listen_prt = 1", 0o600, "listen_prt"),
        ('listen_port = "many"', 0o600, "listen_port"),
        ("", 0o644, "can be read by others"),
    ],
)
def test_a_bad_configuration_is_refused_by_name(tmp_path: Path, text: str, mode: int, named: str) -> None:
    write_private(tmp_path / "passwords", password_file(PASSWORDS))
    (tmp_path / "passwords").chmod(mode)
    config = tmp_path / "broker.toml"
    config.write_text(f'password_file = "{tmp_path}/passwords"\n{text}\n', encoding="utf-8")
    command = [sys.executable, "-m", "sim", "broker", "--config", str(config)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert named in done.stderr
