"""What one acceptance writes and tells: the real store on disk, and hypothesis over repeated and reordered events."""

import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.errors import StoreError
from collector.feed.calls import pseudonym
from collector.feed.intake import Accepted, Intake, dated
from collector.feed.model import Branch, Event
from collector.feed.store import FeedStore
from protocol import codec
from protocol.fields import WORD
from protocol.messages import CallClosed, CallOpened, QueueEvent

NINE = int(datetime(2026, 11, 23, 9, tzinfo=UTC).timestamp() * 1000)
MINUTE = 60_000
BRANCHES = {name: Branch(name, "Europe/Kyiv", time(20)) for name in ("centre", "zamostia")}
DESKS = {"centre-1": "centre", "centre-2": "centre", "zamostia-1": "zamostia"}


class Told:
    def __init__(self) -> None:
        self.desks: list[tuple[str, CallOpened | CallClosed]] = []

    def tell(self, desk: str, message: CallOpened | CallClosed) -> None:
        self.desks.append((desk, message))

    def posted(self) -> None:
        pass

    def last(self) -> dict[str, CallOpened | CallClosed]:
        return dict(self.desks)


class Feed:
    """Store, intake and a clock that stands still until it is moved; can be closed and opened again like a process."""

    def __init__(self, folder: Path):
        self.path = folder / "feed.db"
        self.now = NINE
        self.told = Told()
        self.open()

    def open(self) -> None:
        self.store = FeedStore.open(f"sqlite:///{self.path}")
        self.intake = Intake(self.store, self.told, branches=BRANCHES, desks=DESKS, clock=lambda: self.now)

    def restart(self) -> None:
        self.store.close()
        self.told = Told()
        self.open()

    def accept(self, *events: Event, branch: str = "centre") -> Accepted:
        return self.intake.accept({branch: events})

    def outbox(self, branch: str = "centre") -> list[QueueEvent]:
        """Everything in the outbox, in the order in which it would be sent."""
        with sqlite3.connect(self.path) as database:
            rows = database.execute("SELECT payload FROM feed_outbox WHERE branch = ? ORDER BY seq", (branch,))
            decoded = [codec.decode("event", payload) for (payload,) in rows]
        return [message for message in decoded if isinstance(message, QueueEvent)]


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    feed = Feed(tmp_path)
    yield feed
    feed.store.close()


def said(event: str, kind: str = "called", *, at: float = 0, desk: str = "centre-1", ticket: str = "A1") -> Event:
    return Event(event, kind, NINE + round(at * MINUTE), desk=desk, ticket_key=ticket, ticket="of-" + ticket)


