"""``GET /v1/operators/funnel``: operators side by side as far as that is fair, for those who may (order P4.7, P4.8).

Rules of the file
1.  Pseudonyms in the register's order; nothing is sorted by a figure, there is no ranking. Under thirty votes nobody is
    compared: only the number of votes is there (domain study 6.3, 6.4).
2.  Whole months that are over, out of the mix by operator, service and hour (collector/store/mix.py). What is common
    to all is that of the rows that the reader may see: a head of a branch compares within the branch.
3.  An employee of an organisation counts in months in which the organisation employed them on the first day and the
    last.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.access.operators import Wish, disclose
from api.access.reach import within
from api.aggregates import Day, Name
from api.auth import require
from api.comparison import last_whole_day, notice_words
from api.errors import BadQuestion, ScopeMissing
from api.figures import DIGITS, Tally, rating_figure, response_rate
from api.i18n import Language
from api.parts import parts_of
from api.purposes import PURPOSES
from api.rendering import language_of
from api.statistics import (
    MixRow,
    Prior,
    Rates,
    funnel_limits,
    intraclass,
    overdispersion,
    prior_of,
    reliability,
    shrink,
    standardised,
    votes_needed,
)
from api.statistics.case_mix import Rating
from collector.store import Limits, Register, Store, Token
from collector.store import MixRow as Mixed
from schemas.months import later, month_name
from schemas.periods import Period, bounds, day_date
from schemas.register_names import Employers, by_id
from schemas.statistics_resources import (
    CaseMixResource,
    Funnel,
    FunnelLimitsResource,
    FunnelPoint,
    OverdispersionResource,
    ShrunkResource,
    VotesNeeded,
)

LEAST_VOTES = 30
PERIODS = (Period.MONTH, Period.QUARTER, Period.YEAR)

router = APIRouter()


class Asked(BaseModel):
    """What is asked; a parameter that is not in it is refused, not overlooked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rating: Rating = "bad"
    period: Period = Field(Period.MONTH, description="month, quarter or year: operators are compared by whole months")
    day: Day | None = Field(None, description="any day of the period; one of the last whole period if not given")
    branch: Name | None = None
    participant: Name | None = Field(None, description="only operators whom it employed in the whole month")
    purpose: str | None = Field(None, description=f"one of {', '.join(PURPOSES)}")
    order: int | None = Field(None, ge=1, le=2**31 - 1, description="the recorded order to read by (order P4.3)")
    lang: str | None = Field(None, max_length=10, description="language of the texts; the office's own if not given")

    @property
    def words(self) -> str:
        """The question as the access log has it."""
        return " ".join(("funnel", *(f"{name}={value}" for name, value in self if value is not None)))


@dataclass(frozen=True)
class Counted:
    """One operator's rows with what they add up to."""

    operator: str
    rows: tuple[MixRow, ...]
    tally: Tally


