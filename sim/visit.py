"""What happens in one call of a running day, from the summons to its end, with everything odd that people do.

How often the odd things happen is exaggerated against reality, so that a short run shows each of them.
"""

from dataclasses import dataclass

from protocol.messages import RATINGS
from sim import people
from sim.city import Operator
from sim.hall import Hall, Visitor
from sim.world import World

_PATIENCE_S = 5.0  # real time: how long a client looks for lit buttons
_RECALLED = 0.06  # of calls, once more before the client comes
_STARTED = 0.5  # of calls: the operator tells the queue that work begins
_PRESSES_TWICE = 0.06  # of voters, the other button too
_PRESSES_AT_THE_END = 0.05  # of the others, in the very moment in which the call is closed
_VOTES_ANYWAY = 0.2  # of clients who are sent to another desk, or away to fetch something
_HELD_S = 300.0


@dataclass(slots=True)
class Seat:
    """A desk in use, and who works at it; ``clients`` since the last break."""

    desk: str
    operator: Operator
    hall: Hall
    clients: int = 0

    @property
    def branch(self) -> str:
        return self.hall.branch.id


class Visit:
    """One visitor called to one seat."""

    def __init__(self, world: World, seat: Seat, visitor: Visitor):
        self._world = world
        self._seat = seat
        self._visitor = visitor
        self._dice = visitor.dice
        # An old queue knows nothing but calls; elsewhere an operator in a hurry just calls the next.
        self._only_calls = seat.hall.branch.next_only >= 1.0
        self._silent_end = self._dice.random() < seat.hall.branch.next_only

    async def play(self) -> None:
        self._tell("called")
        course = people.course(self._dice)
        # A city's seconds may be very short: nobody is at the desk before the pad can know of the call.
        await self._world.pass_time(people.walk_s(self._dice), real_s=2 * self._world.latency_s)
        if self._dice.random() < _RECALLED or course == "absent":
            self._tell("recalled")
            await self._world.pass_time(15)
        if course in ("absent", "removed"):
            await self._world.pass_time(self._dice.uniform(30, 90))
            self._end("no_show" if course == "absent" else "removed")
        elif course == "served":
            await self._served()
        else:
            await self._sent_away(course)

    async def _served(self) -> None:
        dice, visitor, operator = self._dice, self._visitor, self._seat.operator
        if dice.random() < _STARTED and not self._only_calls:
            self._tell("started")
        stays_s = people.service_s(dice, visitor.service, operator)
        wait_min = (self._world.now_unix_ms() - visitor.came_unix_ms) / 60_000 * self._world.speed
        today = people.mood(self._seat.branch, self._world.today())
        votes = people.votes(dice, visitor.service, today, wait_min)
        rating = people.rating(dice, visitor.service, operator, today, wait_min=wait_min)
        moment = people.moment_of_vote(dice)
        await self._world.pass_time(stays_s * moment)
        if votes:
            await self._vote(rating)
        await self._world.pass_time(stays_s * (1 - moment))
        if not votes and not self._silent_end and dice.random() < _PRESSES_AT_THE_END:
            await self._press_at_the_end(rating)
        else:
            self._end("finished")

    async def _sent_away(self, course: str) -> None:
        """Transferred to another desk, held for later, or gone in anger."""
        dice, visitor, seat = self._dice, self._visitor, self._seat
        await self._world.pass_time(dice.uniform(60, 240))
        if dice.random() < _VOTES_ANYWAY:
            await self._vote(dice.choice(RATINGS))
        if course == "transferred" and len(seat.hall.present) < 2:
            course = "left"
        self._end(course)
        if course == "transferred":
            visitor.desk, visitor.not_desk = None, seat.desk
            seat.hall.join(visitor, first=True)
        elif course == "held":
            visitor.desk, visitor.not_desk = seat.desk, None
            self._world.later(_HELD_S, lambda: seat.hall.join(visitor, first=True))

    async def _vote(self, rating: int) -> None:
        desk, ticket = self._seat.desk, self._visitor.key
        if not await self._world.sees_all_lit(desk, ticket, patience_s=_PATIENCE_S):
            return
        await self._world.press(desk, rating, ticket)
        if self._dice.random() < _PRESSES_TWICE:
            await self._world.pass_time(10, real_s=0.5 * self._world.latency_s)
            other = self._dice.choice([button for button in RATINGS if button != rating])
            await self._world.press(desk, other, ticket)

    async def _press_at_the_end(self, rating: int) -> None:
        """Whether this becomes a vote is a race, and only the lamps can tell."""
        self._end("finished")
        await self._world.pass_time(0, real_s=self._dice.uniform(0.0, 0.15))
        await self._world.press(self._seat.desk, rating, self._visitor.key)

    def _end(self, what: str) -> None:
        if not self._silent_end:
            self._tell(what)

    def _tell(self, what: str) -> None:
        seat = self._seat
        self._world.tell(what, seat.branch, desk=seat.desk, operator=seat.operator.id, visitor=self._visitor)
