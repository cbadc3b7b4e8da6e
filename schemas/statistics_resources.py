"""Resources of the statistics beyond aggregates: comparisons in time, and operators in a funnel. No arithmetic."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from schemas.periods import Period
from schemas.resources import Cell, Cut, RatingFigure, Resource, ResponseRate

RatingName = Literal["bad", "good", "exemplary"]


# ---- comparison in time
class Bounds(Resource):
    """Between which shares of *all* eligible clients the truth lies, whatever those think who did not vote."""

    low: float
    high: float


class SideBounds(Resource):
    bad: Bounds
    good: Bounds
    exemplary: Bounds


class Side(Cell):
    """The figures of one period, with what those who did not vote could change; bounds are null without a call."""

    bounds: SideBounds | None


class ChangeResource(Resource):
    """Now minus then as a difference of shares (0.075 is 7.5 points) with Newcombe's 95 % interval; null without votes.

    ``beyond_noise``: the interval, made wide enough for the number of differences in this answer, excludes zero.
    """

    rating: RatingName
    difference: float | None
    low: float | None
    high: float | None
    beyond_noise: bool


class Against(Resource):
    """An earlier period; ``response_differs`` warns that it was answered by so many more or fewer that shares of the
    two speak of differently chosen clients."""

    then: Side
    changes: list[ChangeResource]
    response_differs: bool


class Compared(Resource):
    """One place now, against the period before and the same period of last year; null where nothing is known."""

    now: Side
    previous: Against | None
    last_year: Against | None


class DesignEffects(Resource):
    """By how much intervals of differences are widened because votes of one day hang together; null: not estimated."""

    bad: float | None
    exemplary: float | None


class Comparison(Resource):
    """``comparisons`` is how many differences stand in this answer; ``beyond_noise`` allows for that."""

    by: Cut
    period: Period
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    branch: str | None
    key: str | None
    simulated: bool
    figures_end: date
    generated_at: datetime
    comparisons: int
    design_effects: DesignEffects
    method: str
    notice: str | None = Field(description="order P4.8, on every answer about operators and desks")
    rows: list[Compared]


# ---- operators in a funnel
class FunnelLimitsResource(Resource):
    """Exact binomial counts; below a low one or above a high one is out of the ordinary for so many votes."""

    low95: int
    high95: int
    low998: int
    high998: int


class CaseMixResource(Resource):
    """What is observed against what the own services, branches and hours would have given the others."""

    expected: float
    ratio: float | None
    low: float | None
    high: float | None


class ShrunkResource(Resource):
    """The share drawn towards everybody's by a weight that the figures give, with its 95 % interval."""

    share: float
    low: float
    high: float


class FunnelPoint(Resource):
    """One operator, under the pseudonym. Beneath the least number of votes everything but counts of votes is null."""

    operator: str
    eligible_calls: int
    votes: int
    response_rate: ResponseRate
    enough: bool = Field(description="whether there are votes enough for a comparison")
    figure: RatingFigure | None
    limits: FunnelLimitsResource | None
    case_mix: CaseMixResource | None
    shrunk: ShrunkResource | None
    reliability: float | None = Field(description="which part of the differences of such figures is more than noise")


class OverdispersionResource(Resource):
    """Whether the points scatter more than the limits allow for: then a point outside says little."""

    factor: float
    p: float
    significant: bool


class VotesNeeded(Resource):
    """Votes of one operator until a figure has this reliability; null: operators were not found to differ at all."""

    reliability_07: int | None
    reliability_08: int | None


class Funnel(Resource):
    """Operators in the register's order, never by their figures (order P4.8)."""

    rating: RatingName
    period: Period
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    branch: str | None
    participant: str | None
    simulated: bool
    generated_at: datetime
    months: list[str] = Field(description="the closed months that are in it")
    missing: list[str] = Field(description="months of the period that are not over, or of which there is nothing")
    least_votes: int
    common_share: float | None = Field(description="of all votes of the centre in these months")
    prior_weight: float | None = Field(description="votes that everybody's share counts for; null: too few operators")
    icc: float | None = Field(description="the share of a single vote's variance that lies between operators")
    votes_needed: VotesNeeded | None
    overdispersion: OverdispersionResource | None
    method: str
    notice: str
    points: list[FunnelPoint]
