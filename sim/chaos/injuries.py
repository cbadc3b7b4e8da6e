"""How each injury is inflicted, and healed. When, and to whom, is the schedule's.

An injury's coroutine returns when it is over: what comes after is recovery. Two may overlap; none fails if its victim
is down already.
"""

import asyncio
from collections.abc import Awaitable, Callable

from sim.chaos.centre import Centre
from sim.chaos.schedule import Injury
from sim.errors import ChildFailed
from sim.oracle import Oracle


class Surgeon:
    """Inflicts what the schedule says on one centre."""

    def __init__(self, centre: Centre, oracle: Oracle, report: Callable[[str], None]):
        self._centre = centre
        self._oracle = oracle
        self._report = report
        self._how: dict[str, Callable[[Injury], Awaitable[None]]] = {
            "kill": self._kill,
            "kill_broker": self._kill,
            "kill_pad": self._kill_pad,
            "freeze": self._freeze,
            "restart": self._restart,
            "wipe": self._wipe,
        }

    async def inflict(self, injury: Injury) -> None:
        await self._how[injury.kind](injury)

    async def _kill(self, injury: Injury) -> None:
        self._centre.kill(injury.target)

    async def _kill_pad(self, injury: Injury) -> None:
        self._oracle.power_cut(injury.target)
        self._centre.pads.kill(injury.target)
        await asyncio.sleep(injury.lasts_s)
        try:
            await self._centre.pads.restart(injury.target)
        except ChildFailed as error:
            self._report(str(error))

    async def _freeze(self, injury: Injury) -> None:
        self._centre.freeze(injury.target)
        try:
            await asyncio.sleep(injury.lasts_s)
        finally:
            self._centre.thaw(injury.target)

    async def _restart(self, injury: Injury) -> None:
        """In good order, as an administrator does it."""
        program = self._centre.broker.program
        with program.held_down():
            self._centre.ask_to_stop("broker")
            await program.ended()
            await asyncio.sleep(injury.lasts_s)

    async def _wipe(self, injury: Injury) -> None:
        """The broker comes back with empty hands: no session, no queued message, no retained call or ack."""
        program = self._centre.broker.program
        with program.held_down():
            self._centre.kill("broker")
            await program.ended()
            self._centre.broker.wipe()
            await asyncio.sleep(injury.lasts_s)
