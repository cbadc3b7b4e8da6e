"""What a queue system is to the feed. A new one is one module, one settings table and one line of the registry.

    Site        what the register and the settings say: branches, desks, who sits where. Enough to translate.
    Means       the site, and what a running adapter needs besides: intake, store, clock, its secret
    Source      one queue system, as the feed runs it: started, stopped, asked how it is
    Poller      a source that asks: ``poll`` is called again and again in a thread of its own
    Route       a source that is called instead, or as well, has some: paths on the feed's own HTTP server

Rules for an adapter
1.  What it was told it translates in a pure function into events of our vocabulary (model.py), and hands them to
    ``Means.intake.accept``, with its new snapshot if it keeps one: both are on disk, or neither.
2.  An event's id is made of the queue system's own ids and times, so that it is the same however often it is seen.
    A ticket key begins with the source's name and holds what tells today's number from tomorrow's.
3.  What it cannot place (an unknown desk, operator, branch) it names by ``wonder`` and drops: no random pad is armed.
4.  Names of people, passwords and free text are left out where they are read; they reach no log, snapshot or event.
5.  A queue system that answers nonsense or nothing is down (SourceDown) until it answers again; nothing ends by that.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from collector.errors import StoreError
from collector.feed.errors import SourceDown
from collector.feed.intake import Intake
from collector.feed.model import Branch, Event
from collector.feed.recording import Recorder
from collector.feed.seats import Seats
from collector.feed.store import FeedStore

MOST_UNKNOWN = 500  # words of a queue system that are kept; a column of free text would have no end
PAUSES_S = (2.0, 4.0, 8.0, 15.0, 30.0)


@dataclass(frozen=True, slots=True)
class Site:
    """``desks`` says in which branch each of our desks stands, ``seats`` who sat at which of them when."""

    branches: Mapping[str, Branch]
    desks: Mapping[str, str]
    seats: Seats
    ticket_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Means:
    """What a running adapter is given. ``clock``: the wall clock, Unix milliseconds; ``secret``: its own, or None."""

    site: Site
    intake: Intake
    store: FeedStore
    clock: Callable[[], int]
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as a source sees it: header names in lower case, the query as it came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Route:
    """A path of the feed's HTTP server that belongs to a source.

    ``take`` runs in a thread of its own; a StoreError it raises becomes 503, whoever asked may ask again. It checks by
    itself who asks. The server refuses bodies over its limit before.
    """

    method: str
    path: str
    take: Callable[[Request], Reply]


# What a recorded exchange meant: takes the moment (Unix milliseconds) and the recorded JSON value, in order; gives the
# events by branch, and what our tables do not know. Raises ValueError for what is no recording of its kind.
Replay = Callable[[int, object], tuple[Mapping[str, Sequence[Event]], frozenset[str]]]


@dataclass(frozen=True, slots=True)
class Adapter:
    """A kind of queue system, a line of registry.py; ``kind`` is the key of its tables in the settings.

    ``checks`` raises BadSettings for what a table names and the site does not know; it asks nobody. ``opens`` makes a
    source of a table. ``replays``, where there is one, makes a reader of recordings for
    ``python -m collector.feed check``.
    """

    kind: str
    checks: Callable[[Any, Site], object]
    opens: Callable[[Any, Means], "Source"]
    replays: Callable[[Any, Site], Replay] | None = None


class Source:
    """One queue system. What is public may be read from any thread.

    Args:
        name: as in the settings; the key of its snapshot in the store, so unique in a feed.
        branches: the branches that it may speak of.
    """

    KIND: ClassVar[str] = "source"  # the settings table: [[fqm]]
    LABEL: ClassVar[str] = "queue system"  # for people: FQM
    AT_WORK: ClassVar[str] = "polling"  # what the log says when it is up again
    routes: Sequence[Route] = ()

    def __init__(self, name: str, branches: frozenset[str], clock: Callable[[], int]):
        self.name = name
        self.branches = branches
        self.up = False
        self.unknown: frozenset[str] = frozenset()  # what the queue system named and our tables do not know
        self.last_heard_unix_ms: int | None = None
        self.unreadable = 0  # answers, rows or requests of another form
        self.lost = 0  # words we could not keep
        self.missed = 0  # words that never came, as far as later ones tell
        self.log = logging.getLogger(type(self).__module__)
        self.recorder: Recorder | None = None
        self._recorded: object = None
        self._clock = clock
        self._trouble: str | None = None

    def start(self) -> None:
        """Begins; returns at once. One that is only called has nothing to begin and is up."""
        self.up = True

    def stop(self) -> None:
        """Ends what ``start`` began, within a second or so."""

    def heard(self) -> None:
        """It answered, or called, and made sense."""
        self.last_heard_unix_ms = self._clock()
        self.well()

    def well(self) -> None:
        """All is as it should be, though it may have said nothing."""
        if not self.up:
            self.log.info("%s %s: %s", self.LABEL, self.name, self.AT_WORK)
        self._trouble, self.up = None, True

    def record(self, value: object, *, changes_only: bool = False) -> None:
        """Keeps what it told us, if somebody wants a recording; ``value`` is what its kind's replay reads."""
        if self.recorder is None or (changes_only and value == self._recorded):
            return
        self._recorded = value
        self.recorder.write(self.name, self._clock(), value)

    def trouble(self, what: str) -> None:
        """It does not answer, or nonsense: one line for a change of state, not one for a poll."""
        if what != self._trouble:
            self.log.warning("%s %s: %s", self.LABEL, self.name, what)
        self._trouble, self.up = what, False

    def wonder(self, unknown: frozenset[str]) -> None:
        """Our tables do not know these words of the queue system. Each is logged once; none is a person's name."""
        new = sorted(unknown - self.unknown)[: max(0, MOST_UNKNOWN - len(self.unknown))]
        for what in new:
            self.log.warning("%s %s: our table does not know %s", self.LABEL, self.name, what)
        self.unknown |= set(new)


class Poller(Source):
    """A queue system that is asked in a thread of its own until ``stop``. One request is under way at a time."""

    def __init__(self, name: str, branches: frozenset[str], clock: Callable[[], int], *, poll_seconds: float):
        super().__init__(name, branches, clock)
        self._poll_seconds = poll_seconds
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{self.KIND}-{name}", daemon=True)

    def poll(self) -> None:
        """Asks once and takes in what is new. Raises SourceDown or StoreError; then the next asks the same again."""
        raise NotImplementedError

    def close(self) -> None:
        """Gives up the connection, if there is one; a ``poll`` under way may fail by it."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; an answer that is awaited is given up."""
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(1.0)
        self.close()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def wake(self) -> None:
        """Ends the pause under way, or the next."""
        self._woken.set()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self.poll()
                if not self._stopping.is_set():
                    self.heard()
                failures = 0
            except (SourceDown, StoreError) as error:
                if not self._stopping.is_set():
                    self.trouble(str(error))
                failures += 1
            except Exception:
                if self._stopping.is_set():
                    return
                self.log.exception("%s: an error of ours; polling goes on", self.name)
                failures += 1
            self._woken.wait(PAUSES_S[min(failures, len(PAUSES_S)) - 1] if failures else self._poll_seconds)
            self._woken.clear()
