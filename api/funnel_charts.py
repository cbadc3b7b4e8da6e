"""Funnels as positions for a template to draw (see api/charts.py): limits of chance round a common share, and points.

Nobody and nothing in a funnel has a colour of its own, and no point is drawn for its place among the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, log

from api import charts
from api.i18n import Language
from api.statistics import InFunnel, ShareLimits, share_limits
from schemas.resources import RatingFigure

FUNNEL_PX = 340
_CURVE_POINTS = 60
_APART_PX = 16  # labels beside each other
# Per cent of the width: what a label may take, and its letters where a chart is narrow enough for names to be left out.
_ROOM, _LETTER = 45.0, 2.0


@dataclass(frozen=True)
class Point:
    """``label`` stands beside it; ``name`` follows the label where there is room. ``text`` tells all of it."""

    votes: int
    share: float
    text: str
    label: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Dot:
    """Where a point lies and where its label does: to its left where it is near the right end."""

    x: float
    y: float
    point: Point
    is_left: bool
    label_y: float


@dataclass(frozen=True)
class FunnelChart:
    """Limits as polygons in a box of 100 by ``height``; ticks across are numbers of votes."""

    description: str
    inner: str
    outer: str
    common: float
    dots: list[Dot]
    ticks: list[tuple[float, str]]
    across: list[tuple[float, str]]
    height: int = FUNNEL_PX


@dataclass(frozen=True)
class _Room:
    """Between which numbers of votes and which shares a chart is drawn."""

    least: float
    most: float
    bottom: float
    top: float

    def across(self, votes: float) -> float:
        return charts.log_position(votes, self.least, self.most)

    def down(self, share: float) -> float:
        inside = min(max(share, self.bottom), self.top)
        return round(FUNNEL_PX * (self.top - inside) / (self.top - self.bottom), 1)


def funnel_chart(
    points: Sequence[Point],
    common: float,
    description: str,
    language: Language,
    *,
    design_effect: float = 1.0,
    from_zero: bool = True,
) -> FunnelChart:
    """The chart of at least one point round the common share, 0..1."""
    least, most = min(each.votes for each in points) * 0.85, max(each.votes for each in points) * 1.15
    curve = _curve(least, most, common, design_effect)
    (bottom, top, ticks) = _scale([each.share for each in points], [limits for _, limits in curve], from_zero)
    room = _Room(least, most, bottom, top)
    return FunnelChart(
        description=description,
        inner=_zone(room, curve, lambda limits: (limits.low95, limits.high95)),
        outer=_zone(room, curve, lambda limits: (limits.low998, limits.high998)),
        common=room.down(common),
        dots=_dots(points, room),
        ticks=[(room.down(tick), language.tick(tick)) for tick in ticks],
        across=[(room.across(n), language.number(n)) for n in _round_numbers(least, most)],
    )


def where_words(where: InFunnel, language: Language) -> str:
    """Where a point lies between the limits; no praise goes with it."""
    _ = language.gettext
    match where:
        case "outside":
            return _("outside the 99.8% limits")
        case "between":
            return _("between the limits")
    return _("inside the 95% limits")


def _scale(shares: Sequence[float], limits: Sequence[ShareLimits], from_zero: bool) -> tuple[float, float, list[float]]:
    highest = max(*shares, *(each.high998 for each in limits))
    if from_zero:
        top, ticks = charts.scale([RatingFigure(count=0, share=highest, low=None, high=None)])
        return 0.0, top, ticks
    return charts.scale_round(min(*shares, *(each.low998 for each in limits)), highest)


def _curve(least: float, most: float, common: float, design_effect: float) -> list[tuple[int, ShareLimits]]:
    """Limits at numbers of votes evenly far apart on the chart."""
    found: dict[int, ShareLimits] = {}
    for step in range(_CURVE_POINTS + 1):
        n = max(1, round(exp(log(least) + (log(most) - log(least)) * step / _CURVE_POINTS)))
        found[n] = share_limits(n, common, design_effect=design_effect)
    return sorted(found.items())


def _zone(
    room: _Room, curve: Sequence[tuple[int, ShareLimits]], ends: Callable[[ShareLimits], tuple[float, float]]
) -> str:
    upper = [(n, ends(limits)[1]) for n, limits in curve]
    lower = [(n, ends(limits)[0]) for n, limits in reversed(curve)]
    return " ".join(f"{room.across(n)},{room.down(y)}" for n, y in upper + lower)


def _dots(points: Sequence[Point], room: _Room) -> list[Dot]:
    """The points as they come; a label that would lie on another one, or on a point, moves up or down a line."""
    places = [(room.across(each.votes), room.down(each.share)) for each in points]
    taken: list[tuple[float, float, float]] = [(x - 1, x + 1, y) for x, y in places]
    dots = []
    for point, (x, y) in zip(points, places, strict=True):
        is_left = x > 100 - _ROOM
        width = min(_ROOM, _LETTER * (len(f"{point.label} {point.name or ''}") + 1))
        begins, ends = (x - width, x - 1.5) if is_left else (x + 1.5, x + width)
        label_y = y
        if point.label is not None:
            lines = [y + line * _APART_PX for line in (0, 1, -1, 2, -2, 3, -3)]
            label_y = next((each for each in lines if _is_free(begins, ends, each, taken)), y)
            taken.append((begins, ends, label_y))
        dots.append(Dot(x, y, point, is_left, round(label_y, 1)))
    return dots


def _is_free(begins: float, ends: float, y: float, taken: Sequence[tuple[float, float, float]]) -> bool:
    if not 0 <= y <= FUNNEL_PX:
        return False
    return not any(left < ends and begins < right and abs(y - other) < _APART_PX for left, right, other in taken)


def _round_numbers(least: float, most: float) -> list[int]:
    """Numbers of votes to write beneath the chart."""
    steps = [round(m * 10**p) for p in range(1, 7) for m in (1, 1.5, 2, 3, 5, 7)]
    return [n for n in steps if least <= n <= most]