@router.get("/v1/operators/funnel")
def read_funnel(
    request: Request,
    asked: Annotated[Asked, Query()],
    token: Annotated[Token, require("figures", "operators", within_limits=True)],
) -> Funnel:
    """Operators against limits of chance, standardised and shrunk; pseudonyms only, in the register's order."""
    store = parts_of(request).store
    wish = Wish(asked.words, asked.purpose, asked.order, asked.branch)
    narrowed = disclose(store, token, wish, lambda: narrowed_to(store, token, asked))
    return funnel_of(store, narrowed, time.time_ns() // 1_000_000, language_of(request), token.limits)


def funnel_of(store: Store, asked: Asked, now_unix_ms: int, language: Language, limits: Limits) -> Funnel:
    """The funnel of a period within limits. Raises BadQuestion for a period of days or weeks."""
    register = store.book.whole()[1]
    first, last = bounds(asked.day or last_whole_day(store, asked.period, now_unix_ms), asked.period)
    months, closed = _months(first, last), last_whole_day(store, Period.MONTH, now_unix_ms)
    mix = [row for row in store.mix(months[0], months[-1]) if row.month <= closed.year * 100 + closed.month]
    known = {row.month for row in mix}
    rows = _seen(mix, asked, register, limits)
    people = _counted(rows, register)
    compared = [each for each in people if each.tally.votes >= LEAST_VOTES]
    groups = [(getattr(each.tally, asked.rating), each.tally.votes) for each in compared]
    whole = sum((each.tally for each in people), Tally())
    common = getattr(whole, asked.rating) / whole.votes if whole.votes else None
    prior, icc = prior_of(groups), intraclass(groups)
    scatter = overdispersion(groups, common) if common is not None else None
    rates = Rates([row for each in people for row in each.rows], asked.rating)
    return Funnel(
        rating=asked.rating,
        period=asked.period,
        first=first,
        last=last,
        branch=asked.branch,
        participant=asked.participant,
        simulated=register.organisation.simulated,
        generated_at=datetime.fromtimestamp(now_unix_ms / 1000, UTC),
        months=[month_name(each) for each in months if each in known],
        missing=[month_name(each) for each in months if each not in known],
        least_votes=LEAST_VOTES,
        common_share=_rounded(common),
        prior_weight=None if prior is None else round(prior.weight, 1),
        icc=_rounded(icc),
        votes_needed=None
        if icc is None
        else VotesNeeded(reliability_07=votes_needed(icc, 0.7), reliability_08=votes_needed(icc, 0.8)),
        overdispersion=None
        if scatter is None
        else OverdispersionResource(factor=round(scatter.factor, 3), p=scatter.p, significant=scatter.significant),
        method=method_words(language),
        notice=notice_words(language),
        points=[_point(each, rates, common, prior, icc) for each in people],
    )


def method_words(language: Language) -> str:
    """How the figures of a funnel are made."""
    _ = language.gettext
    return _(
        "Limits are exact binomial ones round the common share: of operators who do not differ, one in twenty lies "
        "outside the 95% limits and two in a thousand outside the 99.8% limits. What is expected comes from the other "
        "operators’ shares in the same services, branches and hours. The shrunk share is drawn towards everybody’s, "
        "the more the fewer the votes. With fewer than 30 votes nobody is compared, and nobody is ranked."
    )


def narrowed_to(store: Store, token: Token, asked: Asked) -> Asked:
    """The question within the reader's limits. Raises ScopeMissing and BadQuestion."""
    register = store.book.whole()[1]
    if asked.period not in PERIODS:
        raise BadQuestion("Operators are compared by whole months: period=month, quarter or year.", field="period")
    if asked.branch is not None and asked.branch not in {each.id for each in register.branches}:
        raise BadQuestion(f"There is no branch {asked.branch}.", field="branch")
    if asked.participant is not None and asked.participant not in {each.id for each in register.participants}:
        raise BadQuestion(f"There is no organisation {asked.participant}.", field="participant")
    limits = token.limits
    if limits.operator is not None:
        raise ScopeMissing("Operators are not compared with each other for an operator.")
    updates: dict[str, str] = {}
    if limits.branches is not None and asked.branch is None and len(limits.branches) == 1:
        updates["branch"] = next(iter(limits.branches))
    if limits.participants is not None and asked.participant is None and len(limits.participants) == 1:
        updates["participant"] = next(iter(limits.participants))
    asked = asked.model_copy(update=updates)
    if asked.branch is not None and limits.branches is not None and asked.branch not in limits.branches:
        raise ScopeMissing("This branch is not yours.", field="branch")
    if limits.participants is not None:
        within(token, register, branch=asked.branch, participant=asked.participant)
    return asked


def _seen(rows: Iterable[Mixed], asked: Asked, register: Register, limits: Limits) -> list[Mixed]:
    """The rows that were asked for and that the reader may see, whatever was asked."""
    employers = Employers(register)

    def employed(row: Mixed) -> str | None:
        first, last = day_date(row.month * 100 + 1), day_date(later(row.month) * 100 + 1) - timedelta(days=1)
        employer = employers.of(row.operator, first)
        return employer if employers.of(row.operator, last) == employer else None

    found = []
    for row in rows:
        if asked.branch not in (None, row.branch) or (
            limits.branches is not None and row.branch not in limits.branches
        ):
            continue
        if asked.participant is not None and employed(row) != asked.participant:
            continue
        if limits.participants is not None and employed(row) not in limits.participants:
            continue
        found.append(row)
    return found


def _counted(rows: Iterable[Mixed], register: Register) -> list[Counted]:
    """Operators in the register's order, those it does not know after them by pseudonym."""
    mix: dict[str, list[MixRow]] = defaultdict(list)
    for row in rows:
        mix[row.operator].append(
            MixRow(row.service, row.branch, row.hour, row.eligible, row.bad, row.good, row.exemplary)
        )
    order = {name: place for place, name in enumerate(by_id(register.operators))}
    names = sorted(mix, key=lambda name: (order.get(name, len(order)), name))
    return [Counted(name, tuple(mix[name]), _summed(mix[name])) for name in names]


def _summed(rows: Sequence[MixRow]) -> Tally:
    eligible, bad, good, exemplary = (
        sum(getattr(row, name) for row in rows) for name in ("eligible", "bad", "good", "exemplary")
    )
    return Tally(calls=eligible, eligible=eligible, bad=bad, good=good, exemplary=exemplary)


def _point(each: Counted, rates: Rates, common: float | None, prior: Prior | None, icc: float | None) -> FunnelPoint:
    tally = each.tally
    count = getattr(tally, rates.rating)
    enough = tally.votes >= LEAST_VOTES
    shrunk = shrink(count, tally.votes, prior) if enough and prior is not None else None
    mix = standardised(each.rows, rates) if enough else None
    return FunnelPoint(
        operator=each.operator,
        eligible_calls=tally.eligible,
        votes=tally.votes,
        response_rate=response_rate(tally),
        enough=enough,
        figure=rating_figure(count, tally.votes) if enough else None,
        limits=FunnelLimitsResource(**funnel_limits(tally.votes, common)._asdict())
        if enough and common is not None
        else None,
        case_mix=None
        if mix is None
        else CaseMixResource(
            expected=round(mix.expected, 2), ratio=_rounded(mix.ratio), low=_rounded(mix.low), high=_rounded(mix.high)
        ),
        shrunk=None
        if shrunk is None
        else ShrunkResource(
            share=round(shrunk.share, DIGITS), low=round(shrunk.low, DIGITS), high=round(shrunk.high, DIGITS)
        ),
        reliability=_rounded(reliability(tally.votes, icc)) if enough and icc is not None else None,
    )


def _months(first: date, last: date) -> list[int]:
    months = [first.year * 100 + first.month]
    while months[-1] < last.year * 100 + last.month:
        months.append(later(months[-1]))
    return months


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
