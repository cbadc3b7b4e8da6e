"""Tells desks their calls at once, and the collector its facts one by one until each is acknowledged.

Calls go out in the thread that changed them and wait for nobody. Facts wait in the store: of each branch only the
oldest is under way (stop and wait), sent again after growing pauses and after a reconnect, and dropped when an ack
covers it. So an ack for a number means that everything up to it is committed (protocol/__init__.py).
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from collector.errors import StoreError
from collector.feed.store import FeedStore
from collector.line import Broker, Line
from protocol import codec, topics
from protocol.errors import ProtocolError
from protocol.messages import Ack, CallClosed, CallOpened, Pulse

logger = logging.getLogger(__name__)

PAUSES_S = (2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
TICK_S = 1.0
STALE_S = 60.0  # an unacknowledged fact of this age means that the collector is not well


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The fact of a branch that was sent and not yet acknowledged; times are of the monotonic clock."""

    seq: int
    times: int
    since_s: float
    again_s: float


class Publisher:
    """Owns the line and the thread that works the outbox. ``attach`` names what a reconnect and a tick must do."""

    def __init__(self, store: FeedStore, broker: Broker, branches: Iterable[str]):
        self._store = store
        self._branches = frozenset(branches)
        self._under_way: dict[str, UnderWay] = {}
        self._wishes: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._nudged = threading.Event()
        self._line = Line(
            broker,
            subscriptions=tuple(topics.queue(branch, "ack") for branch in sorted(self._branches)),
            on_up=lambda: self._wishes.put(self._came_up),
            on_message=lambda topic, payload, _: self._wishes.put(lambda: self._acknowledged(topic, payload)),
        )
        self._thread = threading.Thread(target=self._work, name="publisher", daemon=True)
        self._retell: Callable[[], None] = _nothing
        self._tick: Callable[[], None] = _nothing

    def attach(self, *, retell: Callable[[], None], tick: Callable[[], None]) -> None:
        self._retell, self._tick = retell, tick

    def start(self) -> None:
        self._thread.start()
        self._line.start()

    def stop(self) -> None:
        self._line.stop()
        self._wishes.put(None)
        if self._thread.is_alive():
            self._thread.join()

    @property
    def connected(self) -> bool:
        return self._line.up

    @property
    def stale(self) -> bool:
        """Whether some fact has been waiting for its ack for longer than a minute."""
        now = time.monotonic()
        return any(now - sent.since_s > STALE_S for sent in list(self._under_way.values()))

    def tell(self, desk: str, message: CallOpened | CallClosed) -> None:
        """Publishes a desk's call, retained. Without a connection it is told by the next one, from the store."""
        self._line.publish(topics.desk(desk, "call"), codec.encode(message), retain=True)

    def pulse(self, branch: str, pulse: Pulse) -> None:
        """Says that the feed is there for ``branch``; lost without a connection."""
        self._line.publish(topics.queue(branch, "pulse"), codec.encode(pulse), qos=0)

    def posted(self) -> None:
        """New facts may lie in the outbox."""
        if not self._nudged.is_set():
            self._nudged.set()
            self._wishes.put(self._nudged.clear)

    def _work(self) -> None:
        due_s = time.monotonic()
        while True:
            try:
                wish = self._wishes.get(timeout=max(0.0, due_s - time.monotonic()))
            except queue.Empty:
                wish = _nothing
            if wish is None:
                return
            self._guarded(wish)
            if time.monotonic() >= due_s:
                self._guarded(self._tick)
                due_s = time.monotonic() + TICK_S
            self._guarded(self._send)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except StoreError as error:
            logger.error("%s", error)
        except Exception:
            logger.exception("the publisher met an error of ours and goes on")

    def _came_up(self) -> None:
        self._under_way.clear()
        self._retell()

    def _acknowledged(self, topic: str, payload: bytes) -> None:
        try:
            _, branch, kind = topics.parse(topic)
            ack = codec.decode(kind, payload)
        except ProtocolError as error:
            logger.warning("an ack was refused: %s", error)
            return
        if branch not in self._branches or not isinstance(ack, Ack):
            return
        sent = self._under_way.get(branch)
        if sent is not None and ack.seq < sent.seq:
            return
        if self._store.forget(branch, ack.journal, ack.seq):
            self._under_way.pop(branch, None)

    def _send(self) -> None:
        if not self._line.up:
            return
        now = time.monotonic()
        for branch, (seq, payload) in self._store.heads().items():
            sent = self._under_way.get(branch)
            if sent is not None and now < sent.again_s:
                continue
            if self._line.publish(topics.queue(branch, "event"), payload):
                times, since_s = (sent.times, sent.since_s) if sent is not None else (0, now)
                pause_s = PAUSES_S[min(times, len(PAUSES_S) - 1)]
                self._under_way[branch] = UnderWay(seq, times + 1, since_s, now + pause_s)


def _nothing() -> None:
    pass
