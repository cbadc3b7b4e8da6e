"""The feed as a process, beside a real Mosquitto with our access list: what pads and collector hear, whatever dies."""

import random
import signal
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.feed.calls import ENDINGS
from protocol import topics
from protocol.messages import CallClosed, CallOpened, QueueEvent
from tests.integration.feed_process import (
    DEADLINE_S,
    TOKEN,
    CollectorEar,
    Ear,
    FeedProcess,
    GuardedMosquitto,
    PadEar,
    called,
    once_each,
    until,
)


class Hall:
    """Broker, feed and ears of one test; everything is ended with it."""

    def __init__(self, folder: Path):
        self.broker = GuardedMosquitto(folder)
        self.feed = FeedProcess(folder, self.broker.port)
        self.ears: list[Ear] = []

    def pad(self, desk: str = "centre-1") -> PadEar:
        self.ears.append(ear := PadEar(self.broker.port, desk))
        return ear

    def collector(self, *, acknowledges: bool = True) -> CollectorEar:
        self.ears.append(ear := CollectorEar(self.broker.port, acknowledges=acknowledges))
        return ear

    def connected(self) -> None:
        until(lambda: self.feed.health()["broker"]["connected"], "the feed's connection")

    def end(self) -> None:
        for ear in self.ears:
            ear.close()
        self.feed.stop(signal.SIGKILL)
        self.broker.stop()


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    hall = Hall(tmp_path)
    hall.broker.start()
    yield hall
    hall.end()


def opened(pad: PadEar, times: int = 1) -> CallOpened:
    """The ``times``-th opened call that the pad hears of."""

    def found() -> list[CallOpened]:
        return [message for message in pad.calls if isinstance(message, CallOpened)][times - 1 : times]

    [call] = until(found, f"call {times}")
    assert isinstance(call, CallOpened)
    return call


def test_a_call_reaches_the_pad_with_the_collector_down_and_the_collector_when_it_comes(hall: Hall) -> None:
    hall.feed.start()
    hall.connected()
    pad = hall.pad()
    hall.feed.post(called("e1", "A1"))
    call = opened(pad)
    hall.feed.post(called("e2", "A1", kind="finished"))
    until(lambda: isinstance(pad.calls[-1], CallClosed) and pad.calls[-1].call == call.call, "the end of the call")
    collector = hall.collector()
    until(lambda: [event.type for event in once_each(collector.events)] == ["called", "finished"], "both events")
    assert {event.call for event in collector.events} == {call.call}
    assert collector.events[0].operator == "op-1"
    until(lambda: hall.feed.health()["outbox"] == {"centre": 0, "zamostia": 0}, "an empty outbox")
    assert hall.feed.health()["status"] == "ok"


def test_a_pad_hears_its_own_desk_only_and_the_call_is_retained(hall: Hall) -> None:
    hall.feed.start()
    hall.connected()
    hall.feed.post([called("e1", "A1", "centre-1"), called("e2", "A2", "centre-2")])
    first, second = opened(hall.pad("centre-1")), opened(hall.pad("centre-2"))
    assert first.call != second.call


def test_only_the_oldest_event_is_under_way_and_it_comes_again_until_its_own_ack(hall: Hall) -> None:
    collector = hall.collector(acknowledges=False)
    hall.feed.start()
    hall.feed.post([called("e1", "A1"), called("e2", "A1", kind="finished")])
    until(lambda: len(collector.events) >= 2, "the event again, after a pause")
    assert {event.event for event in collector.events} == {"e1"}
    first = collector.events[0]
    for payload in (b"", b"\xff", b'{"v":1}', b"x" * 5000):
        collector.publish(topics.queue("centre", "ack"), payload)
    first.seq += 5  # numbers that were never given
    collector.acknowledge("centre", first)
    first.seq -= 6
    collector.acknowledge("centre", first)
    first.seq += 1
    first.journal, journal = "00000000", first.journal
    collector.acknowledge("centre", first)
    heard = len(collector.events)
    until(lambda: len(collector.events) > heard, "the event once more")
    assert {event.event for event in collector.events} == {"e1"}
    first.journal = journal
    collector.acknowledge("centre", first)
    until(lambda: collector.events[-1].event == "e2", "the next event")
    assert hall.feed.health()["outbox"]["centre"] == 1


def test_a_branch_without_acks_does_not_hold_up_another(hall: Hall) -> None:
    collector = hall.collector(acknowledges=False)
    hall.feed.start()
    hall.feed.post([called("e1", "A1"), called("e1", "A1", "zamostia-1")])
    until(lambda: len({event.journal for event in collector.events}) == 2, "an event of each branch")


