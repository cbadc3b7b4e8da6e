"""Opening hours, holidays, seasons and the profile of a day."""

from datetime import date, timedelta

import pytest

from sim import hours


@pytest.mark.parametrize("day", ["2026-11-22", "2026-01-01", "2026-08-24", "2026-04-13"])
def test_sundays_holidays_and_easter_monday_are_closed(day: str) -> None:
    assert hours.opening(date.fromisoformat(day)) is None
    assert hours.load(date.fromisoformat(day)) == 0


def test_orthodox_easter_falls_on_the_known_sundays() -> None:
    known = {2024: "2024-05-05", 2025: "2025-04-20", 2026: "2026-04-12", 2027: "2027-05-02", 2030: "2030-04-28"}
    assert {year: hours.easter(year).isoformat() for year in known} == known


@pytest.mark.parametrize(("saturday", "span"), [(False, hours.WEEKDAY_HOURS), (True, hours.SATURDAY_HOURS)])
def test_the_profile_of_a_day_means_one_and_is_nothing_outside_hours(saturday: bool, span: tuple[int, int]) -> None:
    values = [hours.shape(minute + 0.5, saturday=saturday) for minute in range(*span)]
    assert sum(values) / len(values) == pytest.approx(1, abs=0.02)
    assert max(values) <= hours.SHAPE_MAX
    assert min(values) > 0
    assert hours.shape(span[0] - 1, saturday=saturday) == hours.shape(span[1], saturday=saturday) == 0


def test_any_twelve_months_bring_about_the_same() -> None:
    for first in (date(2023, 3, 1), date(2025, 11, 22), date(2027, 7, 1)):
        total = sum(hours.load(first + timedelta(days=day)) for day in range(365))
        assert total == pytest.approx(hours.loads_a_year(), rel=0.02)
