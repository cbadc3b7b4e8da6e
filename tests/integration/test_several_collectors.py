"""Several equal collectors at one PostgreSQL: who takes what is chance, and what comes of it is always the same."""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from collector.errors import SettingsError
from collector.model import KNOWN, REPEAT, TAKEN, WAITING
from collector.register import read_register
from collector.settings import load_settings
from collector.store import Arrival, Store
from protocol import codec, topics
from protocol.access import COLLECTORS
from protocol.messages import QueueEvent, Vote
from tests.integration.collector_process import (
    NOON_DAY,
    NOON_UNIX_MS,
    CollectorProcess,
    Wire,
    event,
    register_file,
    vote,
)
from tests.integration.mosquitto import DEADLINE_S, GuardedMosquitto
from tests.integration.postgres import Postgres

DESKS = tuple(f"centre-{number:02}" for number in range(1, 7))
MEMBERS = COLLECTORS[:3]
CALLS_A_DESK = 12


@pytest.fixture
def url(cluster: Postgres) -> str:
    return cluster.url()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[GuardedMosquitto]:
    users = (*MEMBERS, "feed", "it", *DESKS)
    broker = GuardedMosquitto(tmp_path / "broker", users, options="set_tcp_nodelay true\n").start()
    yield broker
    broker.stop()


@pytest.fixture
def group(tmp_path: Path, broker: GuardedMosquitto, url: str) -> Iterator[list[CollectorProcess]]:
    group = [CollectorProcess(tmp_path / name, broker.port, url, DESKS, member=name) for name in MEMBERS]
    for each in group:
        each.start_only()
    for each in group:
        each.wait_for(lambda each=each: "ready" in each.says)  # type: ignore[misc]
    yield group
    for each in group:
        each.kill()


class Writer(threading.Thread):
    """A pad or a feed: the next word goes out when the one before has its receipt, and each again until it has.

    The last sixth of its words waits for ``go_on``.
    """

    AGAIN_S = 0.3

    def __init__(self, wire: Wire, topic: str, words: list[Vote] | list[QueueEvent], go_on: threading.Event):
        super().__init__(daemon=True)
        self.wire, self._topic, self._words, self._go_on = wire, topic, words, go_on
        self.written = 0

    def run(self) -> None:
        for place, word in enumerate(self._words):
            if place >= len(self._words) * 5 // 6:
                self._go_on.wait()
            self.wire.start_sending(self._topic, codec.encode(word))
            while not self.wire.has_ack(word.seq, word.journal, self.AGAIN_S):
                self.wire.start_sending(self._topic, codec.encode(word))
            self.written += 1


def writers(broker: GuardedMosquitto, go_on: threading.Event) -> list[Writer]:
    """A feed that opens every call, and a pad at each desk that votes in it, at its own pace: often before the call."""
    calls = [event(n, desk=DESKS[n % len(DESKS)], seq=n + 1) for n in range(CALLS_A_DESK * len(DESKS))]
    made = [Writer(Wire.of_feed(broker), topics.queue("centre", "event"), calls, go_on)]
    for place, desk in enumerate(DESKS):
        numbers = range(place, CALLS_A_DESK * len(DESKS), len(DESKS))
        votes = [vote(n, n % 3 + 1, seq=n + 1, journal=f"{place:08}") for n in numbers]
        made.append(Writer(Wire.of_pad(broker, desk), topics.desk(desk, "vote"), votes, go_on))
    return made


