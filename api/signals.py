"""``GET /v1/signals`` and the review of one: reasons for a person to look, seen by those who may (order O2.2, P4.8).

Rules of the file
1.  Who has the scope ``operators`` besides sees their own unit's signals, for analysis or improvement only: never when
    a bonus or somebody's duties are judged. It is written into the access log before it is read.
2.  Who has ``signals`` alone, the IT department, sees what is about pads, without operators.
3.  Nothing here changes a vote or a figure. A review says what it was: explained, to be watched, or a fault of the
    system.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.access.operators import Wish, disclose
from api.access.reach import only_branches
from api.aggregates import Name
from api.auth import require
from api.comparison import notice_words
from api.errors import BadQuestion, NoSuchThing, ScopeMissing, UnknownPurpose
from api.figures import rating_figure
from api.i18n import Language
from api.integrity.registry import BY_ID, SIGNALS
from api.parts import parts_of
from api.purposes import checked_purpose
from api.rendering import language_of
from collector.store import MarkedVotes, SignalRow, Store, Token
from schemas.months import month_name, read_month
from schemas.signal_resources import (
    MarkedCounts,
    Outcome,
    SignalKind,
    SignalMonthResource,
    SignalRateResource,
    SignalResource,
    Signals,
    WithoutMarked,
)

PURPOSES = ("analysis", "improvement")
# Figures with and without marked votes are shown where a share moves by more than this (domain study 6.6).
WORTH_SHOWING = 0.01
MOST_MONTHS = 6

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]

router = APIRouter()


class Asked(BaseModel):
    """What is asked; a parameter that is not in it is refused, not overlooked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    month: str | None = Field(None, pattern=r"^\d{4}-\d{2}$", description="like 2026-10; the last six if not given")
    branch: Name | None = None
    purpose: str | None = Field(None, description=f"of those who see operators: {', '.join(PURPOSES)}")
    order: int | None = Field(None, ge=1, le=2**31 - 1, description="the recorded order to read by (order P4.3)")
    lang: str | None = Field(None, max_length=10, description="language of the texts; the office's own if not given")

    @property
    def words(self) -> str:
        """The question as the access log has it."""
        return " ".join(("signals", *(f"{name}={value}" for name, value in self if value is not None)))


