"""The whole thread: real MicroPython pads with two slots, a real Mosquitto with its access list, the fleet service."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.store import Store
from tests.integration.fleet_process import DESKS, Feed, FleetProcess, open_store, until
from tests.integration.mosquitto import GuardedMosquitto
from tests.integration.pad_process import PadProcess
from tests.integration.update_bench import NEW, OLD, Workshop

PADS = DESKS[:2]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("workshop"))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[GuardedMosquitto]:
    broker = GuardedMosquitto(tmp_path / "broker", ("it", "feed", *PADS)).start()
    yield broker
    broker.stop()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'zrazkovo.db'}") as store:
        yield store


@pytest.fixture
def fleet(tmp_path: Path, workshop: Workshop, broker: GuardedMosquitto, store: Store) -> Iterator[FleetProcess]:
    url = f"sqlite:///{tmp_path / 'zrazkovo.db'}"
    process = FleetProcess(tmp_path, broker, url, releases=str(workshop.good)).start()
    yield process
    process.kill()


@pytest.fixture
def pads(tmp_path: Path, workshop: Workshop, broker: GuardedMosquitto) -> Iterator[dict[str, PadProcess]]:
    pads = {
        desk: workshop.pad(tmp_path / desk, broker.port, desk=desk, password=broker.password(desk)) for desk in PADS
    }
    for pad in pads.values():
        pad.start().wait_for_log("connected")
    yield pads
    for pad in pads.values():
        pad.kill()


def test_one_command_brings_a_new_version_to_every_pad(
    fleet: FleetProcess, pads: dict[str, PadProcess], store: Store
) -> None:
    done = fleet.cli("rollout", "start", NEW, "--stages", "1,100%", "--soak", "1", "--wait")
    assert done.returncode == 0, done.stdout + fleet.log.read_text()
    found = store.fleet.pads_of(1)
    assert [(pad.state, pad.before, pad.stage) for pad in found] == [("done", OLD, 0), ("done", OLD, 1)]


def test_a_pad_that_hangs_at_a_call_is_dark_and_one_that_arms_is_not(
    fleet: FleetProcess, broker: GuardedMosquitto, pads: dict[str, PadProcess], store: Store
) -> None:
    fleet.stop()
    fleet.environ["ZRAZKOVO_FLEET_ARMED_S"] = "10"  # for the one that is not hung, on a busy machine
    fleet.start()
    feed = Feed(broker)
    hung = PADS[0]
    os.kill(pads[hung].pid, signal.SIGSTOP)
    try:
        for desk in PADS:
            feed.call(desk, 1)
        (fault,) = until(lambda: store.fleet.faults(is_open=True), "the hung pad is found")
        assert (fault.desk, fault.kind) == (hung, "dark")
    finally:
        os.kill(pads[hung].pid, signal.SIGCONT)
    until(lambda: not [each for each in store.fleet.faults(is_open=True) if each.kind == "dark"], "it arms again")
    assert store.fleet.unavailable() == []
    assert {each.desk for each in store.fleet.faults() if each.kind == "dark"} == {hung}


@pytest.mark.parametrize(("do", "outcome"), [("identify", "sent"), ("report", "done"), ("restart", "done")])
def test_a_real_pad_does_what_it_is_asked(
    fleet: FleetProcess, pads: dict[str, PadProcess], store: Store, do: str, outcome: str
) -> None:
    done = fleet.cli("command", PADS[0], do)
    assert done.stdout == f"{PADS[0]} {do}: {outcome}\n"
