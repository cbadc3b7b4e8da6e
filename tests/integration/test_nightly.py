"""The work of the night: once a night, whoever does it, whatever fails, and made up for when it was missed."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api import nightly
from api.nightly import LEASE_MS, Busy, Chore, Watchman, night_of, run_chores
from api.settings import Settings
from collector.store import Store
from collector.store.nights import MOST_STARTS
from tests.contract.api_office import REGISTER, until

KYIV = "Europe/Kyiv"
MONDAY = datetime(2026, 11, 23, 3, 0, tzinfo=ZoneInfo(KYIV))


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'zrazkovo.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("cluster").url()
    with Store.open(url) as store:
        store.load_register(REGISTER)
        yield store


SETTINGS = Settings(nightly_at="02:30")


class Counted:
    """Chores that count how often they were done; ``broken`` ones fail."""

    def __init__(self, *names: str, broken: tuple[str, ...] = ()):
        self.done: list[str] = []
        self.threads: set[int] = set()
        self._broken = broken
        self.chores = [Chore(name, self._run(name)) for name in names]

    def _run(self, name: str) -> Callable[[Store, Settings, int], list[str]]:
        def run(store: Store, settings: Settings, now_unix_ms: int) -> list[str]:
            self.done.append(name)
            self.threads.add(threading.get_ident())
            if name in self._broken:
                raise RuntimeError("a table with nine legs")
            return [f"{name} at {now_unix_ms}"]

        return run


@pytest.mark.parametrize(
    ("moment", "night"),
    [
        ((2026, 11, 23, 2, 29), 20261122),
        ((2026, 11, 23, 2, 30), 20261123),
        ((2026, 11, 23, 23, 59), 20261123),
        ((2026, 3, 29, 2, 59), 20260329),  # the hour from 3 to 4 is left out that day
        ((2026, 3, 29, 4, 0), 20260329),
        ((2026, 10, 25, 3, 30), 20261025),
    ],
)
def test_the_hour_is_the_offices_own(moment: tuple[int, int, int, int, int], night: int) -> None:
    assert night_of(ms(datetime(*moment, tzinfo=ZoneInfo(KYIV))), KYIV, "02:30") == night


def test_an_hour_that_a_clock_jumps_over_has_come_after_the_jump() -> None:
    before = datetime(2026, 3, 29, 2, 59, tzinfo=ZoneInfo(KYIV))
    assert night_of(ms(before), KYIV, "03:30") == 20260328
    assert night_of(ms(before) + 60_000, KYIV, "03:30") == 20260329


def test_one_chore_that_fails_keeps_no_other_from_its_turn(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    counted, said = Counted("one", "two", "three", broken=("two",)), list[str]()
    runs = run_chores(store, SETTINGS, ms(MONDAY), chores=counted.chores, say=said.append)
    assert counted.done == ["one", "two", "three"]
    assert [(each.what, each.ok) for each in runs] == [("one", True), ("two", False), ("three", True)]
    last = store.nights.last()
    assert {name: run.ok for name, run in last.items()} == {"one": True, "two": False, "three": True}
    assert last["one"].sentences == (f"one at {ms(MONDAY)}",)
    assert "nine legs" in caplog.text, "the log says why"
    assert "nine legs" not in "".join(last["two"].sentences), "an error may name hosts and files"
    assert "two: failed" in " ".join(said)


def test_a_night_is_done_once(store: Store) -> None:
    counted = Counted("one", "two")
    watchmen = [Watchman(store, SETTINGS, counted.chores) for _ in range(3)]
    for watchman in watchmen:
        watchman.look(ms(MONDAY))
    assert counted.done == ["one", "two"]
    watchmen[1].look(ms(MONDAY) + 86_400_000)
    assert counted.done == ["one", "two"] * 2


def test_two_at_once_do_it_once(store: Store) -> None:
    counted = Counted("one", "two")
    ready = threading.Barrier(4)

    def look() -> None:
        ready.wait()
        try:
            Watchman(store, SETTINGS, counted.chores).look(ms(MONDAY))
        except Exception:
            lost.append(1)  # the very first lease was another's: asked again a minute later

    lost: list[int] = []
    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted.done == ["one", "two"]
    assert len(lost) < 4


def test_a_dead_holders_lease_ends_and_only_what_is_left_is_done(store: Store) -> None:
    counted, now = Counted("one", "two"), nightly._now()
    night = night_of(now, KYIV, "02:30")
    assert store.nights.take(night, "dead", now, LEASE_MS)
    store.nights.end(store.nights.begin("one", night, now), now, ok=True, sentences=[])
    watchman = Watchman(store, SETTINGS, counted.chores)
    assert watchman.look(now) == []
    with pytest.raises(Busy):
        run_chores(store, SETTINGS, now, chores=counted.chores)
    assert store.nights.renew("dead", now - 2 * LEASE_MS, LEASE_MS)
    watchman.look(now)
    assert counted.done == ["two"]
    assert not store.nights.renew("dead", now, LEASE_MS), "who was away too long does no more"


def test_a_chore_that_breaks_its_process_off_is_let_alone_in_the_end(store: Store) -> None:
    counted, now = Counted("one", "two"), ms(MONDAY)
    for _ in range(MOST_STARTS):
        store.nights.begin("one", 20261123, now)
    Watchman(store, SETTINGS, counted.chores).look(now)
    assert counted.done == ["two"]


def test_a_chore_by_hand_leaves_the_others_to_the_night(store: Store) -> None:
    counted = Counted("one", "two")
    run_chores(store, SETTINGS, ms(MONDAY), chores=counted.chores, only="two")
    run_chores(store, SETTINGS, ms(MONDAY), chores=counted.chores, only="two")
    Watchman(store, SETTINGS, counted.chores).look(ms(MONDAY))
    assert counted.done == ["two", "two", "one"]
    assert [run.what for run in store.nights.runs("two")] == ["two", "two"]


def test_a_watchman_makes_up_for_a_missed_night_in_a_thread_of_its_own(store: Store) -> None:
    counted = Counted("one")
    watchman = Watchman(store, SETTINGS, counted.chores, soon_s=0.01)
    watchman.start()
    until(lambda: "one" in store.nights.last())
    watchman.stop()
    assert counted.done == ["one"]
    assert counted.threads.isdisjoint({threading.get_ident()})


def test_no_chore_begins_after_the_stop(store: Store) -> None:
    counted = Counted("one")
    watchman = Watchman(store, SETTINGS, counted.chores)
    watchman.stop()
    watchman.look(ms(MONDAY))
    assert counted.done == []
    Watchman(store, SETTINGS, counted.chores).look(ms(MONDAY))
    assert counted.done == ["one"], "the next process does it"


def test_the_command_does_the_nights_work(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'zrazkovo.db'}"
    with Store.open(url) as store:
        store.load_register(REGISTER)
    done = subprocess.run(
        [sys.executable, "-m", "api", "nightly"],
        env={**os.environ, "ZRAZKOVO_API_DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr and "ERROR" not in done.stderr, done
    for chore in nightly.CHORES:
        assert f"{chore.name}: done" in done.stdout


def test_the_command_knows_its_chores() -> None:
    wrong = [sys.executable, "-m", "api", "nightly", "--chore", "dishes"]
    done = subprocess.run(wrong, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "dishes" in done.stderr
