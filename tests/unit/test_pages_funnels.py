"""Funnels as charts: true to their limits, points as they come, and no label on another one."""

from itertools import pairwise

import pytest

from api.charts import scale_round
from api.funnel_charts import FUNNEL_PX, FunnelChart, Point, funnel_chart
from api.i18n import load_languages
from api.statistics import share_limits

ENGLISH = load_languages()["en"]


def chart(*points: Point, common: float = 0.7, design_effect: float = 1.0, from_zero: bool = False) -> FunnelChart:
    return funnel_chart(points, common, "a funnel", ENGLISH, design_effect=design_effect, from_zero=from_zero)


def heights(zone: str) -> list[float]:
    return [float(each.split(",")[1]) for each in zone.split()]


def test_zones_begin_and_end_at_the_limits() -> None:
    drawn = chart(Point(100, 0.7, "a"), Point(400, 0.72, "b"))
    assert drawn.ticks[0][0] == FUNNEL_PX and drawn.ticks[-1][0] == 0
    bottom, top = (float(words.strip("%")) / 100 for _, words in (drawn.ticks[0], drawn.ticks[-1]))
    limits = share_limits(85, 0.7)
    for zone, high in ((drawn.inner, limits.high95), (drawn.outer, limits.high998)):
        assert heights(zone)[0] == pytest.approx(FUNNEL_PX * (top - high) / (top - bottom), abs=0.1)


def test_votes_that_resemble_each_other_make_the_zones_wider() -> None:
    points = Point(500, 0.7, "a"), Point(900, 0.72, "b")
    spread = []
    for drawn in (chart(*points, from_zero=True), chart(*points, from_zero=True, design_effect=3)):
        top = float(drawn.ticks[-1][1].strip("%"))
        spread.append((max(heights(drawn.outer)) - min(heights(drawn.outer))) * top)
    assert spread[1] > 1.5 * spread[0]


def test_points_stand_as_they_come_and_their_labels_find_room() -> None:
    alike = [Point(1000 + n, 0.7, "", label=str(n), name="Branch") for n in range(1, 5)]
    dots = chart(*alike).dots
    assert [dot.point for dot in dots] == alike
    lines = sorted(dot.label_y for dot in dots)
    assert all(later - earlier >= 15.9 for earlier, later in pairwise(lines))
    assert chart(Point(1000, 0.7, ""), Point(1001, 0.7, "")).dots[1].label_y == dots[0].y


def test_a_label_near_the_right_end_stands_to_the_left() -> None:
    few, many = chart(Point(100, 0.7, "", label="1"), Point(900, 0.7, "", label="2")).dots
    assert not few.is_left and many.is_left


@pytest.mark.parametrize("common", [0.0, 0.004, 0.5, 1.0])
def test_every_common_share_can_be_drawn(common: float) -> None:
    for from_zero in (True, False):
        drawn = chart(Point(12, common, "a", label="1"), Point(4000, common, "b"), common=common, from_zero=from_zero)
        assert all(0 <= y <= FUNNEL_PX for y in (*heights(drawn.inner), *heights(drawn.outer), drawn.common))


@pytest.mark.parametrize(
    ("low", "high", "ends"),
    [(0.021, 0.049, (0.02, 0.05)), (0.66, 0.735, (0.66, 0.74)), (0, 1, (0, 1)), (1, 1, (0.99, 1))],
)
def test_a_round_scale_holds_what_it_is_made_for(low: float, high: float, ends: tuple[float, float]) -> None:
    first, last, ticks = scale_round(low, high)
    assert (first, last) == ends and ticks == sorted(ticks)
    assert (ticks[0], ticks[-1]) == ends
