"""A branch whose line to the centre is cut: pads arm and take votes, and everything arrives afterwards, once.

Two network namespaces. Real: both brokers with what ``python -m deploy`` has written, feed, collector, two pads over
TLS. An outage lasts seconds here; its calls bear source times that span half an hour.
"""

import json
import shutil
import sqlite3
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.register import read_register
from collector.store import Store
from firmware.host import credentials
from firmware.host.ca import Authority
from tests.integration.deployed import ROOT, Installation, until
from tests.integration.office_pads import LAMPS
from tests.integration.pad_process import ALL, PadProcess, micropython
from tests.integration.two_places import BRANCH, CENTRE, TwoPlaces

DESKS = ("zamostia-1", "zamostia-2")
# A bridge as generated finds out in half a minute that a line is dead, and tries again within half a minute.
_SOONER = {"keepalive_interval 20": "keepalive_interval 5", "restart_timeout 2 30": "restart_timeout 1"}
_SPAN_S = 1800
_VOTES = "SELECT call.called_unix_ms, vote.rating FROM vote JOIN call ON call.id = vote.call"


def register(file: Path) -> Path:
    """One whose day ends in twelve hours, so that no test depends on when it runs."""
    ends = (datetime.now(UTC) + timedelta(hours=12)).strftime("%H:%M")
    desks = "".join(f'[[desk]]\nid = "{desk}"\nbranch = "zamostia"\nlabel = "{desk[-1]}"\n' for desk in DESKS)
    file.write_text(
        f"""
organisation = {{name = "Центр", name_en = "Centre"}}
branch = [{{id = "zamostia", name = "Замостя", name_en = "Zamostia", timezone = "UTC", day_ends = "{ends}"}}]
{desks}""",
        encoding="utf-8",
    )
    return file


