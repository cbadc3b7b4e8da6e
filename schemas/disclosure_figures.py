"""The figures of an answer as they were when it was made: kept with the letter, and never computed again."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from schemas.disclosure_resources import AnswerCut
from schemas.periods import Period
from schemas.resources import RatingFigure, Resource

Withheld = Literal["small", "few_operators", "secondary", "all_equal"]


class FrozenRow(Resource):
    """One period of one place. What is withheld has no counts; ``withheld`` says why."""

    period: str
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    name: str
    name_en: str
    calls: int | None
    eligible_calls: int | None
    votes: int | None
    bad: RatingFigure | None
    good: RatingFigure | None
    exemplary: RatingFigure | None
    withheld: Withheld | None


class FrozenFigures(Resource):
    """Of whole periods that were over. ``source`` is "figures", or the edition in which they are published."""

    by: AnswerCut
    period: Period
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    source: str
    register_revision: int
    made_at: datetime
    rows: list[FrozenRow]