def test_what_a_killed_collector_had_is_taken_over_and_nothing_is_lost_or_doubled(
    broker: GuardedMosquitto, group: list[CollectorProcess], url: str
) -> None:
    everybody_is_back = threading.Event()
    everybody = writers(broker, everybody_is_back)
    total = CALLS_A_DESK * len(DESKS)
    for each in everybody:
        each.start()
    victims, starts = random.Random(4), dict.fromkeys(group, 1)
    for quarter in (1, 2, 3):
        deadline = time.monotonic() + DEADLINE_S
        while sum(each.written for each in everybody) < quarter * total // 2:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        victim = victims.choice(group)
        victim.kill()
        if quarter < 3:
            starts[victim] += 1
            victim.start_only()
    for each in group:
        if each.process:  # one that was started again is ready again, and has its share of the rest
            each.wait_for(lambda each=each: each.says.count(" ready") == starts[each])  # type: ignore[misc]
    everybody_is_back.set()
    for each in everybody:
        each.join(DEADLINE_S)
        assert not each.is_alive()
        each.wire.close()
    alive = [each for each in group if each.process]
    assert len(alive) == 2 and [each.stop() for each in alive] == [0, 0]
    took = [int(each.says.rpartition(" messages: ")[0].split()[-1]) for each in alive]
    assert min(took) > 0, took  # each had a share
    with Store.open(url) as store:
        assert store.recount() == []
        (row,) = store.rollups("branch", NOON_DAY, NOON_DAY)
        assert (row.calls, row.bad, row.good, row.exemplary) == (total, total // 3, total // 3, total // 3)
        assert (store.counts()["kept"], store.counts()["waiting"]) == ({}, 0)


# ---- the same instant, many times
@pytest.fixture
def stores(any_database: str, tmp_path: Path) -> Iterator[list[Store]]:
    opened = [Store.open(any_database) for _ in range(3)]
    opened[0].load_register(read_register(register_file(tmp_path, DESKS)))
    yield opened
    for each in opened:
        each.close()


def test_call_vote_and_end_at_different_collectors_at_one_instant_come_out_the_same(stores: list[Store]) -> None:
    """Each round a new call; every message goes to one collector or to several, alone or with others, all at once."""
    chance = random.Random(20261124)
    rounds, repeats = 120, 0
    gate = threading.Barrier(len(stores))

    def collect(store: Store, arrivals: list[Arrival]) -> list[str]:
        gate.wait(DEADLINE_S)
        return [answer.disposition for answer in store.ingest(arrivals)] if arrivals else []

    with ThreadPoolExecutor(len(stores)) as pool:
        for number in range(rounds):
            words = said_of(number, second_press=number % 4 == 0)
            shares: list[list[Arrival]] = [[] for _ in stores]
            for word in words:
                for share in chance.sample(shares, chance.choice((1, 1, 2, 3))):
                    share.insert(chance.randint(0, len(share)), word)
            answers = list(pool.map(collect, stores, shares))
            said = [each for answer in answers for each in answer]
            assert set(said) <= {TAKEN, WAITING, KNOWN, REPEAT}, said
            repeats += number % 4 == 0
    (row,) = stores[0].rollups("branch", NOON_DAY, NOON_DAY)
    assert (row.calls, row.bad + row.good + row.exemplary) == (rounds, rounds)
    counts = stores[0].counts()
    assert (counts["kept"], counts["waiting"]) == ({"repeat": repeats}, 0)
    assert stores[0].recount() == []


def said_of(number: int, *, second_press: bool) -> list[Arrival]:
    desk = DESKS[number % len(DESKS)]
    queue, pad = topics.queue("centre", "event"), topics.desk(desk, "vote")
    words = [
        (queue, codec.encode(event(number, desk=desk, seq=3 * number + 1))),
        (queue, codec.encode(event(number, "finished", desk=desk, seq=3 * number + 2, operator="op-2"))),
        (pad, codec.encode(vote(number, number % 3 + 1, seq=2 * number))),
    ]
    if second_press:
        words.append((pad, codec.encode(vote(number, 1, seq=2 * number + 1))))
    return [Arrival(topic, payload, NOON_UNIX_MS) for topic, payload in words]


def test_batches_that_touch_the_same_rows_crosswise_wait_for_each_other_and_go_through(stores: list[Store]) -> None:
    """The same 60 calls in opposite orders, by three at once: no deadlock, no error, nothing twice."""
    words = [word for number in range(60) for word in said_of(number, second_press=False)]
    gate = threading.Barrier(len(stores))

    def collect(place: int) -> None:
        mine = list(words)
        random.Random(place).shuffle(mine)
        gate.wait(DEADLINE_S)
        for start in range(0, len(mine), 20):
            stores[place].ingest(mine[start : start + 20])

    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(collect, range(len(stores))))
    (row,) = stores[0].rollups("branch", NOON_DAY, NOON_DAY)
    assert (row.calls, row.bad + row.good + row.exemplary) == (60, 60)
    assert (stores[0].counts()["kept"], stores[0].counts()["waiting"], stores[0].recount()) == ({}, 0, [])


# ---- how one gets in
def test_a_member_needs_a_name_of_its_own(tmp_path: Path) -> None:
    config = tmp_path / "collector.toml"
    config.write_text('shared_group = "collectors"\n')
    with pytest.raises(SettingsError, match="collector-1"):
        load_settings(config, {})
    config.write_text('shared_group = "collectors"\nbroker_user = "collector-2"\nclient_id = "other"\n')
    assert load_settings(config, {}).session == "collector-2"
