"""When the simulated centre is open and how busy it is: hours, holidays, seasons, the shape of a day. No clock is read.

Rules of the file
1.  Everything is a function of a local date, or of minutes since local midnight.
2.  The holidays are data of this invented city; which ones are days off in a real year is not claimed.
"""

from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

WEEKDAY_HOURS = (8 * 60, 18 * 60)
SATURDAY_HOURS = (9 * 60, 15 * 60)
_SATURDAY = 5

# How many clients a day of the week brings, against an average weekday; Sunday is closed.
_WEEKDAYS = (1.14, 1.04, 1.00, 0.97, 0.85, 0.31, 0.0)
# Families register in August and September, benefits are renewed in spring and in October, January is slow.
_MONTHS = (0.86, 0.97, 1.06, 1.08, 0.97, 0.98, 0.95, 1.05, 1.08, 1.06, 1.00, 0.92)
_FIXED_HOLIDAYS = frozenset({(1, 1), (3, 8), (5, 1), (5, 8), (6, 28), (7, 15), (8, 24), (10, 1), (12, 25)})

# (minutes since midnight, arrivals against the mean), straight lines between: a morning peak, a dip at lunch.
_WEEKDAY_SHAPE = ((480, 0.9), (540, 1.35), (630, 1.45), (720, 1.1), (780, 0.7), (840, 0.95), (930, 1.05), (1080, 0.35))
_SATURDAY_SHAPE = ((540, 1.1), (630, 1.4), (780, 0.9), (900, 0.3))
SHAPE_MAX = 1.5


def opening(day: date) -> tuple[int, int] | None:
    """Opening and closing, in minutes since local midnight, or None on a day when the centre is closed."""
    if _WEEKDAYS[day.weekday()] == 0.0 or is_holiday(day):
        return None
    return SATURDAY_HOURS if day.weekday() == _SATURDAY else WEEKDAY_HOURS


def is_holiday(day: date) -> bool:
    return (day.month, day.day) in _FIXED_HOLIDAYS or day == easter(day.year) + timedelta(days=1)


def load(day: date) -> float:
    """Clients of this day against an average weekday; 0 when closed."""
    return _WEEKDAYS[day.weekday()] * _MONTHS[day.month - 1] if opening(day) else 0.0


@lru_cache(maxsize=1)
def loads_a_year() -> float:
    """The sum of load() over one ordinary year: what a yearly number of clients is divided by."""
    first = date(2025, 1, 1)
    return sum(load(first + timedelta(days=offset)) for offset in range(365))


def shape(minute: float, *, saturday: bool = False) -> float:
    """Arrivals at this minute of the day against the day's mean (0 outside hours, never above SHAPE_MAX)."""
    points = _SATURDAY_SHAPE if saturday else _WEEKDAY_SHAPE
    for (start, low), (end, high) in pairwise(points):
        if start <= minute < end:
            return low + (high - low) * (minute - start) / (end - start)
    return 0.0


def is_saturday(day: date) -> bool:
    return day.weekday() == _SATURDAY


@lru_cache(maxsize=16)
def easter(year: int) -> date:
    """Orthodox Easter as a Gregorian date, 1900-2099 (Meeus, Astronomical Algorithms, chapter 8: Julian Easter)."""
    a, b, c = year % 4, year % 7, year % 19
    d = (19 * c + 15) % 30
    e = (2 * a + 4 * b - d + 34) % 7
    month, day_before = divmod(d + e + 114, 31)
    return date(year, month, day_before + 1) + timedelta(days=13)
