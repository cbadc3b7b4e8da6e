"""The collector dies between every two statements of a batch and every two packets after it, and nothing is amiss.

The places are found by running, not written down here: a new statement gets its own. After each death the same program
goes on with what the broker and the writers still have; only what a real writer would send again is sent again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from collector.store import Store
from collector.store.engine import make_engine
from protocol import codec, topics
from protocol.messages import Ack, Health, PadStatus, QueueEvent, Vote
from tests.integration.collector_process import NOON_DAY, Wire, event, register_file, vote
from tests.integration.dying import NEVER, Dying, until
from tests.integration.mosquitto import GuardedMosquitto

FIRST, SECOND = DESKS = ("centre-01", "centre-02")
FEED_JOURNAL, JOURNALS = "0badcafe", {FIRST: "11111111", SECOND: "22222222"}
CALLS_A_ROUND = 8


class Office:
    """A broker, a collector that dies, and writers who repeat what has no receipt."""

    def __init__(self, folder: Path, url: str):
        self.broker = GuardedMosquitto(
            folder / "broker",
            ("collector", "feed", "it", *DESKS),
            options="max_inflight_messages 1000\nset_tcp_nodelay true\n",
        ).start()
        config = folder / "collector.toml"
        config.write_text(
            f'database_url = "{url}"\nbroker_port = {self.broker.port}\n'
            f'register_file = "{register_file(folder, DESKS)}"\n'
        )
        config.chmod(0o600)  # PostgreSQL's URL holds a password
        self.collector = Dying(
            folder / "dying",
            "collector",
            ("--config", str(config)),
            {"ZRAZKOVO_COLLECTOR_BROKER_PASSWORD": self.broker.password("collector")},
        )
        self.feed = Wire.of_feed(self.broker)
        self.pads = {desk: Wire.of_pad(self.broker, desk) for desk in DESKS}
        self.store = Store.open(url)
        self.engine = make_engine(url)
        self.seq = 0
        self.events: list[QueueEvent] = []
        self.votes: list[tuple[str, Vote]] = []

    def end(self) -> None:
        self.collector.end()
        for wire in (self.feed, *self.pads.values()):
            wire.close()
        self.store.close()
        self.engine.dispose()
        self.broker.stop()

    # ---- the writers
    def say(self, number: int, kind: str = "called", *, desk: str = FIRST) -> None:
        self.seq += 1
        said = event(number, kind, desk=desk, seq=self.seq)
        self.events.append(said)
        self.feed.event(said)

    def press(self, number: int, rating: int, *, desk: str = FIRST) -> None:
        self.seq += 1
        pressed = vote(number, rating, seq=self.seq, journal=JOURNALS[desk])
        self.votes.append((desk, pressed))
        self.pads[desk].vote(desk, pressed)

    def receipted(self) -> bool:
        """Whether each writer has the receipt for its last word; a receipt for what is not there is an error."""
        return not self.unreceipted()

    def unreceipted(self) -> list[tuple[str, QueueEvent | Vote]]:
        """The writers' last words that have no receipt yet."""
        last: dict[str, QueueEvent | Vote] = {"feed": self.events[-1]} if self.events else {}
        last |= dict(self.votes)
        heard = {"feed": self.feed} | self.pads
        return [
            (writer, word)
            for writer, word in last.items()
            if not any((ack.journal, ack.seq) == (word.journal, word.seq) for ack in list(heard[writer].acks))
        ]

    def send_again(self) -> None:
        for writer, word in self.unreceipted():
            if isinstance(word, Vote):
                self.pads[writer].vote(writer, word)
            else:
                self.feed.event(word)

    # ---- what must hold
    def receipts_are_for_what_is_committed(self) -> None:
        heard: list[Ack] = [ack for wire in (self.feed, *self.pads.values()) for ack in list(wire.acks)]
        highest = {
            journal: max((ack.seq for ack in heard if ack.journal == journal), default=0)
            for journal in (FEED_JOURNAL, *JOURNALS.values())
        }
        calls, votes = self.rows("SELECT id, dims_seq, end_seq FROM call"), self.rows("SELECT call, desk FROM vote")
        numbers = {call: max(dims_seq, end_seq or 0) for call, dims_seq, end_seq in calls}
        for said in self.events:
            assert said.seq > highest[FEED_JOURNAL] or numbers.get(said.call, 0) >= said.seq, said.seq
        for desk, pressed in self.votes:
            assert pressed.seq > highest[JOURNALS[desk]] or (pressed.call, desk) in votes, pressed.seq

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(question))]

    def everything_is_there_once(self) -> None:
        assert self.store.recount() == []
        first = {(pressed.call, desk): pressed for desk, pressed in reversed(self.votes)}
        votes, calls = self.rows("SELECT call, desk, rating, journal, seq FROM vote"), self.rows("SELECT id FROM call")
        assert sorted(votes) == sorted((v.call, desk, v.rating, v.journal, v.seq) for (_, desk), v in first.items())
        assert sorted(row[0] for row in calls) == sorted({str(said.call) for said in self.events})
        counts = self.store.counts()
        repeats = len(self.votes) - len(first)
        assert counts["kept"] == {"repeat": repeats}
        called = {said.call for said in self.events}
        assert counts["waiting"] == sum(call not in called for call, _ in first)
        (row,) = self.store.rollups("branch", NOON_DAY, NOON_DAY)
        assert (row.calls, row.bad + row.good + row.exemplary) == (len(called), len(first) - counts["waiting"])