def test_facts_are_numbered_without_gaps_from_the_unix_time_on(feed: Feed) -> None:
    feed.accept(said("e1", at=-3), said("e2", at=-2, ticket="A2"))
    feed.accept(said("e3", "finished", at=-1, ticket="A2"))
    facts = feed.outbox()
    assert [fact.type for fact in facts] == ["called", "closed", "called", "finished"]
    assert [fact.seq for fact in facts] == [NINE // 1000 + place for place in range(4)]
    assert len({fact.journal for fact in facts}) == 1


def test_a_store_put_back_from_a_backup_forgets_nothing_by_an_old_ack(feed: Feed) -> None:
    feed.accept(said("e1", at=-2))
    [before] = feed.outbox()
    feed.accept(said("e2", at=-1, ticket="A2"))
    feed.store.begin_journals(feed.now)
    first, *_ = now = feed.outbox()
    assert (first.event, first.call) == (before.event, before.call)
    assert first.journal != before.journal
    assert [fact.seq for fact in now] == list(range(first.seq, first.seq + len(now)))
    assert first.seq > before.seq
    assert not feed.store.forget("centre", before.journal, before.seq + 1)
    assert len(feed.outbox()) == len(now)


def test_each_branch_has_a_journal_of_its_own(feed: Feed) -> None:
    feed.accept(said("e1"))
    feed.accept(said("e1", desk="zamostia-1"), branch="zamostia")
    assert feed.outbox()[0].journal != feed.outbox("zamostia")[0].journal


def test_after_a_restart_the_journal_goes_on_and_every_desk_is_told_again(feed: Feed) -> None:
    feed.accept(said("e1"))
    told, [first] = feed.told.last(), feed.outbox()
    feed.restart()
    feed.intake.tell_all()
    assert feed.told.last() == {
        **told,
        "centre-2": CallClosed(None, NINE),
        "zamostia-1": CallClosed(None, NINE),
    }
    assert feed.accept(said("e1")) == Accepted(0, 1)
    feed.accept(said("e2", "finished"))
    assert [(fact.journal, fact.seq) for fact in feed.outbox()] == [
        (first.journal, first.seq),
        (first.journal, first.seq + 1),
    ]


def test_a_recall_tells_the_desk_nothing(feed: Feed) -> None:
    feed.accept(said("e1", at=-5))
    feed.accept(said("e2", at=-4), said("e3", "recalled", at=-3))
    assert len(feed.told.desks) == 1


def test_a_batch_is_taken_in_the_order_in_which_it_happened(feed: Feed) -> None:
    feed.accept(said("e2", at=-1, ticket="A2"), said("e1", at=-2, ticket="A1"))
    assert [(fact.event, fact.call is not None) for fact in feed.outbox()] == [
        ("e1", True),
        (f"closed:{feed.outbox()[0].call}", True),
        ("e2", True),
    ]


def test_a_queue_system_whose_clock_is_ahead_makes_nothing_late(feed: Feed) -> None:
    feed.accept(said("e1", at=120), said("e2", "finished", at=125), said("e3", at=126, ticket="A2"))
    feed.now += 5 * MINUTE
    feed.accept(said("e4", at=4, ticket="A3"))  # from a clock that is right
    opened = feed.told.last()["centre-1"]
    assert isinstance(opened, CallOpened)
    assert opened.opened_unix_ms == NINE + 4 * MINUTE
    assert [fact.type for fact in feed.outbox()] == ["called", "finished", "called", "closed", "called"]


@given(st.lists(st.integers(-5000, 5000), max_size=20))
def test_dating_keeps_the_order_and_leaves_nothing_ahead_but_its_place(offsets: list[int]) -> None:
    events = [replace(said(str(place)), occurred_unix_ms=NINE + offset) for place, offset in enumerate(offsets)]
    times = [event.occurred_unix_ms for event in dated(events, NINE)]
    assert times == sorted(times)
    assert all(moment < NINE + max(1, len(events)) for moment in times)
    assert [moment for moment in times if moment < NINE] == sorted(NINE + offset for offset in offsets if offset < 0)


def test_a_call_that_outlived_its_trust_while_the_feed_was_down_is_closed_at_its_end(feed: Feed) -> None:
    feed.accept(said("e1"))
    feed.now = NINE + 20 * 60 * MINUTE
    feed.restart()
    feed.intake.expire()
    end = NINE + 4 * 60 * MINUTE
    assert feed.told.desks == [("centre-1", CallClosed(feed.outbox()[0].call, end))]
    assert [(fact.type, fact.reason, fact.occurred_unix_ms) for fact in feed.outbox()[1:]] == [
        ("closed", "end_of_day", end)
    ]
    feed.intake.expire()
    assert len(feed.outbox()) == 2


def test_a_call_that_arrives_hours_late_is_counted_but_leaves_no_pad_armed(feed: Feed) -> None:
    feed.accept(said("e1", at=-5 * 60))
    assert [fact.type for fact in feed.outbox()] == ["called", "closed"]
    assert [type(message) for _, message in feed.told.desks] == [CallClosed]


def test_what_cannot_be_written_is_not_taken_at_all(feed: Feed) -> None:
    with sqlite3.connect(feed.path) as database:
        database.execute("CREATE TRIGGER full BEFORE INSERT ON feed_outbox BEGIN SELECT RAISE(FAIL, 'disk full'); END")
    with pytest.raises(StoreError):
        feed.accept(said("e1"))
    assert feed.told.desks == []
    with sqlite3.connect(feed.path) as database:
        database.execute("DROP TRIGGER full")
    assert feed.accept(said("e1")) == Accepted(1, 0)
    assert [fact.seq for fact in feed.outbox()] == [NINE // 1000]


def test_event_ids_are_forgotten_when_they_are_too_old_to_come_again(feed: Feed) -> None:
    feed.accept(said("e1"))
    feed.now += 61 * 86_400_000
    feed.accept(said("e2"))
    feed.intake.expire()
    with sqlite3.connect(feed.path) as database:
        assert database.execute("SELECT event FROM feed_received").fetchall() == [("e2",)]


def test_an_ack_forgets_what_it_covers_and_nothing_that_it_cannot_mean(feed: Feed) -> None:
    feed.accept(said("e1"), said("e2", "recalled"), said("e3", "finished"))
    first = feed.outbox()[0]
    assert not feed.store.forget("centre", "00000000", first.seq)
    assert not feed.store.forget("zamostia", first.journal, first.seq)
    assert not feed.store.forget("centre", first.journal, first.seq + 3)  # never given
    assert len(feed.outbox()) == 3
    assert feed.store.forget("centre", first.journal, first.seq + 1)
    assert [fact.type for fact in feed.outbox()] == ["finished"]
    assert feed.store.heads() == {"centre": (first.seq + 2, codec.encode(feed.outbox()[0]))}


def test_a_pseudonym_is_the_tickets_own_keyed_and_fit_for_the_wire() -> None:
    names = {
        pseudonym("secret", "centre", "A1"),
        pseudonym("secret", "centre", "A2"),
        pseudonym("secret", "zamostia", "A1"),
        pseudonym("another", "centre", "A1"),
        pseudonym("s" * 500, "centre", "A1"),
    }
    assert len(names) == 5
    assert all(WORD.problem(name) is None and len(name) == 24 for name in names)
    assert pseudonym("secret", "centre", "A1") in names


histories = st.lists(
    st.tuples(
        st.sampled_from(["called", "called", "called", "recalled", "started", "finished", "no_show", "held", "reset"]),
        st.integers(0, 300),
        st.sampled_from(["centre-1", "centre-2"]),
        st.sampled_from(["A1", "A2", "A3"]),
    ),
    max_size=15,
)


@settings(max_examples=20)  # each lives through two databases on disk
@given(histories, st.randoms(use_true_random=False))
def test_repeats_and_restarts_anywhere_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, int, str, str]], chance: random.Random
) -> None:
    events = [
        said(f"e{place}", kind, at=minute - 300, desk=desk, ticket=ticket)
        for place, (kind, minute, desk, ticket) in enumerate(history)
    ]

    def told_and_posted(disturb: Callable[[Feed, int], None]) -> tuple[object, ...]:
        feed = Feed(tmp_path_factory.mktemp("feed"))
        for place, event in enumerate(events):
            feed.accept(event)
            disturb(feed, place)
        feed.intake.tell_all()
        posted = [{**vars(fact), "journal": ""} for fact in feed.outbox()]
        feed.store.close()
        return feed.told.last(), posted

    def disturbing(feed: Feed, place: int) -> None:
        if chance.random() < 0.2:
            feed.restart()
        repeated = events[: chance.randint(0, place + 1)]
        chance.shuffle(repeated)
        assert feed.accept(*repeated) == Accepted(0, len(repeated))

    assert told_and_posted(disturbing) == told_and_posted(lambda feed, place: None)
