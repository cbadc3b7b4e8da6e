"""A running day without network or processes: the real call machine, pads' core, join and database, joined by calls.

What a day looks like over the real wire is in test_simday_headless.py.
"""

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from collector.feed import calls
from collector.feed.model import Branch, BranchState, Event
from collector.feed.steps import desks_changed, on_desk
from collector.store import Arrival, Store
from firmware.core.journal import Journal
from firmware.core.pad import LAMPS, SAVE, Pad
from protocol import codec, topics
from protocol.messages import Ack, CallOpened, Message, QueueEvent
from sim.city import CITY, TIMEZONE, City, with_fewer_desks
from sim.day import Day
from sim.ledger import Ledger
from sim.office import register
from sim.oracle import Oracle, compare
from sim.webhook import QueueNews
from tests.starved import Stopwatch

LATENCY_S = 0.005
WITHIN_S = 90.0


class House:
    """Feed and pads in this process, each message a few milliseconds late; ``arrivals`` is the collector's post."""

    def __init__(self, city: City, oracle: Oracle):
        self.arrivals: list[Arrival] = []
        self._oracle = oracle
        far = (datetime.now(ZoneInfo(TIMEZONE)) + timedelta(hours=12)).time()  # no call may be cut off midway
        self._branches = {branch.id: Branch(branch.id, TIMEZONE, far, void_ms=3_000) for branch in city.branches}
        self._states = {branch.id: BranchState() for branch in city.branches}
        self._journals = {desk.id: Journal(bytes([n, 0, 0, 0])) for n, desk in enumerate(city.desks)}
        self._pads = {desk: Pad(journal, lambda late, early: late - early) for desk, journal in self._journals.items()}
        self._lamps = dict.fromkeys(self._pads, "000")
        self._on_the_way: deque[Callable[[], None]] = deque()
        self._seq = 0

    # ---- what the queue system sees
    def soon(self, news: QueueNews) -> None:
        self._send(lambda: self._feed(news))

    # ---- what people see
    def press(self, desk: str, button: int) -> None:
        effects = self._pads[desk].press((button,), ticks_ms())
        self._carry_out(desk, effects)

    def release(self, desk: str, button: int) -> None:
        pass

    def lamps(self, desk: str) -> str:
        return self._lamps[desk]

    # ---- what they do not see
    def _feed(self, news: QueueNews) -> None:
        event = Event(
            news.event, news.type, news.occurred_unix_ms, news.desk, news.ticket, "a0", news.operator, news.service
        )
        before = self._states[news.branch]
        step = calls.take(self._branches[news.branch], before, event)
        self._states[news.branch] = step.state
        for fact in step.facts:
            self._seq += 1
            values = {name: getattr(fact, name) for name in type(fact).__slots__}
            self._post(topics.queue(news.branch, "event"), QueueEvent(journal="00000000", seq=self._seq, **values))
        for desk in desks_changed(before, step.state):
            self._send(partial(self._tell, desk, on_desk(step.state.calls[desk])))

    def _send(self, arrive: Callable[[], None]) -> None:
        """Nothing overtakes anything on its way."""
        self._on_the_way.append(arrive)
        asyncio.get_running_loop().call_later(LATENCY_S, self._arrive)

    @property
    def is_anything_on_the_way(self) -> bool:
        return bool(self._on_the_way)

    def _arrive(self) -> None:
        self._on_the_way.popleft()()

    def _tell(self, desk: str, message: object) -> None:
        pad = self._pads[desk]
        if isinstance(message, CallOpened):
            self._carry_out(desk, pad.call_opened(message, unix_ms(), True, ticks_ms()))
        else:
            self._carry_out(desk, pad.call_closed(ticks_ms()))

    def _carry_out(self, desk: str, effects: list[tuple[str, Any]]) -> None:
        for effect, levels in effects:
            if effect == LAMPS and levels is not None:
                self._lamps[desk] = "".join(map(str, levels))
                self._oracle.lamps_changed(desk, self._lamps[desk])
            elif effect == SAVE:
                journal = self._journals[desk]
                vote = journal.oldest()
                assert vote
                self._post(topics.desk(desk, "vote"), vote)
                journal.acknowledge(Ack(vote.journal, vote.seq, unix_ms()))

    def _post(self, topic: str, message: Message) -> None:
        self.arrivals.append(Arrival(topic, codec.encode(message), unix_ms()))


