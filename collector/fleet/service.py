"""The fleet service at work: brings what the broker says to the rules, and what they decide to store and broker.

    line's thread ─► inbox ─► this thread: Watch every 0.1 s, chores every second ─► store
                 └─► Pieces' thread                       store ─► Post's thread ─► mail, webhooks

The store may be away for a while: what is to be written waits in order, and watching goes on.
"""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import islice

from collector.errors import StoreError, StoreUnavailable
from collector.fleet.alerts import Post
from collector.fleet.driver import Driver
from collector.fleet.opening import Opening
from collector.fleet.passwords import PasswordFile
from collector.fleet.pieces import Pieces
from collector.fleet.queues import SILENT, QueueLimits, QueueWatch
from collector.fleet.shelf import Shelf
from collector.fleet.watch import Limits, Watch
from collector.line import Broker, Line
from collector.serve import Stop
from collector.store import Fault, Store
from collector.store.faults import Change, Closed, Opened
from protocol import codec, topics
from protocol.errors import ProtocolError
from protocol.messages import CallClosed, CallOpened, Health, PadStatus, Pulse, Want
from schemas.logs import about
from schemas.service import Service as Systemd

log = logging.getLogger("fleet")

SUBSCRIPTIONS = (
    *(topics.every_desk(kind) for kind in ("status", "health", "call", "want")),
    topics.every_queue("pulse"),
)
_TICK_S, _CHORES_S, _AGREE_S = 0.1, 1.0, 15.0
_KEEP_COMMANDS_S = 90 * 86_400
_AT_ONCE = 500
_OWED = 100_000  # changes that wait for a database that is away


def clock() -> Callable[[], int]:
    """UTC in milliseconds that never jumps, whatever is done to the host's clock meanwhile."""
    offset_ms = time.time_ns() // 1_000_000 - time.monotonic_ns() // 1_000_000
    return lambda: time.monotonic_ns() // 1_000_000 + offset_ms


