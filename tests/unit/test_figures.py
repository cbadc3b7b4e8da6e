"""Shares, intervals and adding up, without a store."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from api.figures import (
    Place,
    Tally,
    add_up,
    count_spans,
    default_first,
    left_out,
    rating_figure,
    response_rate,
    spans,
    wilson,
)
from schemas.periods import Period, bounds, day_key

DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))


@dataclass(frozen=True)
class Row:
    branch: str
    key: str
    day: int
    calls: int = 0
    eligible: int = 0
    bad: int = 0
    good: int = 0
    exemplary: int = 0
    unrated: int = 0
    absent: int = 0
    passed_on: int = 0
    withdrawn: int = 0
    unlit: int = 0


@pytest.mark.parametrize(
    ("count", "votes", "low", "high"),
    [  # domain study 6.1, checked there against statsmodels
        (0, 5, 0, 0.4345),
        (0, 10, 0, 0.2775),
        (5, 5, 0.5655, 1),
        (10, 10, 0.7225, 1),
        (17, 20, 0.6396, 0.9476),
        (27, 30, 0.7438, 0.9654),
        (160, 200, 0.7391, 0.8495),
        (900, 1000, 0.8798, 0.9171),
    ],
)
def test_wilson_intervals_are_those_of_the_reference_vectors(count: int, votes: int, low: float, high: float) -> None:
    assert wilson(count, votes) == pytest.approx((low, high), abs=0.00005)


@given(st.integers(1, 3_000_000).flatmap(lambda votes: st.tuples(st.integers(0, votes), st.just(votes))))
def test_wilson_intervals_are_those_of_scipy(pair: tuple[int, int]) -> None:
    count, votes = pair
    theirs = binomtest(count, votes).proportion_ci(method="wilson")
    assert wilson(count, votes) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(st.integers(1, 10_000_000).flatmap(lambda votes: st.tuples(st.integers(0, votes), st.just(votes))))
def test_a_share_lies_inside_its_interval_and_the_interval_inside_0_and_1(pair: tuple[int, int]) -> None:
    count, votes = pair
    low, high = wilson(count, votes)
    assert 0 <= low <= count / votes <= high <= 1


def test_without_votes_there_is_a_count_but_no_share_and_no_interval() -> None:
    figure = rating_figure(0, 0)
    assert (figure.count, figure.share, figure.low, figure.high) == (0, None, None, None)


def test_shares_are_rounded_to_six_digits() -> None:
    assert rating_figure(1, 3).share == 0.333333


def test_a_response_rate_below_three_in_ten_is_marked_low() -> None:
    assert response_rate(Tally(calls=12, eligible=10, exemplary=2)).low is True
    assert response_rate(Tally(calls=12, eligible=10, exemplary=3)).low is False
    rate = response_rate(Tally(calls=12))
    assert (rate.share, rate.low) == (None, None)


@given(DAYS, DAYS, st.sampled_from(Period))
def test_spans_are_whole_periods_without_gap_or_overlap(a: date, b: date, period: Period) -> None:
    first, last = min(a, b), min(max(a, b), min(a, b) + timedelta(days=1500))
    found = spans(first, last, period)
    assert len(found) == count_spans(first, last, period)
    assert len({span.name for span in found}) == len(found)
    assert found[0].first <= first <= found[0].last
    assert found[-1].first <= last <= found[-1].last
    for span in found:
        assert (span.first, span.last) == bounds(span.first, period)
    for before, after in pairwise(found):
        assert after.first == before.last + timedelta(days=1)


def test_default_questions_show_31_days_26_weeks_12_months_8_quarters_or_5_years() -> None:
    today = date(2026, 3, 31)
    counted = {period: count_spans(default_first(today, period), today, period) for period in Period}
    assert counted == {Period.DAY: 31, Period.WEEK: 26, Period.MONTH: 12, Period.QUARTER: 8, Period.YEAR: 5}


COUNTS = st.builds(
    Row,
    branch=st.sampled_from(["centre", "vyshenka"]),
    key=st.sampled_from(["a", "b", ""]),
    day=st.dates(date(2025, 12, 20), date(2026, 4, 2)).map(day_key),
    calls=st.integers(0, 50),
    eligible=st.integers(0, 50),
    bad=st.integers(0, 9),
    good=st.integers(0, 9),
    exemplary=st.integers(0, 9),
    absent=st.integers(0, 9),
    unlit=st.integers(0, 9),
)


@given(st.lists(COUNTS, max_size=40), st.sampled_from(Period))
def test_every_period_and_every_cut_adds_up_to_the_same_total(rows: list[Row], period: Period) -> None:
    total = sum((Tally.of(row) for row in rows), Tally())
    for by in ("centre", "branch", "service", "operator", "desk"):
        sums = add_up(rows, by, period, branch=None)
        assert sum(sums.values(), Tally()) == total


@given(st.lists(COUNTS, max_size=40))
def test_month_rows_give_the_same_months_quarters_and_years_as_their_days(rows: list[Row]) -> None:
    by_month: dict[tuple[str, int], Tally] = {}
    for row in rows:
        slot = (row.branch, row.day // 100)
        by_month[slot] = by_month.get(slot, Tally()) + Tally.of(row)
    months = [Row(branch, "", month, **tally._asdict()) for (branch, month), tally in by_month.items()]
    for period in (Period.MONTH, Period.QUARTER, Period.YEAR):
        assert add_up(months, "branch", period, branch=None) == add_up(rows, "branch", period, branch=None)


def test_a_week_across_new_year_is_one_iso_week() -> None:
    rows = [Row("centre", "", 20251231, calls=3), Row("centre", "", 20260101, calls=4)]
    assert add_up(rows, "centre", Period.WEEK, branch=None) == {("2026-W01", Place()): Tally(calls=7)}


def test_a_desk_belongs_to_its_branch_and_a_service_to_the_branch_asked_for() -> None:
    rows = [Row("centre", "d1", 20260101, calls=1)]
    assert list(add_up(rows, "desk", Period.YEAR, branch=None)) == [("2026", Place("centre", "d1"))]
    assert list(add_up(rows, "service", Period.YEAR, branch=None)) == [("2026", Place(None, "d1"))]
    assert list(add_up(rows, "service", Period.YEAR, branch="centre")) == [("2026", Place("centre", "d1"))]


def test_every_call_is_eligible_or_left_out_for_a_reason_that_is_told() -> None:
    out = left_out(Tally(calls=20, eligible=8, absent=4, passed_on=3, withdrawn=1, unlit=1, unrated=2))
    assert (out.absent, out.passed_on, out.withdrawn, out.unlit, out.unrated, out.unknown) == (4, 3, 1, 1, 2, 1)
    assert left_out(Tally(calls=1, eligible=1, absent=1)).unknown == 0
