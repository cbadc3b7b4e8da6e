"""Charts of the figures as positions for a template to draw as SVG: no script draws them, and no colour is named here.

Across, a position is in per cent of the width, so that a chart fits any screen while its letters keep their size; down,
it is in pixels. Every scale of shares begins at zero. Nothing is sorted: marks stand as they come.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from schemas.resources import Cell, RatingFigure

HEIGHT_PX = 170
# How many labels find room beneath a chart that is narrow, middling and wide (charts.css says where these begin).
_ROOM = {"n": 4, "m": 7, "w": 14}
_STEPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)
_TICKS = 4


@dataclass(frozen=True)
class Mark:
    """One figure to draw: its name beneath the axis in two lines, the figure, and the sentence that tells all of it."""

    label: str
    beneath: str
    cell: Cell
    text: str
    href: str | None = None


@dataclass(frozen=True)
class Spot:
    """Where a mark lies; ``share`` and the interval's ends are None without a vote to divide by."""

    mark: Mark
    x: float
    share: float | None
    low: float | None
    high: float | None
    shown: str  # classes of the widths at which its label is shown


@dataclass(frozen=True)
class Chart:
    """A chart ready to be drawn. ``lines`` join neighbouring spots and stop where one has no figure."""

    description: str
    spots: list[Spot]
    ticks: list[tuple[float, str]]
    lines: list[str]
    height: int = HEIGHT_PX
    slot: float = 10.0  # the room of one spot, per cent
    whole: float | None = None  # where all places together lie


def shares_in_time(
    rating: str,
    marks: Sequence[Mark],
    description: str,
    percent: Callable[[float], str],
    *,
    beside: Sequence[Cell] = (),
    height: int = HEIGHT_PX,
) -> Chart:
    """The share of one rating, period by period, from left to right; its scale has room for those ``beside`` it too."""
    figures = [_figure(mark.cell, rating) for mark in marks]
    top = scale([*figures, *(_figure(cell, rating) for cell in beside)])
    return _in_time(marks, figures, description, percent, top, height)


def response_in_time(marks: Sequence[Mark], description: str, percent: Callable[[float], str]) -> Chart:
    """The response rate, period by period: it has no interval, for nobody drew a sample of it."""
    figures = [RatingFigure(count=0, share=mark.cell.response_rate.share, low=None, high=None) for mark in marks]
    return _in_time(marks, figures, description, percent, scale(figures), HEIGHT_PX)


def shares_by_place(
    rating: str,
    marks: Sequence[Mark],
    whole: RatingFigure | None,
    description: str,
    percent: Callable[[float], str],
) -> Chart:
    """The share of one rating in each place, one beneath the other in the order given; dashed: all of them together."""
    figures = [_figure(mark.cell, rating) for mark in marks]
    top, ticks = scale(figures)
    across = [(100 * tick / top, percent(tick)) for tick in ticks]

    def along(share: float | None) -> float | None:
        return None if share is None else round(100 * share / top, 2)

    spots = [_spot(mark, 0, figure, along, "") for mark, figure in zip(marks, figures, strict=True)]
    return Chart(description, spots, across, [], whole=along(whole.share) if whole is not None else None)


def scale(figures: Sequence[RatingFigure], *, at_least: float = 0.04) -> tuple[float, list[float]]:
    """Where a scale of these figures ends, at a round number past their highest end, and its ticks from zero on."""
    highest = max([at_least, *(end for each in figures for end in (each.share, each.high) if end is not None)])
    step = next((step for step in _STEPS if step * _TICKS >= min(highest, 1.0)), 0.25)
    count = max(1, ceil(round(min(highest, 1.0) / step, 6)))
    return step * count, [round(step * n, 6) for n in range(count + 1)]


def scale_round(low: float, high: float, *, at_least: float = 0.02) -> tuple[float, float, list[float]]:
    """A scale that need not begin at zero, for shares looked at for their distance from one another.

    Returns where it begins and ends, at round numbers on either side of ``low`` and ``high``, and its ticks.
    """
    middle, half = (low + high) / 2, max(high - low, at_least) / 2
    low, high = max(0.0, min(low, middle - half)), min(1.0, max(high, middle + half))
    step = next((step for step in _STEPS if step * _TICKS >= high - low), 0.25)
    first, last = floor(round(low / step, 6)), ceil(round(high / step, 6))
    ticks = [round(step * n, 6) for n in range(first, last + 1) if step * n <= 1]
    return ticks[0], ticks[-1], ticks


def log_position(n: float, least: float, most: float) -> float:
    """Where ``n`` lies between ``least`` (0) and ``most`` (100) on a logarithmic scale, per cent."""
    if most <= least:
        return 50.0
    return round(100 * (log10(max(n, least)) - log10(least)) / (log10(most) - log10(least)), 2)


def _in_time(
    marks: Sequence[Mark],
    figures: Sequence[RatingFigure],
    description: str,
    percent: Callable[[float], str],
    axis: tuple[float, list[float]],
    height: int,
) -> Chart:
    top, ticks = axis

    def down(share: float | None) -> float | None:
        return None if share is None else round(height * (1 - share / top), 1)

    slot = 100 / max(1, len(marks))
    spots = [
        _spot(mark, round(slot * (n + 0.5), 2), figure, down, _shown(n, len(marks)))
        for n, (mark, figure) in enumerate(zip(marks, figures, strict=True))
    ]
    marked = [(down(tick) or 0.0, percent(tick)) for tick in ticks]
    return Chart(description, spots, marked, _lines(spots), height=height, slot=round(slot, 2))


def _lines(spots: Sequence[Spot]) -> list[str]:
    """Runs of neighbouring spots that have a figure, as the points of polylines."""
    runs: list[list[str]] = [[]]
    for spot in spots:
        if spot.share is None:
            runs.append([])
        else:
            runs[-1].append(f"{spot.x},{spot.share}")
    return [" ".join(run) for run in runs if len(run) > 1]


def _shown(n: int, count: int) -> str:
    """At which widths the label of the ``n``-th of ``count`` is shown; the last one always is."""
    return " ".join(width for width, room in _ROOM.items() if (count - 1 - n) % ceil(count / room) == 0)


def _figure(cell: Cell, rating: str) -> RatingFigure:
    figure: RatingFigure = getattr(cell, rating)
    return figure


def _spot(
    mark: Mark, x: float, figure: RatingFigure, place: Callable[[float | None], float | None], shown: str
) -> Spot:
    return Spot(mark, x, place(figure.share), place(figure.low), place(figure.high), shown)
