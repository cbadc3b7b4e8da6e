"""Failed attempts cost: a small bucket of them for each client address, or each account. Pure but for its clock."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from math import ceil

BURST = 10  # an old token in a script, or a clerk's typing errors, do not lock a whole office out
REFILL_S = 2.0  # one attempt comes back every so many seconds
ADDRESSES = 10_000  # bounded: forged addresses must not fill the memory


class Slowdown:
    """How many failures a key has left. Thread-safe; ``clock`` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float], *, burst: int = BURST, refill_s: float = REFILL_S):
        self._clock = clock
        self._burst = burst
        self._refill_s = refill_s
        self._lock = threading.Lock()
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()  # key -> (attempts spent, when)

    def wait_s(self, key: str) -> int:
        """Whole seconds until ``key`` may try again; 0 when it may now."""
        with self._lock:
            return self._wait_s(key)

    def failed(self, key: str) -> None:
        with self._lock:
            self._take(key, 1)

    def spend(self, key: str) -> int:
        """Takes an attempt and gives 0, or takes none and gives the whole seconds until there is one."""
        with self._lock:
            wait_s = self._wait_s(key)
            if not wait_s:
                self._take(key, 1)
            return wait_s

    def give_back(self, key: str) -> None:
        with self._lock:
            self._take(key, -1)

    def _wait_s(self, key: str) -> int:
        over = self._spent_now(key) - (self._burst - 1)
        return max(0, ceil(over * self._refill_s))

    def _take(self, key: str, attempts: int) -> None:
        self._spent[key] = (max(0.0, self._spent_now(key) + attempts), self._clock())
        self._spent.move_to_end(key)
        if len(self._spent) > ADDRESSES:
            self._spent.popitem(last=False)

    def _spent_now(self, key: str) -> float:
        spent, when = self._spent.get(key, (0.0, 0.0))
        return max(0.0, spent - (self._clock() - when) / self._refill_s)
