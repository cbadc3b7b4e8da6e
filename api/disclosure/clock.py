"""Until when a request is to be answered. Pure: a moment, a calendar and rules in, a moment out.

Rules of the file
1.  Information, law 2939-VI art. 20: five working days from receipt; the day of receipt is not counted, and the last
    one counts to its end. Where much is asked for, twenty working days, if the requester was told so, with reasons,
    within the first five (p. 4). What concerns life, health or an emergency: 48 hours from the moment, by the clock
    (p. 2), and why it is urgent must be reasoned (p. 3).
2.  Complaints and proposals, law 393/96 art. 20: a month; what needs no study, fifteen days; never more than
    forty-five days in all. These are days of the calendar, and are not moved off a holiday: earlier harms nobody.
3.  Which days are working days is data: the register's calendar for all branches, and Monday to Friday without one.
    Under martial law holidays are not days off; the office then leaves them out of its calendar.
4.  Moments are local, in the office's time zone; the end of a day is the beginning of the next.
"""

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from schemas.register import Register
from schemas.register_rules import WEEKDAYS

ORDINARY_DAYS, EXTENDED_DAYS, URGENT_HOURS = 5, 20, 48
SIMPLE_APPEAL_DAYS, MOST_APPEAL_DAYS = 15, 45
# A calendar that closes every day would otherwise be searched for ever.
_MOST_DAYS = 400

RuleName = Literal["working_days", "extended", "urgent", "month", "simple", "most", "set", "none"]
IsWorking = Callable[[date], bool]


class EndlessCalendar(ValueError):
    """The calendar has no working day within a year."""


@dataclass(frozen=True, slots=True)
class Due:
    """``at`` is aware, None where no law sets a limit; ``last_day`` is the last day on which an answer is in time."""

    at: datetime | None
    rule: RuleName

    @property
    def last_day(self) -> date | None:
        """Of a limit that ends with a day: that day; of one by the hour: the day it falls on."""
        return (self.at - timedelta(microseconds=1)).date() if self.at else None


def working_days(register: Register) -> IsWorking:
    """Whether a day is a working day of the office, by the register's calendar for all its branches."""
    special = {each.day: each for each in register.calendar if each.branch is None}

    def is_working(day: date) -> bool:
        entry = special.get(day)
        if entry is None:
            return day.weekday() < 5
        if entry.kind == "closed":
            return False
        return entry.as_day is None or WEEKDAYS.index(entry.as_day) < 5

    return is_working


def after_working_days(start: date, count: int, is_working: IsWorking) -> date:
    """The ``count``-th working day after ``start``. Raises EndlessCalendar."""
    day, left = start, count
    for _ in range(_MOST_DAYS):
        if not left:
            return day
        day += timedelta(days=1)
        left -= is_working(day)
    raise EndlessCalendar(f"there are not {count} working days in the {_MOST_DAYS} days after {start}")


def end_of(day: date, received: datetime) -> datetime:
    """The end of a local day, in the time zone of ``received``."""
    return datetime.combine(day + timedelta(days=1), time(), received.tzinfo)


def information_due(received: datetime, is_working: IsWorking, *, urgent: bool, extended: bool) -> Due:
    """By rule 1. ``received`` is aware and local; what is urgent is not extended."""
    if urgent:
        # Forty-eight hours of real time, also over a night in which clocks are changed.
        return Due((received.astimezone(UTC) + timedelta(hours=URGENT_HOURS)).astimezone(received.tzinfo), "urgent")
    days = EXTENDED_DAYS if extended else ORDINARY_DAYS
    last = after_working_days(received.date(), days, is_working)
    return Due(end_of(last, received), "extended" if extended else "working_days")


def notice_due(received: datetime, is_working: IsWorking) -> datetime:
    """Until when the requester must have been told that it takes longer (art. 20 p. 4)."""
    return end_of(after_working_days(received.date(), ORDINARY_DAYS, is_working), received)


def appeal_due(received: datetime, *, simple: bool, extended: bool) -> Due:
    """By rule 2."""
    day = received.date()
    if extended:
        return Due(end_of(day + timedelta(days=MOST_APPEAL_DAYS), received), "most")
    if simple:
        return Due(end_of(day + timedelta(days=SIMPLE_APPEAL_DAYS), received), "simple")
    return Due(end_of(_a_month_after(day), received), "month")


def _a_month_after(day: date) -> date:
    """The same day of the next month, or its last one (Civil Code, art. 254)."""
    year, month = divmod(day.year * 12 + day.month, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
