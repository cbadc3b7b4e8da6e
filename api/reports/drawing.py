"""The charts of a report as Vega-Lite documents for paper: small multiples with intervals. It computes no figure.

One idea a chart; every rating has its own panel, mark and place, so that nothing hangs on colour: copper, slate and
blue are apart for the colour-blind and in grey. What a chart shows, its table says, too.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from api.printing import FACE
from schemas.resources import RatingFigure

INK, SOFT, LINE, RULE = "#15223c", "#4b5871", "#dfe1e6", "#9aa2b1"
COLOURS = {"bad": "#b0500f", "good": "#6f7c90", "exemplary": "#1c5cab", "response": "#4b5871"}
SHAPES = {"bad": "triangle-down", "good": "circle", "exemplary": "triangle-up", "response": "square"}
# Typst takes a pixel for 0.75 pt: half of the text's width, and the whole of it.
HALF_PX, WHOLE_PX = 300, 624
_PANEL_PX, _ROW_PX = 80, 19
_NAMES_PX = 190
_NAME_CHARACTERS = 36
_GAP_PX = 14
_FONT_PX = 10.5


@dataclass(frozen=True)
class Point:
    """A figure at its place: ``key`` is unique, ``label`` stands on the axis (a line of text each)."""

    key: str
    label: tuple[str, ...]
    figure: RatingFigure
    solid: bool = True


def in_time(kind: str, points: Sequence[Point], decimal: str) -> dict[str, Any]:
    """One panel: the share of ``kind`` period by period with its 95 % intervals; hollow where the period is not over.

    The scale is the panel's own: it begins at zero for a rare rating, and near the figures for a frequent one.
    """
    colour = COLOURS[kind]
    labels = json.dumps({point.key: list(point.label) for point in points}, ensure_ascii=False)
    axis = alt.Axis(labelExpr=f"({labels})[datum.value]", labelOverlap=False, labelAngle=0)
    x = alt.X("key:O", sort=None, scale=alt.Scale(domain=[each.key for each in points]), title=None, axis=axis)
    y = alt.Y("share:Q", title=None, scale=_scale(points), axis=_share_axis(decimal, 4))
    base = alt.Chart(_data([_row(each) for each in points]))
    whiskers = base.mark_rule(strokeWidth=4 if len(points) <= 16 else 2, opacity=0.32, color=colour)
    line = base.mark_line(strokeWidth=1.1, color=colour, invalid="break-paths-filter-domains")
    marks = base.mark_point(shape=SHAPES[kind], size=34, filled=True, opacity=1, stroke=colour, strokeWidth=1.1)
    fill = alt.condition(alt.datum.solid, alt.value(colour), alt.value("white"))
    layers = alt.layer(
        whiskers.encode(x, alt.Y("low:Q"), alt.Y2("high")), line.encode(x, y), marks.encode(x, y, fill=fill)
    )
    return _document(layers.properties(width=HALF_PX - 46, height=_PANEL_PX))


def by_place(
    bad: Sequence[Point],
    exemplary: Sequence[Point],
    whole: tuple[RatingFigure, RatingFigure],
    *,
    titles: tuple[str, str],
    decimal: str,
) -> dict[str, Any]:
    """Two panels side by side, a row a place in the order given, never by figure; dashed: all places together."""
    width = (WHOLE_PX - _NAMES_PX - 2 * _GAP_PX - 12) // 2
    height = _ROW_PX * max(1, len(bad))
    left, right = _places("bad", bad, whole[0], decimal), _places("exemplary", exemplary, whole[1], decimal)
    panels = [
        each.properties(width=width, height=height, title=alt.TitleParams(title, anchor="start", frame="group"))
        for each, title in zip((left, right), titles, strict=True)
    ]
    names = _names(bad).properties(width=_NAMES_PX, height=height)
    return _document(alt.hconcat(names, *panels, spacing=_GAP_PX))


def _names(points: Sequence[Point]) -> Any:
    """In a panel of their own, which cuts them off: as labels of an axis they would widen the chart as they please.

    Vega takes a Cyrillic letter for two when it measures a text.
    """
    rows = [{"key": each.key, "name": _short(each.label[0])} for each in points]
    text = alt.Chart(_data(rows)).mark_text(
        align="left", x=0, font=FACE, fontSize=_FONT_PX, color=INK, clip=True, baseline="middle"
    )
    return text.encode(_row_of(points), alt.Text("name:N"))


def _row_of(points: Sequence[Point]) -> alt.Y:
    return alt.Y("key:N", sort=None, scale=alt.Scale(domain=[each.key for each in points]), title=None, axis=None)


def _places(kind: str, points: Sequence[Point], whole: RatingFigure, decimal: str) -> Any:
    colour = COLOURS[kind]
    y = _row_of(points)
    x = alt.X("share:Q", title=None, scale=_scale(points), axis=_share_axis(decimal, 4))
    base = alt.Chart(_data([_row(each) for each in points]))
    known = [] if whole.share is None else [{"whole": whole.share}]
    reference = alt.Chart(_data(known)).mark_rule(strokeDash=[3, 3], color=RULE)
    whiskers = base.mark_rule(strokeWidth=3, opacity=0.35, color=colour)
    marks = base.mark_point(shape=SHAPES[kind], size=38, filled=True, opacity=1, fill=colour, stroke=colour)
    return alt.layer(
        reference.encode(alt.X("whole:Q")),
        whiskers.encode(alt.X("low:Q"), y, alt.X2("high")),
        marks.encode(x, y),
    )


def _short(name: str) -> str:
    return name if len(name) <= _NAME_CHARACTERS else name[: _NAME_CHARACTERS - 1].rstrip() + "…"


def _data(rows: list[dict[str, Any]]) -> Any:
    return alt.InlineData(values=rows)


def _row(point: Point) -> dict[str, Any]:
    figure = point.figure
    return {
        "key": point.key,
        "share": figure.share,
        "low": figure.low,
        "high": figure.high,
        "solid": point.solid,
    }


def _scale(points: Sequence[Point]) -> alt.Scale:
    """From a little below the lowest interval end to a little above the highest; from zero where that is near."""
    lows = [each.figure.low for each in points if each.figure.low is not None]
    highs = [each.figure.high for each in points if each.figure.high is not None]
    if not lows or not highs:
        return alt.Scale(domain=[0, 1])
    low, high = min(lows), max(highs)
    air = max(0.01, (high - low) * 0.08)
    bottom = 0.0 if low < 0.3 * high or low - air < 0 else low - air
    return alt.Scale(domain=[bottom, min(1.0, high + air)], nice=True, zero=False)


def _share_axis(decimal: str, ticks: int) -> alt.Axis:
    # Vega writes a point; the reader's language may write a comma.
    text = f"replace(format(datum.value * 100, '.3~g'), '.', '{decimal}') + '%'"
    return alt.Axis(labelExpr=text, tickCount=ticks, domain=False, ticks=False, labelFlush=False)


def _document(chart: Any) -> dict[str, Any]:
    axis = alt.AxisConfig(
        labelColor=SOFT,
        labelFont=FACE,
        labelFontSize=_FONT_PX,
        labelPadding=5,
        gridColor=LINE,
        gridWidth=0.6,
        domainColor=RULE,
        domainWidth=0.6,
        tickColor=RULE,
        ticks=False,
    )
    made: dict[str, Any] = chart.configure(
        background="transparent",
        padding=1,
        font=FACE,
        view=alt.ViewConfig(stroke=None),
        axis=axis,
        title=alt.TitleConfig(font=FACE, fontSize=12, fontWeight=600, color=INK, offset=6),
    ).to_dict(validate=False)
    return made