class Review(BaseModel):
    """What a person says a signal was."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: Outcome
    note: str = Field("", max_length=500)
    purpose: str | None = None
    order: int | None = Field(None, ge=1, le=2**31 - 1)


@router.get("/v1/signals")
def read_signals(
    request: Request, asked: Annotated[Asked, Query()], token: Annotated[Token, require("signals", within_limits=True)]
) -> Signals:
    """What stood out in closed months, why it may mean nothing, and what was made of it."""
    return signals_for(parts_of(request).store, token, asked, language_of(request))


@router.post("/v1/signals/{one}/review")
def review_signal(
    request: Request,
    one: Number,
    review: Annotated[Review, Body()],
    token: Annotated[Token, require("signals", "operators", within_limits=True)],
) -> SignalResource:
    """Records what a person says a signal was; it may be said again. No vote and no figure changes."""
    return reviewed(parts_of(request).store, token, one, review)


def signals_for(store: Store, token: Token, asked: Asked, language: Language) -> Signals:
    """The answer for a reader. Raises BadQuestion, ScopeMissing, UnknownPurpose."""
    branches = _reachable(store, token, asked)
    months = store.signals.months()
    wanted = _month(asked.month)
    chosen = [each for each in months if wanted in (None, each.month)][-MOST_MONTHS:]
    shown = [each.month for each in chosen if not each.log_only]
    found = [each for each in store.signals.found(months=shown) if branches is None or each.branch in branches]
    devices_only = "operators" not in token.scopes
    if devices_only:
        found = [each for each in found if BY_ID[each.kind].device]
    names = {(each.month, each.operator) for each in found}
    marked = (
        [] if devices_only else [each for each in store.signals.marked(shown) if (each.month, each.operator) in names]
    )
    return Signals(
        generated_at=datetime.now(UTC),
        months=[
            SignalMonthResource(
                month=month_name(each.month),
                log_only=each.log_only,
                operators=each.operators,
                calls=each.calls,
                computed_at=_moment(each.computed_unix_ms),
            )
            for each in chosen
        ],
        signals=[_resource(each, devices_only) for each in found],
        without_marked=_without_marked(marked),
        rates=_rates(store, [each.month for each in chosen], devices_only),
        kinds=[kind_in(language, each.id) for each in SIGNALS if each.device or not devices_only],
        method=method_words(language),
        notice=notice_words(language),
    )


def reviewed(store: Store, token: Token, one: int, review: Review) -> SignalResource:
    """Records the review. Raises NoSuchThing for a signal that is not the reader's either."""
    shown = [each.month for each in store.signals.months() if not each.log_only]
    found = store.signals.found(months=shown, one=one)
    if not found:
        raise NoSuchThing(f"There is no signal {one}.")
    asked = Asked(branch=found[0].branch, purpose=review.purpose, order=review.order)
    _reachable(store, token, asked, f"review of signal {one}", about=found[0].operator)
    store.signals.review(one, review.outcome, review.note.strip(), token.name, time.time_ns() // 1_000_000)
    return _resource(store.signals.found(months=shown, one=one)[0], False)


def kind_in(language: Language, kind: str) -> SignalKind:
    """What a signal is, in words."""
    signal, _ = BY_ID[kind], language.gettext
    return SignalKind(
        id=signal.id,
        name=_(signal.name),
        looks_at=_(signal.looks_at),
        innocent=[_(each) for each in signal.innocent],
        null_model=_(signal.null_model),
        threshold=_(signal.threshold),
        device=signal.device,
        missing=_(signal.missing) if signal.missing else None,
    )


def method_words(language: Language) -> str:
    """How it is decided what stands out."""
    _ = language.gettext
    return _(
        "A signal is a reason for a person to look, never proof and never a ground for a penalty. All tests of a month "
        "are judged together, so that of those that stand out one in twenty is to be expected by chance "
        "(Benjamini–Hochberg), and only deviations large enough to matter are shown. No vote is removed or changed "
        "because of a signal. The first two months are only for learning how often what occurs."
    )


def _reachable(
    store: Store, token: Token, asked: Asked, words: str | None = None, about: str | None = None
) -> frozenset[str] | None:
    """Whose signals the reader may see, None for all branches; at operator level once it is written down."""

    def narrow() -> frozenset[str] | None:
        _month(asked.month)
        if asked.branch is not None and asked.branch not in {each.id for each in store.book.whole()[1].branches}:
            raise BadQuestion(f"There is no branch {asked.branch}.", field="branch")
        mine = only_branches(token)
        if asked.branch is None:
            return mine
        if mine is not None and asked.branch not in mine:
            raise ScopeMissing(f"This branch is not yours; yours: {', '.join(sorted(mine))}.", field="branch")
        return frozenset({asked.branch})

    if "operators" not in token.scopes:
        return narrow()

    def for_a_purpose() -> frozenset[str] | None:
        purpose = checked_purpose(asked.purpose)
        if purpose.id not in PURPOSES:
            raise UnknownPurpose(
                f"Signals are read for {' or '.join(PURPOSES)} only: never when duties or a bonus are judged "
                "(points 4.7 and 4.8 of the order).",
                field="purpose",
            )
        return narrow()

    wish = Wish(words or asked.words, asked.purpose, asked.order, asked.branch, about)
    return disclose(store, token, wish, for_a_purpose)


def _month(name: str | None) -> int | None:
    try:
        return None if name is None else read_month(name)
    except ValueError:
        raise BadQuestion("There is no such month.", field="month") from None


def _resource(row: SignalRow, devices_only: bool) -> SignalResource:
    return SignalResource(
        id=row.id,
        month=month_name(row.month),
        kind=row.kind,
        operator=None if devices_only else row.operator,
        branch=row.branch,
        desk=row.desk or None,
        statistic=row.statistic,
        expected=row.expected,
        n=row.n,
        p=row.p,
        q=row.q,
        marked=None
        if devices_only
        else MarkedCounts(bad=row.marked_bad, good=row.marked_good, exemplary=row.marked_exemplary),
        numbers=dict(row.numbers),
        stands=row.stands,
        outcome=row.outcome,
        note=row.note,
        reviewed_by=row.reviewed_by,
        reviewed_at=None if row.reviewed_unix_ms is None else _moment(row.reviewed_unix_ms),
    )


def _without_marked(rows: Sequence[MarkedVotes]) -> list[WithoutMarked]:
    found = []
    for row in rows:
        votes, marked = row.bad + row.good + row.exemplary, row.marked_bad + row.marked_good + row.marked_exemplary
        left = votes - marked
        figures = {
            "bad": rating_figure(row.bad, votes),
            "exemplary": rating_figure(row.exemplary, votes),
            "bad_without": rating_figure(row.bad - row.marked_bad, left),
            "exemplary_without": rating_figure(row.exemplary - row.marked_exemplary, left),
        }
        shares = {name: figure.share for name, figure in figures.items()}
        moved = not left or any(
            abs((shares[f"{name}_without"] or 0.0) - (shares[name] or 0.0)) > WORTH_SHOWING
            for name in ("bad", "exemplary")
        )
        if marked and moved:
            found.append(
                WithoutMarked(
                    month=month_name(row.month), operator=row.operator, votes=votes, marked_votes=marked, **figures
                )
            )
    return sorted(found, key=lambda each: (each.month, each.operator))


def _rates(store: Store, months: Sequence[int], devices_only: bool) -> list[SignalRateResource]:
    return [
        SignalRateResource(
            month=month_name(each.month),
            kind=each.kind,
            tests=each.tests,
            below_5_percent=each.below_5_percent,
            stand_out=each.stand_out,
        )
        for each in store.signals.rates()
        if each.month in months and (BY_ID[each.kind].device or not devices_only)
    ]


def _moment(unix_ms: int) -> datetime:
    return datetime.fromtimestamp(unix_ms / 1000, UTC)
