"""Edge cases that need the feed's store, a moved clock or any order of events; table: test_feed_edge_cases.py."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.feed.calls import ENDINGS
from collector.feed.intake import Intake
from collector.feed.model import Event
from collector.feed.store import FeedStore
from protocol.messages import CallClosed, CallOpened
from tests.feed_desks import BRANCH, HOUR, MINUTE, NINE, SECOND, Desks


class Branchful:
    """A real intake on a real file, and a clock that is moved."""

    def __init__(self, folder: Path):
        self.now = NINE
        self.told: list[tuple[str, CallOpened | CallClosed]] = []
        self.store = FeedStore.open(f"sqlite:///{folder / 'feed.db'}")
        self._intake = Intake(
            self.store,
            self,
            branches={"centre": BRANCH},
            desks={"d1": "centre", "d2": "centre"},
            clock=lambda: self.now,
        )
        self._number = 0

    def tell(self, desk: str, message: CallOpened | CallClosed) -> None:
        self.told.append((desk, message))

    def posted(self) -> None:
        pass

    def call(
        self, desk: str | None, *, behind_ms: int = 0, operator: str | None = None, event: str | None = None
    ) -> bool:
        """Whether a pad was armed by it."""
        self._number += 1
        name, before = event or f"e{self._number}", len(self.told)
        said = Event(name, "called", self.now - behind_ms, desk, f"A{self._number}", f"a{self._number}", operator)
        self._intake.accept({"centre": [said]})
        return any(isinstance(message, CallOpened) for _, message in self.told[before:])


@pytest.fixture
def branchful(tmp_path: Path) -> Iterator[Branchful]:
    branchful = Branchful(tmp_path)
    yield branchful
    branchful.store.close()


def test_a_repeated_event_changes_nothing(branchful: Branchful) -> None:
    assert branchful.call("d1", event="once")
    assert not branchful.call("d1", event="once")
    assert branchful.store.depths() == {"centre": 1}


def test_a_call_to_no_known_desk_arms_no_pad_and_is_listed(branchful: Branchful) -> None:
    for _ in range(2):
        branchful.now += MINUTE
        assert not branchful.call(None, operator="op-9")
    assert not branchful.call(None)
    assert [(each.operator, each.times) for each in branchful.store.unplaced(NINE)] == [("op-9", 2), ("", 1)]
    assert branchful.store.unplaced(branchful.now + 1) == []


def test_a_clock_set_back_stops_no_desk_for_longer_than_three_calls(branchful: Branchful) -> None:
    for _ in range(3):
        branchful.now += MINUTE
        assert branchful.call("d1", behind_ms=200)
    armed = []
    for _ in range(6):
        branchful.now += MINUTE
        armed.append(branchful.call("d1", behind_ms=10 * MINUTE))
    assert armed == [False, False, True, True, True, True]
    assert branchful.store.clocks()["centre"].offset_ms == 10 * MINUTE
    branchful.now += MINUTE
    assert branchful.call("d1", behind_ms=200)  # put right
    assert branchful.store.clocks()["centre"].offset_ms == 200


def test_a_line_that_was_cut_and_catches_up_is_no_clock_set_back(branchful: Branchful) -> None:
    branchful.call("d1", behind_ms=200)
    branchful.now += HOUR
    for minutes in range(30, 0, -1):
        branchful.now += 10 * SECOND
        branchful.call("d1", behind_ms=minutes * MINUTE)
    assert branchful.store.clocks()["centre"].behind_ms == 0


def test_a_clock_that_is_ahead_makes_nothing_late(branchful: Branchful) -> None:
    for _ in range(3):
        branchful.now += MINUTE
        assert branchful.call("d1", behind_ms=-HOUR)
    assert branchful.store.clocks()["centre"].offset_ms == -HOUR
    branchful.now += MINUTE
    assert branchful.call("d1", behind_ms=100)


# ---- what holds for any order
visits = st.lists(
    st.tuples(st.sampled_from(["d1", "d2", "d3"]), st.integers(1, 9), st.booleans(), st.sampled_from([*ENDINGS, None])),
    min_size=1,
    max_size=8,
)


def of_a_day(plan: list[tuple[str, int, bool, str | None]]) -> tuple[list[Event], list[Event]]:
    """Visits one after the other: their summonses; and what is said of them later."""
    summonses, words, at = [], [], NINE
    for number, (desk, minutes, starts, ending) in enumerate(plan):
        event = Event(f"c{number}", "called", at, desk, f"A{number}", f"a{number}", f"op-{desk}")
        summonses.append(event)
        if starts:
            words.append(replace(event, event=f"s{number}", type="started", occurred_unix_ms=at + 10 * SECOND))
        if ending:
            over = at + minutes * 30 * SECOND
            words.append(replace(event, event=f"f{number}", type=ending, occurred_unix_ms=over, operator="a colleague"))
        at += 5 * MINUTE
    return summonses, words


def lived(events: list[Event]) -> dict[str, tuple[object, ...]]:
    """What the collector knows of every call in the end."""
    desks = Desks(replace(BRANCH, absent_ms=20 * SECOND))
    for event in events:
        desks.hear(event)
    desks.clock(24 * 60)
    return {
        name: (row.desk, row.operator, row.ticket, row.outcome, row.started_unix_ms, row.ended_unix_ms)
        for name, row in desks.rows.items()
    }


@settings(max_examples=150, derandomize=True)
@given(visits, st.randoms(use_true_random=False))
def test_words_about_calls_may_come_as_late_as_they_like(
    plan: list[tuple[str, int, bool, str | None]], chance: random.Random
) -> None:
    summonses, words = of_a_day(plan)
    in_order = sorted(summonses + words, key=lambda event: event.occurred_unix_ms)
    late = list(summonses)
    for word in [*words, *chance.sample(words, len(words) // 2)]:
        its = next(place for place, event in enumerate(late) if event.ticket_key == word.ticket_key)
        late.insert(chance.randint(its + 1, len(late)), word)
    firsts = list({event.event: event for event in late}.values())  # the intake takes an event once
    assert lived(firsts) == lived(in_order)
