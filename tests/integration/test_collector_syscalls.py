"""How seldom the collector asks the kernel; and that paho still takes the socket we give it (collector/mqtt.py)."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.mqtt import RECEIPTS_UNDERWAY, Broker, Delivery
from protocol import codec, topics
from protocol.messages import Ack
from tests.integration.collector_process import NOON_UNIX_MS, Wire, vote
from tests.integration.mosquitto import DEADLINE_S, GuardedMosquitto

DESK, MESSAGES = "centre-01", 2000
JOURNALS = ("11111111", "22222222")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[GuardedMosquitto]:
    options = "max_queued_messages 0\nmax_inflight_messages 1000\n"
    broker = GuardedMosquitto(tmp_path / "broker", ("collector", "it", DESK), options=options).start()
    yield broker
    broker.stop()


def connect(broker: GuardedMosquitto) -> Broker:
    password = broker.password("collector")
    return Broker(("127.0.0.1", broker.port), user="collector", password=password, client_id="collector-1")


def take(collector: Broker, number: int) -> list[Delivery]:
    """``number`` messages, each batch acknowledged, with one receipt."""
    taken: list[Delivery] = []
    deadline = time.monotonic() + DEADLINE_S
    while len(taken) < number:
        batch = collector.receive(1.0)
        collector.confirm(batch, [(topics.desk(DESK, "ack"), Ack("11111111", len(taken), NOON_UNIX_MS))])
        taken += batch
        assert time.monotonic() < deadline, len(taken)
    return taken


def test_hundreds_of_messages_cost_a_call_of_the_kernel(broker: GuardedMosquitto) -> None:
    first = connect(broker)
    while not first.subscribed:
        first.receive(1.0)
    first.close()
    pad = broker.client(DESK)
    pad.loop_start()
    payload = codec.encode(vote(1, 3, seq=1))
    for sent in [pad.publish(topics.desk(DESK, "vote"), payload, 1) for _ in range(MESSAGES)]:
        sent.wait_for_publish(DEADLINE_S)

    collector = connect(broker)
    assert len(take(collector, MESSAGES)) == MESSAGES
    assert collector._client.buffered is collector._client.socket(), "paho has made its socket itself"
    assert collector._client.buffered.calls < MESSAGES / 10
    collector.close()

    # All of it was acknowledged: what comes now is new.
    pad.publish(topics.desk(DESK, "vote"), b"the last", 1).wait_for_publish(DEADLINE_S)
    collector = connect(broker)
    assert [each.arrival.payload for each in take(collector, 1)] == [b"the last"]
    collector.close()
    pad.disconnect()
    pad.loop_stop()


def test_receipts_that_the_broker_leaves_unconfirmed_take_no_more_memory_for_more_messages(
    broker: GuardedMosquitto,
) -> None:
    """While Mosquitto sends a backlog it confirms none of them."""
    collector, told = connect(broker), RECEIPTS_UNDERWAY * 5
    deadline = time.monotonic() + DEADLINE_S
    while not collector.subscribed:
        collector.receive(1.0)
        assert time.monotonic() < deadline
    for seq in range(1, told + 1):
        collector.confirm([], [(topics.desk(DESK, "ack"), Ack(journal, seq, NOON_UNIX_MS)) for journal in JOURNALS])
    assert len(collector._client._out_messages) == RECEIPTS_UNDERWAY
    assert len(collector._owed) == len(JOURNALS)

    heard = Wire.of_pad(broker, DESK)
    while collector._owed or collector._client._out_messages:
        collector.receive(0.1)
        assert time.monotonic() < deadline
    for journal in JOURNALS:
        heard.wait_for_ack(told, journal)
    heard.close()
    collector.close()


def test_receipts_held_back_are_told_before_a_connection_is_closed(broker: GuardedMosquitto) -> None:
    collector, heard = connect(broker), Wire.of_pad(broker, DESK)
    for seq in range(1, RECEIPTS_UNDERWAY * 2):
        collector.confirm([], [(topics.desk(DESK, "ack"), Ack(JOURNALS[0], seq, NOON_UNIX_MS))])
    assert collector._owed
    collector.close()
    heard.wait_for_ack(RECEIPTS_UNDERWAY * 2 - 1, JOURNALS[0])
    heard.close()
