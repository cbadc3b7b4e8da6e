"""How clients and operators behave: time at the desk, whether and what they vote. Pure dice; no clock, no queue.

The numbers are invented but shaped like reality (domain study, section 6): a strong ceiling, few bad votes that
differ by service, operators who differ slightly, voters who are not all clients, patience that wears off.
"""

import math
from dataclasses import dataclass
from datetime import date
from random import Random

from protocol.messages import BAD, EXEMPLARY, GOOD
from sim.city import City, Operator, Service

# What can happen in one call, of 1,000. "served" ends as finished, or unreported until the next call.
_COURSES = (("served", 912), ("absent", 46), ("transferred", 20), ("held", 14), ("left", 6), ("removed", 2))
# The share of served clients who vote stays within these bounds whatever the service and the wait.
RESPONSE_LOW, RESPONSE_HIGH = 0.45, 0.65
_RISING_BRANCH = "zamostia"  # where an improvement shows over the year


@dataclass(frozen=True, slots=True)
class Mood:
    """What a branch is like on one day: ``response`` and ``exemplary`` are added to shares, ``bad`` multiplies one."""

    response: float
    bad: float
    exemplary: float


def mood(branch: str, day: date, progress: float = 1.0) -> Mood:
    """The mood of a branch on a day; ``progress`` from 0 to 1 is how far the year's drift has come."""
    progress = min(max(progress, 0.0), 1.0)
    summer = 0.025 if day.month in (7, 8) else 0.0
    response = -0.045 + 0.07 * progress - summer
    if branch == _RISING_BRANCH:
        return Mood(response, 1.75 - 1.05 * progress, -0.10 + 0.16 * progress)
    return Mood(response, 1.06 - 0.08 * progress, 0.01 * progress - 0.2 * summer)


def course(dice: Random) -> str:
    """What happens in a call: served, absent, transferred, held, left or removed."""
    at = dice.random() * 1000
    for name, share in _COURSES:
        at -= share
        if at < 0:
            return name
    return "served"


def service_for(dice: Random, city: City) -> Service:
    return dice.choices(city.services, [service.weight for service in city.services])[0]


def service_s(dice: Random, service: Service, operator: Operator) -> float:
    """Seconds of one service: log-normal, never under 40 s nor over an hour."""
    seconds = 60 * service.median_min * dice.lognormvariate(0, service.spread) * operator.pace
    return min(max(seconds, 40.0), 3600.0)


def walk_s(dice: Random) -> float:
    """Seconds from the call until the client stands at the desk."""
    return 8 + 30 * dice.random() ** 2


def votes(dice: Random, service: Service, today: Mood, wait_min: float) -> bool:
    """Whether a served client presses a button at all."""
    share = service.response + today.response - 0.002 * min(wait_min, 40)
    return dice.random() < min(max(share, RESPONSE_LOW), RESPONSE_HIGH)


def rating(dice: Random, service: Service, operator: Operator, today: Mood, *, wait_min: float) -> int:
    """The button a voting client presses."""
    bad = service.bad * today.bad * (1 - 0.45 * operator.quality) * (0.85 + min(wait_min, 60) / 60)
    if dice.random() < bad:
        return BAD
    exemplary = service.exemplary + today.exemplary + 0.10 * operator.quality - 0.002 * min(wait_min, 40)
    return EXEMPLARY if dice.random() < min(exemplary, 0.95) else GOOD


def moment_of_vote(dice: Random) -> float:
    """How far into the service a client votes: from half of it to just before its end (order P2.5)."""
    return 0.5 + 0.48 * math.sqrt(dice.random())
