"""What a collector does once an hour besides collecting: makes months ahead, forgets. A step between two batches.

Several collectors may do it at once, to no harm. What fails is tried again later and keeps no message waiting.
"""

import logging
import random
import time

from collector.errors import StoreError
from collector.store import Store
from collector.store.retention import Periods

log = logging.getLogger("collector")

_EVERY_S = 3600.0
_AGAIN_S = 300.0  # after a failure: somebody reads the tables for long, a backup for instance
_BETWEEN_STEPS_S = 1.0


class Chores:
    """``step`` is called after every batch, at least once a minute."""

    def __init__(self, store: Store, periods: Periods):
        self._store, self._periods = store, periods
        self._due_s = 0.0
        self._desk: str | None = None  # whose numbers were forgotten last; None: they are all looked through
        self._months_seen_to_s = -_EVERY_S

    def step(self) -> None:
        """Does a little if it is time; a second of rest between two steps."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        try:
            busy = self._do_some(now_s)
        except StoreError as error:
            log.info("the hourly work is put off: %s", error)
            self._due_s = now_s + _AGAIN_S
            return
        # Not all collectors of a group at one instant.
        self._due_s = now_s + (_BETWEEN_STEPS_S if busy else _EVERY_S * random.uniform(0.9, 1.1))

    def _do_some(self, now_s: float) -> bool:
        now_unix_ms = time.time_ns() // 1_000_000
        if now_s - self._months_seen_to_s >= _EVERY_S * 0.9:
            for sentence in self._store.look_after(now_unix_ms):
                log.warning("%s", sentence)
            self._months_seen_to_s = now_s
            if self._desk is None:  # a country's desks take longer than an hour: then it goes on where it is
                self._desk = ""
            return True
        if self._desk is not None:
            self._desk = self._store.forget_numbers(self._desk, now_unix_ms)
        return self._store.forget_some(self._periods, now_unix_ms) or self._desk is not None
