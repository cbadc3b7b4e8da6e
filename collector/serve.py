"""The collector at work: takes batches from the broker, has them committed, acknowledges. Survives the loss of either.

The order is the promise (DESIGN section 3, point 3): commit, then acknowledge to the broker, then to the writer. Dying
between any two of them makes something come again, and what comes again changes nothing.
"""

import logging
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from collector.envelope import receipts
from collector.errors import BrokerError, StoreUnavailable
from collector.model import FAILED, Answer, Arrival
from collector.mqtt import Broker
from collector.spool import Taker
from collector.store import Store
from protocol.messages import Ack
from schemas.logs import about
from schemas.service import Service

log = logging.getLogger("collector")

_SUMMARY_S = 60
_PAUSE_FIRST_S, _PAUSE_MOST_S = 0.5, 30.0


class Stop:
    """A wish to end, which also wakes a sleeping ``select``; may be expressed in a signal handler."""

    def __init__(self) -> None:
        self.wished = False
        self.wake, self._bell = socket.socketpair()
        self._bell.setblocking(False)

    def wish(self) -> None:
        self.wished = True
        self._bell.send(b"!")  # once or twice, never enough to fill the buffer

    def wait(self, timeout_s: float) -> None:
        """Sleeps for ``timeout_s``, or until the wish."""
        self.wake.settimeout(timeout_s)
        with suppress(TimeoutError):
            self.wake.recv(1)


class Observer:
    """Is told, in the working thread, how the work goes; this one does nothing with it."""

    def connected(self, peer_certificate: bytes | None) -> None:
        """To the broker, which showed this certificate (DER)."""

    def disconnected(self) -> None:
        """Because we wish to end."""

    def batch(self, answers: Sequence[Answer], receipts: Sequence[tuple[str, Ack]], seconds: float) -> None:
        """Committed after ``seconds``, and acknowledged."""

    def broker_error(self) -> None:
        """The connection was lost or refused."""

    def database_error(self) -> None:
        """The database did not answer; the batch will come again."""


def open_store(url: str, stop: Stop) -> Store | None:
    """The store, waited for as long as its database does not answer; None if ``stop`` was wished for meanwhile.

    Raises StoreError for a database that will not do however long one waits.
    """
    pause_s = _PAUSE_FIRST_S
    service = Service()
    while not stop.wished:
        try:
            with service.living():  # a large database is migrated for longer than a watchdog waits
                return Store.open(url)
        except StoreUnavailable as error:
            log.warning("%s; trying again", error)
            service.ready(f"waits for its database: {error}")
            pause_s = _pause(stop, pause_s)
    return None


def serve(
    store: Taker,
    connect: Callable[[], Broker],
    stop: Stop,
    observer: Observer | None = None,
    chore: Callable[[], None] = lambda: None,
) -> None:
    """Works until ``stop`` is wished for. ``connect`` opens a connection to the broker, or raises BrokerError.

    ``chore`` is called between batches, at least once a minute, and returns soon.
    """
    observer, service = observer or Observer(), Service()
    ready = False
    pause_s = _PAUSE_FIRST_S
    summary = Summary()
    said = ""
    while not stop.wished:
        try:
            broker = connect()
        except BrokerError as error:
            if str(error) != said:  # one line for a change of state, not one for an attempt
                log.warning("%s; trying again", error)
            said = str(error)
            observer.broker_error()
            service.ready(f"waits for its broker: {error}")
            pause_s = _pause(stop, pause_s)
            continue
        announced, said = False, ""
        try:
            while not stop.wished:
                if _one_batch(store, broker, stop, summary, observer, service.due_in_s()):
                    pause_s = _PAUSE_FIRST_S
                chore()
                service.alive()
                if broker.subscribed and not announced:
                    log.info("connected again" if ready else "ready")
                    ready = announced = True
                    observer.connected(broker.peer_certificate)
                    service.ready("collects")
        except BrokerError as error:
            log.warning("%s; connecting again", error)
            observer.broker_error()
        except StoreUnavailable as error:
            log.error("%s; nothing is acknowledged until it does", error)
            observer.database_error()
        broker.close()
        observer.disconnected()
        if not stop.wished:
            service.ready("connects again")
            pause_s = _pause(stop, pause_s)
    service.stopping()
    summary.say()


def _one_batch(store: Taker, broker: Broker, stop: Stop, summary: "Summary", observer: Observer, most_s: float) -> bool:
    deliveries = broker.receive(min(summary.due_in_s(), most_s), stop.wake)
    if deliveries:
        began = time.perf_counter()
        answers = take(store, [delivery.arrival for delivery in deliveries])
        took_s = time.perf_counter() - began
        acks = receipts(answers)
        broker.confirm(deliveries, acks)
        summary.add(answers)
        observer.batch(answers, acks, took_s)
    summary.say_if_due()
    return bool(deliveries)


def take(store: Taker, arrivals: list[Arrival]) -> list[Answer]:
    """The answers to ``arrivals``, all committed. A message that this program fails on spoils none of the others."""
    try:
        return store.ingest(arrivals)
    except StoreUnavailable:
        raise
    except Exception:  # the one catch-all of this process: a fault of ours must not stop every other pad
        log.exception("a batch of %d failed; taking its messages one by one", len(arrivals))
        return [_take_one(store, arrival) for arrival in arrivals]


def _take_one(store: Taker, arrival: Arrival) -> Answer:
    try:
        return store.ingest([arrival])[0]
    except StoreUnavailable:
        raise
    except Exception:
        # No receipt: whoever wrote it keeps it and sends it again, perhaps to a version that can take it.
        log.exception("one message on %r failed and is not stored", arrival.topic[:120])
        return Answer(FAILED, None)


class Summary:
    """One line a minute about what came in, and none about quiet minutes."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._due = time.monotonic() + _SUMMARY_S

    def due_in_s(self) -> float:
        return max(0.0, self._due - time.monotonic())

    def add(self, answers: list[Answer]) -> None:
        self._counts.update(answer.disposition for answer in answers)

    def say_if_due(self) -> None:
        if time.monotonic() >= self._due:
            self.say()

    def say(self) -> None:
        if self._counts:
            parts = ", ".join(f"{name} {number}" for name, number in self._counts.most_common())
            log.info("%d messages: %s", self._counts.total(), parts, extra=about(**self._counts))
        self._counts.clear()
        self._due = time.monotonic() + _SUMMARY_S


def _pause(stop: Stop, pause_s: float) -> float:
    """Waits about ``pause_s`` and gives the next, longer one. The jitter keeps many from coming back at one instant."""
    stop.wait(pause_s * random.uniform(0.5, 1.0))
    return min(pause_s * 2, _PAUSE_MOST_S)