def unix_ms() -> int:
    return time.time_ns() // 1_000_000


def ticks_ms() -> int:
    return time.monotonic_ns() // 1_000_000


async def live(
    city: City, *, enough: Callable[[Oracle], bool], seed: int = 7, reserved: str = ""
) -> tuple[Oracle, House]:
    """A day that ends as soon as enough has happened."""
    oracle = Oracle()
    house = House(city, oracle)
    day = Day(city, house, house, seed=seed, speed=1500.0, latency_s=0.05, reserved=[reserved], witness=oracle)
    over = asyncio.Event()
    async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(day.run(over))
        while not enough(oracle):
            await asyncio.sleep(0.05)
        over.set()
    async with asyncio.timeout(WITHIN_S):
        while house.is_anything_on_the_way:  # what was said last, and what comes of it
            await asyncio.sleep(LATENCY_S)
    return oracle, house


def everything_odd_has_happened(oracle: Oracle) -> bool:
    outcomes = Counter(call.outcome for call in oracle.calls)
    presses = [press for press in oracle.presses if not press.taken]
    return (
        outcomes.keys() >= {"finished", "next_call", "no_show", "transferred", "operator_closed"}
        and any(press.call is None for press in presses)
        and any(press.call and press.call.rating not in (0, press.button) for press in presses)
    )


def test_a_day_with_everything_odd_in_it_is_recorded_as_it_was_however_its_messages_are_mixed(tmp_path: Path) -> None:
    oracle, house = asyncio.run(live(CITY, enough=everything_odd_has_happened))
    random.Random(7).shuffle(house.arrivals)
    with Store.open(f"sqlite:///{tmp_path / 'collector.db'}") as store:
        store.load_register(register())
        for start in range(0, len(house.arrivals), 50):
            store.ingest(house.arrivals[start : start + 50])
        ledger = Ledger(tmp_path / "collector.db")
        assert compare(oracle, ledger) == []
        assert store.recount() == []
        ledger.close()
    assert oracle.votes > 10


def test_every_call_is_over_and_every_pad_dark_when_the_day_is() -> None:
    city = with_fewer_desks(CITY, 4)
    oracle, house = asyncio.run(live(city, enough=lambda oracle: len(oracle.calls) > 10))
    assert all(call.outcome for call in oracle.calls)
    assert {house.lamps(desk.id) for desk in city.desks} == {"000"}


def test_nobody_is_called_to_a_reserved_desk() -> None:
    city = with_fewer_desks(CITY, 3)
    oracle, _ = asyncio.run(live(city, enough=lambda oracle: len(oracle.calls) > 6, reserved="tsentr-01"))
    assert {call.branch for call in oracle.calls} == {"vyshenka", "zamostia"}
    assert "tsentr-01" not in {press.desk for press in oracle.presses}


def test_the_same_seed_brings_the_same_clients_with_the_same_wishes() -> None:
    city = with_fewer_desks(CITY, 1)

    def served() -> list[tuple[str, str]]:
        oracle, _ = asyncio.run(live(city, enough=lambda oracle: len(oracle.calls) > 3))
        return [(call.ticket.rsplit("/", 1)[0], call.service) for call in oracle.calls][:4]

    assert served() == served()


def test_a_cancelled_day_ends_at_once() -> None:
    async def cancelled() -> float:
        oracle = Oracle()
        house = House(CITY, oracle)
        task = asyncio.create_task(Day(CITY, house, house, seed=7, speed=1.0, witness=oracle).run(asyncio.Event()))
        await asyncio.sleep(0.1)
        watch = Stopwatch()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return watch.took_s()

    assert asyncio.run(cancelled()) < 2
