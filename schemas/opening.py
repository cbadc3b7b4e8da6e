"""When a branch is open, by the register's hours and calendar. Pure; nothing here knows any country's holidays.

Rules of the file
1.  A day of the calendar comes before the hours of its weekday, and one of the branch before one of all branches.
2.  A branch without a single row of hours says nothing about when it is open: the answer is None, not "closed".
"""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from schemas.register import Branch, CalendarDay, Register
from schemas.register_rules import WEEKDAYS, weekdays

Span = tuple[time, time]  # opens, closes; local


def opening_hours(register: Register, branch: str, day: date) -> list[Span] | None:
    """The hours of ``branch`` on a local day, earliest first: empty if closed, None if the register does not say."""
    special = [each for each in register.calendar if each.day == day]
    for where in (branch, None):
        mine = [each for each in special if each.branch == where]
        if mine:
            return _of_calendar(register, branch, mine)
    return _of_weekday(register, branch, day, day.weekday())


def is_open(register: Register, branch: Branch, unix_ms: int) -> bool | None:
    """Whether ``branch`` is open at a moment; None if the register does not say."""
    local = datetime.fromtimestamp(unix_ms / 1000, UTC).astimezone(ZoneInfo(branch.timezone))
    spans = opening_hours(register, branch.id, local.date())
    if spans is None:
        return None
    return any(opens <= local.time() < closes for opens, closes in spans)


def _of_calendar(register: Register, branch: str, days: list[CalendarDay]) -> list[Span] | None:
    spans: list[Span] = []
    for each in days:
        if each.as_day is not None:
            return _of_weekday(register, branch, each.day, WEEKDAYS.index(each.as_day))
        if each.opens is not None and each.closes is not None:
            spans.append((time.fromisoformat(each.opens), time.fromisoformat(each.closes)))
    return sorted(spans)


def _of_weekday(register: Register, branch: str, day: date, weekday: int) -> list[Span] | None:
    rows = [each for each in register.hours if each.branch == branch]
    if not rows:
        return None
    return sorted(
        (time.fromisoformat(each.opens), time.fromisoformat(each.closes))
        for each in rows
        if each.holds(day) and weekday in weekdays(each.days)
    )
