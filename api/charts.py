"""Charts of the figures as Vega-Lite documents, and the JavaScript that draws them. It computes no figure.

Colours are CSS variables, so that one document serves light, dark and paper. Every text arrives ready in its language.
"""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import altair as alt
import vl_convert

from schemas.resources import Cell, RatingFigure

VEGA_LITE = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
# The drawing libraries' versions are a part of the address, so browsers may keep the file for good.
BUNDLE_NAME = f"vega-{vl_convert.__version__}-{VEGA_LITE}.js"
SHAPES = {"bad": "triangle-down", "good": "circle", "exemplary": "triangle-up"}
HEIGHT_PX = 190
ROW_PX = 34


@dataclass(frozen=True)
class Mark:
    """One figure of a chart: its name on the axis, the figure, and the texts shown when it is pointed at."""

    label: str
    cell: Cell
    texts: dict[str, str]


@dataclass(frozen=True)
class Axis:
    """What a chart says about itself: a sentence for those who do not see it, and the longest value of its scale."""

    description: str
    longest: float = 1.0


def shares_in_time(rating: str, marks: Sequence[Mark], axis: Axis) -> dict[str, Any]:
    """The share of one rating, period by period: a line with its 95 % intervals; hollow where not complete."""
    base = _base(marks, rating)
    x = alt.X("label:O", sort=None, title=None, axis=_time_axis())
    y = alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, axis.longest], nice=True), axis=_share_axis())
    band = base.mark_rule(strokeWidth=_whisker(len(marks)), opacity=0.38, color=_colour(rating)).encode(
        x, alt.Y("low:Q"), alt.Y2("high")
    )
    line = base.mark_line(strokeWidth=1.5, opacity=0.75, color=_colour(rating)).encode(x, y)
    points = base.mark_point(
        shape=SHAPES[rating], size=60, filled=True, opacity=1, stroke=_colour(rating), strokeWidth=1.5
    ).encode(x, y, fill=_hollow_unless_complete(rating), tooltip=_tooltip(marks))
    return _document(alt.layer(band, line, points), axis, height=HEIGHT_PX)


def response_in_time(marks: Sequence[Mark], axis: Axis) -> dict[str, Any]:
    """The response rate, period by period, as bars from zero."""
    bars = (
        _base(marks, "response")
        .mark_bar(color="var(--response)", opacity=0.9, cornerRadiusEnd=2, width={"band": 0.62})
        .encode(
            alt.X("label:O", sort=None, title=None, axis=_time_axis()),
            alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, axis.longest]), axis=_share_axis()),
            tooltip=_tooltip(marks),
        )
    )
    return _document(bars, axis, height=HEIGHT_PX)


def shares_by_place(rating: str, marks: Sequence[Mark], whole: RatingFigure | None, axis: Axis) -> dict[str, Any]:
    """The share of one rating in each place, in the order given (never sorted by it); dashed: the whole centre."""
    base = _base(marks, rating)
    y = alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=130, ticks=False, domain=False))
    x = alt.X("share:Q", title=None, scale=alt.Scale(domain=[0, axis.longest], nice=True), axis=_share_axis())
    whiskers = base.mark_rule(strokeWidth=3, opacity=0.4, color=_colour(rating)).encode(
        alt.X("low:Q"), y, alt.X2("high")
    )
    points = base.mark_point(
        shape=SHAPES[rating], size=90, filled=True, opacity=1, fill=_colour(rating), stroke=_colour(rating)
    ).encode(x, y, tooltip=_tooltip(marks))
    layers: list[alt.Chart] = [whiskers, points]
    if whole is not None and whole.share is not None:
        reference = alt.Chart(alt.Data(values=[{"whole": whole.share}]))
        layers.insert(0, reference.mark_rule(strokeDash=[3, 3], color="var(--rule)").encode(alt.X("whole:Q")))
    return _document(alt.layer(*layers), axis, height=ROW_PX * max(1, len(marks)))


def longest(figures: Sequence[RatingFigure], *, at_least: float = 0.05) -> float:
    """Where the scale of these figures ends: their highest interval end and a little air, never past 1."""
    return min(1.0, max([at_least, *(figure.high * 1.08 for figure in figures if figure.high is not None)]))


@lru_cache(maxsize=1)
def javascript() -> bytes:
    """Vega, Vega-Lite and Vega-Embed as one gzipped JavaScript module; takes two seconds the first time."""
    return gzip.compress(vl_convert.javascript_bundle(vl_version=VEGA_LITE).encode(), 9, mtime=0)


def _base(marks: Sequence[Mark], rating: str) -> alt.Chart:
    return alt.Chart(alt.Data(values=[_row(mark, rating) for mark in marks]))


def _row(mark: Mark, rating: str) -> dict[str, Any]:
    row: dict[str, Any] = {"label": mark.label, "complete": mark.cell.complete}
    row |= {f"text{n}": text for n, text in enumerate(mark.texts.values())}
    if rating == "response":
        return row | {"share": mark.cell.response_rate.share}
    figure: RatingFigure = getattr(mark.cell, rating)
    return row | {"share": figure.share, "low": figure.low, "high": figure.high}


def _colour(rating: str) -> str:
    return f"var(--{rating})"


def _hollow_unless_complete(rating: str) -> Any:
    return alt.condition(alt.datum.complete, alt.value(_colour(rating)), alt.value("var(--surface)"))


def _whisker(count: int) -> float:
    """Thinner intervals when there are many, so that neighbours stay apart."""
    return 5 if count <= 16 else 3 if count <= 40 else 1.5


def _tooltip(marks: Sequence[Mark]) -> list[alt.Tooltip]:
    return [alt.Tooltip(f"text{n}:N", title=title) for n, title in enumerate(marks[0].texts if marks else ())]


def _time_axis() -> alt.Axis:
    return alt.Axis(labelAngle=0, labelOverlap="greedy", labelSeparation=8, ticks=False)


def _share_axis() -> alt.Axis:
    return alt.Axis(format="~%", tickCount=4, domain=False, ticks=False)


def _document(chart: alt.Chart | alt.LayerChart, axis: Axis, *, height: int) -> dict[str, Any]:
    face = "Zr Sans, system-ui, sans-serif"
    document: dict[str, Any] = (
        chart.properties(width="container", height=height, description=axis.description, background="transparent")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor="var(--soft)",
            labelFont=face,
            labelFontSize=13,
            labelPadding=6,
            gridColor="var(--line)",
            domainColor="var(--rule)",
        )
        .configure_axisY(gridDash=[])
        .configure(autosize=alt.AutoSizeParams(type="fit", contains="padding"), padding=4)
        .to_dict()
    )
    return document
