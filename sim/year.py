"""Invents the calls of one past day, branch by branch: a small queue played through. It writes nothing anywhere.

Rules of the file
1.  A day is a function of (city, day, seed, calls, progress): days can be made in any order and made again.
2.  Calls of one desk never overlap, and each lies inside the local day it belongs to.
"""

from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from sim import hours, people
from sim.city import TIMEZONE, Branch, City, Operator, Service

_MINUTE_MS = 60_000
_LUNCH_MIN = 45
# Who is still waiting this long after closing is asked to come again.
_AFTER_CLOSING_MIN = 25
# Of the desk's operators, the share on leave or ill on any day.
_ABSENT = 0.12


@dataclass(slots=True)
class PastCall:
    """One call as it will be told. ``rating`` is 0 without a vote; ``pressed_ms`` is then meaningless.

    ``dark``: no pad was lit. Only gaming operators do that (sim/gaming.py), and no feed tells it.
    """

    branch: str
    desk: str
    operator: str
    service: str
    ticket: str
    called_ms: int
    ended_ms: int
    outcome: str  # an ending type of protocol.words.EVENT_TYPES, or one of CLOSE_REASONS
    rating: int
    pressed_ms: int
    dark: bool = False


@dataclass(slots=True)
class _Seat:
    """A desk with who sits at it today; ``free_ms`` is when the next client can be called."""

    desk: str
    operator: Operator
    free_ms: int
    lunch_ms: int
    calls: list[PastCall]


@dataclass(slots=True)
class _Visitor:
    ticket: str
    service: Service
    came_ms: int


def calls_of_day(city: City, day: date, *, seed: int, calls: int, progress: float) -> list[PastCall]:
    """All calls of a day, desk by desk in order of time; empty when the centre is closed.

    Args:
        calls: how many clients the whole city has in a year.
        progress: 0..1, how far the year's drift has come (see people.mood).
    """
    if hours.opening(day) is None:
        return []
    everything: list[PastCall] = []
    for branch in city.branches:
        clients = calls * hours.load(day) / hours.loads_a_year() * len(city.desks_of(branch.id)) / len(city.desks)
        everything += _BranchDay(city, branch, day, seed, progress).play(clients)
    return everything


