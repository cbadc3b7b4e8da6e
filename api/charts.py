"""Charts of the figures as Vega-Lite documents, and the JavaScript that draws them. It computes no figure.

Colours are CSS variables, so that one document serves light, dark and paper. Every text arrives ready in its language.
"""

import atexit
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from subprocess import DEVNULL, PIPE, Popen
from threading import Lock, Thread
from typing import Any

import altair as alt

from schemas.resources import Cell, RatingFigure

VEGA_LITE = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
# The drawing libraries' versions are a part of the address, so browsers may keep the file for good.
BUNDLE_NAME = f"vega-{version('vl-convert-python')}-{VEGA_LITE}.js"
SHAPES = {"bad": "triangle-down", "good": "circle", "exemplary": "triangle-up"}
HEIGHT_PX = 190
ROW_PX = 34
_BUNDLING = Lock()
_BUNDLE = """
import gzip, sys, vl_convert
script = vl_convert.javascript_bundle(vl_version=sys.argv[1])
sys.stdout.buffer.write(gzip.compress(script.encode(), 9, mtime=0))
"""
MARKS, WHOLE = "marks", "whole"  # names of the data sets in a document
FACE = "Zr Sans, system-ui, sans-serif"


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
    colour = _colour(rating)
    x = _time(marks)
    y = alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, axis.longest], nice=True), axis=_share_axis())
    bars = _chart().mark_rule(strokeWidth=_whisker(len(marks)), opacity=0.38, color=colour)
    line = _chart().mark_line(strokeWidth=1.5, opacity=0.75, color=colour, invalid="break-paths-filter-domains")
    points = _chart().mark_point(shape=SHAPES[rating], size=60, filled=True, opacity=1, stroke=colour, strokeWidth=1.5)
    layers = alt.layer(
        bars.encode(x, alt.Y("low:Q"), alt.Y2("high")),
        line.encode(x, y),
        points.encode(x, y, fill=_hollow_unless_complete(rating), tooltip=_tooltip(marks)),
    )
    return _document(layers, axis, HEIGHT_PX, {MARKS: [_row(mark, rating) for mark in marks]})


def response_in_time(marks: Sequence[Mark], axis: Axis) -> dict[str, Any]:
    """The response rate, period by period, as bars from zero."""
    bars = _chart().mark_bar(color="var(--response)", cornerRadiusEnd=2, width={"band": 0.62})
    y = alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, axis.longest]), axis=_share_axis())
    chart = bars.encode(_time(marks), y, tooltip=_tooltip(marks))
    return _document(chart, axis, HEIGHT_PX, {MARKS: [_row(mark, "response") for mark in marks]})


def shares_by_place(rating: str, marks: Sequence[Mark], whole: RatingFigure | None, axis: Axis) -> dict[str, Any]:
    """The share of one rating in each place, in the order given (never sorted by it); dashed: the whole centre."""
    colour = _colour(rating)
    names = alt.Axis(labelLimit=195, labelPadding=14, ticks=False, domain=False)
    y = alt.Y("label:N", sort=None, title=None, axis=names)
    narrow = _share_axis(ticks=3)
    x = alt.X("share:Q", title=None, scale=alt.Scale(domain=[0, axis.longest], nice=True), axis=narrow)
    reference = alt.Chart(alt.NamedData(name=WHOLE)).mark_rule(strokeDash=[3, 3], color="var(--rule)")
    whiskers = _chart().mark_rule(strokeWidth=3, opacity=0.4, color=colour)
    points = _chart().mark_point(shape=SHAPES[rating], size=90, filled=True, opacity=1, fill=colour, stroke=colour)
    layers = alt.layer(
        reference.encode(alt.X("whole:Q")),
        whiskers.encode(alt.X("low:Q"), y, alt.X2("high")),
        points.encode(x, y, tooltip=_tooltip(marks)),
    )
    rows = [_row(mark, rating) for mark in marks]
    known = [{"whole": whole.share}] if whole is not None and whole.share is not None else []
    return _document(layers, axis, ROW_PX * max(1, len(marks)), {MARKS: rows, WHOLE: known})


def time_label(above: str, beneath: str, key: str) -> str:
    """A period's place on the axis: two lines of text, and what keeps it apart from the same month of another year."""
    return "|".join((above, beneath, key))


def longest(figures: Sequence[RatingFigure], *, at_least: float = 0.05) -> float:
    """Where the scale of these figures ends: their highest interval end and a little air, never past 1."""
    return min(1.0, max([at_least, *(figure.high * 1.08 for figure in figures if figure.high is not None)]))


def javascript() -> bytes:
    """Vega, Vega-Lite and Vega-Embed as one gzipped JavaScript module; takes some seconds the first time."""
    with _BUNDLING:  # once, however many ask at the same time
        return _bundled()


def prepare_javascript() -> None:
    """Begin making it, so that the first chart need not wait."""
    if not _bundled.cache_info().currsize and not _BUNDLING.locked():
        Thread(target=javascript, name="bundle", daemon=True).start()


@lru_cache(maxsize=1)
def _bundled() -> bytes:
    # In a process of its own: making it holds the interpreter's lock for 2.5 s, measured, and every live page with it.
    with Popen([sys.executable, "-I", "-c", _BUNDLE, VEGA_LITE], stdin=DEVNULL, stdout=PIPE) as child:
        atexit.register(child.kill)
        made, _ = child.communicate()
        atexit.unregister(child.kill)
    if child.returncode:
        raise RuntimeError(f"the charts' JavaScript could not be made (status {child.returncode})")
    return made


def _chart() -> alt.Chart:
    return alt.Chart(alt.NamedData(name=MARKS))


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


def _time(marks: Sequence[Mark]) -> alt.X:
    axis = alt.Axis(
        labelAngle=0,
        labelOverlap="greedy",
        labelSeparation=8,
        labelExpr="slice(split(datum.label, '|'), 0, 2)",
        ticks=False,
    )
    # Every period has its place, with votes or without: a gap in time must look like one.
    places = alt.Scale(domain=[mark.label for mark in marks])
    return alt.X("label:O", scale=places, title=None, axis=axis)


def _share_axis(*, ticks: int = 4) -> alt.Axis:
    return alt.Axis(format="~%", tickCount=ticks, domain=False, ticks=False, labelFlush=False)


def _document(
    chart: alt.Chart | alt.LayerChart | alt.FacetChart, axis: Axis, height: int, rows: dict[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    """The finished document; ``rows`` go in at the end, for Altair copies what it holds at every step."""
    document: dict[str, Any] = (
        chart.properties(width="container", height=height, description=axis.description)
        .configure(
            background="transparent",
            padding=4,
            autosize=alt.AutoSizeParams(type="fit", contains="padding"),
            view=alt.ViewConfig(stroke=None),
            axis=alt.AxisConfig(
                labelColor="var(--soft)",
                labelFont=FACE,
                labelFontSize=14,
                labelPadding=6,
                gridColor="var(--line)",
                domainColor="var(--rule)",
            ),
        )
        # A test checks every chart against the schema of Vega-Lite; at run time that would take 60 ms a chart.
        .to_dict(validate=False)
    )
    return document | {"datasets": rows}