class Service:
    """Args:
    recipients: who is to be told of a fault.
    per_second: pieces of updates, for all pads together.
    """

    def __init__(
        self,
        store: Store,
        broker: Broker,
        *,
        limits: Limits,
        queue_limits: QueueLimits,
        shelf: Shelf,
        post: Post | None,
        recipients: Callable[[Fault], set[str]],
        passwords: PasswordFile | None,
        per_second: int,
    ):
        self._store, self._shelf, self._post, self._passwords = store, shelf, post, passwords
        self._recipients = recipients
        self._now_ms = clock()
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._owed: deque[Change] = deque(maxlen=_OWED)
        self._try_again_s = 0.0
        self._desks: dict[str, str] = {}  # each one's branch
        self._complained: set[str] = set()
        self._ready = False
        self._systemd = Systemd()
        self._watch = Watch(limits, (), {}, self._now_ms())
        self._office = Opening(None)
        self._queues = QueueWatch(queue_limits, self._is_open)
        self._line = Line(
            broker,
            subscriptions=SUBSCRIPTIONS,
            on_up=lambda: self._inbox.put(self._up),
            on_down=lambda: self._inbox.put(self._down),
            on_message=self._arrived,
            on_hearing=lambda: self._inbox.put(self._hearing),
        )
        self._pieces = Pieces(shelf, lambda topic, payload: self._line.publish(topic, payload, qos=0), per_second)
        self._driver = Driver(store.fleet, self._watch, shelf, self._line.publish)

    @property
    def connected(self) -> bool:
        """To the broker."""
        return self._line.up

    def run(self, stop: Stop) -> None:
        """Serves until ``stop`` is wished for."""
        self._guarded(self._agree)
        self._guarded(self._shelf.look)
        self._pieces.start()
        self._line.start()
        self._systemd.ready("watches")
        telling = threading.Thread(target=self._tell, args=(stop,), name="post", daemon=True)
        telling.start()
        try:
            self._work(stop)
        finally:
            self._systemd.stopping()
            self._line.stop()
            self._pieces.stop()
            telling.join(timeout=1.0)  # a mail server that takes its time is not waited for

    # ---- the broker's thread
    def _arrived(self, topic: str, payload: bytes, retained: bool) -> None:
        try:
            _, name, kind = topics.parse(topic)
            message = codec.decode(kind, payload)
        except ProtocolError as error:
            if topic not in self._complained:  # once, or a pad gone mad would fill the log
                self._complained.add(topic)
                log.warning("%.80r is none of our messages: %s", topic, error)
            return
        if isinstance(message, Want):
            self._pieces.ask(name, message)
        else:
            self._inbox.put(lambda: self._on_message(name, message, retained))

    # ---- this thread
    def _work(self, stop: Stop) -> None:
        tick_s = chores_s = agree_s = 0.0
        while not stop.wished:
            now_s = time.monotonic()
            try:
                self._inbox.get(timeout=max(0.0, tick_s + _TICK_S - now_s))()
            except queue.Empty:
                pass
            except Exception:
                log.exception("the fleet service met an error of ours and goes on")
            now_s = time.monotonic()
            self._systemd.alive()
            if now_s - tick_s >= _TICK_S:
                tick_s = now_s
                self._watch.tick(self._now_ms())
                self._record()
            if now_s - chores_s >= _CHORES_S:
                chores_s = now_s
                self._record()  # or the store would not know yet what it is asked about
                if now_s - agree_s >= _AGREE_S and not self._owed:
                    agree_s = now_s
                    self._guarded(self._agree)
                self._guarded(self._chores)

    def _on_message(self, name: str, message: object, retained: bool) -> None:
        """``name`` is the desk's, or of a pulse the branch's."""
        now_ms = self._now_ms()
        if isinstance(message, PadStatus):
            self._watch.status(name, message, retained, now_ms)
        elif isinstance(message, Health):
            self._watch.health(name, message, now_ms)
        elif isinstance(message, CallOpened | CallClosed):
            self._watch.call(name, message, retained, now_ms)
            if name in self._desks:
                self._queues.call(self._desks[name], name, message, retained, now_ms)
        elif isinstance(message, Pulse) and name in self._office.branches:
            self._queues.pulse(name, message, now_ms)

    def _is_open(self, branch: str, now_ms: int) -> bool:
        return self._office.is_open(branch, now_ms)

    def _down(self) -> None:
        self._watch.down(self._now_ms())
        self._queues.down()

    def _up(self) -> None:
        self._watch.up(self._now_ms())
        self._queues.up(self._now_ms())
        self._guarded(self._driver.tell_again)

    def _hearing(self) -> None:
        if not self._ready:
            self._ready = True
            log.info("ready")

    def _record(self) -> None:
        """Everything that was decided goes to the store, in order."""
        for change in (*self._watch.take(), *self._queues.take()):
            if isinstance(change, Opened):
                if change.desk and change.kind != SILENT and change.desk not in self._desks:
                    continue  # not in the register: nobody is to be told of it
                of = about(desk=change.desk, fault=change.kind)
                log.warning("%s: %s (%s)", change.desk or "broker", change.kind, change.detail, extra=of)
            elif isinstance(change, Closed):
                log.info("%s: no longer %s", change.desk or "broker", change.kind)
            self._owed.append(change)
        if not self._owed or time.monotonic() < self._try_again_s:
            return
        some = [*islice(self._owed, _AT_ONCE)]
        try:
            self._store.fleet.record(some)
        except StoreUnavailable as error:
            log.error("%s; what is to be kept waits (%d)", error, len(self._owed))
            self._try_again_s = time.monotonic() + _CHORES_S
            return
        except StoreError as error:
            log.error("%s; what was to be kept is lost (%d)", error, len(some))
        for _ in some:
            self._owed.popleft()

    def _chores(self) -> None:
        self._queues.tick(self._now_ms())
        self._driver.commands(self._now_ms())
        self._driver.rollout(self._now_ms())
        self._shelf.look()
        if self._passwords is not None and self._passwords.write(self._store.fleet.credentials()):
            log.info("the broker's password file is up to date again")

    def _agree(self) -> None:
        """Takes over what others have changed in the store."""
        self._complained.clear()
        fleet = self._store.fleet
        rows = self._store.pads()
        self._desks = {row.desk: row.branch for row in rows}
        ever: set[str] = set()
        now: set[str] = set()
        for each in fleet.credentials(with_replaced=True):
            (ever if each.replaced_unix_ms is not None else now).add(each.desk)
        with_pad = {row.desk for row in rows if row.journal is not None} | (now & self._desks.keys())
        found = fleet.faults(is_open=True, limit=100_000)
        open_faults = {(each.place, each.kind): each.opened_unix_ms for each in found}
        self._office = Opening(self._store.register())
        silent = {each.branch: each.detail for each in found if each.kind == SILENT and each.branch is not None}
        self._queues.agree(self._office.branches, silent)
        retired = (ever - now) | (self._watch.pads.keys() - self._desks.keys())
        self._watch.agree(with_pad - retired, retired, open_faults, self._now_ms())
        fleet.forget_commands(self._now_ms() - _KEEP_COMMANDS_S * 1000)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (StoreError, OSError) as error:
            log.error("%s", error)
        except Exception:  # the one catch-all of this thread: watching must go on
            log.exception("the fleet service met an error of ours and goes on")

    # ---- the thread that tells people
    def _tell(self, stop: Stop) -> None:
        while not stop.wished:
            self._guarded(self._tell_once)
            time.sleep(_CHORES_S / 2)

    def _tell_once(self) -> None:
        if self._store.fleet.announce(self._recipients) and self._post is not None:
            self._post.work(self._store.fleet.notices())
