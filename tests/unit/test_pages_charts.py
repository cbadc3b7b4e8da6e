"""The charts: true to the cells they are made of, on scales from zero, in the order given."""

import re
from datetime import date
from pathlib import Path

import pytest

from api import charts
from api.figures import Tally, rating_figure, response_rate
from schemas.resources import Cell


def cell(period: str, bad: int, good: int, exemplary: int, *, complete: bool = True) -> Cell:
    tally = Tally(200, 100, bad, good, exemplary)
    return Cell(
        period=period,
        first=date(2026, 11, 1),
        last=date(2026, 11, 30),
        complete=complete,
        branch=None,
        key=None,
        name="Центр",
        name_en="Centre",
        calls=tally.calls,
        eligible_calls=tally.eligible,
        votes=tally.votes,
        response_rate=response_rate(tally),
        bad=rating_figure(bad, tally.votes),
        good=rating_figure(good, tally.votes),
        exemplary=rating_figure(exemplary, tally.votes),
    )


CELLS = [cell("2026-09", 5, 20, 25), cell("2026-10", 0, 0, 0), cell("2026-11", 1, 4, 5, complete=False)]
MARKS = [charts.Mark(each.period, "2026", each, each.period) for each in CELLS]


def percent(share: float) -> str:
    return f"{share:.0%}"


IN_TIME = charts.shares_in_time("bad", MARKS, "Shares of a rating", percent)
BY_PLACE = charts.shares_by_place("bad", MARKS, rating_figure(5, 50), "Shares of a rating", percent)


def test_every_point_has_its_interval_round_it_and_an_empty_period_has_none() -> None:
    first, empty, last = IN_TIME.spots
    assert first.share == last.share
    assert (empty.share, empty.low, empty.high) == (None, None, None)
    for spot in (first, last):
        assert spot.share is not None and spot.low is not None and spot.high is not None
        assert spot.low > spot.share > spot.high  # down the page, so a low share has a large position
    # The same share of fewer votes is less certain.
    assert (last.low or 0) - (last.high or 0) > (first.low or 0) - (first.high or 0)


def test_a_period_without_votes_keeps_its_place_and_no_line_is_drawn_over_it() -> None:
    assert [spot.x for spot in IN_TIME.spots] == pytest.approx([16.67, 50, 83.33], abs=0.01)
    assert IN_TIME.lines == []
    joined = charts.shares_in_time("bad", [MARKS[0], MARKS[2]], "", percent)
    assert [len(run.split()) for run in joined.lines] == [2]


def test_places_are_never_sorted_by_a_figure() -> None:
    assert [spot.mark.label for spot in BY_PLACE.spots] == [each.period for each in CELLS]


def test_all_places_together_lie_on_the_same_scale() -> None:
    assert BY_PLACE.whole == BY_PLACE.spots[0].share  # both are 5 of 50
    assert charts.shares_by_place("bad", [], None, "", percent).whole is None


def test_every_scale_begins_at_zero_and_ends_at_a_round_number_past_every_interval() -> None:
    for count, votes in ((0, 0), (2, 1000), (4, 100), (30, 100), (9, 10), (10, 10), (500, 1000)):
        figure = rating_figure(count, votes)
        top, ticks = charts.scale([figure])
        assert ticks[0] == 0 and ticks[-1] == pytest.approx(top) and 2 <= len(ticks) <= 6
        assert top >= (figure.high or 0) and top <= 1
        assert top * 1000 == pytest.approx(round(top * 1000))


def test_a_chart_draws_what_it_has_within_its_frame() -> None:
    for chart in (IN_TIME, charts.response_in_time(MARKS, "", percent)):
        for spot in chart.spots:
            for y in (spot.share, spot.low, spot.high):
                assert y is None or 0 <= y <= chart.height
    for spot in BY_PLACE.spots:
        for x in (spot.share, spot.low, spot.high):
            assert x is None or 0 <= x <= 100


@pytest.mark.parametrize("count", [1, 4, 12, 31, 400])
def test_labels_are_left_out_where_there_is_no_room_and_the_last_never_is(count: int) -> None:
    marks = [charts.Mark(str(n), "", CELLS[0], "") for n in range(count)]
    spots = charts.shares_in_time("bad", marks, "", percent).spots
    assert spots[-1].shown == "n m w"
    for width, room in (("n", 4), ("m", 7), ("w", 14)):
        assert 1 <= sum(width in spot.shown.split() for spot in spots) <= room


def test_no_colour_stands_outside_the_tokens() -> None:
    api = Path(charts.__file__).parent
    for path in (api / "charts.py", api / "templates" / "parts" / "charts.html", api / "static" / "css" / "charts.css"):
        assert re.findall(r"(?<!&)#[0-9a-fA-F]{3,8}\b(?![^\n]*\*/)|rgb\(", path.read_text(encoding="utf-8")) == [], path
