"""The api's resources about evidence: what our data can honestly support of CAF and of certification. No arithmetic.

There is never a score here. A band is a suggestion with its reasons, capped by what is known (domain study 3.4).
"""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.fleet_resources import Body
from schemas.periods import Period
from schemas.resources import Resource

TrendWord = Literal["improving", "declining", "flat", "cannot_tell"]
Direction = Literal["at_least", "at_most"]
Unit = Literal["share", "count", "seconds"]


class EvidenceValue(Resource):
    """One period of one measure. ``n`` is what the value is of: votes, calls, reports due; ``low`` and ``high`` its
    95 % interval, null where there is none to give.
    """

    period: str
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    complete: bool
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    response_rate: float | None = None


class EvidenceTrend(Resource):
    """Over the periods that are over. ``change`` is of the share, first to last period; ``p`` is the ordinal test's."""

    verdict: TrendWord
    periods: int
    change: float | None = None
    p: float | None = None
    reason: str


class EvidenceTarget(Resource):
    """A target and what became of it. ``clear``: the interval of the value lies wholly on one side of the target."""

    id: int
    period: str
    value: float
    direction: Direction
    set_on: date
    set_by: str
    reached: float | None
    met: bool | None = Field(description="null: the period is not over, or has no value")
    clear: bool | None


class EvidencePart(Resource):
    """The measure by service, where that says something: one period's value.

    Both are null for a service behind which fewer than three operators stand, and for what would give it away.
    """

    key: str
    name: str
    value: float | None
    n: int | None


class EvidenceMeasure(Resource):
    id: str
    title: str
    definition: str
    unit: Unit
    better: Literal["higher", "lower"] | None = Field(description="null: neither is better in itself")
    source: str
    values: list[EvidenceValue]
    parts: list[EvidencePart] = Field(default_factory=list, description="the last period that is over, by service")
    trend: EvidenceTrend
    targets: list[EvidenceTarget]
    target_status: Literal["none", "none_met", "some_met", "most_met", "all_met"]
    comparison: Literal["none"] = Field("none", description="no other office's value of the same scale is known here")
    caveats: list[str]


class SuggestedBand(Resource):
    """Of the classical results panel, 0 to 100; a range for assessors to begin from, and never a score."""

    low: int
    high: int
    reasons: list[str]


class EvidenceItem(Resource):
    """A sub-criterion of CAF, or a requirement of a certification scheme, that our data say something of."""

    id: str
    title: str
    strength: Literal["strong", "medium", "weak"]
    supports: str
    does_not_support: str
    measures: list[str] = Field(description="ids of measures, in order of weight")
    band: SuggestedBand | None


class NoEvidence(Resource):
    id: str
    title: str
    reason: str


class Evidence(Resource):
    """``model``: which version of which model. Whatever is not in ``items`` is in ``without``, with the reason."""

    model: str
    generated_at: datetime
    simulated: bool
    language: str
    by: Period
    items: list[EvidenceItem]
    measures: list[EvidenceMeasure]
    without: list[NoEvidence]
    notes: list[str]


class TargetBody(Body):
    """``day`` lies in the period that the target judges; that must not have begun."""

    measure: Annotated[str, StringConstraints(max_length=40)]
    period: Annotated[Period, Field(strict=False)]
    day: Annotated[date, Field(strict=False, ge=date(2000, 1, 1), le=date(2100, 12, 31))]
    value: Annotated[float, Field(strict=False, ge=0, le=1e9, allow_inf_nan=False)]
    direction: Direction


class TargetResource(Resource):
    id: int
    measure: str
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    value: float
    direction: Direction
    set_on: date
    set_by: str


class TargetList(Resource):
    targets: list[TargetResource]
