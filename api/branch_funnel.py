"""Branches against limits of chance round the centre's own share: whose month lies further from it than luck explains.

Rules of the file
1.  Branches stand in the register's order. Nothing is sorted by a figure, and a point has no rank (order P4.8).
2.  Exact binomial limits of as many votes as the month's are worth where those of one day resemble each other: the
    same design effect as of the differences on the page (api/pictures.py; domain study 6.1, 6.4).
3.  Only whoever may see all branches sees a funnel: the centre's share is no branch's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.pictures import COMPARED, Gallery
from api.statistics import InFunnel, ShareLimits, in_funnel, overdispersion, share_limits
from api.statistics.case_mix import Rating
from schemas.resources import Cell, RatingFigure

LEAST_BRANCHES = 3
LEAST_VOTES = 10


@dataclass(frozen=True)
class Placed:
    """One branch's share with the limits at its number of votes."""

    votes: int
    figure: RatingFigure
    limits: ShareLimits
    where: InFunnel


@dataclass(frozen=True)
class BranchFunnel:
    """``places`` go with the gallery's parts; None for a branch with fewer than ten votes.

    ``scattered``: the points scatter more than chance explains, so that being outside says little.
    """

    rating: Rating
    common: float
    design_effect: float | None
    places: list[Placed | None]
    scattered: bool


def branch_funnels(gallery: Gallery) -> Mapping[Rating, BranchFunnel] | None:
    """The funnels of the month, a rating each; None where fewer than three branches have ten votes."""
    cells = [each.now for each in gallery.parts]
    if sum(cell.votes >= LEAST_VOTES for cell in cells) < LEAST_BRANCHES:
        return None
    return {rating: _funnel(cells, gallery.whole.now, rating, gallery.effects[rating]) for rating in COMPARED}


def _funnel(cells: Sequence[Cell], whole: Cell, rating: Rating, effect: float | None) -> BranchFunnel:
    common = getattr(whole, rating).count / whole.votes
    widened = effect or 1.0
    places = [_placed(cell, rating, common, widened) for cell in cells]
    known = [(each.figure.count / widened, each.votes / widened) for each in places if each is not None]
    scatter = overdispersion(known, common)
    return BranchFunnel(rating, common, effect, places, scatter is not None and scatter.significant)


def _placed(cell: Cell, rating: Rating, common: float, effect: float) -> Placed | None:
    if cell.votes < LEAST_VOTES:
        return None
    figure: RatingFigure = getattr(cell, rating)
    limits = share_limits(cell.votes, common, design_effect=effect)
    return Placed(cell.votes, figure, limits, in_funnel(figure.count / cell.votes, limits))
