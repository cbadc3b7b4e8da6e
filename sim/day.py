"""A running day: clients arrive, wait, are called, served and perhaps vote, at every desk that is not reserved.

A demonstration is always in office hours: its day starts in the morning's rush and, when the afternoon is over, the
next one begins, whatever the clock on the wall says. Events bear the real time.

It knows nothing of calls, votes or figures: it speaks to the queue, presses buttons and looks at lamps.
"""

import asyncio
import math
from collections.abc import Callable, Collection
from random import Random

from protocol.messages import RATINGS
from sim import hours
from sim.city import Branch, City, Desk, Operator
from sim.hall import Hall
from sim.visit import Seat, Visit
from sim.world import Nobody, Panel, Queue, Witness, World, wall_unix_ms

DEMO_SPEED = 15.0  # nine minutes at a desk take 36 seconds
_FIRST_MINUTE, _LAST_MINUTE = 9 * 60 + 15, 16 * 60
_BETWEEN_CLIENTS_S = 20.0
LATENCY_S = 0.5  # far more than the way of a message takes on one machine, even a busy one
_BREAK_AFTER_CLIENTS = (9, 22)
_BREAK_S = (240.0, 600.0)
_DARK_PRESS = 0.03  # after a client: a child or a cleaner presses a dark pad
# A client who sees so many waiting for each desk goes home.
_FULL_PER_DESK = 4
_WAITING_AT_START_PER_DESK = 1.5


class Day:
    """Args:
    speed: how many seconds of the city pass in one real second.
    latency_s: real seconds within which a message certainly arrives; people are never quicker than that.
    reserved: desks that are left alone, for people to try.
    witness: is told everything that people do.
    clock: the queue system's, Unix milliseconds.
    """

    def __init__(
        self,
        city: City,
        webhook: Queue,
        pads: Panel,
        *,
        seed: int,
        speed: float = DEMO_SPEED,
        latency_s: float = LATENCY_S,
        reserved: Collection[str] = (),
        witness: Witness | None = None,
        clock: Callable[[], int] = wall_unix_ms,
    ):
        self._city = city
        self._seed = seed
        self._world = World(webhook, pads, speed=speed, latency_s=latency_s, witness=witness or Nobody(), clock=clock)
        self._desks = [desk for desk in city.desks if desk.id not in reserved]

    async def run(self, until: asyncio.Event) -> None:
        """Lives until the event is set; then clients and operators finish, desks close, and it returns.

        A cancelled run stops at once and leaves calls open.
        """
        async with asyncio.TaskGroup() as people:
            for branch in self._city.branches:
                self._open(branch, people)
            await until.wait()
            self._world.over.set()

    def _open(self, branch: Branch, people: asyncio.TaskGroup) -> None:
        """Everybody of one branch goes to work."""
        desks = [desk for desk in self._desks if desk.branch == branch.id]
        if not desks:
            return
        dice = Random(f"{self._seed}/{branch.id}")
        hall = Hall(self._city, branch, seed=self._seed, unix_ms=self._world.now_unix_ms)
        for _ in range(round(_WAITING_AT_START_PER_DESK * len(desks))):
            hall.join(hall.issue())
        team = self._city.operators_of(branch.id)
        dice.shuffle(team)
        resting = team[len(desks) :]
        for desk, operator in zip(desks, team, strict=False):
            hall.present[desk.id] = operator
            shift = _Shift(self._world, Seat(desk.id, operator, hall), resting, Random(f"{self._seed}/{desk.id}"))
            people.create_task(shift.work(), name=desk.id)
        people.create_task(self._arrivals(hall, desks, dice), name=branch.id)

    async def _arrivals(self, hall: Hall, desks: list[Desk], dice: Random) -> None:
        """A Poisson process that follows the day's profile, by thinning."""
        world, minutes = self._world, _LAST_MINUTE - _FIRST_MINUTE
        per_minute = 60 * len(desks) / self._cycle_s() * hours.SHAPE_MAX
        minute = 0.0
        while not world.over.is_set():
            pause = dice.expovariate(per_minute)
            await world.pass_time(60 * pause)
            minute += pause
            busy = hours.shape(_FIRST_MINUTE + minute % minutes)
            if dice.random() * hours.SHAPE_MAX < busy and len(hall) < _FULL_PER_DESK * len(desks):
                visitor = hall.issue()
                if hall.branch.next_only < 1.0:
                    world.tell("issued", hall.branch.id, visitor=visitor)
                hall.join(visitor)

    def _cycle_s(self) -> float:
        """Mean seconds from one call at a desk to the next."""
        weights = sum(service.weight for service in self._city.services)
        mean_min = sum(
            service.weight * service.median_min * math.exp(service.spread**2 / 2) for service in self._city.services
        )
        return 60 * mean_min / weights + _BETWEEN_CLIENTS_S + 18


class _Shift:
    """One desk through the day: client after client, breaks, a change of operator after each break."""

    def __init__(self, world: World, seat: Seat, resting: list[Operator], dice: Random):
        self._world = world
        self._seat = seat
        self._resting = resting
        self._dice = dice
        self._break_after = dice.randint(2, _BREAK_AFTER_CLIENTS[1])  # not all at once

    async def work(self) -> None:
        world, seat = self._world, self._seat
        await world.pass_time(self._dice.uniform(0, 240))  # desks do not start in step
        self._tell("operator_opened")
        while not world.over.is_set():
            visitor = seat.hall.take(seat.desk, seat.operator)
            if visitor is None:
                await seat.hall.changed(timeout_s=0.5)
                continue
            await Visit(world, seat, visitor).play()
            seat.clients += 1
            # What the last client did is over before the next one is called.
            await world.pass_time(_BETWEEN_CLIENTS_S * self._dice.uniform(0.5, 1.5), real_s=world.latency_s)
            if self._dice.random() < _DARK_PRESS:
                await self._child_at_the_pad()
            if seat.clients >= self._break_after and not world.over.is_set():
                await self._pause()
        self._tell("operator_closed")

    async def _child_at_the_pad(self) -> None:
        if self._world.is_dark(self._seat.desk):
            await self._world.press(self._seat.desk, self._dice.choice(RATINGS), None)
            await self._world.pass_time(0, real_s=self._world.latency_s)

    async def _pause(self) -> None:
        """The operator goes; somebody else comes back to the desk, if there is anybody."""
        seat = self._seat
        self._tell("operator_closed")
        await self._world.pass_time(self._dice.uniform(*_BREAK_S), real_s=self._world.latency_s)
        if self._resting:
            self._resting.append(seat.operator)
            seat.operator = self._resting.pop(0)
            seat.hall.present[seat.desk] = seat.operator
        seat.clients, self._break_after = 0, self._dice.randint(*_BREAK_AFTER_CLIENTS)
        self._tell("operator_opened")

    def _tell(self, what: str) -> None:
        self._world.tell(what, self._seat.branch, desk=self._seat.desk, operator=self._seat.operator.id)
