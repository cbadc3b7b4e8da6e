"""The fleet service measured here with a real Mosquitto: how soon a dark pad is found, how many pieces of an update it
hands out a second, and its memory with a thousand desks.

    python tests/bench/bench_fleet.py [--desks 1000] [--calls 200] [--loaders 24]
"""

import argparse
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from collector.store import Desk, Register, Store
from protocol import codec, topics
from protocol.messages import CallOpened, PadStatus, UpdateOffered
from tests.integration.fleet_process import FOR_EVER, REGISTER, FleetProcess, Player, call_id, until
from tests.integration.fleet_updating import UpdatingPad
from tests.integration.mosquitto import GuardedMosquitto
from tests.unit.test_fleet_shelf import make_release

RELEASE_BYTES = 60 * 3_500  # about the size of the firmware, compiled


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--desks", type=int, default=1_000)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--loaders", type=int, default=24)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), options.desks, options.calls, options.loaders)


def measure(folder: Path, desk_count: int, calls: int, loaders: int) -> None:
    desks = [f"desk-{number:04}" for number in range(desk_count)]
    register = Register(
        organisation=REGISTER.organisation,
        branches=REGISTER.branches,
        services=REGISTER.services,
        desks=tuple(Desk(id=desk, branch="centre", label=desk[-4:]) for desk in desks),
    )
    files = {f"{n}.mpy": random.Random(n).randbytes(3_500) for n in range(60)}
    manifest = make_release(folder / "releases", "2", files)
    url = f"sqlite:///{folder / 'zrazkovo.db'}"
    broker = GuardedMosquitto(folder / "broker", ("it", "feed", *desks[:loaders], "collector")).start()
    with Store.open(url) as store:
        store.load_register(register)
        say_all(broker, folder, desks)
        fleet = FleetProcess(folder, broker, url, releases=str(folder / "releases"), pieces_per_second="100000").start()
        try:
            time.sleep(2)
            memory("with every desk known", fleet)
            busy_pct = psutil.Process(fleet.pid).cpu_percent(10)
            print(f"processor            {busy_pct:.1f} % of one while nothing happens")
            dark(broker, store, desks, calls)
            memory("with faults open", fleet)
            pieces(broker, desks[:loaders], manifest)
            memory("after the update", fleet)
        finally:
            fleet.kill()
            broker.stop()


def say_all(broker: GuardedMosquitto, folder: Path, desks: list[str]) -> None:
    """Retained statuses of pads that nobody connected: the access list is set aside for it."""
    acl = (folder / "broker" / "acl").read_text()
    (folder / "broker" / "acl").write_text("user feed\ntopic readwrite #\n")
    broker.stop()
    broker.start()
    feed = Player(broker, "feed")
    for desk in desks:
        status = PadStatus("online", "dark", None, "11111111", 1, "1", "power", "ok", "ok", "ok")
        feed.client.publish(topics.desk(desk, "status"), codec.encode(status), qos=1, retain=True)
    feed.tell(topics.desk(desks[0], "call"), CallOpened(call_id(0), 1_795_341_600_000, 1_795_341_600_001))
    feed.leave()
    broker.stop()
    (folder / "broker" / "acl").write_text(acl)
    broker.start()


def dark(broker: GuardedMosquitto, store: Store, desks: list[str], calls: int) -> None:
    feed = Player(broker, "feed")
    called: dict[str, int] = {}
    for desk in desks[-calls:]:
        called[desk] = time.time_ns() // 1_000_000
        feed.tell(topics.desk(desk, "call"), CallOpened(call_id(1), called[desk], FOR_EVER))
        time.sleep(0.01)
    until(lambda: len(store.fleet.faults(is_open=True, limit=10_000)) >= calls, "every dark pad is found")
    took = sorted(
        fault.opened_unix_ms - called[fault.desk]
        for fault in store.fleet.faults(is_open=True, limit=10_000)
        if fault.desk in called
    )
    print(
        f"dark pads found      {len(took)}: median {statistics.median(took):.0f} ms, worst {took[-1]} ms after the call"
    )
    feed.leave()


def pieces(broker: GuardedMosquitto, desks: list[str], manifest: str) -> None:
    pads = [UpdatingPad(broker, desk) for desk in desks]
    began = time.monotonic()
    threads = [threading.Thread(target=load, args=(pad, manifest)) for pad in pads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began
    total = sum(pad.loaded for pad in pads)
    again = sum(pad.asked_again for pad in pads)
    count = sum(1 for pad in pads for _, each in pad.heard if type(each).__name__ == "Piece")
    print(
        f"pieces               {count / seconds:.0f} a second, {total / seconds / 1000:.0f} KB/s to {len(pads)} pads; "
        f"{again} asked for again; {seconds:.1f} s for {total / len(pads) / 1000:.0f} KB a pad"
    )


def load(pad: UpdatingPad, manifest: str) -> None:
    pad.words["firmware"] = "1"
    pad.on("", UpdateOffered("2", manifest))
    until(lambda: pad.words["firmware"] == "2", "the pad is updated", within_s=300)


def memory(when: str, fleet: FleetProcess) -> None:
    info = psutil.Process(fleet.pid).memory_full_info()
    print(f"memory               {info.pss / 1e6:.1f} MB PSS, {info.uss / 1e6:.1f} MB USS {when}")


if __name__ == "__main__":
    main()
