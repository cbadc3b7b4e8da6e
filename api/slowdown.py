"""Failed tokens cost: a small bucket of attempts for each client address. Pure but for the clock handed to it."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from math import ceil

BURST = 10  # an old token in a script, or a clerk's typing errors, do not lock a whole office out
REFILL_S = 2.0  # one attempt comes back every so many seconds
ADDRESSES = 10_000  # bounded: forged addresses must not fill the memory


class Slowdown:
    """How many failures an address has left. Thread-safe; ``clock`` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float]):
        self._clock = clock
        self._lock = threading.Lock()
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()  # address -> (attempts spent, when)

    def wait_s(self, address: str) -> int:
        """Whole seconds until ``address`` may try again; 0 when it may now."""
        with self._lock:
            over = self._spent_now(address) - (BURST - 1)
            return max(0, ceil(over * REFILL_S))

    def failed(self, address: str) -> None:
        with self._lock:
            self._spent[address] = (self._spent_now(address) + 1, self._clock())
            self._spent.move_to_end(address)
            if len(self._spent) > ADDRESSES:
                self._spent.popitem(last=False)

    def _spent_now(self, address: str) -> float:
        spent, when = self._spent.get(address, (0.0, 0.0))
        return max(0.0, spent - (self._clock() - when) / REFILL_S)
