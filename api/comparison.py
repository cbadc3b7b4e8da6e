"""``GET /v1/comparison``: one period against the one before and the same one of last year, place by place.

The figures themselves are those of ``/v1/aggregates``, asked three times; what is added is which differences are more
than noise (api/statistics/comparison.py), and what must be known before one believes them.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Self

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from api.access.narrowing import narrowed
from api.access.reach import Seen
from api.aggregates import Day, Name, Question, answered, disclose
from api.auth import require
from api.figures import DIGITS, FIRST_DATE, Tally
from api.i18n import Language
from api.parts import parts_of
from api.purposes import OPERATOR_CUTS, PURPOSES
from api.rendering import language_of
from api.statistics import Change, compare, pooled_design_effect, response_differs, worst_case
from api.statistics.case_mix import RATINGS, Rating
from collector.store import NO_LIMITS, Limits, Store, Token
from schemas.periods import Period, bounds, day_date, day_key, day_of
from schemas.resources import Aggregates, Cell, Cut
from schemas.statistics_resources import (
    Against,
    Bounds,
    ChangeResource,
    Compared,
    Comparison,
    DesignEffects,
    Side,
    SideBounds,
)

# The two ends of the scale are compared; the middle is what is left of them.
COMPARED: tuple[Rating, ...] = ("bad", "exemplary")
# Days of the newest part of the period tell how much votes of a day hang together; more would only cost time.
_CLUSTER_DAYS = 92

router = APIRouter()


class Asked(BaseModel):
    """What is asked; a parameter that is not in it is refused, not overlooked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Cut = "centre"
    period: Period = Period.MONTH
    day: Day | None = Field(None, description="any day of the period; one of the last whole period if not given")
    branch: Name | None = None
    key: Name | None = Field(None, description="one service, operator or desk")
    merged: bool = Field(False, description="count a branch that was merged as the one that took it in")
    participant: Name | None = Field(None, description="operators: only calls while they worked for it")
    purpose: str | None = Field(None, description=f"for operators and desks: {', '.join(PURPOSES)}")
    order: int | None = Field(None, ge=1, le=2**31 - 1, description="the recorded order to read by (order P4.3)")
    lang: str | None = Field(None, max_length=10, description="language of the texts; the office's own if not given")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        try:
            self.question(date(2020, 1, 1))
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
        return self

    def question(self, day: date) -> Question:
        """The same as a question for the figures of the one period that holds ``day``."""
        said = self.model_dump(exclude={"day", "lang"}, exclude_none=True)
        return Question.model_validate(said | {"from": day, "to": day})


@router.get("/v1/comparison", response_model=Comparison)
def read_comparison(
    request: Request, asked: Annotated[Asked, Query()], token: Annotated[Token, require("figures", within_limits=True)]
) -> Response:
    """Now, the period before, the same period of last year, and which differences are beyond noise."""
    store = parts_of(request).store
    now_unix_ms = time.time_ns() // 1_000_000
    day = asked.day or last_whole_day(store, asked.period, now_unix_ms)
    if asked.by in OPERATOR_CUTS:
        disclose(store, token, asked.question(day))
    answer = compared(store, asked, day, now_unix_ms, language_of(request), token)
    return Response(answer.model_dump_json(by_alias=True), media_type="application/json")


def compared(
    store: Store, asked: Asked, day: date, now_unix_ms: int, language: Language, token: Token | None = None
) -> Comparison:
    """The comparison of the period that holds ``day``, within the limits of ``token``.

    Raises BadQuestion as aggregates do, ScopeMissing for what is not the reader's.
    """

    def figures_of(when: date) -> Aggregates:
        question = asked.question(when)
        if token is None:
            return answered(store, question, now_unix_ms)
        return answered(store, narrowed(token, question, store.book.whole()[1]), now_unix_ms, token.limits)

    first = bounds(day, asked.period)[0]
    now = figures_of(day)
    before = period_before(first, asked.period), year_before(first, asked.period)
    earlier = [figures_of(each).cells if each else [] for each in before]
    effects = _design_effects(store, asked, now, token.limits if token else NO_LIMITS)
    rows, shown = _rows(now.cells, earlier, effects)
    return Comparison(
        by=asked.by,
        period=asked.period,
        first=now.first,
        last=now.last,
        branch=now.branch,
        key=now.key,
        simulated=now.simulated,
        figures_end=now.figures_end,
        generated_at=datetime.fromtimestamp(now_unix_ms / 1000, UTC),
        comparisons=shown,
        design_effects=DesignEffects(**{rating: _rounded(effects[rating]) for rating in COMPARED}),
        method=method_words(language),
        notice=notice_words(language) if asked.by in OPERATOR_CUTS else None,
        rows=rows,
    )


