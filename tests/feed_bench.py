"""An office in one process for tests of queue systems: a real store and intake, a clock to set, what desks heard."""

import time as wall
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path

from collector.feed.intake import Intake
from collector.feed.model import Branch, Event
from collector.feed.seats import Seat, Seats
from collector.feed.source import Means, Site
from collector.feed.store import FeedStore
from protocol import codec
from protocol.messages import CallClosed, CallOpened, QueueEvent

SECRET = "a secret of the tests"
PATH_SECRET = "secret-of-a-path-in-tests"
DESKS = {"centre-1": "centre", "centre-2": "centre", "zamostia-1": "zamostia"}
SEATS = Seats.of([Seat("op-1", "centre-1"), Seat("op-2", "centre-2"), Seat("op-3", "zamostia-1")])
SITE = Site(
    {name: Branch(name, "Europe/Kyiv", time(20)) for name in ("centre", "zamostia")}, DESKS, SEATS, ticket_secret=SECRET
)
NOON = int(datetime(2026, 11, 24, 10, tzinfo=UTC).timestamp() * 1000)  # 12:00 in Kyiv


def words(events: Mapping[str, Sequence[Event]]) -> list[tuple[str, str | None]]:
    """(type, desk) of every event, branch after branch."""
    return [(event.type, event.desk) for each in events.values() for event in each]


@dataclass
class Told:
    """What pads would be told, oldest first."""

    desks: list[tuple[str, CallOpened | CallClosed]]

    def tell(self, desk: str, message: CallOpened | CallClosed) -> None:
        self.desks.append((desk, message))

    def posted(self) -> None:
        pass

    @property
    def armed(self) -> list[str]:
        """Every desk that was told of an opened call, as often as it was."""
        return [desk for desk, message in self.desks if isinstance(message, CallOpened)]

    def open_now(self) -> set[str]:
        last = dict(self.desks)
        return {desk for desk, message in last.items() if isinstance(message, CallOpened)}


class Bench:
    """``clock`` stands still until it is moved. ``again`` is the same office after a restart of the feed."""

    def __init__(self, folder: Path, *, secret: str | None = PATH_SECRET, now_unix_ms: int = NOON):
        self.folder = folder
        self.now_unix_ms = now_unix_ms
        self.told = Told([])
        self.store = FeedStore.open(f"sqlite:///{folder}/feed.db")
        self.intake = Intake(self.store, self.told, branches=SITE.branches, desks=SITE.desks, clock=self.clock)
        self.means = Means(SITE, self.intake, self.store, self.clock, secret)

    def clock(self) -> int:
        return self.now_unix_ms

    def end(self) -> None:
        self.store.close()

    def again(self) -> "Bench":
        self.end()
        return Bench(self.folder, secret=self.means.secret, now_unix_ms=self.now_unix_ms)

    def facts(self, branch: str = "centre") -> list[QueueEvent]:
        """Everything that waits for the collector, oldest first; takes it out."""
        found = []
        while branch in (heads := self.store.heads()):
            seq, payload = heads[branch]
            fact = codec.decode("event", payload)
            assert isinstance(fact, QueueEvent)
            found.append(fact)
            assert self.store.forget(branch, fact.journal, seq)
        return found


def until(reached: Callable[[], object], what: str, within_s: float = 60.0) -> None:
    deadline = wall.monotonic() + within_s
    while not reached():
        assert wall.monotonic() < deadline, f"never came: {what}"
        wall.sleep(0.005)
