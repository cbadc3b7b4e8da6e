"""Calendar periods as keys: which day, ISO week, month, quarter or year a moment falls into. Pure.

A day is an integer ``yyyymmdd`` in the branch's own time zone, taken from the moment of the call; every longer
period is a set of whole days, so that days always add up to it, across daylight-saving changes too.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

# Every zone's distance from UTC is a multiple of it (since 1972), so no midnight falls inside one.
_QUARTER_MS = 15 * 60 * 1000


class Period(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def day_of(unix_ms: int, timezone: str) -> int:
    """The local calendar day, ``yyyymmdd``, of a moment. Raises ZoneInfoNotFoundError for an unknown zone."""
    return _day_of_quarter(unix_ms // _QUARTER_MS, timezone)


@lru_cache(maxsize=4096)
def _day_of_quarter(quarter: int, timezone: str) -> int:
    local = datetime.fromtimestamp(quarter * _QUARTER_MS / 1000, UTC).astimezone(_zone(timezone))
    return day_key(local.date())


def day_key(day: date) -> int:
    return day.year * 10000 + day.month * 100 + day.day


def day_date(key: int) -> date:
    """The date of a ``yyyymmdd`` key. Raises ValueError if there is no such day."""
    return date(key // 10000, key // 100 % 100, key % 100)


def period_name(day: date, period: Period) -> str:
    """The ISO 8601 style name of the period that holds ``day``: 2026-11-22, 2026-W47, 2026-11, 2026-Q4, 2026."""
    match period:
        case Period.DAY:
            return day.isoformat()
        case Period.WEEK:
            iso = day.isocalendar()
            return f"{iso.year}-W{iso.week:02}"
        case Period.MONTH:
            return f"{day.year}-{day.month:02}"
        case Period.QUARTER:
            return f"{day.year}-Q{(day.month + 2) // 3}"
        case Period.YEAR:
            return str(day.year)


def bounds(day: date, period: Period) -> tuple[date, date]:
    """First and last day of the period that holds ``day``, both inside it."""
    match period:
        case Period.DAY:
            return day, day
        case Period.WEEK:
            first = day - timedelta(days=day.weekday())
            return first, first + timedelta(days=6)
        case Period.MONTH:
            return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
        case Period.QUARTER:
            month = (day.month - 1) // 3 * 3 + 1
            return date(day.year, month, 1), date(day.year, month + 2, monthrange(day.year, month + 2)[1])
        case Period.YEAR:
            return date(day.year, 1, 1), date(day.year, 12, 31)
