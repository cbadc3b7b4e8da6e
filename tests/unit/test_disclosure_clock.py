"""Until when a request is answered: working days of a calendar that is data, hours, months, changes of the clock."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.disclosure.clock import (
    EndlessCalendar,
    after_working_days,
    appeal_due,
    information_due,
    notice_due,
    working_days,
)
from schemas.register import Branch, CalendarDay, Organisation, Register

KYIV = ZoneInfo("Europe/Kyiv")
OFFICE = Organisation(name="Офіс", name_en="Office")
BRANCH = Branch(id="centre", name="Центр", name_en="Centre")


def register(*calendar: CalendarDay) -> Register:
    return Register(organisation=OFFICE, branches=(BRANCH,), calendar=calendar)


def due_day(received: datetime, *calendar: CalendarDay, extended: bool = False) -> date | None:
    return information_due(received, working_days(register(*calendar)), urgent=False, extended=extended).last_day


def test_five_working_days_over_a_weekend() -> None:
    """Received on a Wednesday: Thursday, Friday, Monday, Tuesday, Wednesday (domain study 8, test 15)."""
    assert due_day(datetime(2026, 11, 18, 10, 0, tzinfo=KYIV)) == date(2026, 11, 25)


def test_five_working_days_over_a_weekend_and_a_holiday() -> None:
    holiday = CalendarDay(day=date(2026, 11, 23), kind="closed")
    assert due_day(datetime(2026, 11, 18, 10, 0, tzinfo=KYIV), holiday) == date(2026, 11, 26)


def test_a_holiday_of_one_branch_moves_no_time_limit() -> None:
    of_branch = CalendarDay(day=date(2026, 11, 23), kind="closed", branch="centre")
    assert due_day(datetime(2026, 11, 18, 10, 0, tzinfo=KYIV), of_branch) == date(2026, 11, 25)


def test_a_moved_working_day_counts() -> None:
    moved = CalendarDay(day=date(2026, 11, 21), kind="open", as_day="mon")
    assert due_day(datetime(2026, 11, 18, 10, 0, tzinfo=KYIV), moved) == date(2026, 11, 24)


def test_a_saturday_on_which_desks_are_open_as_on_a_saturday_is_no_working_day() -> None:
    saturday = CalendarDay(day=date(2026, 11, 21), kind="open", as_day="sat")
    assert due_day(datetime(2026, 11, 18, 10, 0, tzinfo=KYIV), saturday) == date(2026, 11, 25)


@pytest.mark.parametrize("hour", [0, 12, 23])
def test_the_hour_of_receipt_does_not_matter_to_days(hour: int) -> None:
    assert due_day(datetime(2026, 11, 18, hour, 59, tzinfo=KYIV)) == date(2026, 11, 25)


def test_the_last_day_counts_to_its_end() -> None:
    due = information_due(
        datetime(2026, 11, 18, 10, 0, tzinfo=KYIV), working_days(register()), urgent=False, extended=False
    )
    assert due.at == datetime(2026, 11, 26, 0, 0, tzinfo=KYIV)


def test_received_on_a_saturday_the_first_day_is_monday() -> None:
    assert due_day(datetime(2026, 11, 21, 10, 0, tzinfo=KYIV)) == date(2026, 11, 27)


def test_twenty_working_days_are_counted_from_receipt_too() -> None:
    received = datetime(2026, 11, 18, 10, 0, tzinfo=KYIV)
    assert due_day(received, extended=True) == date(2026, 12, 16)
    assert notice_due(received, working_days(register())) == datetime(2026, 11, 26, 0, 0, tzinfo=KYIV)


def test_forty_eight_hours_are_hours_over_a_night_in_which_clocks_change() -> None:
    received = datetime(2026, 10, 24, 12, 0, tzinfo=KYIV)  # summer time ends on the 25th at four
    due = information_due(received, working_days(register()), urgent=True, extended=False)
    assert due.rule == "urgent"
    assert due.at == datetime(2026, 10, 26, 11, 0, tzinfo=KYIV)


@pytest.mark.parametrize(
    ("received", "last"),
    [
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2028, 1, 30), date(2028, 2, 29)),
        (date(2026, 12, 15), date(2027, 1, 15)),
        (date(2026, 3, 31), date(2026, 4, 30)),
    ],
)
def test_a_complaint_has_a_month(received: date, last: date) -> None:
    moment = datetime(received.year, received.month, received.day, 9, 0, tzinfo=KYIV)
    assert appeal_due(moment, simple=False, extended=False).last_day == last


def test_a_simple_complaint_has_fifteen_days_and_none_more_than_forty_five() -> None:
    received = datetime(2026, 11, 1, 9, 0, tzinfo=KYIV)
    assert appeal_due(received, simple=True, extended=False).last_day == date(2026, 11, 16)
    assert appeal_due(received, simple=False, extended=True).last_day == date(2026, 12, 16)
    assert appeal_due(received, simple=True, extended=True).last_day == date(2026, 12, 16)


def test_a_calendar_without_working_days_is_told_and_not_searched_for_ever() -> None:
    with pytest.raises(EndlessCalendar):
        after_working_days(date(2026, 11, 1), 5, lambda _: False)


DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


@given(DAYS, st.sets(DAYS, max_size=12), st.integers(1, 20))
def test_exactly_so_many_working_days_lie_up_to_the_last_one(start: date, closed: set[date], count: int) -> None:
    calendar = [CalendarDay(day=day, kind="closed") for day in closed]
    is_working = working_days(register(*calendar))
    last = after_working_days(start, count, is_working)
    between = [start + timedelta(days=n) for n in range(1, (last - start).days + 1)]
    assert sum(map(is_working, between)) == count
    assert is_working(last)


@given(DAYS, st.integers(0, 23))
def test_a_longer_limit_is_never_shorter(day: date, hour: int) -> None:
    received = datetime(day.year, day.month, day.day, hour, 30, tzinfo=KYIV)
    is_working = working_days(register())
    ordinary = information_due(received, is_working, urgent=False, extended=False).at
    extended = information_due(received, is_working, urgent=False, extended=True).at
    assert ordinary is not None and extended is not None and received < ordinary < extended
