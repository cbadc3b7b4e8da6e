"""The charts' documents: legal Vega-Lite, true to the cells they are made of, without a colour of their own."""

import re
from datetime import date
from typing import Any

import altair as alt
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
MARKS = [
    charts.Mark(charts.time_label(each.period, "2026", each.period), each, {"Коли. [так]": each.period})
    for each in CELLS
]
AXIS = charts.Axis("Shares of a rating", 0.5)


def every_chart() -> dict[str, dict[str, Any]]:
    made = {f"{rating} in time": charts.shares_in_time(rating, MARKS, AXIS) for rating in charts.SHAPES}
    made |= {
        f"{rating} by place": charts.shares_by_place(rating, MARKS, rating_figure(5, 50), AXIS)
        for rating in charts.SHAPES
    }
    made["response"] = charts.response_in_time(MARKS, AXIS)
    made["no places"] = charts.shares_by_place("bad", [], None, AXIS)
    return made


CHARTS = every_chart()


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_legal_vega_lite(name: str) -> None:
    alt.Chart.from_dict(CHARTS[name])  # raises a SchemaValidationError


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_takes_every_colour_from_the_page(name: str) -> None:
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgb\(", str(CHARTS[name])) == []


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_says_what_it_shows_to_those_who_do_not_see_it(name: str) -> None:
    assert CHARTS[name]["description"] == AXIS.description


def test_every_point_carries_its_interval_and_an_empty_period_has_none() -> None:
    rows = CHARTS["bad in time"]["datasets"][charts.MARKS]
    assert [row["share"] for row in rows] == [0.1, None, 0.1]
    assert rows[1]["low"] is None and rows[1]["high"] is None
    for row in (rows[0], rows[2]):
        assert row["low"] < row["share"] < row["high"]
    # The same share of fewer votes is less certain.
    assert rows[2]["high"] - rows[2]["low"] > rows[0]["high"] - rows[0]["low"]


def test_a_period_without_votes_keeps_its_place_in_time() -> None:
    places = [layer["encoding"]["x"]["scale"]["domain"] for layer in CHARTS["bad in time"]["layer"]]
    assert places == [[mark.label for mark in MARKS]] * 3


def test_places_are_never_sorted_by_a_figure() -> None:
    for layer in CHARTS["bad by place"]["layer"][1:]:
        assert layer["encoding"]["y"]["sort"] is None
    labels = [row["label"] for row in CHARTS["bad by place"]["datasets"][charts.MARKS]]
    assert labels == [mark.label for mark in MARKS]


def test_every_scale_of_shares_begins_at_zero() -> None:
    for name, chart in CHARTS.items():
        for layer in chart.get("layer", [chart]):
            for encoding in layer["encoding"].values():
                if isinstance(encoding, dict) and encoding.get("field") == "share":
                    assert encoding["scale"]["domain"][0] == 0, name


def test_a_scale_ends_a_little_past_its_highest_interval_and_never_past_all() -> None:
    assert charts.longest([rating_figure(2, 1000)]) == 0.05
    assert charts.longest([rating_figure(9, 10)]) == 1.0
    middling = rating_figure(30, 100)
    assert middling.high is not None and middling.high < charts.longest([middling]) < 0.5


def test_months_of_two_years_are_two_places() -> None:
    assert charts.time_label("січ.", "", "2025-01") != charts.time_label("січ.", "", "2026-01")


def test_the_drawing_library_is_made_once_and_has_its_versions_in_its_name() -> None:
    assert re.fullmatch(r"vega-\d+\.\d+\.\d+[\w.]*-\d+\.\d+\.js", charts.BUNDLE_NAME)
    made = charts.javascript()
    assert made[:2] == b"\x1f\x8b" and len(made) > 100_000
    assert charts.javascript() is made
