"""The waiting hall of one branch in a running day: tickets, who waits, who is called next. It knows no pads.

The dice of a visitor come from the seed and the number of the ticket: whatever the machine's speed, the n-th client
of a branch wants the same service and would vote the same.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from sim import people
from sim.city import Branch, City, Operator, Service

_LETTERS = "АБВГДЕЖИКЛМН"  # one a service, on the tickets


@dataclass(slots=True)
class Visitor:
    """A client with a ticket. ``desk``: the only desk that may call them now (after being held), or any."""

    key: str
    label: str
    service: Service
    came_unix_ms: int
    dice: Random = field(repr=False)
    desk: str | None = None
    not_desk: str | None = None


class Hall:
    """Args:
    unix_ms: the clock that names tickets; called once for each.
    """

    def __init__(self, city: City, branch: Branch, *, seed: int, unix_ms: Callable[[], int]):
        self.branch = branch
        self._city = city
        self._seed = seed
        self._unix_ms = unix_ms
        self._issued = 0
        self._waiting: list[Visitor] = []
        self._changed = asyncio.Event()
        self.present: dict[str, Operator] = {}  # who sits at which desk

    def __len__(self) -> int:
        return len(self._waiting)

    def issue(self) -> Visitor:
        """A client comes in and draws a ticket; to be seated with join()."""
        self._issued += 1
        dice = Random(f"{self._seed}/{self.branch.id}/{self._issued}")
        service = people.service_for(dice, self._city)
        letter = _LETTERS[self._city.services.index(service)]
        came_unix_ms = self._unix_ms()
        label = f"{letter}-{self._issued % 1000:03}"
        # Numbers begin anew every day and every start; the moment makes the key unique for ever.
        return Visitor(f"{self.branch.id}/{label}/{came_unix_ms}", label, service, came_unix_ms, dice)

    def join(self, visitor: Visitor, *, first: bool = False) -> None:
        """The visitor waits, behind or before all others."""
        self._waiting.insert(0 if first else len(self._waiting), visitor)
        self._changed.set()

    def take(self, desk: str, operator: Operator) -> Visitor | None:
        """The next visitor for this operator at this desk, if there is one."""
        for visitor in self._waiting:
            if visitor.desk in (None, desk) and visitor.not_desk != desk and self._fits(visitor, operator):
                self._waiting.remove(visitor)
                return visitor
        return None

    async def changed(self, timeout_s: float) -> None:
        """Returns when somebody joined, or after the time."""
        self._changed.clear()
        try:
            await asyncio.wait_for(self._changed.wait(), timeout_s)
        except TimeoutError:
            return

    def _fits(self, visitor: Visitor, operator: Operator) -> bool:
        if visitor.service.id in operator.services or visitor.desk is not None:
            return True
        return not any(
            visitor.service.id in other.services for desk, other in self.present.items() if desk != visitor.not_desk
        )
