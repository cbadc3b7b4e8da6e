"""``python -m collector doctor`` beside a real broker and real databases: what it finds well and what it finds ill."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.errors import BrokerError
from collector.probe import login
from collector.store import Arrival, Store, saving
from collector.store.upkeep import BACKUP
from firmware.host.ca import Authority
from protocol import codec, topics
from protocol.access import mosquitto_acl
from protocol.messages import PadStatus
from tests.integration.collector_process import NOON_UNIX_MS, ROOT, CollectorProcess, Wire, event, vote
from tests.integration.office import OfficeBroker
from tests.integration.test_restored_backups import DESK, REGISTER


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("ca"))
    made.init("Office")
    return made


@pytest.fixture
def broker(tmp_path: Path, authority: Authority) -> Iterator[OfficeBroker]:
    broker = OfficeBroker(tmp_path / "broker", authority, (DESK,))
    broker.start()
    yield broker
    broker.stop()


def examined(url: str, broker: OfficeBroker, authority: Authority, *options: str, **settings: str) -> dict[str, object]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ZRAZKOVO_")}
    known = {
        "database_url": url,
        "broker_port": str(broker.tls_port),
        "broker_host": "127.0.0.1",
        "broker_ca": str(authority.folder / "ca.pem"),
        "broker_password": broker.password("collector"),
        "spool": "/var/tmp",
        **settings,
    }
    environ |= {f"ZRAZKOVO_COLLECTOR_{name.upper()}": value for name, value in known.items()}
    done = subprocess.run(
        [sys.executable, "-m", "collector", "doctor", "--json", *options],
        cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    said = json.loads(done.stdout or "{}")
    assert done.returncode == ["ok", "attention", "failed"].index(said["worst"]), done.stderr
    return said


def of(said: dict[str, object], level: str) -> list[str]:
    findings: list[dict[str, str]] = said["findings"]  # type: ignore[assignment]
    return [f"{each['what']}: {each['said']}" for each in findings if each["level"] == level]


def without_clock(found: list[str]) -> list[str]:
    """What the machine of the tests thinks of its own clock is not ours to say."""
    return [each for each in found if not each.startswith("clock") and "GB free" not in each]


@pytest.fixture
def healthy(any_database: str, tmp_path: Path) -> str:
    """An office at work: register, a pad, a vote, a fresh backup."""
    if not any_database.startswith("sqlite") and not shutil.which("pg_dump"):
        pytest.skip("pg_dump is not installed: apt-get install postgresql-client")
    with Store.open(any_database) as store:
        store.load_register(REGISTER)
        status = PadStatus("online", "dark", None, "11111111", 1, "0.1.0", "power", "ok", "ok", "ok")
        messages = (
            (topics.desk(DESK, "status"), status),
            (topics.queue("centre", "event"), event(1, desk=DESK, seq=1)),
            (topics.desk(DESK, "vote"), vote(1, 3, seq=1)),
        )
        store.ingest([Arrival(topic, codec.encode(message), NOON_UNIX_MS) for topic, message in messages])
        saving.save(any_database, tmp_path / "x.backup")
        store.upkeep.note(BACKUP, "test", ok=True, amount=1, detail="x.backup")
    return any_database


def test_a_healthy_office_is_told_so(healthy: str, broker: OfficeBroker, authority: Authority) -> None:
    said = examined(healthy, broker, authority, "--login")
    wanted = ["register: no opening hours for centre: a feed that falls silent there is not noticed"]
    if not healthy.startswith("sqlite"):  # the throw-away cluster of the tests has no fsync
        assert of(said, "failed") == ["database: a power cut may take votes that were acknowledged: fsync off"]
    else:
        assert without_clock(of(said, "failed")) == []
    assert without_clock(of(said, "attention")) == wanted
    well = of(said, "ok")
    assert "access: may hear votes and acknowledge them, and may not open calls" in well
    assert any("its certificate is good for 82" in each for each in well)
    assert "pads: each of 1 desks has had one" in well


@pytest.mark.parametrize("any_database", ["sqlite"], indirect=True)
def test_everything_that_is_ill_is_named_with_what_to_do(
    any_database: str, broker: OfficeBroker, authority: Authority, tmp_path: Path
) -> None:
    with Store.open(any_database) as store:
        store.load_register(REGISTER)
        for number, seq in ((1, 1), (2, 2), (5, 5)):
            pressed = codec.encode(vote(number, 3, seq=seq))
            store.ingest([Arrival(topics.desk(DESK, "vote"), pressed, NOON_UNIX_MS - 90 * 86_400_000)])
        store.upkeep.note(BACKUP, "test", ok=False, amount=0, detail="no space left on device")
        called = codec.encode(event(9, desk=DESK, seq=9))
        store.ingest([Arrival(topics.queue("centre", "event"), called, NOON_UNIX_MS)])
    assert authority.server(["127.0.0.1"], days=9, bits=None) == broker.certificate  # written anew
    broker.reload()
    deadline = time.monotonic() + 60
    while True:
        said = examined(any_database, broker, authority, spool=str(tmp_path))
        found = of(said, "attention")
        if any("its certificate" in each for each in found):
            break
        assert time.monotonic() < deadline, said
    assert any("broker: its certificate is good for 9 days" in each or "good for 8 days" in each for each in found)
    assert "pads: 1 of 1 desks never had a pad: centre-01" in found
    assert "backup: none was ever made" in found
    assert any("backup: the last attempt" in each and "no space left" in each for each in found)
    assert any("votes: 3 votes wait for their calls" in each for each in found)


@pytest.mark.parametrize("any_database", ["sqlite"], indirect=True)
def test_a_damaged_figure_of_the_last_days_and_a_damaged_file_are_found(
    any_database: str, broker: OfficeBroker, authority: Authority
) -> None:
    two_days_ago = int(time.time() * 1000) - 2 * 86_400_000
    path = any_database.removeprefix("sqlite:///")
    with Store.open(any_database) as store:
        store.load_register(REGISTER)
    day = time.strftime("%Y%m%d", time.gmtime(two_days_ago / 1000))
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO rollup_day VALUES ('desk', 'centre', 'centre-01', ?, 3, 3, 1, 1, 1, 0, 0, 0, 0, 0)",
            (int(day),),
        )
    connection.close()
    (failed,) = [each for each in of(examined(any_database, broker, authority), "failed") if each.startswith("figures")]
    assert "1 figures of" in failed and "the roll-up has 3 calls" in failed
    with Path(path).open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xff" * 4096)
    failed_now = of(examined(any_database, broker, authority), "failed")
    assert any(each.startswith("database: damaged") or "malformed" in each for each in failed_now), failed_now


def test_who_is_not_let_in_or_may_too_much_is_told(broker: OfficeBroker, authority: Authority, tmp_path: Path) -> None:
    address = ("127.0.0.1", broker.port)
    with pytest.raises(BrokerError, match="does not let 'collector' in: Not authorized"):
        login(address, None, user="collector", password="wrong", session="x", group=None)
    acl = tmp_path / "broker" / "acl"
    acl.write_text(mosquitto_acl().replace("topic write zrazkovo/1/desk/+/ack", "topic read x"))
    broker.reload()
    mine = {"user": "collector", "password": broker.password("collector"), "session": "collector-1", "group": None}
    deadline = time.monotonic() + 60
    while login(address, None, **mine).acknowledges is not False:  # type: ignore[arg-type]
        assert time.monotonic() < deadline
    acl.write_text("user collector\ntopic readwrite zrazkovo/#\n")
    broker.reload()
    while login(address, None, **mine).calls is not True:  # type: ignore[arg-type]
        assert time.monotonic() < deadline


def test_a_running_collector_survives_the_doctors_login_and_loses_nothing(
    broker: OfficeBroker, tmp_path: Path, authority: Authority
) -> None:
    url = f"sqlite:///{tmp_path / 'zrazkovo.db'}"
    process = CollectorProcess(tmp_path, broker.port, url, (DESK,)).start()
    try:
        pad = Wire.of_pad(broker, DESK)
        mine = {"user": "collector", "password": broker.password("collector"), "session": "collector-1", "group": None}
        assert login(("127.0.0.1", broker.port), None, **mine).subscribes  # type: ignore[arg-type]
        pad.vote(DESK, vote(1, 3, seq=1))
        pad.wait_for_ack(1, "11111111")
        assert "connecting again" in process.says
    finally:
        process.kill()
