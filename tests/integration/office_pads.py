"""Real pads at an office's broker through a bad network: fixtures (for conftest.py), and what tests do most."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware.host.build import build
from firmware.host.ca import Authority
from sim.bad_network import BadNetwork
from tests.integration.office import Office, OfficeBroker
from tests.integration.pad_process import ALL, BAD, EXEMPLARY, GOOD, PadProcess
from tests.starved import starved_s

LAMPS = {1: BAD, 2: GOOD, 3: EXEMPLARY}
KEEPALIVE_S = 5
# The pad's longest turn, handshake included: about 20 ms on a quiet machine. What is caught here is waiting, for a
# network or a name server: that costs seconds.
STALL_LIMIT_MS = 1000


@pytest.fixture(scope="module")
def entry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("firmware"))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    authority = Authority(tmp_path_factory.mktemp("ca"))
    authority.init("Office CA")
    return authority


@pytest.fixture
def broker(tmp_path: Path, authority: Authority) -> Iterator[OfficeBroker]:
    broker = OfficeBroker(tmp_path / "broker", authority)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def network(broker: OfficeBroker) -> Iterator[BadNetwork]:
    network = BadNetwork(broker.tls_port)
    yield network
    network.close()


@pytest.fixture
def office(broker: OfficeBroker) -> Iterator[Office]:
    office = Office(broker)
    yield office
    office.close()


@pytest.fixture
def make_pad(
    entry: Path, authority: Authority, broker: OfficeBroker, network: BadNetwork, tmp_path: Path
) -> Iterator[Callable[..., PadProcess]]:
    made: list[PadProcess] = []

    def make(**settings: object) -> PadProcess:
        given = {"broker_port": network.port, "password": broker.password("desk-1"), "keepalive_s": KEEPALIVE_S}
        pad = PadProcess(entry, tmp_path / f"pad{len(made)}", **(given | settings))
        shutil.copy(authority.folder / "ca.der", pad.folder / "ca.der")
        made.append(pad)
        return pad

    yield make
    for pad in made:
        pad.kill()


@pytest.fixture
def pad(make_pad: Callable[..., PadProcess]) -> PadProcess:
    pad = make_pad().start()
    pad.wait_for_log("# connected")
    return pad


def vote(pad: PadProcess, office: Office, rating: int) -> dict[str, int]:
    """One client: called, pressed, seen on the lamps. Returns what was given."""
    call = office.open_call()
    pad.wait_for_lamps(ALL)
    pad.press(rating)
    pad.wait_for_lamps(LAMPS[rating])
    return {call: rating}


def works_on(pad: PadProcess, office: Office, network: BadNetwork, given: dict[str, int]) -> None:
    """What must hold in the end, whatever happened: all votes counted once, one connection, no stall, no restart."""
    office.check(given)
    health = office.report()
    assert network.most_open == 1
    assert health.stall_max_ms < STALL_LIMIT_MS + 1000 * starved_s(pad.pid)
    assert health.votes == len(given)
    assert "error" not in pad.log, pad.log
