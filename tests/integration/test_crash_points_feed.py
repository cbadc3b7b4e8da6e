"""The feed dies between every two statements and packets of an acceptance, a receipt and a start; nothing is amiss.

After each death it is started again, and the queue system sends again what had no answer, under the same event ids.
"""

import os
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from protocol.messages import CallClosed, CallOpened, QueueEvent
from tests.integration.dying import NEVER, Dying, until
from tests.integration.feed_process import PASSWORD, CollectorEar, FeedProcess, GuardedMosquitto, PadEar, called

DESKS = ("centre-1", "centre-2")
Request = Sequence[dict[str, object]]


class Hall:
    """A broker, a feed that dies, a queue system that repeats, and ears where pads and collector are."""

    def __init__(self, folder: Path):
        self.broker = GuardedMosquitto(folder)
        self.broker.start()
        self.client = FeedProcess(folder, self.broker.port)  # its settings and its webhook; never started
        self.feed = Dying(
            folder / "dying",
            "collector.feed",
            ("--config", str(self.client.config)),
            {"ZRAZKOVO_FEED_BROKER_PASSWORD": PASSWORD, "ZRAZKOVO_FEED_TICKET_SECRET": "secret-of-the-tests"},
        )
        self.collector = CollectorEar(self.broker.port)
        self.pads = {desk: PadEar(self.broker.port, desk) for desk in DESKS}
        self.said: list[dict[str, object]] = []

    def end(self) -> None:
        self.feed.end()
        for ear in (self.collector, *self.pads.values()):
            ear.close()
        self.broker.stop()

    def start(self) -> None:
        self.feed.start(lambda says: "ready" in says)
        until(lambda: self.client.health()["broker"]["connected"], lambda: self.feed.says)

    def takes(self, request: Request) -> bool:
        """Whether it answers; then all is on disk. Without an answer the feed has died, of nothing else."""
        self.said.extend(event for event in request if event not in self.said)
        try:
            self.client.post(request)
        except (OSError, HTTPException):
            until(lambda: self.feed.dead, lambda: self.feed.says)
            return False
        received = {row[0] for row in self.rows("SELECT event FROM feed_received")}
        assert {event["event"] for event in request} <= received, "answered and not committed"
        return True

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.client.store, timeout=20)) as connection:
            return connection.execute(question).fetchall()

    def all_acknowledged(self) -> bool:
        return self.rows("SELECT count(*) FROM feed_outbox") == [(0,)]

    # ---- what must hold
    def everything_came_once(self) -> None:
        """By number, or as the same fact again under a new one; each fact has its number, each event its fact."""
        by_number: dict[tuple[str, int], QueueEvent] = {}
        by_event: dict[tuple[str, str], tuple[object, ...]] = {}
        for event in self.collector.events:
            assert by_number.setdefault((event.journal, event.seq), event) == event
            fact = (event.call, event.desk, event.occurred_unix_ms, event.called_unix_ms)
            assert by_event.setdefault((event.event, event.type), fact) == fact
        said = {(str(event["event"]), str(event["type"])) for event in self.said}
        assert said <= set(by_event), said - set(by_event)
        assert len(self.rows("SELECT event FROM feed_received")) == len(said)
        calls = {event.call for event in self.collector.events}
        heard = {call.call for pad in self.pads.values() for call in pad.calls if isinstance(call, CallOpened)}
        assert heard <= calls, "a desk was told of a call that nobody kept"

    def desks_show(self, number: int) -> None:
        """Call ``number`` goes on at its desk and the one before is over at the other: the last that each was told."""
        ids = {event.event: event.call for event in self.collector.events if event.type == "called"}
        for each, kind in ((number - 1, CallClosed), (number, CallOpened)):
            pad, call = self.pads[DESKS[each % 2]], ids[f"c{each}"]
            assert call
            until(lambda: told(pad, kind, call), lambda: (pad.calls[-1:], kind, call, self.feed.says))  # noqa: B023


