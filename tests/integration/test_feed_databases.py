"""The feed's store on every kind of database: what is taken is there after a restart, and goes when it is covered."""

from datetime import time

import pytest

from collector.feed.intake import Accepted, Intake
from collector.feed.model import Branch, Event
from collector.feed.store import FeedStore
from protocol import codec
from protocol.messages import CallClosed, CallOpened, QueueEvent

NOW_UNIX_MS = 1795341600000  # noon in Kyiv
BRANCHES = {"centre": Branch("centre", "Europe/Kyiv", time(20))}
DESKS = {"centre-1": "centre"}


class Told:
    """Remembers what desks were told last."""

    def __init__(self) -> None:
        self.desks: dict[str, CallOpened | CallClosed] = {}

    def tell(self, desk: str, message: CallOpened | CallClosed) -> None:
        self.desks[desk] = message

    def posted(self) -> None:
        pass


def taking(store: FeedStore, told: Told) -> Intake:
    return Intake(store, told, branches=BRANCHES, desks=DESKS, clock=lambda: NOW_UNIX_MS)


def called(event: str, ticket: str, seconds: int) -> Event:
    return Event(event, "called", NOW_UNIX_MS + seconds * 1000, desk="centre-1", ticket_key=ticket, ticket=ticket)


@pytest.fixture
def store(any_database: str) -> FeedStore:
    return FeedStore.open(any_database)


def test_what_was_taken_survives_a_restart_and_is_not_taken_twice(store: FeedStore, any_database: str) -> None:
    first, again = called("e1", "A1", -60), called("e2", "A2", -30)
    assert taking(store, Told()).accept({"centre": [first]}) == Accepted(1, 0)
    store.close()
    reopened, told = FeedStore.open(any_database), Told()
    intake = taking(reopened, told)
    assert intake.accept({"centre": [first, again]}) == Accepted(1, 1)
    assert isinstance(told.desks["centre-1"], CallOpened)
    assert reopened.depths() == {"centre": 3}  # called, closed by the next call, called
    reopened.close()


def test_the_outbox_is_numbered_anew_at_a_start_and_forgets_what_an_ack_covers(store: FeedStore) -> None:
    taking(store, Told()).accept({"centre": [called("e1", "A1", -60), called("e2", "A2", -30)]})
    store.begin_journals(NOW_UNIX_MS)
    seq, payload = store.heads()["centre"]
    head = codec.decode("event", payload)
    assert isinstance(head, QueueEvent) and (head.event, head.seq) == ("e1", seq)
    assert not store.forget("centre", "00000000", seq)
    assert store.forget("centre", head.journal, seq)
    assert store.depths() == {"centre": 2}
    store.close()
