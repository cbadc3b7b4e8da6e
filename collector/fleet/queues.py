"""Which branch's queue has fallen silent: calls and pulses in, faults out. Pure: it has no clock and no broker.

Rules of the file
1.  A branch that is open is silent when for ``quiet_ms`` no call of it was opened or closed; when its feed said nothing
    for ``pulse_ms``; or when its feed has said for so long that the queue system does not answer. One fault says which.
2.  Time counts from when it opened, and from when we could hear it: nobody is judged by what is merely old. Outside its
    hours nothing is opened; a fault stays open until something is heard that ends it.
3.  A branch that never had a call nor a pulse has no queue yet, and cannot be silent.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from collector.store.faults import Change, Closed, Opened, at_branch
from protocol.messages import CallClosed, CallOpened, Pulse

SILENT = "feed_silent"
QUIET, GONE, UNANSWERED = "no call", "the feed is not there", "the queue system does not answer"


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How long what may last before it is a fault, in milliseconds."""

    quiet_ms: int = 1_800_000
    pulse_ms: int = 200_000  # a feed says every minute that it is there
    grace_ms: int = 60_000


@dataclass(slots=True)
class _Queue:
    call_ms: int = 0
    pulse_ms: int | None = None  # None: none was ever heard
    answered_ms: int = 0  # when its queue systems answered last, as the feed says
    opened_ms: int | None = None  # since when it has been open; None while it is closed


class QueueWatch:
    """``is_open``: whether a branch is open at a moment."""

    def __init__(self, limits: QueueLimits, is_open: Callable[[str, int], bool]):
        self._limits = limits
        self._is_open = is_open
        self._queues: dict[str, _Queue] = {}
        self._calls: dict[str, CallOpened | CallClosed] = {}
        self._faulty: dict[str, str] = {}  # by branch: why
        self._effects: list[Change] = []
        self._up_ms: int | None = None

    def take(self) -> list[Change]:
        """What has come of it since the last time, in order."""
        effects, self._effects = self._effects, []
        return effects

    def agree(self, branches: Collection[str], open_faults: Mapping[str, str]) -> None:
        """What the store knows by now: which branches there are; of which the fault is open, and its detail."""
        self._queues = {name: queue for name, queue in self._queues.items() if name in branches}
        self._faulty = dict(open_faults)

    def up(self, now_ms: int) -> None:
        self._up_ms = now_ms + self._limits.grace_ms

    def down(self) -> None:
        self._up_ms = None

    def call(self, branch: str, desk: str, message: CallOpened | CallClosed, retained: bool, now_ms: int) -> None:
        """What a desk's pad is told. A feed tells it again after every reconnect: that is no news."""
        queue = self._queues.setdefault(branch, _Queue())
        known, self._calls[desk] = self._calls.get(desk), message
        if not retained and message != known:
            queue.call_ms = now_ms
            self._heard(branch, queue, now_ms, ends=(QUIET, GONE, UNANSWERED))

    def pulse(self, branch: str, pulse: Pulse, now_ms: int) -> None:
        queue = self._queues.setdefault(branch, _Queue())
        queue.pulse_ms = now_ms
        if pulse.sources_down == 0:
            queue.answered_ms = now_ms
        self._heard(branch, queue, now_ms, ends=(GONE, UNANSWERED))

    def tick(self, now_ms: int) -> None:
        """To be told of the time, every second or so."""
        for branch, queue in self._queues.items():
            if not self._is_open(branch, now_ms):
                queue.opened_ms = None
            elif queue.opened_ms is None:
                queue.opened_ms = now_ms
            self._judge(branch, queue, now_ms)

    def _judge(self, branch: str, queue: _Queue, now_ms: int) -> None:
        if self._up_ms is None or queue.opened_ms is None or branch in self._faulty:
            return
        why = self._why_silent(queue, max(self._up_ms, queue.opened_ms), now_ms)
        if why is not None:
            self._faulty[branch] = why
            self._effects.append(Opened(at_branch(branch), SILENT, None, why))

    def _heard(self, branch: str, queue: _Queue, now_ms: int, *, ends: Collection[str]) -> None:
        """A fault ends by news only, and only if by now there is no reason for it any more."""
        if self._faulty.get(branch) not in ends:
            return
        if self._why_silent(queue, max(self._up_ms or 0, queue.opened_ms or 0), now_ms) is None:
            del self._faulty[branch]
            self._effects.append(Closed(at_branch(branch), SILENT))

    def _why_silent(self, queue: _Queue, since_ms: int, now_ms: int) -> str | None:
        if queue.pulse_ms is not None:
            if now_ms - max(queue.pulse_ms, since_ms) >= self._limits.pulse_ms:
                return GONE
            if now_ms - max(queue.answered_ms, since_ms) >= self._limits.pulse_ms:
                return UNANSWERED
        return QUIET if now_ms - max(queue.call_ms, since_ms) >= self._limits.quiet_ms else None