def told(pad: PadEar, kind: type, call: str | None) -> bool:
    calls = pad.calls
    return bool(calls) and isinstance(calls[-1], kind) and calls[-1].call == call


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    hall = Hall(tmp_path)
    yield hall
    hall.end()


def opening(number: int) -> dict[str, object]:
    return called(f"c{number}", f"T{number}", DESKS[number % 2])


def request_of(number: int) -> Request:
    """The call before ends, and the other desk calls."""
    before = number - 1
    return [called(f"f{before}", f"T{before}", DESKS[before % 2], "finished"), opening(number)]


TABLES = ("feed_received", "feed_call", "feed_past", "feed_outbox")
PASSES = 6


def amiss(died_at: Sequence[str]) -> str:
    """The first of the places it has to die at that it has not died at yet, "" for none."""
    met = " ".join(died_at).replace('"', "")
    for table in TABLES:
        if f"INSERT INTO {table} " not in met and f"UPDATE {table} " not in met:
            return table
    wanted = ("UPDATE feed_journal", "DELETE FROM feed_outbox", "COMMIT", "after COMMIT")
    missing = [words for words in wanted if words not in met]
    return missing[0] if missing else "" if died_at.count("packet 3") >= 3 else "packet 3"


def test_the_feed_may_die_between_any_two_statements_and_packets(hall: Hall) -> None:
    """Packets fall between statements as they come, so that one pass may step over a place: then it is gone again."""
    died_at: list[str] = []
    hall.start()
    assert hall.takes([opening(0)])
    place = passes = 0
    for number in range(1, NEVER):
        deaths = len(died_at)
        hall.feed.arm(place)
        request = request_of(number)
        while not hall.takes(request):
            died_at.extend(hall.feed.places[-1:])  # none: still of what it was armed for before
            hall.start()
        until(lambda: hall.feed.dead or hall.all_acknowledged(), lambda: hall.feed.says)
        if hall.feed.dead:
            if len(died_at) == deaths:
                died_at.extend(hall.feed.places[-1:])  # none: still of what it was armed for before
            hall.start()
        until(hall.all_acknowledged, lambda: (died_at[-1:], hall.feed.says))
        hall.desks_show(number)
        place += 1
        if len(died_at) == deaths:
            place, passes = 0, passes + 1
            if not amiss(died_at) or passes == PASSES:
                break
    hall.everything_came_once()
    assert not amiss(died_at), died_at


def test_the_feed_may_die_at_any_place_of_its_start(hall: Hall) -> None:
    hall.collector.acknowledges = False
    hall.start()
    assert hall.takes([opening(0)]) and hall.takes(request_of(1))
    until(lambda: bool(hall.collector.events), lambda: hall.feed.says)
    os.kill(hall.feed.pid, signal.SIGKILL)
    until(lambda: hall.feed.dead, lambda: hall.feed.says)
    died_at: list[str] = []
    for place in range(NEVER):
        heard = len(hall.collector.events)
        hall.feed.start(lambda says: hall.feed.dead or len(hall.collector.events) > heard, place=place)  # noqa: B023
        until(lambda: hall.feed.dead or len(hall.feed.places) <= place, lambda: hall.feed.says)  # noqa: B023
        if not hall.feed.dead:
            break
        died_at.append(hall.feed.places[-1])
    hall.feed.arm(-1)
    hall.collector.acknowledges = True
    hall.collector.acknowledge("centre", hall.collector.events[-1])  # not only when it comes again
    until(hall.all_acknowledged, lambda: hall.feed.says)
    hall.desks_show(1)
    hall.everything_came_once()
    met = " ".join(died_at).replace('"', "")
    assert "DELETE FROM feed_outbox" in met and "INSERT INTO feed_outbox" in met, died_at
    assert "packet 3" in died_at and "COMMIT" in died_at, died_at
