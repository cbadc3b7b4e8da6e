"""The fleet service with a real Mosquitto: a dark pad is found, told of and forgotten; commands; its own restarts."""

import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from collector.fleet.service import SUBSCRIPTIONS
from collector.store import Store
from protocol import topics
from protocol.messages import Command, Pulse, Settings
from schemas.register import Hours
from tests.integration.fleet_process import (
    DEADLINE_S,
    DESKS,
    REGISTER,
    FakePad,
    Feed,
    FleetProcess,
    call_id,
    open_store,
    until,
)
from tests.integration.mosquitto import GuardedMosquitto
from tests.starved import Stopwatch

DESK = DESKS[0]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[GuardedMosquitto]:
    broker = GuardedMosquitto(tmp_path / "broker", ("it", "feed", *DESKS)).start()
    yield broker
    broker.stop()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(url(tmp_path)) as store:
        yield store


@pytest.fixture
def fleet(tmp_path: Path, broker: GuardedMosquitto, store: Store) -> Iterator[FleetProcess]:
    process = FleetProcess(tmp_path, broker, url(tmp_path)).start()
    yield process
    process.kill()


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'zrazkovo.db'}"


def open_kinds(store: Store) -> list[str]:
    return [fault.kind for fault in store.fleet.faults(is_open=True)]


def test_a_pad_dark_at_a_call_is_a_fault_within_three_seconds_until_it_arms(
    fleet: FleetProcess, broker: GuardedMosquitto, store: Store
) -> None:
    feed, pad = Feed(broker), FakePad(broker, DESK)
    pad.say()
    watch = Stopwatch(fleet.pid, broker.pid)
    began = time.time_ns() // 1_000_000
    feed.call(DESK, 1)
    until(lambda: open_kinds(store) == ["dark"], "the fault is open")
    (fault,) = store.fleet.faults()
    assert 1_900 <= fault.opened_unix_ms - began <= 3_000 + 1000 * watch.excused_s()
    assert (fault.desk, fault.call, fault.branch) == (DESK, call_id(1), "centre")
    assert [row[:2] for row in store.fleet.unavailable()] == [(call_id(1), DESK)]
    pad.say(phase="armed", call=call_id(1))
    until(lambda: open_kinds(store) == [], "the fault is closed")
    assert store.fleet.unavailable() == []
    fleet.stop()


def test_a_service_that_was_killed_goes_on_where_it_was(
    fleet: FleetProcess, broker: GuardedMosquitto, store: Store
) -> None:
    feed, pads = Feed(broker), [FakePad(broker, desk) for desk in DESKS[:3]]
    for pad in pads:
        pad.say()
    pads[1].say(phase="armed", call=call_id(1))  # before its call is heard of: it is in time, however long we take
    for pad in pads:
        feed.call(pad.desk, 1)
    until(lambda: open_kinds(store) == ["dark"] * 2, "two faults are open")
    fleet.kill()
    feed.close(pads[2].desk, 1)
    pads[0].say(phase="armed", call=call_id(1))
    fleet.start()
    until(lambda: open_kinds(store) == ["dark"], "the pad that armed meanwhile is no fault any more")
    pads[1].say(phase="armed", call=call_id(2))
    feed.call(pads[1].desk, 2)
    feed.call(pads[2].desk, 2)
    pads[2].say(phase="armed", call=call_id(2))
    until(lambda: open_kinds(store) == [], "nothing is wrong")
    assert len(store.fleet.faults()) == 2


def test_a_broker_that_is_away_is_one_fault(
    tmp_path: Path, fleet: FleetProcess, broker: GuardedMosquitto, store: Store
) -> None:
    fleet.stop()
    fleet.environ["ZRAZKOVO_FLEET_BROKER_S"] = "1"
    fleet.start()
    for desk in DESKS:
        FakePad(broker, desk).say()
    broker.stop()
    until(lambda: open_kinds(store) == ["broker"], "the broker is missed")
    assert len(store.fleet.faults()) == 1
    broker.start()
    until(lambda: open_kinds(store) == [], "the broker is back")


def test_it_is_ready_when_the_broker_has_granted_all_it_wants_to_hear(tmp_path: Path, store: Store) -> None:
    """A call that is published before that comes as an old one: whoever was told "ready" has called too soon."""

    class Slow:
        """A broker that lets in at once, and keeps one waiting for the subscriptions."""

        def __init__(self) -> None:
            self.listening = socket.create_server(("127.0.0.1", 0))
            self.port = int(self.listening.getsockname()[1])

        def password(self, user: str) -> str:
            return user

    broker = Slow()
    fleet = FleetProcess(tmp_path, broker, url(tmp_path))  # type: ignore[arg-type]
    starting = threading.Thread(target=fleet.start)
    starting.start()
    try:
        with broker.listening, broker.listening.accept()[0] as line, line.makefile("rb") as packets:
            packet(packets)
            line.sendall(b"\x20\x02\x00\x00")  # CONNACK
            asked = [packet(packets)[:2] for _ in SUBSCRIPTIONS]
            until(lambda: b"connected to the broker" in fleet.log.read_bytes(), "it has been let in")
            for number in asked:
                assert b"INFO ready" not in fleet.log.read_bytes()
                line.sendall(b"\x90\x03" + number + b"\x01")  # SUBACK
            starting.join(DEADLINE_S)
            assert b"INFO ready" in fleet.log.read_bytes()
    finally:
        fleet.kill()


