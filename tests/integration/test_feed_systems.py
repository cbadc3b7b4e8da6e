"""Every kind of queue system at a real feed process beside a real Mosquitto: its call reaches its own desk alone.

TheQ's side is the library that TheQ itself uses; database and file are real; QSystem and Orchestra are emulated.
"""

import json
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from snowplow_tracker import AsyncEmitter

from firmware.host.ca import Authority
from protocol.messages import CallClosed, CallOpened
from sim.ports import choose_lasting
from tests.integration.feed_process import CollectorEar, Ear, FeedProcess, GuardedMosquitto, PadEar, until
from tests.qmatic_connector import Connector, orchestra
from tests.qsystem_server import Client, Operator, QSystemServer
from tests.theq_tracker import TheQTracker

DESKS = ("qs-1", "theq-1", "qm-1", "sql-1", "csv-1")
SECRET = "a-secret-in-the-path-of-tests"
REGISTER = """
organisation = {name = "Центр", name_en = "Centre"}
branch = [{id = "centre", name = "Центр", name_en = "Centre", day_ends = "23:59"}]
operator = [{id = "op-7"}]
assignment = [{operator = "op-7", desk = "theq-1"}]
""" + "desk = [{}]\n".format(",".join(f'{{id = "{desk}", branch = "centre", label = "1"}}' for desk in DESKS))
TABLES = """
[[qsystem]]
name = "qs"
host = "127.0.0.1"
port = {qsystem}
poll_seconds = 0.2
desks = {{"1" = "qs-1"}}

[[theq]]
name = "theq"
offices = {{61 = "centre"}}
operators = {{7 = "op-7"}}

[[qmatic]]
name = "qm"
connector = "{connector}"
hook = "{hook}"
register_seconds = 0.5
branches = {{1 = "centre"}}
service_points = {{120000000001 = "qm-1"}}

[[sql]]
name = "table"
query = "SELECT id, ts, word, number FROM log WHERE id >= :since ORDER BY id LIMIT 100"
mark = "id"
poll_seconds = 0.2
branch = "centre"
columns = {{key = ["id"], time = "ts", event = "word", ticket = "number", desk = "number"}}
words = {{CALL = "called", END = "finished"}}
time_format = "unix_ms"
desks = {{"1" = "sql-1"}}

[[csv]]
name = "file"
file = "{file}"
poll_seconds = 0.2
branch = "centre"
columns = {{time = "ts", event = "word", ticket = "number", desk = "desk"}}
words = {{CALL = "called", END = "finished"}}
time_format = "unix_ms"
desks = {{"1" = "csv-1"}}
"""


def now() -> int:
    return time.time_ns() // 1_000_000


class Office:
    """Broker, feed, pads' ears, and five queue systems."""

    def __init__(self, folder: Path):
        self.broker = GuardedMosquitto(folder, DESKS)
        self.broker.start()
        self.qsystem = QSystemServer(now)
        self.qsystem.operators = {4: Operator(4, "1")}
        self.connector = Connector()
        self.file = folder / "calls.csv"
        self.file.write_text("ts,word,number,desk\n")
        self.database = sqlite3.connect(folder / "theirs.db", check_same_thread=False, isolation_level=None)
        self.database.execute("CREATE TABLE log (id INTEGER PRIMARY KEY, ts INTEGER, word TEXT, number INTEGER)")
        self.feed = FeedProcess(folder, self.broker.port, register=REGISTER)
        hook = f"http://127.0.0.1:{self.feed.port}"
        self.feed.config.write_text(
            self.feed.config.read_text()
            + TABLES.format(qsystem=self.qsystem.port, connector=self.connector.url, hook=hook, file=self.file)
        )
        self.pads = {desk: PadEar(self.broker.port, desk) for desk in DESKS}
        self.collector = CollectorEar(self.broker.port)

    def end(self) -> None:
        ears: list[Ear] = [*self.pads.values(), self.collector]
        for ear in ears:
            ear.close()
        self.feed.stop(signal.SIGKILL)
        self.broker.stop()
        self.qsystem.close()
        self.connector.close()
        self.database.close()

    def armed(self, desk: str) -> list[str]:
        """Ids of the calls that a desk's pad was told of, in order, each once."""
        return list(dict.fromkeys(call.call for call in self.pads[desk].calls if isinstance(call, CallOpened)))

    def open(self, desk: str) -> bool:
        return bool(self.pads[desk].calls) and isinstance(self.pads[desk].calls[-1], CallOpened)

    def theq(self, method: str = "get") -> TheQTracker:
        endpoint = f"127.0.0.1:{self.feed.port}/theq/theq/{SECRET}"
        return TheQTracker(AsyncEmitter(endpoint, protocol="http", method=method, batch_size=1))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    patch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("systems")
    secrets = {"theq": SECRET, "qm": SECRET, "table": f"sqlite:///{folder}/theirs.db"}
    patch.setenv("ZRAZKOVO_FEED_SOURCE_SECRETS", json.dumps(secrets))
    office = Office(folder)
    office.feed.start()
    until(lambda: office.feed.health()["broker"]["connected"], "the broker")
    until(lambda: all(each["up"] for each in office.feed.health()["sources"].values()), "every source up")
    yield office
    office.end()
    patch.undo()


def qsystem(office: Office, ends: bool) -> None:
    if ends:
        office.qsystem.end(4, "FINISH")
    else:
        office.qsystem.invite(4, Client(now() - 60_000, "А", 17, 3))


def theq_by_get(office: Office, ends: bool) -> None:
    office.theq().tell("finish" if ends else "invitecitizen", 500)


def theq_by_post(office: Office, ends: bool) -> None:
    office.theq("post").tell("finish" if ends else "servecitizen", 501)


