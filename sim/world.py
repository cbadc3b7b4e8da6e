"""What people in a running day can do: let time pass, say something to the queue, look at lamps, press a button.

Rules of the file
1.  The queue is spoken to by the webhook only, a pad by its buttons and lamps only.
2.  Durations of the city are divided by ``speed``; ``_s`` of the city is named ``city_s``, real seconds ``real_s``.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from sim.city import TIMEZONE
from sim.hall import Visitor
from sim.webhook import QueueNews

ALL_LIT, DARK = "111", "000"
_LOOK_EVERY_S = 0.02
_FINGER_S = 0.12


class Panel(Protocol):
    """What the day needs of the pads. Buttons are 1..3; lamps are three characters, "1" for lit."""

    def press(self, desk: str, button: int) -> None: ...
    def release(self, desk: str, button: int) -> None: ...
    def lamps(self, desk: str) -> str: ...


class Queue(Protocol):
    """What the day needs of the queue system's side: to be rid of an event at once (sim/webhook.py)."""

    def soon(self, news: QueueNews) -> None: ...


class Witness(Protocol):
    """Somebody who is told everything that people do, to check the figures afterwards (sim/oracle.py)."""

    def told(self, news: QueueNews) -> None: ...
    def pressing(self, desk: str, button: int, ticket: str | None) -> None: ...
    def found_no_light(self, desk: str, ticket: str) -> None: ...


class Nobody:
    """The witness of a demonstration that runs for days: remembers nothing."""

    def told(self, news: QueueNews) -> None:
        pass

    def pressing(self, desk: str, button: int, ticket: str | None) -> None:
        pass

    def found_no_light(self, desk: str, ticket: str) -> None:
        pass


def wall_unix_ms() -> int:
    return time.time_ns() // 1_000_000


class World:
    """Args:
    clock: the queue system's, Unix milliseconds.
    speed: how many seconds of the city pass in one real second.
    latency_s: real seconds within which a message certainly arrives; people are never quicker than that.
    """

    def __init__(
        self,
        queue: Queue,
        pads: Panel,
        *,
        speed: float,
        latency_s: float,
        witness: Witness,
        clock: Callable[[], int] = wall_unix_ms,
    ):
        self.over = asyncio.Event()  # set: nothing is waited for any longer, people finish what they do
        self.speed = speed
        self.latency_s = latency_s
        self._queue = queue
        self._pads = pads
        self._witness = witness
        self._clock = clock
        self._last_unix_ms = 0
        self._told = 0

    def now_unix_ms(self) -> int:
        """The queue's clock; never twice the same, so that moments can name things."""
        self._last_unix_ms = max(self._last_unix_ms + 1, self._clock())
        return self._last_unix_ms

    async def pass_time(self, city_s: float, *, real_s: float = 0.0) -> None:
        """Waits ``city_s`` of the city's seconds, at least ``real_s`` real ones; the former end when the day does."""
        begun = time.monotonic()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), city_s / self.speed)
        await asyncio.sleep(max(0.0, begun + real_s - time.monotonic()))

    def later(self, city_s: float, act: Callable[[], None]) -> None:
        """Something happens after ``city_s``, whoever waits for it or not."""
        asyncio.get_running_loop().call_later(city_s / self.speed, act)

    def today(self) -> date:
        return datetime.now(ZoneInfo(TIMEZONE)).date()

    def tell(
        self,
        what: str,
        branch: str,
        *,
        desk: str | None = None,
        operator: str | None = None,
        visitor: Visitor | None = None,
    ) -> None:
        """The queue reports ``what``, an event type, as of now."""
        self._told += 1
        at = self.now_unix_ms()
        news = QueueNews(
            event=f"{branch}-{at}-{self._told}",
            type=what,
            branch=branch,
            ticket=visitor.key if visitor else None,
            label=visitor.label if visitor else None,
            occurred_unix_ms=at,
            desk=desk,
            operator=operator,
            service=visitor.service.id if visitor else None,
        )
        self._witness.told(news)
        self._queue.soon(news)

    def is_dark(self, desk: str) -> bool:
        return self._pads.lamps(desk) == DARK

    async def sees_all_lit(self, desk: str, ticket: str, *, patience_s: float) -> bool:
        """Whether a client at the desk sees three lit buttons before losing patience (real seconds)."""
        if await _within(patience_s, lambda: self._pads.lamps(desk) == ALL_LIT):
            return True
        self._witness.found_no_light(desk, ticket)
        return False

    async def press(self, desk: str, button: int, ticket: str | None) -> None:
        """A finger on a button; ``ticket`` is whose, None for somebody who is no client."""
        self._witness.pressing(desk, button, ticket)
        self._pads.press(desk, button)
        await asyncio.sleep(_FINGER_S)
        self._pads.release(desk, button)


async def _within(real_s: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + real_s
    while not holds():
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(_LOOK_EVERY_S)
    return True