def test_after_a_kill_every_desk_is_told_again_and_the_outbox_goes_on(hall: Hall) -> None:
    hall.feed.start()
    hall.feed.post([called("e1", "A1"), called("e2", "A2", "centre-2"), called("e3", "A2", "centre-2", "finished")])
    hall.feed.stop(signal.SIGKILL)
    hall.broker.stop()  # and what it retained is gone
    hall.broker.start()
    first, second, third = hall.pad("centre-1"), hall.pad("centre-2"), hall.pad("zamostia-1")
    hall.feed.start()
    call = opened(first)
    until(lambda: second.calls and third.calls, "word to the other desks")
    assert isinstance(second.calls[0], CallClosed)
    assert second.calls[0].call is not None
    assert isinstance(third.calls[0], CallClosed)
    assert hall.feed.post(called("e1", "A1")) == {"accepted": 0, "repeated": 1}
    collector = hall.collector()
    until(lambda: [event.event for event in once_each(collector.events)] == ["e1", "e2", "e3"], "three events")
    assert once_each(collector.events)[0].call == call.call


def first_of_each(events: list[QueueEvent]) -> list[QueueEvent]:
    """Without the copies that a feed sends again, under new numbers, after a start."""
    found: dict[tuple[str, str], QueueEvent] = {}
    for event in events:
        found.setdefault((event.event, event.type), event)
    return list(found.values())


def test_nothing_is_lost_or_doubled_though_the_feed_is_killed_again_and_again(hall: Hall) -> None:
    collector = hall.collector()
    pad = hall.pad()
    hall.feed.start()
    calls, done = 60, threading.Event()
    chance = random.Random(7)

    def work() -> None:
        try:
            for number in range(calls):
                for kind in ("called", "finished") if number % 3 else ("called",):
                    insist(called(f"{kind}-{number}", f"A{number}", kind=kind))
        finally:
            done.set()

    def insist(event: dict[str, object]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            try:
                hall.feed.post(event)
                return
            except OSError:
                done.wait(0.02)

    queue_system = threading.Thread(target=work)
    queue_system.start()
    for _ in range(4):
        done.wait(chance.uniform(0.05, 0.4))
        hall.feed.stop(signal.SIGKILL)
        hall.feed.start()
    queue_system.join(DEADLINE_S)
    wanted = calls + calls * 2 // 3 + calls // 3 - (calls % 3 == 1)  # called, finished, closed by the next call

    def everything() -> bool:
        return len(first_of_each(collector.events)) >= wanted and not any(hall.feed.health()["outbox"].values())

    until(everything, f"{wanted} events")
    events = first_of_each(once_each(collector.events))
    assert len(events) == wanted
    assert [event.seq for event in events] == sorted(event.seq for event in events)  # rising from journal to journal
    begun = [event.call for event in events if event.type == "called"]
    ended = [event.call for event in events if event.type in (*ENDINGS, "closed")]
    assert begun == ended
    assert len(set(begun)) == calls
    until(lambda: pad.calls and isinstance(pad.calls[-1], CallClosed) and pad.calls[-1].call == begun[-1], "the end")


def test_without_a_broker_events_are_taken_and_all_is_told_when_it_comes(hall: Hall) -> None:
    hall.broker.stop()
    hall.feed.start()
    assert hall.feed.health()["status"] == "degraded"
    assert hall.feed.post(called("e1", "A1")) == {"accepted": 1, "repeated": 0}
    hall.broker.start()
    opened(hall.pad())
    collector = hall.collector()
    until(lambda: collector.events, "the event")


def test_after_a_restart_of_the_broker_the_newest_call_stands(hall: Hall) -> None:
    hall.feed.start()
    hall.connected()
    hall.feed.post(called("e1", "A1"))
    pad = hall.pad()
    first = opened(pad)
    hall.broker.stop()
    hall.feed.post(called("e2", "A2"))
    hall.broker.start()
    until(lambda: isinstance(pad.calls[-1], CallOpened) and pad.calls[-1].call != first.call, "the newer call")
    pad.close()
    assert opened(hall.pad()).call == pad.calls[-1].call


def test_a_signal_ends_the_feed_in_good_order_with_one_ready_line(hall: Hall) -> None:
    for sign in (signal.SIGTERM, signal.SIGINT):
        hall.feed.start()
        hall.feed.post(called(f"e{sign}", "A1"))
        log = hall.feed.log
        assert hall.feed.stop(sign) == 0
        assert sum("ready" in line for line in log) == 1
        assert not any(TOKEN in line or "label-of" in line or "A1" in line for line in log)


def test_the_press_of_a_call_button_is_on_the_pads_wire_at_once(hall: Hall) -> None:
    hall.feed.start()
    hall.connected()
    pad = hall.pad()
    until(lambda: pad.calls, "the first word")
    took_ms = []
    for number in range(40):
        started = time.monotonic()
        hall.feed.post(called(f"e{number}", f"A{number}"))
        call = opened(pad, number + 1)
        [at] = [at for at, message in pad.heard_of("call") if message == call]
        took_ms.append((at - started) * 1000)
    assert statistics.median(took_ms) < 250, took_ms


def test_a_port_that_is_taken_is_named_and_exits_with_1(tmp_path: Path) -> None:
    feed = FeedProcess(tmp_path, 1)
    with socket.create_server(("127.0.0.1", feed.port)):
        feed.launch()
        until(lambda: feed.log and "feed: " in feed.log[-1], "a message")
        assert feed.stop(0) == 1
    assert str(feed.port) in feed.log[-1]
