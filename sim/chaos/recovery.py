"""How long after each injury until a vote that was given after it stood in the database. It heals nothing."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

from sim.chaos.schedule import Injury
from sim.ledger import Ledger, Unreadable
from sim.oracle import Oracle

_LOOK_EVERY_S = 0.25


@dataclass(slots=True)
class Wound:
    """An injury that was inflicted; seconds since the desks opened. ``recovered_s`` is None if it never was."""

    injury: Injury
    began_s: float
    ended_s: float | None = None
    recovered_s: float | None = None


@dataclass(slots=True)
class Recovery:
    """Watches the database while the campaign runs."""

    oracle: Oracle
    database_url: str
    begun_s: float = field(default_factory=time.monotonic)
    wounds: list[Wound] = field(default_factory=list)
    _seen: set[tuple[str, int]] = field(default_factory=set)

    def now_s(self) -> float:
        return time.monotonic() - self.begun_s

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            if any(wound.recovered_s is None and wound.ended_s is not None for wound in self.wounds):
                with contextlib.suppress(Unreadable):
                    self._look(await asyncio.to_thread(self._voted))

    def _voted(self) -> set[tuple[str, int]]:
        with Ledger(self.database_url) as ledger:
            return ledger.voted()

    def _look(self, voted: set[tuple[str, int]]) -> None:
        now_s = self.now_s()
        given = self.oracle.given()
        fresh = [given[name] - self.begun_s for name in voted - self._seen if name in given]
        self._seen |= voted
        for wound in self.wounds:
            if wound.recovered_s is None and wound.ended_s is not None and any(at > wound.ended_s for at in fresh):
                wound.recovered_s = now_s
