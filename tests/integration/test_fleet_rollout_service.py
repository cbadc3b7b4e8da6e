"""A roll-out from the command line to pads that load it, through a real Mosquitto, with the service killed midway."""

import os
import random
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from collector.store import Store
from protocol import topics
from protocol.messages import Message, UpdateOffered, UpdateWithdrawn
from tests.integration.fleet_process import DESKS, FleetProcess, Player, open_store, until
from tests.integration.fleet_updating import UpdatingPad
from tests.integration.mosquitto import GuardedMosquitto
from tests.unit.test_fleet_shelf import make_release

FILES = {f"firmware/{name}.mpy": random.Random(name).randbytes(3_000) for name in ("one", "two", "three")}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[GuardedMosquitto]:
    broker = GuardedMosquitto(tmp_path / "broker", ("it", "feed", *DESKS)).start()
    yield broker
    broker.stop()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'zrazkovo.db'}") as store:
        yield store


@pytest.fixture
def fleet(tmp_path: Path, broker: GuardedMosquitto, store: Store) -> Iterator[FleetProcess]:
    make_release(tmp_path / "releases", "2", FILES)
    make_release(tmp_path / "releases", "1", {"start.mpy": b"1"})
    url = f"sqlite:///{tmp_path / 'zrazkovo.db'}"
    process = FleetProcess(tmp_path, broker, url, releases=str(tmp_path / "releases")).start()
    yield process
    process.kill()


def states(store: Store) -> list[str]:
    return [pad.state for pad in store.fleet.pads_of(store.fleet.rollouts(1)[0].id)]


def on_offer(pad: UpdatingPad) -> Message:
    return [each for _, each in pad.heard if isinstance(each, UpdateOffered | UpdateWithdrawn)][-1]


def test_a_version_reaches_every_pad_stage_by_stage_though_the_service_is_killed(
    fleet: FleetProcess, broker: GuardedMosquitto, store: Store
) -> None:
    pads = [UpdatingPad(broker, desk) for desk in DESKS]
    for pad in pads:
        pad.may_load.clear()
        pad.say()
    assert fleet.cli("rollout", "start", "2", "--stages", "1,50%,100%", "--soak", "1").returncode == 0
    assert fleet.cli("rollout", "start", "2").returncode == 1  # one at a time
    for pad in pads:
        pad.may_load.set()
    until(lambda: states(store).count("done") >= 1, "the first pad is done")
    fleet.kill()
    fleet.start()
    done = fleet.cli("rollout", "status", "--wait")
    assert done.returncode == 0 and "2: done, stage 3 of 3 (100%): 12 done" in done.stdout
    assert {pad.words["firmware"] for pad in pads} == {"2"}
    stages = [pad.stage for pad in store.fleet.pads_of(store.fleet.rollouts(1)[0].id)]
    assert [stages.count(stage) for stage in (0, 1, 2)] == [1, 5, 6]
    # Nothing stays on offer: a pad that is replaced one day is not led back to this version.
    until(lambda: all(isinstance(on_offer(pad), UpdateWithdrawn) for pad in pads), "nothing is on offer")


@pytest.mark.parametrize("fate", ["refused", "rolled_back"])
def test_a_pad_that_fails_stops_it_before_the_others_and_undo_brings_back_who_runs_it(
    fleet: FleetProcess, broker: GuardedMosquitto, store: Store, fate: str
) -> None:
    pads = {desk: UpdatingPad(broker, desk) for desk in DESKS[:4]}
    for pad in pads.values():
        pad.say()
    assert fleet.cli("rollout", "start", "2", "--stages", "1,100%", "--soak", "3600").returncode == 0
    until(lambda: states(store).count("done") == 1, "the first pad is done")
    first = next(pad.desk for pad in store.fleet.pads_of(1) if pad.state == "done")
    assert fleet.cli("rollout", "stop").returncode == 0
    until(lambda: sorted(states(store)) == ["done", "withdrawn", "withdrawn", "withdrawn"], "it is stopped")
    for desk, pad in pads.items():
        pad.fate = "done" if desk == first else fate
    assert fleet.cli("rollout", "start", "2", "--stages", "1,100%").returncode == 0
    done = fleet.cli("rollout", "status", "--wait")
    assert done.returncode == 3 and "failed: " in done.stdout and fate in done.stdout
    until(lambda: "offered" not in states(store), "the others are not asked any more")
    assert sum(pad.words["firmware"] == "2" for pad in pads.values()) == 1
    assert fleet.cli("rollout", "undo").returncode == 0
    until(lambda: set(states(store)) <= {"back", "undone", "skipped"}, "everything is withdrawn")


def test_undo_offers_what_the_pad_ran_before(fleet: FleetProcess, broker: GuardedMosquitto, store: Store) -> None:
    pad = UpdatingPad(broker, DESKS[0])
    pad.say()
    assert fleet.cli("rollout", "start", "2", "--stages", "100%", "--wait").returncode == 0
    assert pad.words["firmware"] == "2"
    assert fleet.cli("rollout", "undo").returncode == 0
    until(lambda: pad.words["firmware"] == "1", "the pad is back")
    until(lambda: states(store) == ["back"], "the service knows it")
    until(lambda: isinstance(on_offer(pad), UpdateWithdrawn), "nothing is on offer")


def test_a_version_without_a_release_is_refused_by_the_service(
    fleet: FleetProcess, broker: GuardedMosquitto, store: Store
) -> None:
    UpdatingPad(broker, DESKS[0]).say()
    done = fleet.cli("rollout", "start", "7", "--wait")
    assert done.returncode == 3 and "there is no release 7" in done.stdout


def test_a_pad_gets_its_pieces_while_others_ask_for_nonsense(
    tmp_path: Path, fleet: FleetProcess, broker: GuardedMosquitto, store: Store
) -> None:
    rogue = Player(broker, DESKS[1])
    pad = UpdatingPad(broker, DESKS[0])
    pad.say()
    for number in range(2_000):
        payload = os.urandom(60) if number % 2 else b'{"v": 1, "sha256": "%s", "offset": 0}' % (b"0" * 64)
        rogue.client.publish(topics.desk(DESKS[1], "want"), payload, qos=0)
    assert fleet.cli("rollout", "start", "2", "--stages", "100%", "--wait").returncode == 0
    assert pad.loaded > sum(map(len, FILES.values()))
    assert sha256(b"").hexdigest() not in fleet.log.read_text()
