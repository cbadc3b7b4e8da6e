"""A queue system that calls us: what it says waits in a bounded queue, so that whoever calls is answered at once.

A thread of ours takes it in, in order, batch by batch. While the store cannot be written the batch is kept and tried
again; what comes when the queue is full is refused and counted, never waited for (DESIGN section 3.6). A kill between
the answer and the commit loses what waits: milliseconds' worth, unless the store is down.
"""

import hmac
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from collector.errors import StoreError
from collector.feed.errors import BadSettings
from collector.feed.source import PAUSES_S, Means, Source

MOST_WAITING = 2000
BATCH = 200
LEAST_SECRET = 16

T = TypeVar("T")


class Inbox(Source, Generic[T]):
    """Subclasses read requests and ``put`` what they read; ``take_in`` is called in the inbox's thread."""

    AT_WORK = "listening"

    def __init__(self, name: str, branches: frozenset[str], clock: Callable[[], int]):
        super().__init__(name, branches, clock)
        self._waiting: queue.Queue[T] = queue.Queue(MOST_WAITING)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"{self.KIND}-{name}", daemon=True)

    def start(self) -> None:
        super().start()
        self._thread.start()

    def stop(self) -> None:
        """What waits is taken in first, if that goes quickly."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def put(self, items: Sequence[T]) -> bool:
        """Never waits. False: there is no room, and what did not fit is counted as lost."""
        for place, item in enumerate(items):
            try:
                self._waiting.put_nowait(item)
            except queue.Full:
                self.lost += len(items) - place
                self.trouble(f"more waits than can be kept; {self.lost} words lost so far")
                return False
        return True

    def garbled(self, error: ValueError) -> None:
        """A request that cannot be read. Its words are not logged: whoever reaches the port may send them."""
        self.unreadable += 1
        self.wonder(frozenset({f"a request: {error}"}))

    def take_in(self, items: Sequence[T]) -> None:
        """Raises StoreError: then the same items come again."""
        raise NotImplementedError

    def _work(self) -> None:
        while not (self._stopping.is_set() and self._waiting.empty()):
            try:
                batch = [self._waiting.get(timeout=0.2)]
            except queue.Empty:
                continue
            while len(batch) < BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            self._taken(batch)

    def _taken(self, batch: Sequence[T]) -> None:
        failures = 0
        while True:
            try:
                self.take_in(batch)
                self.heard()
                return
            except StoreError as error:
                self.trouble(str(error))
                failures += 1
            except Exception:
                if len(batch) > 1:  # one of them: the others are none the worse for it
                    for item in batch:
                        self._taken([item])
                    return
                self.lost += 1
                self.log.exception("%s: an error of ours; what was told with it is lost", self.name)
                return
            if self._stopping.wait(PAUSES_S[min(failures, len(PAUSES_S)) - 1]):
                self.lost += len(batch)
                return


def problem_of(secret: str | None) -> str | None:
    """What is wrong with the secret of a source that stands in its path; None if nothing is."""
    if secret is None or len(secret) < LEAST_SECRET or not (secret.isascii() and secret.replace("-", "").isalnum()):
        return f"needs a secret for its path, {LEAST_SECRET} letters, digits or hyphens, or more"
    return None


def secret_of(means: Means, kind: str, name: str) -> str:
    """Raises BadSettings without a good one."""
    problem = problem_of(means.secret)
    if problem is not None or means.secret is None:
        raise BadSettings(f"{kind}.{name}: {problem}")
    return means.secret


def knows(path: str, secret: str, place: int) -> bool:
    """Whether the ``place``-th step of a path is the secret; the time of the answer tells nothing."""
    steps = path.split("/")
    given = steps[place] if len(steps) > place else ""
    return hmac.compare_digest(given.encode(), secret.encode())