def qmatic(office: Office, ends: bool) -> None:
    office.connector.publish(orchestra("VISIT_END" if ends else "VISIT_CALL", now()))


def database(office: Office, ends: bool) -> None:
    office.database.execute("INSERT INTO log (ts, word, number) VALUES (?, ?, 1)", (now(), "END" if ends else "CALL"))


def file(office: Office, ends: bool) -> None:
    with office.file.open("a") as log:
        log.write(f"{now()},{'END' if ends else 'CALL'},А17,1\n")


SYSTEMS = [
    ("qs-1", qsystem),
    ("theq-1", theq_by_get),
    ("theq-1", theq_by_post),
    ("qm-1", qmatic),
    ("sql-1", database),
    ("csv-1", file),
]


@pytest.mark.parametrize(("desk", "happens"), SYSTEMS)
def test_a_call_reaches_its_own_desk_and_its_end_too(
    office: Office, desk: str, happens: Callable[[Office, bool], None]
) -> None:
    before = {each: office.armed(each) for each in DESKS}
    happens(office, False)
    until(lambda: len(office.armed(desk)) == len(before[desk]) + 1 and office.open(desk), f"a call at {desk}")
    call = office.armed(desk)[-1]
    happens(office, True)
    until(lambda: not office.open(desk), f"its end at {desk}")
    last = office.pads[desk].calls[-1]
    assert isinstance(last, CallClosed) and last.call == call
    assert {each: office.armed(each) for each in DESKS if each != desk} == {
        each: calls for each, calls in before.items() if each != desk
    }
    until(
        lambda: [fact.type for fact in office.collector.events if fact.call == call][-1:] == ["finished"], "its facts"
    )
    assert abs(now() - next(fact for fact in office.collector.events if fact.call == call).occurred_unix_ms) < 60_000


def test_a_feed_killed_in_the_middle_arms_nobody_twice_and_hears_what_happened_meanwhile(office: Office) -> None:
    at_once = [("qs-1", qsystem), ("theq-1", theq_by_get), ("qm-1", qmatic), ("sql-1", database), ("csv-1", file)]
    for desk, happens in at_once:
        happens(office, False)
        until(lambda desk=desk: office.open(desk), f"a call at {desk}")  # type: ignore[misc]
    armed = {desk: office.armed(desk) for desk in DESKS}
    office.feed.stop(signal.SIGKILL)
    polled = ("qs-1", "sql-1", "csv-1")  # these can be asked afterwards; what calls us then is lost
    for desk, happens in at_once:
        if desk in polled:
            happens(office, True)
    office.feed.start()
    for desk in polled:
        until(lambda desk=desk: not office.open(desk), f"the end at {desk}")  # type: ignore[misc]
    until(lambda: all(each["up"] for each in office.feed.health()["sources"].values()), "every source up")
    for desk, happens in at_once:
        if desk not in polled:
            assert office.open(desk)
            happens(office, True)
            until(lambda desk=desk: not office.open(desk), f"the end at {desk}")  # type: ignore[misc]
    assert {desk: office.armed(desk) for desk in DESKS} == armed


def test_health_tells_each_system_and_garbage_is_counted(office: Office) -> None:
    said = office.feed.health()["sources"]
    assert {each: said[each]["kind"] for each in said} == {
        "qs": "qsystem", "theq": "theq", "qm": "qmatic", "table": "sql", "file": "csv",
    }  # fmt: skip
    before = said["qm"]["unreadable"], said["file"]["unreadable"]
    until(lambda: office.connector.hooks, "a hook")
    office.connector.publish(b"{}")
    with office.file.open("a") as log:
        log.write("garbage\n")
    until(lambda: office.feed.health()["sources"]["file"]["unreadable"] == before[1] + 1, "a row counted")
    assert office.feed.health()["sources"]["qm"]["unreadable"] == before[0] + 1


def test_no_log_line_names_a_ticket_a_person_or_a_secret(office: Office) -> None:
    said = "".join(office.feed.log)
    for private in (SECRET, "А17", "Операторович", "пароль", "idir-of-somebody", "theirs.db"):
        assert private not in said


def test_theq_tells_its_events_by_https_as_it_insists_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TheQ's own tracker, 0.9.1, knows no plain HTTP. Here it believes the office's authority, and no broker is up."""
    authority = Authority(tmp_path / "authority")
    authority.init("Office")
    certificate = authority.server(["127.0.0.1"])
    tables = TABLES[TABLES.index("[[theq]]") : TABLES.index("[[qmatic]]")].format()
    https = f'listen_certificate = "{certificate}"\nlisten_key = "{certificate.with_suffix(".key")}"\n'
    feed = FeedProcess(tmp_path, choose_lasting(), register=REGISTER, tables=https + tables)
    monkeypatch.setenv("ZRAZKOVO_FEED_SOURCE_SECRETS", json.dumps({"theq": SECRET}))
    session = requests.Session()
    session.trust_env = False
    session.verify = str(tmp_path / "authority" / "ca.pem")

    def waiting() -> int:
        health = session.get(f"https://127.0.0.1:{feed.port}/v1/health", timeout=10).json()
        return int(health["outbox"]["centre"])

    feed.start()
    try:
        endpoint = f"127.0.0.1:{feed.port}/theq/theq/{SECRET}"
        emitter = AsyncEmitter(endpoint, protocol="https", method="get", batch_size=1, session=session)
        TheQTracker(emitter).tell("servecitizen", 900)
        until(lambda: waiting() == 1, "the fact that waits for a collector")
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.get(f"http://127.0.0.1:{feed.port}/v1/health", timeout=10)
    finally:
        feed.stop(signal.SIGKILL)
