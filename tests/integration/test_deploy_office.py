"""An office from generated files alone: broker, services and a real pad over TLS, from a call to a figure."""

import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest

from collector.store import Store
from firmware.host import credentials
from firmware.host.ca import Authority
from tests.integration.deployed import Installation, until
from tests.integration.pad_process import ALL, EXEMPLARY, PadProcess
from tests.unit.test_deploy import REGISTER

DESK = "centre-1"


@pytest.fixture
def office(tmp_path: Path, authority: Authority) -> Iterator[Installation]:
    register = tmp_path / "register.toml"
    register.write_text(REGISTER)
    office = Installation(tmp_path / "office", "office", register).write(authority, "localhost")
    yield office
    office.end()


def start(office: Installation) -> None:
    office.start_broker()
    office.start("collector", " ready")
    office.start("fleet", "ready")
    office.start("feed", "ready")
    office.start("api", "ready")


def post_call(office: Installation, ticket: str) -> None:
    event = {"event": f"{ticket}-called", "type": "called", "occurred_at": datetime.now(UTC).isoformat()}
    event |= {"branch": "centre", "desk": DESK, "ticket": {"key": ticket}}
    request = urllib.request.Request(
        f"http://127.0.0.1:{office.ports['feed']}/v1/queue-events",
        json.dumps(event).encode(),
        {"Authorization": f"Bearer {office.secret('queue.token')}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 202


def pad_of(office: Installation, entry: Path, authority: Authority, folder: Path) -> PadProcess:
    """A registered pad: the fleet service puts it into the password file, and the broker reads that again."""
    password = credentials.new_password()
    with Store.open(f"sqlite:///{office.state / 'zrazkovo.db'}") as store:
        line = credentials.verifier(DESK, password)
        store.fleet.register_pad(DESK, verifier=line, hardware="h1", board="unix", firmware="1", by="test")
    passwords = office.state / "broker" / "passwords"
    until(lambda: f"\n{DESK}:$7$" in passwords.read_text(), lambda: office.log("fleet"))
    assert passwords.stat().st_mode & 0o777 == 0o640
    office.reload_broker()
    port = office.ports["pads"]
    pad = PadProcess(entry, folder, desk=DESK, broker_host="localhost", broker_port=port, password=password)
    shutil.copy(authority.folder / "ca.der", pad.folder / "ca.der")
    return pad


def takes_over(office: Installation, authority: Authority, port: str, session: str, pad: PadProcess) -> None:
    """The pad's user tries to take the session of a server by its name."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=session, reconnect_on_failure=False)
    client.username_pw_set(DESK, json.loads((pad.folder / "pad.json").read_text())["password"])
    if port == "pads":
        client.tls_set(str(authority.folder / "ca.pem"))
    connected: list[bool] = []
    client.on_connect = lambda *arguments: connected.append(not arguments[3].is_failure)
    client.connect("localhost", office.ports[port])
    client.loop_start()
    until(lambda: connected, lambda: office.log("broker"))
    assert connected == [True]
    client.disconnect()
    client.loop_stop()


def votes(office: Installation) -> list[Any]:
    with Store.open(f"sqlite:///{office.state / 'zrazkovo.db'}") as store:
        assert store.recount() == []
        return [(row.calls, row.exemplary) for row in store.rollups("desk", 19700101, 29991231)]


def test_a_press_becomes_a_figure_from_generated_files_alone(
    office: Installation, entry: Path, authority: Authority, tmp_path: Path
) -> None:
    start(office)
    pad = pad_of(office, entry, authority, tmp_path / "pad").start()
    try:
        pad.wait_for_log("# connected")
        post_call(office, "A001")
        pad.wait_for_lamps(ALL)
        pad.press(3)
        pad.wait_for_lamps(EXEMPLARY)
        until(lambda: votes(office) == [(1, 1)], lambda: office.log("collector"))
    finally:
        pad.kill()
    for port in ("servers", "pads"):
        takes_over(office, authority, port, "collector", pad)
    listening = re.findall(r"Opening ipv4 listen socket on port (\d+)", office.log("broker"))
    assert listening == [str(office.ports["servers"]), str(office.ports["pads"])]
    with urllib.request.urlopen(f"http://127.0.0.1:{office.ports['api']}/v1/health", timeout=10) as answer:
        assert json.load(answer)["status"] == "ok"
    subprocess.run([office.out / "backup" / "backup.sh"], check=True, capture_output=True)
    assert list((office.state / "backups").iterdir())
    for service in ("collector", "fleet", "feed", "api"):
        assert office.stop(service) == 0, office.log(service)
        assert "ERROR" not in office.log(service) and "lost" not in office.log(service), office.log(service)


def test_running_the_command_again_over_a_living_installation_keeps_it_working(
    office: Installation, authority: Authority, tmp_path: Path
) -> None:
    """An upgrade: one desk more, the same secrets; everything starts again with what is there."""
    start(office)
    before = {path.name: path.read_text() for path in (office.out / "secrets").iterdir()}
    register = tmp_path / "register.toml"
    register.write_text(REGISTER.replace("desk = [", 'desk = [\n  {id = "centre-2", branch = "centre", label = "2"},'))
    for service in ("api", "feed", "fleet", "collector", "broker"):
        office.stop(service)
    office.write(authority, "localhost", "--force")
    assert {path.name: path.read_text() for path in (office.out / "secrets").iterdir()} == before
    start(office)
    post_call(office, "A002")
    until(lambda: votes(office) == [(1, 0)], lambda: office.log("collector") + office.log("feed"))
    with Store.open(f"sqlite:///{office.state / 'zrazkovo.db'}") as store:
        assert [desk.id for desk in store.register().desks] == ["centre-2", "centre-1", "zamostia-1"]


def test_the_tokens_that_the_last_steps_name_are_made_by_that_command(office: Installation) -> None:
    steps = (office.out / "NEXT.txt").read_text()
    (line,) = [line for line in steps.splitlines() if "token create head" in line]
    typed = line.replace("sudo -u zrazkovo ", "")
    done = subprocess.run(["bash", "-c", typed], cwd=office.out, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and len(done.stdout.strip()) > 20, done.stderr
