"""Resources of integrity signals: what there is to look at, why it may mean nothing, and what a person made of it."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from schemas.resources import RatingFigure, Resource

Outcome = Literal["explained", "watch", "system_fault"]


class SignalKind(Resource):
    """A signal: what it looks at, innocent reasons for it, and how it is judged, in the reader's language."""

    id: str
    name: str
    looks_at: str
    innocent: list[str]
    null_model: str
    threshold: str
    device: bool
    missing: str | None = Field(description="which data it lacks; then it is not computed")


class SignalRateResource(Resource):
    """How often a signal was tested in a month, was below 0.05 alone, and stood out among all."""

    month: str
    kind: str
    tests: int
    below_5_percent: int
    stand_out: int


class MarkedCounts(Resource):
    bad: int
    good: int
    exemplary: int


class SignalResource(Resource):
    """Something to look at. It is no proof, and changes no vote and no figure (order P4.8).

    ``operator`` and ``marked`` are null for readers who see devices only. ``stands``: false for one that was reviewed
    and is no longer found since late votes have come.
    """

    id: int
    month: str
    kind: str
    operator: str | None
    branch: str
    desk: str | None
    statistic: float
    expected: float
    n: int
    p: float
    q: float = Field(description="the false discovery rate at which it would just stand out among all of the month")
    marked: MarkedCounts | None = Field(description="the votes that it is about")
    numbers: dict[str, float]
    stands: bool
    outcome: Outcome | None
    note: str | None
    reviewed_by: str | None
    reviewed_at: datetime | None


class WithoutMarked(Resource):
    """An operator's month with and without the votes that signals are about, where that moves a share by a point."""

    month: str
    operator: str
    votes: int
    marked_votes: int
    bad: RatingFigure
    exemplary: RatingFigure
    bad_without: RatingFigure
    exemplary_without: RatingFigure


class SignalMonthResource(Resource):
    """``log_only``: one of the first two months, whose signals are shown to nobody."""

    month: str
    log_only: bool
    operators: int
    calls: int
    computed_at: datetime


class Signals(Resource):
    """Signals in the order of month, branch and pseudonym; never by how strong they are."""

    generated_at: datetime
    months: list[SignalMonthResource]
    signals: list[SignalResource]
    without_marked: list[WithoutMarked]
    rates: list[SignalRateResource]
    kinds: list[SignalKind]
    method: str
    notice: str
