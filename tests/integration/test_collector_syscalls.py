"""How seldom the collector asks the kernel; and that paho still takes the socket we give it (collector/mqtt.py)."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.mqtt import Broker, Delivery
from protocol import codec, topics
from protocol.messages import Ack
from tests.integration.collector_process import NOON_UNIX_MS, vote
from tests.integration.mosquitto import DEADLINE_S, GuardedMosquitto

DESK, MESSAGES = "centre-01", 2000


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
