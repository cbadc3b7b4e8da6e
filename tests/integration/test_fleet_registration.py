"""A registered pad gets in at a running Mosquitto, a replaced one does not, and nobody else is touched."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from collector.fleet.passwords import PasswordFile, rendered
from collector.store import Credential, Store
from tests.integration.fleet_process import DESKS, FleetProcess, open_store, until
from tests.integration.mosquitto import GuardedMosquitto

DESK, OTHER = DESKS[:2]


def verifier(folder: Path, password: str) -> str:
    """What Mosquitto's own program makes of a password; the flashing tool computes the same."""
    file = folder / "one"
    file.write_text(f"user:{password}\n")
    subprocess.run(["mosquitto_passwd", "-U", str(file)], check=True, capture_output=True)
    return file.read_text().strip().partition(":")[2]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[GuardedMosquitto]:
    options = f"pid_file {tmp_path / 'broker' / 'pid'}\n"
    broker = GuardedMosquitto(tmp_path / "broker", ("it", "feed", OTHER), options=options).start()
    yield broker
    broker.stop()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'zrazkovo.db'}") as store:
        yield store


def gets_in(broker: GuardedMosquitto, user: str, password: str) -> bool:
    """Whether the broker accepts a connection."""
    answers: list[bool] = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
    client.username_pw_set(user, password)
    client.on_connect = lambda *arguments: answers.append(not arguments[3].is_failure)
    client.connect("127.0.0.1", broker.port)
    deadline = time.monotonic() + 60
    while not answers and time.monotonic() < deadline:
        client.loop(0.1)
    client.disconnect()
    return answers == [True]


def test_a_registered_pad_gets_in_within_seconds_and_the_replaced_one_no_more(
    tmp_path: Path, broker: GuardedMosquitto, store: Store
) -> None:
    folder = tmp_path / "broker"
    passwords = folder / "passwords"
    base = folder / "base"
    base.write_text(passwords.read_text())
    base.chmod(0o600)
    fleet = FleetProcess(
        tmp_path,
        broker,
        f"sqlite:///{tmp_path / 'zrazkovo.db'}",
        password_base=str(base),
        password_file=str(passwords),
        broker_pid_file=str(folder / "pid"),
    ).start()
    try:
        assert not gets_in(broker, DESK, "first")
        for number, password in enumerate(("first", "second")):
            line = verifier(tmp_path, password)
            store.fleet.register_pad(
                DESK, verifier=line, hardware=f"chip-{number}", board="pico-w", firmware="1", by="it"
            )
            until(lambda password=password: gets_in(broker, DESK, password), "the pad gets in")  # type: ignore[misc]
        assert not gets_in(broker, DESK, "first")
        assert gets_in(broker, OTHER, broker.password(OTHER))
        assert passwords.stat().st_mode & 0o777 == 0o600
        assert "first" not in passwords.read_text() and "second" not in passwords.read_text()
        assert fleet.cli("retire", DESK).returncode == 0
        until(lambda: not gets_in(broker, DESK, "second"), "the pad does not get in any more")
    finally:
        fleet.kill()


def credential(desk: str, verifier: str = "$7$101$c2FsdHNhbHQ=$x") -> Credential:
    return Credential(desk, verifier, "chip", "pico-w", "1", "it", 1, None)


def test_a_registration_takes_the_place_of_a_line_and_never_a_servers() -> None:
    base = "collector:$7$a\ncentre-01:$7$old\n"
    found = rendered(
        base, [credential("centre-02"), credential("centre-01"), credential("collector"), credential("a:b")]
    )
    assert found.splitlines() == [
        "collector:$7$a",
        "centre-01:$7$101$c2FsdHNhbHQ=$x",
        "centre-02:$7$101$c2FsdHNhbHQ=$x",
    ]
    assert rendered(found, []) == found


def test_only_a_change_is_written_and_a_broker_that_could_not_be_told_is_told_again(tmp_path: Path) -> None:
    base, file, mark = tmp_path / "base", tmp_path / "passwords", tmp_path / "told"
    base.write_text("it:x\n")
    failing = PasswordFile(base, file, "false")
    with pytest.raises(OSError, match="ended with 1"):
        failing.write([])
    with pytest.raises(OSError, match="ended with 1"):
        failing.write([])
    working = PasswordFile(base, file, f"touch {mark}")
    assert not working.write([]) and not mark.exists()
    assert working.write([credential("centre-01")]) and mark.exists()
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o640)  # as Debian has it: root's, for Mosquitto's group to read
    assert working.write([]) and file.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []
