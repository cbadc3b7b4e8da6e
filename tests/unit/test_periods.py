"""Calendar periods in local time: names, bounds, daylight saving, ends of years."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.periods import Period, bounds, day_date, day_key, day_of, period_name

KYIV = "Europe/Kyiv"
MS = st.integers(1577836800000, 4102444800000)


def unix_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@given(MS, st.sampled_from([KYIV, "UTC", "America/St_Johns", "Pacific/Apia", "Asia/Kathmandu"]))
def test_a_moment_falls_into_the_day_that_the_wall_clock_shows(moment_ms: int, zone: str) -> None:
    shown = datetime.fromtimestamp(moment_ms / 1000, ZoneInfo(zone)).date()
    assert day_date(day_of(moment_ms, zone)) == shown


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)], ids=str
)
def test_every_hour_of_a_day_with_a_clock_change_lies_in_that_day_and_no_other(day: date, hours: int) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(KYIV)).astimezone(UTC)
    inside = [midnight + timedelta(hours=n) for n in range(hours)]
    assert {day_of(unix_ms(moment), KYIV) for moment in inside} == {day_key(day)}
    assert day_of(unix_ms(midnight) - 1, KYIV) == day_key(day - timedelta(days=1))
    assert day_of(unix_ms(midnight + timedelta(hours=hours)), KYIV) == day_key(day + timedelta(days=1))


def test_one_moment_is_two_days_in_two_time_zones() -> None:
    moment = unix_ms(datetime(2026, 11, 21, 22, 30, tzinfo=UTC))
    assert (day_of(moment, KYIV), day_of(moment, "UTC")) == (20261122, 20261121)


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)), st.sampled_from(Period))
def test_a_period_holds_its_day_and_all_its_days_have_its_name(day: date, period: Period) -> None:
    first, last = bounds(day, period)
    assert first <= day <= last
    name = period_name(day, period)
    assert period_name(first, period) == period_name(last, period) == name
    assert period_name(first - timedelta(days=1), period) != name
    assert period_name(last + timedelta(days=1), period) != name


@pytest.mark.parametrize(
    ("day", "period", "name"),
    [
        (date(2026, 11, 22), Period.DAY, "2026-11-22"),
        (date(2026, 11, 22), Period.WEEK, "2026-W47"),
        (date(2026, 11, 22), Period.MONTH, "2026-11"),
        (date(2026, 11, 22), Period.QUARTER, "2026-Q4"),
        (date(2026, 11, 22), Period.YEAR, "2026"),
        (date(2027, 1, 1), Period.WEEK, "2026-W53"),
        (date(2025, 12, 29), Period.WEEK, "2026-W01"),
    ],
)
def test_periods_are_named_as_iso_8601_does(day: date, period: Period, name: str) -> None:
    assert period_name(day, period) == name


def test_a_leap_february_ends_on_the_29th_and_a_quarter_on_its_third_month() -> None:
    assert bounds(date(2028, 2, 3), Period.MONTH) == (date(2028, 2, 1), date(2028, 2, 29))
    assert bounds(date(2028, 2, 3), Period.QUARTER) == (date(2028, 1, 1), date(2028, 3, 31))


def test_a_key_that_is_no_day_is_refused() -> None:
    with pytest.raises(ValueError, match="day is out of range"):
        day_date(20260230)


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        day_of(1577836800000, "Europe/Atlantis")