def last_whole_day(store: Store, period: Period, now_unix_ms: int) -> date:
    """The last day of the last period that is over, in the office's time zone."""
    today = day_date(day_of(now_unix_ms, store.register().timezone))
    return bounds(today, period)[0] - timedelta(days=1)


def period_before(first: date, period: Period) -> date | None:
    """The first day of the period before the one that begins on ``first``; None before all that can be asked."""
    if first <= FIRST_DATE:
        return None
    return bounds(first - timedelta(days=1), period)[0]


def year_before(first: date, period: Period) -> date | None:
    """The first day of the same period of last year: of a day the same weekday, of a week the one with its number.

    Week 53, which most years lack, is compared with week 52. None before all that can be asked.
    """
    if first.year <= FIRST_DATE.year:
        return None
    match period:
        case Period.DAY:
            return first - timedelta(days=364)
        case Period.WEEK:
            iso = first.isocalendar()
            return date.fromisocalendar(iso.year - 1, min(iso.week, 52), 1)
    return first.replace(year=first.year - 1)


def method_words(language: Language) -> str:
    """How the differences were made, for whoever reads them."""
    _ = language.gettext
    return _(
        "A difference is the later share minus the earlier one, with Newcombe’s 95% interval, widened where votes of "
        "one day resemble each other. It is called beyond noise only if its interval, made wide enough for the number "
        "of differences shown together (Bonferroni), excludes zero. The interval covers sampling noise only: "
        "where the response rates differ by more than 10 points, other clients may have voted."
    )


def notice_words(language: Language) -> str:
    """The notice of order P4.8, which every output about operators carries."""
    _ = language.gettext
    return _(
        "Under point 4.8 of the order the results may not be a basis for disciplinary or other penalties. "
        "Every reading of these data is recorded with its purpose."
    )


def _rows(
    cells: Sequence[Cell], earlier: Sequence[Sequence[Cell]], effects: dict[Rating, float | None]
) -> tuple[list[Compared], int]:
    """Place by place in the order of now's figures, and how many differences that shows."""
    before, year_ago = ({(each.branch, each.key): each for each in then} for then in earlier)
    places = [(now, before.get((now.branch, now.key)), year_ago.get((now.branch, now.key))) for now in cells]
    shown = sum(
        len(COMPARED) for now, *then in places for each in then if each is not None and now.votes and each.votes
    )
    rows = [
        Compared(
            now=_side(now),
            previous=_against(now, previous, effects, shown),
            last_year=_against(now, last_year, effects, shown),
        )
        for now, previous, last_year in places
    ]
    return rows, shown


def _against(now: Cell, then: Cell | None, effects: dict[Rating, float | None], shown: int) -> Against | None:
    if then is None or not then.calls:
        return None
    sides = _tally(now), _tally(then)
    changes = [
        _change(compare(*sides, rating, comparisons=shown, design_effect=effects[rating])) for rating in COMPARED
    ]
    return Against(then=_side(then), changes=changes, response_differs=response_differs(*sides))


def _change(change: Change) -> ChangeResource:
    return ChangeResource(
        rating=change.rating,
        difference=_rounded(change.difference),
        low=_rounded(change.low),
        high=_rounded(change.high),
        beyond_noise=change.beyond_noise,
    )


def _side(cell: Cell) -> Side:
    found: dict[str, Bounds] = {}
    for rating in RATINGS:
        ends = worst_case(getattr(cell, rating).count, cell.votes, cell.eligible_calls)
        if ends is not None:
            found[rating] = Bounds(low=round(ends[0], DIGITS), high=round(ends[1], DIGITS))
    fields = {name: getattr(cell, name) for name in Cell.model_fields}
    return Side(**fields, bounds=SideBounds(**found) if found else None)


def _tally(cell: Cell) -> Tally:
    return Tally(cell.calls, cell.eligible_calls, cell.bad.count, cell.good.count, cell.exemplary.count)


def _design_effects(store: Store, asked: Asked, now: Aggregates, limits: Limits) -> dict[Rating, float | None]:
    """How much votes of a day hang together in the places of the answer, estimated from the period itself."""
    last = min(now.last, now.figures_end)
    first = max(now.first, last - timedelta(days=_CLUSTER_DAYS))
    rows = store.rollups(
        "branch" if asked.by == "centre" else asked.by,
        day_key(first),
        day_key(last),
        branch=asked.branch,
        key=asked.key,
    )
    rows = Seen(limits, store.book.whole()[1]).rows(rows, asked.by)
    days: dict[tuple[str, str], dict[int, Tally]] = defaultdict(dict)
    for row in rows:
        of_place = days["", ""] if asked.by == "centre" else days[row.branch, row.key]
        of_place[row.day] = of_place.get(row.day, Tally()) + Tally.of(row)
    return {
        rating: pooled_design_effect(
            [(getattr(each, rating), each.votes) for each in of_place.values()] for of_place in days.values()
        )
        for rating in COMPARED
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