@pytest.fixture
def office(tmp_path: Path, any_database: str) -> Iterator[Office]:
    office = Office(tmp_path, any_database)
    yield office
    office.end()


def test_the_collector_may_die_between_any_two_statements_and_packets(office: Office) -> None:
    died_at: list[str] = []
    passed: list[str] = []
    for place in range(NEVER):
        office.collector.start(lambda says: "ready" in says)
        if died_at:
            comes_back(office, passed)
        one_round(office, place)
        until(lambda: office.collector.dead or office.receipted(), lambda: office.collector.says)
        office.receipts_are_for_what_is_committed()
        if not office.collector.dead:
            break
        passed = office.collector.places
        died_at.append(passed[-1])
    until(office.receipted, office.unreceipted)
    office.everything_is_there_once()
    assert_every_kind_of_place_was_met(died_at)


def one_round(office: Office, place: int) -> None:
    """One batch with everything that the ledger has a statement for; what must be known before it comes before it."""
    base = place * CALLS_A_ROUND
    office.press(base + 3, 2)
    office.say(base + 4)
    until(office.receipted, office.unreceipted)
    office.collector.pause()
    office.collector.arm(place)
    say_of_oneself(office, place)
    office.say(base + 1)
    office.press(base + 1, 3)
    office.press(base + 1, 1)
    office.press(base + 5, 1)
    office.say(base + 2, desk=SECOND)
    office.press(base + 2, 2, desk=SECOND)
    office.say(base + 3)
    office.say(base + 4, "finished")
    office.collector.go_on()


def say_of_oneself(office: Office, place: int) -> None:
    status = PadStatus("online", "dark", None, JOURNALS[FIRST], place, "0.1.0", "power", "ok", "ok", "ok")
    health = Health(place, 90_000, 70_000, -61, 12, 0, 5, 2, 1, 0, 3, 0)
    office.pads[FIRST].send(topics.desk(FIRST, "status"), codec.encode(status), retain=True)
    office.pads[FIRST].send(topics.desk(FIRST, "health"), codec.encode(health))


def comes_back(office: Office, passed: list[str]) -> None:
    """Before the commit is through the broker still has it all; after it the writers repeat what has no receipt."""
    if any("packet" in each or "after" in each for each in passed):
        office.send_again()
    until(office.receipted, lambda: (passed, office.unreceipted(), office.collector.says))


def assert_every_kind_of_place_was_met(died_at: list[str]) -> None:
    met = " ".join(died_at).replace('"', "")
    for table in ("call", "vote", "waiting", "kept", "rollup_day", "pad", "pad_health"):
        assert f"INSERT INTO {table} " in met, f"the round writes nothing into {table}: {died_at}"
    assert "DELETE FROM waiting" in met
    assert died_at.count("after COMMIT") >= 1 and "COMMIT" in died_at
    assert died_at.count("packet 4") >= 8 and died_at.count("packet 3") >= 3, died_at