class _BranchDay:
    """One branch on one day."""

    def __init__(self, city: City, branch: Branch, day: date, seed: int, progress: float):
        self._branch = branch
        self._day = day
        self._dice = Random(f"{seed}/{branch.id}/{day.isoformat()}")
        self._key = f"{seed}/{branch.id}/{day.isoformat()}/"
        self._mood = people.mood(branch.id, day, progress)
        self._services = city.services
        self._weights = list(accumulate(service.weight for service in city.services))
        opening = hours.opening(day)
        assert opening is not None
        self._opens, self._closes = opening
        self._midnight_ms = (
            int(datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(TIMEZONE)).timestamp()) * 1000
        )
        self._midnight_ms -= 12 * 60 * _MINUTE_MS  # from noon: a clock change at night does not shift the hours
        self._seats = self._staff(city)
        self._by_service = self._who_can()

    def play(self, clients: float) -> list[PastCall]:
        last_ms = self._at(self._closes + _AFTER_CLOSING_MIN)
        for number, came_ms in enumerate(self._arrivals(clients)):
            service = self._dice.choices(self._services, cum_weights=self._weights)[0]
            ticket = blake2b(f"{self._key}{number}".encode(), digest_size=12).hexdigest()
            self._serve(_Visitor(ticket, service, came_ms), last_ms)
        for seat in self._seats:
            self._settle(seat)
        return [call for seat in self._seats for call in seat.calls]

    def _at(self, minute: float) -> int:
        return self._midnight_ms + int(minute * _MINUTE_MS)

    def _staff(self, city: City) -> list[_Seat]:
        """Who is there today, one to a desk; on Saturdays every second operator."""
        saturday = hours.is_saturday(self._day)
        week = self._day.isocalendar().week % 2
        present = [
            operator
            for operator in city.operators_of(self._branch.id)
            if self._dice.random() >= _ABSENT and (not saturday or operator.saturdays == week)
        ] or city.operators_of(self._branch.id)[:1]
        self._dice.shuffle(present)
        lunch = self._closes if saturday else 12 * 60
        return [
            _Seat(desk.id, operator, self._at(self._opens), self._at(lunch + 25 * (place % 5)), [])
            for place, (desk, operator) in enumerate(zip(city.desks_of(self._branch.id), present, strict=False))
        ]

    def _who_can(self) -> dict[str, list[_Seat]]:
        able = {
            service.id: [seat for seat in self._seats if service.id in seat.operator.services]
            for service in self._services
        }
        return {service: seats or self._seats for service, seats in able.items()}

    def _arrivals(self, clients: float) -> list[int]:
        """Moments of a Poisson process with the day's profile, by thinning."""
        saturday = hours.is_saturday(self._day)
        rate = clients / (self._closes - self._opens) * hours.SHAPE_MAX
        moments, minute = [], float(self._opens)
        while (minute := minute + self._dice.expovariate(rate)) < self._closes:
            if self._dice.random() * hours.SHAPE_MAX < hours.shape(minute, saturday=saturday):
                moments.append(self._at(minute))
        return moments

    def _serve(self, visitor: _Visitor, last_ms: int, *, away_from: _Seat | None = None) -> None:
        """Calls a visitor to the first desk that is free for the service, unless the day is over by then."""
        seats = [seat for seat in self._by_service[visitor.service.id] if seat is not away_from] or self._seats
        for seat in seats:
            if max(seat.free_ms, visitor.came_ms) >= seat.lunch_ms:
                seat.free_ms = max(seat.free_ms, seat.lunch_ms) + _LUNCH_MIN * _MINUTE_MS
                seat.lunch_ms = last_ms + 1
        seat = min(seats, key=lambda seat: seat.free_ms)
        called_ms = max(seat.free_ms, visitor.came_ms) + int(self._dice.uniform(4_000, 22_000))
        if called_ms > last_ms:
            return
        what = people.course(self._dice)
        self._call(seat, visitor, called_ms, what)
        if what in ("transferred", "held"):
            visitor.came_ms = seat.free_ms + int(self._dice.uniform(60_000, 400_000))
            self._serve(visitor, last_ms, away_from=seat if what == "transferred" else None)

    def _call(self, seat: _Seat, visitor: _Visitor, called_ms: int, what: str) -> None:
        dice, service = self._dice, visitor.service
        stays_ms = int(1000 * people.service_s(dice, service, seat.operator))
        walk_ms = int(1000 * people.walk_s(dice))
        rating = pressed_ms = 0
        if what in ("absent", "removed"):
            stays_ms = int(dice.uniform(60_000, 150_000))
        elif what == "served":
            wait_min = (called_ms - visitor.came_ms) / _MINUTE_MS
            if people.votes(dice, service, self._mood, wait_min):
                rating = people.rating(dice, service, seat.operator, self._mood, wait_min=wait_min)
                pressed_ms = called_ms + walk_ms + int(stays_ms * people.moment_of_vote(dice))
        else:
            stays_ms = int(stays_ms * dice.uniform(0.15, 0.6))
        seat.free_ms = called_ms + walk_ms + stays_ms
        seat.calls.append(
            PastCall(
                self._branch.id, seat.desk, seat.operator.id, service.id, visitor.ticket,
                called_ms, seat.free_ms, self._told(what), rating, pressed_ms,
            )
        )  # fmt: skip

    def _told(self, what: str) -> str:
        """How the branch's queue reports the end: the old one and the hurried operator just call the next."""
        if self._dice.random() < self._branch.next_only:
            return "next_call"
        return {"served": "finished", "absent": "no_show"}.get(what, what)

    def _settle(self, seat: _Seat) -> None:
        """Gives calls that no event ended their end: the next call, the lunch break or the end of the day."""
        hour, minute = self._branch.day_ends.split(":")
        for call, following in zip(seat.calls, [*seat.calls[1:], None], strict=False):
            if call.outcome != "next_call":
                continue
            if following is None:
                call.outcome, call.ended_ms = "end_of_day", self._at(int(hour) * 60 + int(minute))
            elif following.called_ms - call.ended_ms > (_LUNCH_MIN - 5) * _MINUTE_MS:
                call.outcome = "operator_closed"
            else:
                call.ended_ms = following.called_ms
