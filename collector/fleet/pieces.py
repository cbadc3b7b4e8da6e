"""Answers pads that load an update: each in its turn, and no more a second than the office's line is to carry.

A pad asks for one piece at a time and asks again if none comes; so only the newest wish of each is kept, and nothing
that is lost on the way needs to be remembered here.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from collector.fleet.shelf import Shelf
from protocol import codec, topics
from protocol.messages import Want

_BURST_S = 0.25


class Pieces:
    """A thread of its own. ``publish`` (topic, payload) must not wait; ``per_second`` bounds all pads together."""

    def __init__(self, shelf: Shelf, publish: Callable[[str, bytes], object], per_second: int):
        self._shelf, self._publish, self._per_second = shelf, publish, per_second
        self._wants: OrderedDict[str, Want] = OrderedDict()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="pieces", daemon=True)
        self.served = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def ask(self, desk: str, want: Want) -> None:
        """May be called from any thread; answered soon, unless the pad asks for something else before."""
        with self._changed:
            self._wants[desk] = want  # it keeps its place in the line
            self._changed.notify()

    def _work(self) -> None:
        credit, then = 0.0, time.monotonic()
        most = max(1.0, self._per_second * _BURST_S)
        while True:
            with self._changed:
                while not self._wants and not self._stopping:
                    self._changed.wait()
                if self._stopping:
                    return
            now = time.monotonic()
            credit, then = min(most, credit + (now - then) * self._per_second), now
            if credit < 1:
                time.sleep((1 - credit) / self._per_second)
                continue
            credit -= 1
            self._answer_one()

    def _answer_one(self) -> None:
        with self._changed:
            desk, want = self._wants.popitem(last=False)
        self._publish(topics.desk(desk, "piece"), codec.encode(self._shelf.piece(want)))
        self.served += 1