def packet(packets: BinaryIO) -> bytes:
    """The next packet without its head; all of them are shorter than 128 bytes here."""
    return packets.read(packets.read(2)[1])


# ---- commands
def test_commands_reach_their_pad_and_their_effect_is_seen(
    fleet: FleetProcess, broker: GuardedMosquitto, store: Store
) -> None:
    pad = FakePad(broker, DESK)

    def obey(topic: str, message: Any) -> None:
        if message == Command(getattr(message, "id", ""), "restart"):
            threading.Thread(target=pad.say, kwargs={"boot": 2, "reset": "soft"}).start()
        elif isinstance(message, Command) and message.do in ("report", "test"):
            threading.Thread(target=pad.health, kwargs={"self_tests": 1}).start()

    pad.on = obey
    pad.say()
    pad.health()
    for do in ("identify", "report", "test", "restart"):
        store.fleet.ask(DESK, do, "it")
    store.fleet.ask(DESK, "settings", "it", {"armed_pct": 30})
    until(lambda: store.fleet.waiting() == [], "everything is done")
    outcomes = {each.do: each.outcome for each in store.fleet.commands(DESK)}
    assert outcomes == {"identify": "sent", "report": "done", "test": "done", "restart": "done", "settings": "sent"}
    assert (topics.desk(DESK, "settings"), Settings(armed_pct=30)) in pad.heard


def test_the_command_line_says_what_came_of_it(fleet: FleetProcess, broker: GuardedMosquitto, store: Store) -> None:
    FakePad(broker, DESK).say()
    done = fleet.cli("command", DESK, "identify")
    assert (done.returncode, done.stdout) == (0, f"{DESK} identify: sent\n")
    done = fleet.cli("command", "stranger", "identify")
    assert done.returncode == 1 and "no desk" in done.stderr
    assert fleet.cli("command", DESK, "settings", "armed_pct=30").returncode == 0
    assert fleet.cli("command", DESK, "settings", "armed_pct=0").returncode == 1
    assert fleet.cli("faults").returncode == 0
    assert fleet.cli("rollout", "status").returncode == 1


def test_a_dark_pad_is_kept_though_the_database_is_away_meanwhile(
    tmp_path: Path, fleet: FleetProcess, broker: GuardedMosquitto, store: Store
) -> None:
    feed, pad = Feed(broker), FakePad(broker, DESK)
    pad.say()
    database = sqlite3.connect(tmp_path / "zrazkovo.db", isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    feed.call(DESK, 1)
    until(lambda: b"what is to be kept waits" in fleet.log.read_bytes(), "the service notices")
    database.execute("ROLLBACK")
    database.close()
    until(lambda: open_kinds(store) == ["dark"], "the fault is open")
    assert [row[:2] for row in store.fleet.unavailable()] == [(call_id(1), DESK)]


def test_a_branch_whose_queue_falls_silent_is_a_fault_of_the_branch_until_somebody_is_called(
    tmp_path: Path, broker: GuardedMosquitto, store: Store
) -> None:
    hours = Hours(branch="centre", days="mon-sun", opens="00:00", closes="23:59")
    store.load_register(REGISTER.model_copy(update={"hours": (hours,)}))
    fleet = FleetProcess(tmp_path, broker, url(tmp_path), feed_quiet_minutes="0.02").start()
    try:
        feed = Feed(broker)
        feed.tell(topics.queue("centre", "pulse"), Pulse(1, 0, 0, 0), retain=False)
        # Not in the last minute of a day, in which it is closed.
        until(lambda: open_kinds(store) == ["feed_silent"], "the silence is noticed", within_s=130)
        (fault,) = store.fleet.faults(is_open=True)
        assert (fault.place, fault.branch, fault.branch_name, fault.desk) == ("@centre", "centre", "Центр", "")
        assert "@centre  feed_silent  no call" in fleet.cli("faults").stdout
        fleet.kill()
        fleet.start()
        feed.call(DESK, 1)
        until(lambda: store.fleet.faults(is_open=False), "the call has ended it")
        fleet.stop()
    finally:
        fleet.kill()
