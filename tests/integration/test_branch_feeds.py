"""Feeds that may reach one branch only, at a real Mosquitto: the table of protocol/access.py as its access list."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol import codec, topics
from protocol.messages import Ack, CallOpened, Message
from tests.integration.collector_process import call_id, event
from tests.integration.fleet_process import Player
from tests.integration.mosquitto import GuardedMosquitto
from tests.integration.pad_process import DEADLINE_S

BRANCHES = {"centre": ("centre-1", "centre-2"), "zamostia": ("zamostia-1",)}
FEEDS = ("feed-centre", "feed-zamostia")
OPEN = CallOpened(call_id(1), 1_795_341_600_000, 1_795_341_700_000)
DESKS = tuple(desk for desks in BRANCHES.values() for desk in desks)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[GuardedMosquitto]:
    users = ("collector", "feed", "it", *FEEDS, *DESKS)
    broker = GuardedMosquitto(tmp_path / "broker", users, branches=BRANCHES).start()
    yield broker
    broker.stop()


@pytest.fixture
def everywhere(broker: GuardedMosquitto) -> Iterator[list[Player]]:
    """Every pad with its ears open, the collector, and IT."""
    players = [Player(broker, desk, topics.desk(desk, "call")) for desk in DESKS]
    players.append(Player(broker, "collector", topics.every_queue("event")))
    players.append(Player(broker, "it", topics.every_desk("call")))
    yield players
    for player in players:
        player.leave()


def heard(players: list[Player]) -> set[str]:
    return {topic for player in players for topic, _ in player.heard}


@pytest.mark.parametrize("user", ["feed", *FEEDS])
def test_a_feed_reaches_the_desks_and_the_queue_that_are_its_own(
    user: str, broker: GuardedMosquitto, everywhere: list[Player]
) -> None:
    feed = Player(broker, user, *(topics.queue(branch, "ack") for branch in BRANCHES))
    said: dict[str, Message] = {}
    for branch, desks in BRANCHES.items():
        said |= {topics.desk(desk, "call"): OPEN for desk in desks}
        said[topics.queue(branch, "event")] = event(1, desk=desks[0], seq=1)
    own = "centre" if user == "feed" else user.removeprefix("feed-")
    last = topics.queue(own, "event")  # one connection keeps its order: after this one nothing more comes
    for topic in sorted(said, key=lambda topic: topic == last):
        feed.tell(topic, said[topic], retain=False)
    allowed = set(said) if user == "feed" else {topics.desk(desk, "call") for desk in BRANCHES[own]} | {last}
    deadline = time.monotonic() + DEADLINE_S
    while not allowed <= heard(everywhere):
        assert time.monotonic() < deadline, heard(everywhere)
        time.sleep(0.01)
    assert heard(everywhere) == allowed
    feed.leave()


def test_a_feed_hears_the_acks_of_its_own_queue_only(broker: GuardedMosquitto) -> None:
    feed = Player(broker, "feed-zamostia", topics.every_queue("ack"))
    collector = broker.client("collector", "collector")
    collector.loop_start()
    for branch in BRANCHES:
        payload = codec.encode(Ack("0badcafe", 1, 1_795_341_600_000))
        collector.publish(topics.queue(branch, "ack"), payload, 1).wait_for_publish(DEADLINE_S)
    deadline = time.monotonic() + DEADLINE_S
    while not feed.heard:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert [topic for topic, _ in feed.heard] == [topics.queue("zamostia", "ack")]
    collector.disconnect()
    collector.loop_stop()
    feed.leave()
