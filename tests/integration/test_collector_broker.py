"""The collector process at a real Mosquitto: what is acknowledged is committed, and nothing is lost or doubled."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.store import Store
from protocol import codec, topics
from protocol.messages import PadStatus
from tests.integration.collector_process import (
    NOON_DAY,
    CollectorProcess,
    Wire,
    call_id,
    event,
    vote,
)
from tests.integration.mosquitto import GuardedMosquitto
from tests.starved import took_to_end_s

DESKS = ("centre-01", "centre-02")
USERS = ("collector", "feed", "it", *DESKS, "stranger")
FEED_JOURNAL, PAD_JOURNAL = "0badcafe", "11111111"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[GuardedMosquitto]:
    # No limit of size here: what a careless broker lets through must not harm the collector either.
    broker = GuardedMosquitto(tmp_path / "broker", USERS, options="message_size_limit 0\n").start()
    yield broker
    broker.stop()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'zrazkovo.db'}"


@pytest.fixture
def process(broker: GuardedMosquitto, url: str, tmp_path: Path) -> Iterator[CollectorProcess]:
    process = CollectorProcess(tmp_path, broker.port, url, DESKS).start()
    yield process
    process.kill()


@pytest.fixture
def feed(broker: GuardedMosquitto, process: CollectorProcess) -> Iterator[Wire]:
    feed = Wire.of_feed(broker)
    yield feed
    feed.close()


@pytest.fixture
def pad(broker: GuardedMosquitto, process: CollectorProcess) -> Iterator[Wire]:
    pad = Wire.of_pad(broker, DESKS[0])
    yield pad
    pad.close()


def figures(url: str) -> tuple[int, int, int, int, int]:
    with Store.open(url) as store:
        assert store.recount() == []
        rows = store.rollups("branch", NOON_DAY, NOON_DAY)
    if not rows:
        return (0, 0, 0, 0, 0)
    (row,) = rows
    return (row.calls, row.eligible, row.bad, row.good, row.exemplary)


@pytest.mark.parametrize("vote_first", [False, True])
def test_vote_and_event_are_joined_in_either_order(feed: Wire, pad: Wire, url: str, vote_first: bool) -> None:
    def call() -> None:
        feed.event(event(1, desk=DESKS[0], seq=1))
        feed.wait_for_ack(1, FEED_JOURNAL)

    def press() -> None:
        pad.vote(DESKS[0], vote(1, 3, seq=1))
        pad.wait_for_ack(1, PAD_JOURNAL)

    for step in (press, call) if vote_first else (call, press):
        step()
    assert figures(url) == (1, 1, 0, 0, 1)


def test_a_receipt_stays_at_the_broker_for_a_pad_that_was_away(
    broker: GuardedMosquitto, feed: Wire, pad: Wire, url: str
) -> None:
    pad.vote(DESKS[0], vote(1, 2, seq=7))
    pad.wait_for_ack(7, PAD_JOURNAL)
    later = Wire.of_pad(broker, DESKS[0])
    later.wait_for_ack(7, PAD_JOURNAL)
    later.close()


def test_the_same_vote_again_gets_the_same_receipt_and_changes_nothing(feed: Wire, pad: Wire, url: str) -> None:
    feed.event(event(1, desk=DESKS[0], seq=1))
    for _ in range(3):
        pad.acks.clear()
        pad.vote(DESKS[0], vote(1, 1, seq=1))
        pad.wait_for_ack(1, PAD_JOURNAL)
    feed.wait_for_ack(1, FEED_JOURNAL)
    assert figures(url) == (1, 1, 1, 0, 0)


def test_nothing_is_lost_or_doubled_when_the_collector_is_killed_again_and_again(
    process: CollectorProcess, feed: Wire, pad: Wire, url: str
) -> None:
    """Feed and pad send everything twice over while the collector dies in between, then until the last receipt."""
    total = 60
    for number in range(1, total + 1):
        feed.event(event(number, desk=DESKS[0], seq=number))
        pad.vote(DESKS[0], vote(number, number % 3 + 1, seq=number))
        if number % 20 == 0:
            process.kill()
            pad.vote(DESKS[0], vote(number, number % 3 + 1, seq=number))
            process.start()
    feed.wait_for_ack(total, FEED_JOURNAL)
    pad.wait_for_ack(total, PAD_JOURNAL)
    assert figures(url) == (60, 60, 20, 20, 20)
    with Store.open(url) as store:
        assert store.counts()["kept"] == {}


def test_nothing_is_acknowledged_before_it_is_committed(
    process: CollectorProcess, feed: Wire, pad: Wire, url: str
) -> None:
    """Another writer holds the database, so the collector cannot commit; killed then, it gets the vote again."""
    feed.event(event(1, desk=DESKS[0], seq=1))
    feed.wait_for_ack(1, FEED_JOURNAL)
    holder = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    pad.vote(DESKS[0], vote(1, 3, seq=1))
    assert not pad.hears_within(0.5)
    process.kill()
    holder.execute("ROLLBACK")
    holder.close()
    assert figures(url) == (1, 1, 0, 0, 0)
    process.start()
    pad.wait_for_ack(1, PAD_JOURNAL)
    assert figures(url) == (1, 1, 0, 0, 1)


def test_a_database_that_does_not_answer_is_waited_for(
    process: CollectorProcess, feed: Wire, pad: Wire, url: str
) -> None:
    holder = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    pad.vote(DESKS[0], vote(1, 3, seq=1))
    feed.event(event(1, desk=DESKS[0], seq=1))
    process.wait_for(lambda: "nothing is acknowledged" in process.says)
    holder.execute("ROLLBACK")
    holder.close()
    pad.wait_for_ack(1, PAD_JOURNAL)
    feed.wait_for_ack(1, FEED_JOURNAL)
    assert figures(url) == (1, 1, 0, 0, 1)


def test_a_restart_of_the_broker_is_survived(broker: GuardedMosquitto, process: CollectorProcess, url: str) -> None:
    broker.stop()
    process.wait_for(lambda: "connecting again" in process.says)
    broker.start()
    process.wait_for(lambda: "connected again" in process.says)
    feed, pad = Wire.of_feed(broker), Wire.of_pad(broker, DESKS[0])
    feed.event(event(1, desk=DESKS[0], seq=1))
    pad.vote(DESKS[0], vote(1, 2, seq=1))
    feed.wait_for_ack(1, FEED_JOURNAL)
    pad.wait_for_ack(1, PAD_JOURNAL)
    feed.close()
    pad.close()
    assert figures(url) == (1, 1, 0, 1, 0)


def test_what_arrives_while_the_collector_is_away_is_kept_by_the_broker(
    broker: GuardedMosquitto, process: CollectorProcess, feed: Wire, pad: Wire, url: str
) -> None:
    assert process.stop() == 0
    feed.event(event(1, desk=DESKS[0], seq=1))
    pad.vote(DESKS[0], vote(1, 2, seq=1))
    process.start()
    feed.wait_for_ack(1, FEED_JOURNAL)
    pad.wait_for_ack(1, PAD_JOURNAL)
    assert figures(url) == (1, 1, 0, 1, 0)


GOOD_VOTE = json.loads(codec.encode(vote(1, 3, seq=1)))


def changed(**fields: object) -> bytes:
    return json.dumps(GOOD_VOTE | fields).encode()


BAD_VOTES = {
    "empty": b"",
    "truncated": codec.encode(vote(1, 3, seq=1))[:-9],
    "huge": b"[" + b"1," * 500_000 + b"1]",
    "not JSON": b"\x00\x01\x02",
    "not UTF-8": b'{"v": 1, "call": "\xff\xfe"}',
    "deeply nested": b"[" * 120 + b"]" * 120,
    "another version": changed(v=2),
    "no version": json.dumps({key: value for key, value in GOOD_VOTE.items() if key != "v"}).encode(),
    "list": b"[1, 2, 3]",
    "rating 0": changed(rating=0),
    "rating 4": changed(rating=4),
    "rating true": changed(rating=True),
    "rating as text": changed(rating="3"),
    "rating 3.0": changed(rating=3.0),
    "call with a slash": changed(call="01kb3x9c0000000/"),
    "call with a plus": changed(call="+" * 16),
    "call with a hash": changed(call="#" * 16),
    "call with a NUL": changed(call="\0" * 16),
    "call of 10,000 characters": changed(call="0" * 10_000),
    "negative duration": changed(after_ms=-1),
    "infinite number": codec.encode(vote(1, 3, seq=1)).replace(b"2500", b"1e999"),
    "number of 5,000 digits": codec.encode(vote(1, 3, seq=1)).replace(b"2500", b"9" * 5000),
    "unknown key": changed(ticket="A1"),
}


def test_bad_messages_are_kept_with_their_reason_and_disturb_nothing(
    broker: GuardedMosquitto, process: CollectorProcess, feed: Wire, pad: Wire, url: str
) -> None:
    feed.event(event(1, desk=DESKS[0], seq=1))
    for payload in BAD_VOTES.values():
        pad.send(topics.desk(DESKS[0], "vote"), payload)
    last_century = json.loads(codec.encode(event(2, desk=DESKS[0], seq=2))) | {"called_unix_ms": 915148799000}
    feed.send(topics.queue("centre", "event"), json.dumps(last_century).encode())
    stranger = Wire.of_pad(broker, "stranger")
    stranger.vote("stranger", vote(1, 1, seq=1, journal="22222222"))
    stranger.close()
    pad.vote(DESKS[0], vote(1, 3, seq=1))
    pad.wait_for_ack(1, PAD_JOURNAL)
    assert figures(url) == (1, 1, 0, 0, 1)
    with Store.open(url) as store:
        kept = store.counts()["kept"]
    versions = {"another version"}
    # What only differs in the bytes beyond those kept is still another thing: every one of them is there.
    assert kept == {"malformed": len(BAD_VOTES) - len(versions) + 1, "version": 1, "unknown_desk": 1}


def test_the_state_of_a_pad_and_the_will_that_outlived_it(process: CollectorProcess, pad: Wire, url: str) -> None:
    def status(state: str, boot: int) -> PadStatus:
        return PadStatus(state, "dark", None, PAD_JOURNAL, boot, "0.1.0", "power", "ok", "ok", "ok")

    def state() -> str | None:
        with Store.open(url) as store:
            return next(row.state for row in store.pads() if row.desk == DESKS[0])

    def said(message: PadStatus) -> None:
        pad.send(topics.desk(DESKS[0], "status"), codec.encode(message), retain=True)

    said(status("online", 5))
    process.wait_for(lambda: state() == "online")
    said(status("online", 6))
    said(status("offline", 5))  # the will of the connection that the restart cut
    pad.vote(DESKS[0], vote(1, 3, seq=1))
    pad.wait_for_ack(1, PAD_JOURNAL)
    assert state() == "online"
    said(status("offline", 6))
    process.wait_for(lambda: state() == "offline")


def test_a_collector_that_the_broker_does_not_know_says_so(
    broker: GuardedMosquitto, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = GuardedMosquitto(tmp_path / "other", ("feed", "it")).start()
    process = CollectorProcess(tmp_path, other.port, url, DESKS)
    process.start_only()
    process.wait_for(lambda: "refuses the connection" in process.says)
    assert process.stop() == 0
    assert "secret-of" not in process.says
    other.stop()


def test_it_ends_quickly_while_it_waits_for_a_broker(url: str, tmp_path: Path, broker: GuardedMosquitto) -> None:
    broker.stop()
    process = CollectorProcess(tmp_path, broker.port, url, DESKS)
    process.start_only()
    process.wait_for(lambda: "cannot be reached" in process.says)
    assert process.process
    assert took_to_end_s(process.process) < 5
    assert process.stop() == 0


def test_call_ids_of_the_tests_are_legal_and_rise() -> None:
    ids = [call_id(number) for number in (0, 1, 31, 32, 33, 1024, 99_999)]
    assert ids == sorted(ids) and len(set(ids)) == len(ids)


def test_a_queue_longer_than_a_batch_may_come_before_the_answer_to_the_subscription(url: str, tmp_path: Path) -> None:
    """Seen with a raised window: the broker first sends all that it kept, and only then grants the subscription."""
    broker = GuardedMosquitto(
        tmp_path / "wide", USERS, options="max_inflight_messages 0\nmax_queued_messages 0\n"
    ).start()
    process = CollectorProcess(tmp_path, broker.port, url, DESKS).start()
    assert process.stop() == 0
    feed, total = Wire.of_feed(broker), 1300
    for number in range(1, total + 1):
        feed.start_sending(topics.queue("centre", "event"), codec.encode(event(number, desk=DESKS[0], seq=number)))
    feed.finish_sending()
    process.start()
    feed.wait_for_ack(total, FEED_JOURNAL)
    assert figures(url)[0] == total
    feed.close()
    process.kill()
    broker.stop()


def test_one_message_that_the_database_chokes_on_spoils_no_other(
    process: CollectorProcess, feed: Wire, pad: Wire, url: str
) -> None:
    """A trigger plays the fault: what it hits gets no receipt and stays with its pad, the rest goes on."""
    database = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    database.execute(
        "CREATE TRIGGER choke BEFORE INSERT ON vote"
        f" WHEN NEW.call = '{call_id(2)}' BEGIN SELECT RAISE(ABORT, 'choked'); END"
    )
    for number in (1, 2, 3):
        feed.event(event(number, desk=DESKS[0], seq=number))
        pad.vote(DESKS[0], vote(number, 3, seq=number))
    pad.wait_for_ack(3, PAD_JOURNAL)
    feed.wait_for_ack(3, FEED_JOURNAL)
    assert {ack.seq for ack in pad.acks} <= {1, 3}
    assert figures(url) == (3, 3, 0, 0, 2)
    assert "choked" in process.says and call_id(2) not in process.says
    database.execute("DROP TRIGGER choke")
    database.close()
    pad.vote(DESKS[0], vote(2, 3, seq=2))
    pad.wait_for_ack(2, PAD_JOURNAL)
    assert figures(url) == (3, 3, 0, 0, 3)
