"""Months as ranges of call ids: the feed's own ids fall into the months of their moments."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.feed.steps import call_id
from schemas.months import first_id, later, month_name, month_of, month_of_id, read_month

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS)
def test_a_call_lies_between_the_bounds_of_its_month(moment: datetime) -> None:
    unix_ms = int(moment.timestamp() * 1000)
    call, month = call_id("centre", "centre-01", "A1", unix_ms), month_of(unix_ms)
    assert month == moment.year * 100 + moment.month == month_of_id(call)
    assert first_id(month) <= call < first_id(later(month))


@given(MOMENTS, st.integers(-500, 500))
def test_months_are_counted_over_years(moment: datetime, months: int) -> None:
    month = moment.year * 100 + moment.month
    assert later(later(month, months), -months) == month
    assert 1 <= later(month, months) % 100 <= 12
    assert read_month(month_name(month)) == month


@pytest.mark.parametrize("text", ["2026", "2026-13", "2026-1", "26-01", "2026-01-01", "", "March"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"month|match|format|unconverted"):
        read_month(text)


def test_an_id_that_no_clock_made_still_has_a_month() -> None:
    assert month_of_id("z" * 16) == 299912
    assert month_of_id("0" * 16) == 197001