class Country:
    """A centre and one branch of it."""

    def __init__(self, folder: Path, authority: Authority, entry: Path, places: TwoPlaces):
        self.places = places
        self.given: dict[str, int] = {}  # rating by ticket
        self._called: dict[str, datetime] = {}
        file = register(folder / "register.toml")
        self.centre = Installation(folder / "centre", "centre", file, enter=places.enter(places.centre))
        self.centre.write(authority, CENTRE, "--database", "sqlite")
        self.branch = Installation(folder / "branch", "branch", file, enter=places.enter(places.branch))
        secret = "bridge-zamostia.broker_password"
        (self.branch.out / "secrets").mkdir(parents=True)
        shutil.copy(self.centre.out / "secrets" / secret, self.branch.out / "secrets" / secret)
        address = f"{CENTRE}:{self.centre.ports['pads']}"
        self.branch.write(authority, "127.0.0.1", "--branch", "zamostia", "--centre", address)
        self.database = self.centre.state / "zrazkovo.db"
        self._edit(self.branch.out / "mosquitto" / "bridge" / "centre.conf", _SOONER)
        self.pads = self._make_pads(folder, authority, entry)

    def queue_at_most(self, number: int) -> None:
        conf = self.branch.out / "mosquitto" / "mosquitto.conf"
        self._edit(conf, {"max_queued_messages 1000": f"max_queued_messages {number}"})

    def start(self) -> None:
        self.centre.start_broker()
        self.centre.start("collector", " ready")
        self.branch.start_broker()
        self.branch.start("feed", "ready")
        for pad in self.pads:
            pad.start()
        for pad in self.pads:
            pad.wait_for_log("# connected")

    def end(self) -> None:
        for pad in self.pads:
            pad.kill()
        for place in (self.branch, self.centre):
            place.end()

    def visit(self, desk: int, ticket: str, rating: int, ago_s: float) -> None:
        """A client is called ``ago_s`` before now, by the queue's clock, and presses."""
        self.call(desk, ticket, ago_s)
        self.press(desk, ticket, rating)

    def call(self, desk: int, ticket: str, ago_s: float = 0) -> None:
        at = datetime.now(UTC) - timedelta(seconds=ago_s)
        event = {"event": ticket, "type": "called", "occurred_at": at.isoformat(), "branch": "zamostia"}
        event |= {"desk": DESKS[desk], "ticket": {"key": ticket}}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.branch.ports['feed']}/v1/queue-events",
            json.dumps(event).encode(),
            {"Authorization": f"Bearer {self.branch.secret('queue.token')}", "Content-Type": "application/json"},
        )

        def post() -> int:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)

        assert self.places.inside(self.places.branch, post) == 202
        self._called[ticket] = at

    def press(self, desk: int, ticket: str, rating: int) -> None:
        pad = self.pads[desk]
        pad.wait_for_lamps(ALL)
        pad.press(rating)
        pad.wait_for_lamps(LAMPS[rating])
        self.given[ticket] = rating

    def calls(self) -> int:
        with sqlite3.connect(self.database) as connection:
            return int(connection.execute("SELECT count(*) FROM call").fetchone()[0])

    def rows(self) -> Counter[tuple[int, int]]:
        """What is committed: (when its call was called, rating) of every vote that is joined with its call."""
        with sqlite3.connect(self.database) as connection:
            return Counter(connection.execute(_VOTES))

    def wait_for_everything(self) -> None:
        """Every press is there, at its own call's time, and nothing else is."""
        wanted = Counter(
            (int(self._called[ticket].timestamp() * 1000), rating) for ticket, rating in self.given.items()
        )
        until(
            lambda: self.rows() == wanted,
            lambda: f"{self.rows()}\nwanted {wanted}\n{self.branch.log('broker')[-3000:]}",
        )
        with Store.open(f"sqlite:///{self.database}") as store:
            assert store.recount() == []
            days = {row.day: row.bad + row.good + row.exemplary for row in store.rollups("branch", 19700101, 29991231)}
        by_day = Counter(int(f"{self._called[ticket]:%Y%m%d}") for ticket in self.given)
        assert days == dict(by_day)

    def _make_pads(self, folder: Path, authority: Authority, entry: Path) -> list[PadProcess]:
        """Registered at the centre, let in at the branch by what the centre's command prints."""
        pads = []
        with Store.open(f"sqlite:///{self.database}") as store:
            store.load_register(read_register(folder / "register.toml"))
            for desk in DESKS:
                password = credentials.new_password()
                line = credentials.verifier(desk, password)
                store.fleet.register_pad(desk, verifier=line, hardware=desk, board="unix", firmware="1", by="test")
                pad = PadProcess(
                    entry,
                    folder / desk,
                    desk=desk,
                    broker_port=self.branch.ports["pads"],
                    password=password,
                    keepalive_s=5,
                )
                shutil.copy(authority.folder / "ca.der", pad.folder / "ca.der")
                pads.append(pad)
        config = str(self.centre.out / "config" / "fleet.toml")
        printed = subprocess.run(
            [sys.executable, "-m", "collector.fleet", "--config", config, "passwords", "zamostia"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        (self.branch.state / "broker" / "pads").write_text(printed)
        subprocess.run([self.branch.out / "mosquitto" / "passwords.sh"], check=True)
        return pads

    @staticmethod
    def _edit(file: Path, changes: dict[str, str]) -> None:
        text = file.read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        file.write_text(text)


@pytest.fixture
def make_country(
    tmp_path: Path, authority: Authority, entry: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Country]]:
    places = TwoPlaces()
    made: list[Country] = []
    monkeypatch.setenv("MICROPYTHON", str(places.script(places.branch, micropython(), tmp_path / "micropython")))

    def make() -> Country:
        made.append(Country(tmp_path, authority, entry, places))
        return made[-1]

    yield make
    for country in made:
        country.end()
    places.close()


def test_a_branch_works_through_half_an_hour_without_its_centre(make_country: Callable[[], Country]) -> None:
    """The cable is out; meanwhile the branch's broker is killed, and the centre's loses all it kept."""
    country = make_country()
    country.start()
    country.visit(0, "before", 1, _SPAN_S + 60)
    until(lambda: sum(country.rows().values()) == 1, lambda: country.branch.log("broker"))
    country.places.cut()
    visits = 8
    for number in range(visits):
        country.visit(number % 2, f"during-{number}", number % 3 + 1, _SPAN_S * (visits - number) / visits)
        if number == 3:
            country.branch.kill("broker")
            country.branch.start_broker()
            for pad in country.pads:
                pad.wait_for_log("# connected", times=2)
    assert sum(country.rows().values()) == 1
    country.centre.stop("broker")
    (country.centre.state / "mosquitto" / "mosquitto.db").unlink()
    country.centre.start_broker()
    country.places.mend()
    country.wait_for_everything()
    country.visit(0, "after", 3, 0)
    country.wait_for_everything()


def test_a_line_that_dies_under_an_ack_costs_a_repetition(make_country: Callable[[], Country]) -> None:
    """What the branch sends arrives, what the centre answers does not: the vote is committed and its writer waits."""
    country = make_country()
    country.start()
    country.visit(0, "first", 2, 30)
    country.wait_for_everything()
    country.call(0, "second", 20)
    until(lambda: country.calls() == 2, lambda: country.branch.log("feed"))
    country.places.swallow(country.places.centre, BRANCH)
    country.press(0, "second", 3)
    country.wait_for_everything()
    country.call(1, "third", 10)
    country.press(1, "third", 1)
    country.places.let_out(country.places.centre, BRANCH)
    country.visit(0, "fourth", 1, 0)
    country.wait_for_everything()


def test_a_bridge_s_queue_that_is_full_loses_nothing(make_country: Callable[[], Country]) -> None:
    """Room for two messages and three writers who each repeat their oldest: some are dropped, and sent again."""
    country = make_country()
    country.queue_at_most(2)
    country.start()
    country.centre.stop("broker")
    full = "messages are being dropped for client"
    number = 0
    while full not in country.branch.log("broker") or number < 6:
        assert number < 20, country.branch.log("broker")
        country.visit(number % 2, f"visit-{number}", number % 3 + 1, 600 - number)
        number += 1
    country.centre.start_broker()
    country.wait_for_everything()
